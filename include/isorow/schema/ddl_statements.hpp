#pragma once

/// @file
/// The SQL that makes a table, statement by statement: text only, nothing is run here.

#include <isorow/config.hpp>
#include <isorow/schema/detail/ddl_writer.hpp>
#include <isorow/schema/extension_schemas.hpp>
#include <isorow/schema/made_names.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/schema/user_types.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// `"a", "b"`.
[[nodiscard]] std::string quoted_columns(table_description const& table, field_list const& fields);

}  // namespace detail

/// The column's type as SQL writes it, with the schema of an extension's type where that is known.
[[nodiscard]] std::string type_sql(column_type const& type, extension_schemas const& schemas = {});

/// `CREATE TYPE "public"."mood" AS ENUM ('sad', 'ok')`, or `AS ("street" text, "number" integer)`.
[[nodiscard]] std::string create_type_sql(user_type const& type, extension_schemas const& schemas = {});

namespace detail {

/// `CONSTRAINT "mood_labels" CHECK ("mood" IN ('sad', 'ok'))`; of an array, whose elements are not NULL, `CHECK ("moods"::text[] <@
/// ARRAY[…]::text[])`.
[[nodiscard]] std::string labels_sql(column_description const& column);

}  // namespace detail

/// `"price" double precision DEFAULT 0 NOT NULL`, with collation, generation expression and identity. That values are unique is an index's
/// to say, and what they satisfy a check's: see `declared_indexes`, `declared_checks`.
[[nodiscard]] std::string column_sql(column_description const& column, extension_schemas const& schemas = {});

/// A check or a foreign key by its name, and what stands behind `ADD CONSTRAINT name`.
struct constraint_sql {
    std::string name;
    std::string definition;
};

/// The table's checks, those of single columns first. Theirs are called as Postgres calls them: `products_price_check`.
[[nodiscard]] std::vector<constraint_sql> declared_checks(table_description const& table);

/// A foreign key as SQL writes it. That it is `DEFERRABLE` lets a commit write rows and those that they refer to in any order.
[[nodiscard]] constraint_sql foreign_key_sql(table_description const& table, foreign_key_description const& key);

/// The table's foreign keys.
[[nodiscard]] std::vector<constraint_sql> declared_foreign_keys(table_description const& table);

/// `ALTER TABLE … ADD CONSTRAINT`.
[[nodiscard]] std::string add_constraint_sql(table_description const& table, constraint_sql const& constraint);

/// `COMMENT ON COLUMN …`; an empty comment takes it away.
[[nodiscard]] std::string comment_sql(table_description const& table, column_description const& column);
/// `COMMENT ON TABLE …`.
[[nodiscard]] std::string comment_sql(table_description const& table);

/// `CREATE TABLE` with the columns and the checks, without key and indexes, which are made once the rows are there, and without foreign
/// keys, which are made once all tables are.
[[nodiscard]] std::string create_table_sql(table_description const& table, extension_schemas const& schemas = {});

/// `ALTER TABLE … ADD PRIMARY KEY`; empty where the table has none.
[[nodiscard]] std::string add_key_sql(table_description const& table);

/// The table's indexes, those of its unique columns included, each once.
[[nodiscard]] constexpr std::vector<index_description> declared_indexes(table_description const& table) {
    std::vector<index_description> indexes;
    detail::each_index(table, [&](index_description const& index) { indexes.push_back(index); });
    return indexes;
}

/// `CREATE INDEX`, with pgvector's operator class and parameters where the method is one of pgvector's. `concurrently`: without keeping
/// others from writing, outside of transactions.
[[nodiscard]] std::string create_index_sql(table_description const& table, index_description const& index,
                                           extension_schemas const& schemas = {}, bool concurrently = false);

namespace detail {

/// Adds the extensions that a type, or an attribute of a composite one, comes from.
void add_needed_extensions(column_type const& type, std::vector<std::string_view>& names);

}  // namespace detail

/// The extensions that the table's types and indexes come from, each once.
[[nodiscard]] std::vector<std::string_view> needed_extensions(table_description const& table);

/// All statements that make the table: the user's types, table, key, indexes, comments, foreign keys, in this order. The tables that the
/// foreign keys refer to are to be there before.
[[nodiscard]] std::vector<std::string> ddl_statements(table_description const& table, extension_schemas const& schemas = {});

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/schema/detail/ddl_statements_code.hpp>
#endif
