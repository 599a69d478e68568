#pragma once

/// @file
/// One table read out of DDL: its columns, key and indexes, by CREATE TABLE and what follows of it. Source: the manual, "CREATE TABLE",
/// "ALTER TABLE", "CREATE INDEX"; pg_dump's src/bin/pg_dump/pg_dump.c for what a dump has beside them.

#include <isorow/schema/detail/sql_index_reader.hpp>
#include <isorow/schema/detail/sql_reader.hpp>
#include <isorow/schema/detail/sql_table_parts.hpp>
#include <isorow/schema/detail/sql_type_reader.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Reads one table out of DDL: statements about other things are passed over.
class sql_table_reader : private sql_table_parts {
public:
    constexpr sql_table_reader(std::string_view sql, std::string_view schema, std::string_view name) : sql_table_parts(sql, schema, name) {}

    [[nodiscard]] constexpr table_in_sql read() {
        while (!sql_.at_end()) read_statement();
        read_.problem = sql_.problem();
        for (auto const& index : read_.indexes)
            for (auto const& column : index.columns)
                if (auto* const found = find(column.view()); index.primary && found != nullptr) found->not_null = true;
        return std::move(read_);
    }

private:
    // Statements

    constexpr void read_statement() {
        statement_ = sql_.now();
        if (sql_.is("\\")) sql_.skip_line();
        else if (sql_.take("create")) read_create();
        else if (sql_.take("alter")) read_alter();
        else if (sql_.take("drop")) read_drop();
        else if (sql_.take("copy")) skip_copy();
        else if (sql_.take("set")) read_set();
        else sql_.skip_statement();
    }

    /// `COPY … FROM stdin;` is followed by its rows.
    constexpr void skip_copy() {
        bool has_rows = false;
        for (; !sql_.at_end() && !sql_.is(";"); sql_.advance()) has_rows = has_rows || (sql_.is("from") && sql_.is_next("stdin"));
        if (has_rows) sql_.skip_copied_rows();
        else sql_.skip_statement();
    }

    constexpr void read_set() {
        sql_.take("local");
        sql_.take("session");
        bool const is_path = sql_.take("search_path");
        bool const is_strings = !is_path && sql_.take("standard_conforming_strings");
        if (is_path || is_strings) sql_.advance();  // = or TO
        if (is_path) path_ = {};
        if (is_path && sql_.is_name() && !sql_.is("default")) path_ = name_of(sql_.now());
        if (is_strings && sql_.is("off")) sql_.fail("strings that are not standard_conforming_strings are not read");
        sql_.skip_statement();
    }

    constexpr void read_create() {
        if (sql_.take("or")) sql_.expect("replace", "REPLACE is missing");
        while (sql_.take("global") || sql_.take("local") || sql_.take("temporary") || sql_.take("temp") || sql_.take("unlogged") ||
               sql_.take("foreign")) {
        }
        if (sql_.take("table")) read_table();
        else if (sql_.is("index") || (sql_.is("unique") && sql_.is_next("index"))) read_index();
        else sql_.skip_statement(sql_.is("function") || sql_.is("procedure"));
    }

    constexpr void read_table() {
        bool const may_exist = sql_.is("if");
        sql_.take_if_not_exists();
        if (!is_wanted(sql_.take_qualified_name()) || (read_.exists && may_exist)) return sql_.skip_statement();
        if (read_.exists) return sql_.fail("this table is created a second time");
        read_.exists = true;
        if (!sql_.is("("))
            return sql_.fail("the columns of this table stand elsewhere (AS, OF, PARTITION OF), so that they cannot be read here");
        sql_.advance();
        if (!sql_.is(")")) {
            do read_element();
            while (sql_.take(","));
        }
        sql_.expect(")", "\")\" is missing");
        if (sql_.take("inherits") && !sql_.is_next(")")) sql_.fail("columns that are inherited cannot be read here");
        read_.is_partitioned = sql_.is("partition");
        sql_.skip_statement();
    }

    constexpr void read_index() {
        sql_index_reader reader(sql_);
        auto index = reader.read_head();
        if (!read_.exists || !is_wanted(index.table)) return sql_.skip_statement();
        reader.read_shape(index.shape);
        sql_table_index read;
        read.name = name_of(index.name);
        read.definition = sql_.text_from(statement_);
        read.unique = index.shape.unique;
        read.plain = index.shape.ordinary;
        read.columns = index.shape.columns;
        if (read.name.empty()) read.name = made_name(read.columns, "_idx");
        read_.indexes.push_back(std::move(read));
        sql_.skip_statement();
    }

    constexpr void read_drop() {
        bool const is_table = sql_.take("table");
        bool const is_index = !is_table && sql_.take("index");
        if (!is_table && !is_index) return sql_.skip_statement();
        sql_.take("concurrently");
        if (sql_.take("if")) sql_.expect("exists", "EXISTS is missing");
        do {
            auto const name = sql_.take_qualified_name();
            if (is_table && is_wanted(name)) read_ = {};
            if (is_index) std::erase_if(read_.indexes, [&](auto const& index) { return is_name(name.name, index.name.view()); });
        } while (sql_.take(","));
        sql_.skip_statement();
    }

