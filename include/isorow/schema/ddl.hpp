#pragma once

/// @file
/// The SQL that makes a table: text only, nothing is run here.

#include <isorow/config.hpp>
#include <isorow/schema/check.hpp>
#include <isorow/schema/extension_schemas.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/literal.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/schema/user_types.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

[[nodiscard]] inline std::string extension_prefix(std::string_view extension, extension_schemas const& schemas) {
    auto const* const schema = find_schema(schemas, extension);
    return schema == nullptr ? std::string{} : quote_identifier(*schema) + ".";
}

[[nodiscard]] std::string quoted_columns(table_description const& table, field_list const& fields);

/// A name that may have its schema before a dot, quoted part by part: `"extensions"."gin_trgm_ops"`.
[[nodiscard]] std::string quote_qualified(std::string_view name);

/// What pgvector's operator classes for a metric have behind their type's name.
[[nodiscard]] constexpr std::string_view metric_suffix(metric metric) noexcept {
    switch (metric) {
        case metric::l2:
            return "_l2_ops";
        case metric::inner_product:
            return "_ip_ops";
        case metric::cosine:
            return "_cosine_ops";
        case metric::l1:
            return "_l1_ops";
        case metric::hamming:
            return "_hamming_ops";
        case metric::jaccard:
            return "_jaccard_ops";
    }
    return {};
}

/// The operator class of pgvector for a metric: `vector_cosine_ops`. Source: pgvector's README, "Indexing".
[[nodiscard]] std::string metric_class(column_type const& type, metric metric);

[[nodiscard]] constexpr std::string_view method_name(index_method method) noexcept {
    switch (method) {
        case index_method::btree:
            return "btree";
        case index_method::hash:
            return "hash";
        case index_method::gin:
            return "gin";
        case index_method::gist:
            return "gist";
        case index_method::brin:
            return "brin";
        case index_method::hnsw:
            return "hnsw";
        case index_method::ivfflat:
            return "ivfflat";
    }
    return {};
}

/// A name of at most 63 bytes: a longer one keeps its front and gets a hash (FNV-1a), so that two long names stay two.
[[nodiscard]] std::string shortened(std::string name);

}  // namespace detail

/// The column's type as SQL writes it, with the schema of an extension's type where that is known.
[[nodiscard]] std::string type_sql(column_type const& type, extension_schemas const& schemas = {});

/// `CREATE TYPE`, with the schemas of extensions' types where they are known.
[[nodiscard]] std::string create_type_sql(user_type const& type, extension_schemas const& schemas);

namespace detail {

/// The name of the CHECK of a column's labels. Such names are isorow's: what stands under one over a column that isorow made is altered
/// and dropped with the labels. The table has no part in it, so that it stays right when the table is renamed.
[[nodiscard]] inline std::string labels_name(std::string_view column) { return shortened(std::string(column) + "_labels"); }

/// `CONSTRAINT "mood_labels" CHECK ("mood" IN ('sad', 'ok'))`; of an array, whose elements are not NULL, `CHECK ("moods"::text[] <@
/// ARRAY[…]::text[])`.
[[nodiscard]] std::string labels_sql(column_description const& column);

}  // namespace detail

/// `"price" double precision DEFAULT 0 NOT NULL`, with collation, generation expression and identity. That values are unique is an index's
/// to say, and what they satisfy a check's: see `declared_indexes`, `declared_checks`.
[[nodiscard]] std::string column_sql(column_description const& column, extension_schemas const& schemas = {});

namespace detail {

/// A name of the table, its columns, and what it is for, as Postgres makes it: `orders_customer_fkey`.
[[nodiscard]] std::string made_constraint_name(table_description const& table, field_list const& fields, std::string_view suffix);

}  // namespace detail

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
    auto const add = [&](index_description const& index) {
        if (std::find(indexes.begin(), indexes.end(), index) == indexes.end()) indexes.push_back(index);
    };
    for (std::size_t place = 0; place < table.columns.size(); ++place)
        if (table.columns[place].unique) add({.fields = {{static_cast<std::uint16_t>(place)}, 1}, .unique = true});
    for (auto const& index : table.indexes) add(index);
    return indexes;
}

namespace detail {

/// The name that Postgres would make of table and columns, as long as it comes.
[[nodiscard]] std::string made_index_name(table_description const& table, index_description const& index);

/// ` "vector_cosine_ops"` behind the column; empty where the type's default will do.
[[nodiscard]] std::string operator_class_sql(index_description const& index, column_type const& type, extension_schemas const& schemas);

}  // namespace detail

/// The index's own name, or one made of table and columns as Postgres makes it, shortened where it is too long. Two different indexes of
/// the table that are made over the same columns are told apart by a number.
[[nodiscard]] std::string index_name(table_description const& table, index_description const& index);

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

namespace detail {

/// `ddl_statements` as one script.
[[nodiscard]] std::string ddl_script(table_description const& table);

}  // namespace detail

/// The DDL of T's table as one script.
template <class T>
[[nodiscard]] std::string ddl() {
    check<T>();
    return detail::ddl_script(description_of<T>);
}

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/schema/detail/ddl_code.hpp>
#endif
