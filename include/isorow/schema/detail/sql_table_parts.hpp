#pragma once

/// @file
/// What stands between the parentheses of CREATE TABLE, and in the parts of ALTER TABLE: columns and constraints. Source: the manual,
/// "CREATE TABLE".

#include <isorow/schema/detail/sql_reader.hpp>
#include <isorow/schema/detail/sql_type_reader.hpp>

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// A column as DDL makes it. Refers to the DDL.
struct sql_column {
    text_builder name{};
    text_builder type{};  ///< in the words of `format_type` where it is one that isorow knows, without its schema
    std::string_view default_value{};
    text_builder collation{};  ///< its name without its schema
    bool not_null = false;
    bool identity = false;
    bool identity_always = false;
    bool generated = false;
};

/// An index, or the index of a constraint, as DDL makes it. Refers to the DDL.
struct sql_table_index {
    text_builder name{};
    std::string_view definition{};  ///< CREATE INDEX as it is written; empty for a constraint's
    bool is_constraint = false;
    bool unique = false;
    bool primary = false;
    bool plain = true;
    std::vector<text_builder> columns{};
};

/// A check or a foreign key as DDL makes it. Refers to the DDL.
struct sql_table_constraint {
    text_builder name{};                  ///< empty where the server makes one of what a check of the table mentions
    std::vector<text_builder> columns{};  ///< of a foreign key, and of a check that stands at a column
    std::string_view check{};             ///< `CHECK (…)` as it is written; empty for a foreign key
    text_builder reference{};             ///< `REFERENCES public.customers (id) ON DELETE CASCADE`; empty for a check

    /// `FOREIGN KEY (customer) REFERENCES …`, without quotes, or the check.
    [[nodiscard]] constexpr text_builder definition() const {
        if (reference.empty()) return text_builder(check);
        text_builder words("FOREIGN KEY (");
        for (auto const& column : columns) words.add(&column == columns.data() ? "" : ", ", column.view());
        words.add(") ", reference.view());
        return words;
    }
};

/// What was found of a table in DDL.
struct table_in_sql {
    std::vector<sql_column> columns{};
    std::vector<sql_table_index> indexes{};
    std::vector<sql_table_constraint> constraints{};
    bool exists = false;
    bool is_partitioned = false;
    text_builder problem{};  ///< why the DDL cannot be read; empty where it can
};

/// Reads columns and constraints into a table.
class sql_table_parts {
protected:
    constexpr sql_table_parts(std::string_view sql, std::string_view schema, std::string_view name)
        : sql_(sql), schema_(schema), name_(name) {}

    // Columns

    constexpr void read_element() {
        if (is_constraint()) read_constraint();
        else read_column();
    }

    constexpr void read_column() {
        sql_column column;
        column.name = name_of(sql_.take_name());
        auto type = sql_type_reader(sql_).read();
        column.type = std::move(type.spelling);
        if (type.is_serial) {
            column.not_null = true;
            column.default_value = "nextval";
        }
        sql_token constraint;
        while (!sql_.at_end() && !sql_.is_end_of_part()) {
            if (sql_.take("constraint")) constraint = sql_.take_name();
            else read_column_constraint(column, std::exchange(constraint, {}));
        }
        if (find(column.name.view()) != nullptr) return sql_.fail("this table has a column twice");
        read_.columns.push_back(std::move(column));
    }

    constexpr void read_column_constraint(sql_column& column, sql_token const& constraint) {
        if (sql_.take("not")) return read_not(column);
        if (sql_.take("default")) return static_cast<void>(column.default_value = read_expression());
        if (sql_.take("generated")) return read_generated(column);
        if (sql_.is("primary") || sql_.is("unique")) return read_key(&column, constraint);
        if (sql_.is("check")) return read_check(&column, constraint);
        if (sql_.take("references")) return read_reference({.name = name_of(constraint), .columns = {column.name}});
        if (sql_.take("collate")) return static_cast<void>(column.collation = name_of(sql_.take_qualified_name().name));
        if (sql_.take("with")) return sql_.skip_parentheses();
        if (sql_.take("storage") || sql_.take("compression") || sql_.take("initially") || sql_.take("no")) return sql_.advance();
        if (!sql_.take("null") && !sql_.take("deferrable") && !sql_.take("enforced"))
            sql_.fail("this is no part of the definition of a column");
    }

