#pragma once

/// @file
/// `CREATE INDEX` taken apart: as a user writes it, and as `pg_get_indexdef` prints it.

#include <isorow/schema/detail/sql_reader.hpp>
#include <isorow/types/column_type.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

/// What an index is beside its name.
struct index_shape {
    text_builder method{"btree"};
    bool unique = false;
    bool ordinary = true;                 ///< of columns alone in their usual order, over all rows
    std::vector<text_builder> columns{};  ///< empty texts where there is an expression
    std::vector<text_builder> classes{};  ///< the columns' operator classes without their schema; empty texts where none is written
    std::int32_t m = 16;                  ///< pgvector's options, as they are where none are written
    std::int32_t ef_construction = 64;
    std::int32_t lists = 100;
};

/// An index with what it is of.
struct sql_index {
    sql_token name{};  ///< of kind `end` where none is said
    sql_name table{};
    index_shape shape{};
};

class sql_index_reader {
public:
    constexpr explicit sql_index_reader(sql_reader& sql) : sql_(&sql) {}

    /// Reads from behind CREATE to the table's name.
    constexpr sql_index read_head() {
        sql_index index;
        index.shape.unique = sql_->take("unique");
        sql_->expect("index", "INDEX is missing");
        sql_->take("concurrently");
        sql_->take_if_not_exists();
        if (!sql_->is("on")) index.name = sql_->take_name();
        sql_->expect("on", "ON is missing");
        sql_->take("only");
        index.table = sql_->take_qualified_name();
        return index;
    }

    /// Reads from behind the table's name to the statement's end.
    constexpr void read_shape(index_shape& shape) {
        if (sql_->take("using")) shape.method = name_of(sql_->take_name());
        sql_->expect("(", "the columns of an index are missing");
        do read_column(shape);
        while (sql_->take(","));
        sql_->expect(")", "\")\" is missing");
        while (!sql_->at_end() && !sql_->is(";")) read_clause(shape);
    }

private:
    constexpr void read_column(index_shape& shape) {
        sql_token column;
        if (!sql_->is("(")) column = sql_->take_name();
        bool const is_expression = sql_->is("(");
        if (is_expression) sql_->skip_parentheses();
        shape.ordinary = shape.ordinary && !is_expression;
        shape.columns.emplace_back();
        if (!is_expression) shape.columns.back() = name_of(column);
        text_builder operator_class;
        while (!sql_->at_end() && !sql_->is_end_of_part()) {
            if (sql_->take("asc")) continue;
            bool const is_unusual = sql_->is("collate") || sql_->is("desc") || sql_->is("nulls") || sql_->is("(");
            shape.ordinary = shape.ordinary && !is_unusual;
            if (sql_->take("collate")) static_cast<void>(sql_->take_qualified_name());
            else if (sql_->take("nulls")) sql_->advance();
            else if (sql_->is("(")) sql_->skip_parentheses();
            else if (!sql_->take("desc")) operator_class = name_of(sql_->take_qualified_name().name);
        }
        shape.classes.push_back(operator_class);
    }

    constexpr void read_clause(index_shape& shape) {
        if (sql_->take("with")) return read_options(shape);
        if (sql_->take("tablespace")) return static_cast<void>(sql_->take_name());
        if (sql_->take("nulls")) {
            shape.ordinary = shape.ordinary && !sql_->take("not");
            return sql_->expect("distinct", "DISTINCT is missing");
        }
        if (!sql_->is("include") && !sql_->is("where")) return sql_->fail("this is no part of CREATE INDEX");
        shape.ordinary = false;
        if (sql_->take("include")) sql_->skip_parentheses();
        else sql_->skip_to_semicolon();
    }

    constexpr void read_options(index_shape& shape) {
        sql_->expect("(", "\"(\" is missing");
        do {
            auto const option = name_of(sql_->take_name());
            auto const value = sql_->take("=") ? read_number() : 0;
            if (option.view() == "m") shape.m = value;
            if (option.view() == "ef_construction") shape.ef_construction = value;
            if (option.view() == "lists") shape.lists = value;
        } while (sql_->take(","));
        sql_->expect(")", "\")\" is missing");
    }

    /// `16` or `'16'`; 0 for a value that is no number.
    constexpr std::int32_t read_number() {
        auto digits = sql_->now().text;
        sql_->advance();
        if (digits.starts_with('\'')) digits.remove_prefix(1);
        auto const number = take_number(digits);
        return number < 0 ? 0 : number;
    }

    sql_reader* sql_;
};

/// What an index is, by its definition as SQL writes it.
[[nodiscard]] constexpr index_shape read_index_shape(std::string_view definition) {
    sql_reader sql(definition);
    sql.take("create");
    sql_index_reader reader(sql);
    auto read = reader.read_head();
    reader.read_shape(read.shape);
    return read.shape;
}

}  // namespace isorow::inline v1::detail