    // ALTER TABLE

    constexpr void read_alter() {
        sql_.take("foreign");
        if (!sql_.take("table")) return sql_.skip_statement();
        if (sql_.take("if")) sql_.expect("exists", "EXISTS is missing");
        sql_.take("only");
        auto const name = sql_.take_qualified_name();
        sql_.take("*");
        if (!read_.exists || !is_wanted(name)) return sql_.skip_statement();
        do read_action();
        while (sql_.take(","));
        if (!sql_.is(";") && !sql_.at_end()) sql_.fail("this is no part of ALTER TABLE that is known here");
        sql_.skip_statement();
    }

    constexpr void read_action() {
        if (sql_.take("add")) return read_added();
        if (sql_.take("alter")) return read_altered_column();
        if (sql_.take("drop")) return read_dropped();
        if (sql_.take("rename")) return read_renamed();
        if (sql_.is("set") && sql_.is_next("schema")) read_ = {};
        bool const is_ignored = sql_.is("owner") || sql_.is("enable") || sql_.is("disable") || sql_.is("force") || sql_.is("no") ||
                                sql_.is("cluster") || sql_.is("set") || sql_.is("reset") || sql_.is("replica") || sql_.is("attach") ||
                                sql_.is("detach") || sql_.is("validate");
        if (is_ignored) sql_.skip_part();
        else sql_.fail("this is no part of ALTER TABLE that is known here");
    }

    constexpr void read_added() {
        if (is_constraint()) return read_constraint();
        sql_.take("column");
        bool const may_exist = sql_.is("if");
        sql_.take_if_not_exists();
        if (may_exist && find(name_of(sql_.now()).view()) != nullptr) sql_.skip_part();
        else read_column();
    }

    constexpr void read_dropped() {
        bool const is_constraint = sql_.take("constraint");
        if (!is_constraint) sql_.take("column");
        if (sql_.take("if")) sql_.expect("exists", "EXISTS is missing");
        auto const name = name_of(sql_.take_name());
        if (!is_constraint) std::erase_if(read_.columns, [&](auto const& column) { return column.name == name; });
        std::erase_if(read_.indexes, [&](auto const& index) {
            if (is_constraint) return index.is_constraint && index.name == name;
            return std::find(index.columns.begin(), index.columns.end(), name) != index.columns.end();
        });
        std::erase_if(read_.constraints, [&](auto const& constraint) {
            if (is_constraint) return constraint.name == name;
            return std::find(constraint.columns.begin(), constraint.columns.end(), name) != constraint.columns.end();
        });
        sql_.skip_part();
    }

    constexpr void read_renamed() {
        if (sql_.take("to")) {
            read_ = {};
            return sql_.skip_part();
        }
        if (sql_.is("constraint")) return sql_.skip_part();
        sql_.take("column");
        auto const former = name_of(sql_.take_name());
        sql_.expect("to", "TO is missing");
        auto const name = name_of(sql_.take_name());
        if (auto* const column = known_column(former.view()); column != nullptr) column->name = name;
        for (auto& index : read_.indexes) {
            if (std::find(index.columns.begin(), index.columns.end(), former) == index.columns.end()) continue;
            std::replace(index.columns.begin(), index.columns.end(), former, name);
            if (!index.definition.empty()) sql_.fail("a column of an index is renamed, which cannot be read here");
        }
        for (auto& constraint : read_.constraints) std::replace(constraint.columns.begin(), constraint.columns.end(), former, name);
    }

    constexpr void read_altered_column() {
        sql_.take("column");
        auto* const column = known_column(name_of(sql_.take_name()).view());
        if (column == nullptr) return;
        if (sql_.take("add")) return read_column_constraint(*column, {});
        if (sql_.is("type") || (sql_.is("set") && sql_.is_next("data"))) return read_new_type(*column);
        bool const sets = sql_.take("set");
        if (!sets && !sql_.take("drop")) return sql_.skip_part();
        if (sql_.take("default")) {
            column->default_value = {};
            if (sets) column->default_value = read_expression();
        } else if (sql_.take("not")) {
            sql_.expect("null", "NULL is missing");
            column->not_null = sets;
        } else {
            if (!sets && sql_.is("identity")) column->identity = column->identity_always = false;
            if (sets && sql_.take("generated")) column->identity_always = sql_.is("always");
            if (!sets && sql_.is("expression")) column->generated = false;
            sql_.skip_part();
        }
    }

    constexpr void read_new_type(sql_column& column) {
        if (sql_.take("set")) sql_.advance();  // DATA
        sql_.expect("type", "TYPE is missing");
        column.type = sql_type_reader(sql_).read().spelling;
        column.collation = sql_.take("collate") ? name_of(sql_.take_qualified_name().name) : text_builder();
        sql_.skip_part();
    }

    [[nodiscard]] constexpr bool is_wanted(sql_name const& name) const {
        if (!is_name(name.name, name_)) return false;
        if (name.schema.kind == sql_kind::end) return path_.empty() || path_.view() == schema_;
        return is_name(name.schema, schema_);
    }

    sql_token statement_{};  ///< the word that begins the statement
};

}  // namespace isorow::inline v1::detail