    constexpr void read_not(sql_column& column) {
        if (sql_.take("null")) column.not_null = true;
        else if (!sql_.take("deferrable") && !sql_.take("enforced") && !sql_.take("valid")) sql_.fail("NULL is missing");
    }

    constexpr void read_generated(sql_column& column) {
        bool const is_always = sql_.take("always");
        if (!is_always && sql_.take("by")) sql_.expect("default", "DEFAULT is missing");
        sql_.expect("as", "AS is missing");
        if (sql_.take("identity")) {
            column.identity = column.not_null = true;
            column.identity_always = is_always;
            if (sql_.is("(")) sql_.skip_parentheses();
            return;
        }
        column.generated = true;
        sql_.skip_parentheses();
        if (!sql_.take("stored")) sql_.take("virtual");
    }

    /// An expression up to what ends it: a comma, a parenthesis that is not its own, or what may follow a default.
    constexpr std::string_view read_expression() {
        auto const first = sql_.now();
        if (sql_.is_end_of_part()) sql_.fail("an expression is missing");
        int cases = 0;
        do {
            cases += sql_.is("case") ? 1 : sql_.is("end") ? -1 : 0;
            if (sql_.is("(")) sql_.skip_parentheses();
            else if (sql_.is("[")) sql_.skip_brackets();
            else sql_.advance();
        } while (!sql_.at_end() && (cases > 0 || !ends_expression()));
        return sql_.text_from(first);
    }

    [[nodiscard]] constexpr bool ends_expression() const {
        return sql_.is_end_of_part() || (sql_.is("not") && sql_.is_next("null")) || sql_.is("null") || sql_.is("constraint") ||
               sql_.is("check") || sql_.is("unique") || sql_.is("primary") || sql_.is("references") || sql_.is("generated") ||
               sql_.is("storage") || sql_.is("compression");
    }

    // Constraints

    [[nodiscard]] constexpr bool is_constraint() const {
        return sql_.is("constraint") || sql_.is("check") || sql_.is("unique") || sql_.is("primary") || sql_.is("foreign") ||
               sql_.is("like") || sql_.is("not") || (sql_.is("exclude") && (sql_.is_next("using") || sql_.is_next("(")));
    }

    constexpr void read_constraint() {
        sql_token name;
        if (sql_.take("constraint")) name = sql_.take_name();
        if (sql_.is("primary") || sql_.is("unique")) {
            read_key(nullptr, name);
        } else if (sql_.take("not")) {
            sql_.expect("null", "NULL is missing");
            if (auto* const column = known_column(name_of(sql_.take_name()).view()); column != nullptr) column->not_null = true;
        } else if (sql_.is("like")) {
            sql_.fail("columns that are LIKE those of another table cannot be read here");
        } else if (sql_.is("check")) {
            read_check(nullptr, name);
        } else if (sql_.take("foreign")) {
            read_foreign_key(name);
        } else if (!sql_.is("exclude")) {
            sql_.fail("this is no constraint that is known here");
        }
        sql_.skip_part();
    }

    /// A check, of a column or, where it is null, of the table.
    constexpr void read_check(sql_column const* column, sql_token const& name) {
        sql_table_constraint check{.name = name_of(name)};
        auto const first = sql_.now();
        sql_.advance();
        sql_.skip_parentheses();
        check.check = sql_.text_from(first);
        if (column != nullptr) check.columns.push_back(column->name);
        if (column != nullptr && check.name.empty()) check.name = made_name(check.columns, "_check");
        read_.constraints.push_back(std::move(check));
    }

    /// Behind FOREIGN.
    constexpr void read_foreign_key(sql_token const& name) {
        sql_.expect("key", "KEY is missing");
        sql_table_constraint key{.name = name_of(name)};
        read_names(key.columns);
        sql_.expect("references", "REFERENCES is missing");
        read_reference(std::move(key));
    }

    /// Behind REFERENCES: the other table, its columns, and what is done when its rows change.
    constexpr void read_reference(sql_table_constraint key) {
        if (key.name.empty()) key.name = made_name(key.columns, "_fkey");
        auto const table = sql_.take_qualified_name();
        auto const schema = table.schema.kind == sql_kind::end ? path_ : name_of(table.schema);
        std::vector<text_builder> columns;
        if (sql_.is("(")) read_names(columns);
        key.reference.add("REFERENCES ", schema.empty() ? schema_ : schema.view(), ".", name_of(table.name).view());
        for (auto const& column : columns) key.reference.add(&column == columns.data() ? " (" : ", ", column.view());
        if (!columns.empty()) key.reference += ')';
        read_reference_actions(key.reference);
        read_.constraints.push_back(std::move(key));
    }

    /// MATCH and ON, in either order; that of an update is written first.
    constexpr void read_reference_actions(text_builder& reference) {
        text_builder on_update;
        text_builder on_delete;
        while (sql_.is("match") || sql_.is("on")) {
            bool const is_match = sql_.is("match");
            sql_.advance();
            bool const is_update = sql_.is("update");
            sql_.advance();  // FULL, DELETE …
            if (is_match) continue;
            auto& words = is_update ? on_update : on_delete;
            if (sql_.take("no")) sql_.advance();
            else words.add(is_update ? " ON UPDATE " : " ON DELETE ", read_reference_action().view());
        }
        reference.add(on_update.view(), on_delete.view());
    }

    /// CASCADE, RESTRICT, SET NULL …, in upper case.
    [[nodiscard]] constexpr text_builder read_reference_action() {
        if (sql_.take("cascade")) return text_builder("CASCADE");
        if (sql_.take("restrict")) return text_builder("RESTRICT");
        sql_.expect("set", "this is no action of a foreign key");
        text_builder action(sql_.is("null") ? "SET NULL" : "SET DEFAULT");
        sql_.advance();
        auto const columns = sql_.now();
        if (sql_.is("(")) {
            sql_.skip_parentheses();
            action.add(" ", sql_.text_from(columns));
        }
        return action;
    }

    /// PRIMARY KEY or UNIQUE, of a column or, where it is null, with columns of its own.
    constexpr void read_key(sql_column const* column, sql_token const& constraint) {
        sql_table_index key;
        key.is_constraint = key.unique = true;
        key.primary = sql_.take("primary");
        if (key.primary) sql_.expect("key", "KEY is missing");
        else sql_.take("unique");
        if (sql_.take("nulls")) key.plain = !sql_.take("not");
        sql_.take("distinct");
        if (column == nullptr && sql_.take("using")) return read_key_of_index(key.primary, constraint);
        if (column == nullptr) read_names(key.columns);
        else key.columns.push_back(column->name);
        key.name = name_of(constraint);
        if (key.name.empty() && key.primary) key.name = made_name({}, "_pkey");
        else if (key.name.empty()) key.name = made_name(key.columns, "_key");
        read_.indexes.push_back(std::move(key));
    }

    constexpr void read_key_of_index(bool is_primary, sql_token const& constraint) {
        sql_.expect("index", "INDEX is missing");
        auto const name = sql_.take_name();
        for (auto& index : read_.indexes) {
            if (!is_name(name, index.name.view())) continue;
            index.is_constraint = true;
            index.primary = is_primary;
            if (constraint.kind != sql_kind::end) index.name = name_of(constraint);
            return;
        }
        sql_.fail("this constraint names an index that is not there");
    }

    constexpr void read_names(std::vector<text_builder>& names) {
        sql_.expect("(", "\"(\" is missing");
        do {
            names.push_back(name_of(sql_.take_name()));
            while (!sql_.at_end() && !sql_.is_end_of_part()) sql_.advance();  // WITHOUT OVERLAPS
        } while (sql_.take(","));
        sql_.expect(")", "\")\" is missing");
    }

    // Names

    /// The name that Postgres makes for a constraint or an index without one, before it is shortened.
    [[nodiscard]] constexpr text_builder made_name(std::vector<text_builder> const& columns, std::string_view suffix) const {
        text_builder name(name_);
        for (auto const& column : columns) name.add("_", column.empty() ? std::string_view("expr") : column.view());
        name += suffix;
        return name;
    }

    [[nodiscard]] constexpr sql_column* find(std::string_view name) noexcept {
        for (auto& column : read_.columns)
            if (column.name.view() == name) return &column;
        return nullptr;
    }

    [[nodiscard]] constexpr sql_column* known_column(std::string_view name) {
        auto* const column = find(name);
        if (column == nullptr) sql_.fail("this names a column that the table does not have");
        return column;
    }

    sql_reader sql_;
    std::string_view schema_;
    std::string_view name_;
    text_builder path_{};  ///< the first schema of the search_path, where the DDL sets one
    table_in_sql read_{};
};

}  // namespace isorow::inline v1::detail
