#pragma once

/// @file
/// The SQL that makes a table: text only, nothing is run here.

#include <isorow/schema/check.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

/// In which schema of the database each extension's types are, by the extension's name. An extension that is not in it is left to the
/// search_path.
using extension_schemas = std::map<std::string, std::string, std::less<>>;

namespace detail {

[[nodiscard]] inline std::string extension_prefix(std::string_view extension, extension_schemas const& schemas) {
    auto const found = schemas.find(extension);
    return extension.empty() || found == schemas.end() ? std::string{} : quote_identifier(found->second) + ".";
}

[[nodiscard]] inline std::string quoted_columns(table_description const& table, field_list const& fields) {
    std::string list;
    for (auto const place : fields) list.append(list.empty() ? "" : ", ").append(quote_identifier(table.columns[place].name));
    return list;
}

/// A name that may have its schema before a dot, quoted part by part: `"extensions"."gin_trgm_ops"`.
[[nodiscard]] inline std::string quote_qualified(std::string_view name) {
    auto const dot = name.find('.');
    return dot == std::string_view::npos ? quote_identifier(name) : quote_identifier(name.substr(0, dot), name.substr(dot + 1));
}

/// The operator class of pgvector for a metric: `vector_cosine_ops`. Source: pgvector's README, "Indexing".
[[nodiscard]] inline std::string metric_class(column_type const& type, metric metric) {
    std::string const name(entry_of(type.id).catalog_name);
    switch (metric) {
        case metric::l2:
            return name + "_l2_ops";
        case metric::inner_product:
            return name + "_ip_ops";
        case metric::cosine:
            return name + "_cosine_ops";
        case metric::l1:
            return name + "_l1_ops";
    }
    return {};
}

[[nodiscard]] inline std::string_view method_name(index_method method) noexcept {
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
[[nodiscard]] inline std::string shortened(std::string name) {
    if (name.size() <= identifier_limit) return name;
    std::uint64_t hash = 14695981039346656037u;
    for (char const character : name) hash = (hash ^ static_cast<std::uint8_t>(character)) * 1099511628211u;
    std::string suffix = "_";
    for (int shift = 36; shift >= 0; shift -= 4) suffix += "0123456789abcdef"[(hash >> shift) & 15];
    auto front = name.substr(0, identifier_limit - suffix.size());
    while (!is_valid_utf8(front)) front.pop_back();
    return front + suffix;
}

}  // namespace detail

/// The column's type as SQL writes it, with the schema of an extension's type where that is known.
[[nodiscard]] inline std::string type_sql(column_type const& type, extension_schemas const& schemas = {}) {
    return detail::extension_prefix(entry_of(type.id).extension, schemas) + to_sql(type);
}

/// `"price" double precision DEFAULT 0 NOT NULL`. That values are unique is an index's to say: see `declared_indexes`.
[[nodiscard]] inline std::string column_sql(column_description const& column, extension_schemas const& schemas = {}) {
    auto sql = quote_identifier(column.name) + " " + type_sql(column.type, schemas);
    if (!column.default_value.empty()) sql.append(" DEFAULT ").append(column.default_value);
    if (!column.nullable) sql += " NOT NULL";
    return sql;
}

/// `CREATE TABLE` with the columns, without key and indexes, which are made once the rows are there.
[[nodiscard]] inline std::string create_table_sql(table_description const& table, extension_schemas const& schemas = {}) {
    std::string sql = "CREATE TABLE " + quote_identifier(table.schema, table.name) + " (";
    char const* separator = "\n    ";
    for (auto const& column : table.columns) {
        sql.append(separator).append(column_sql(column, schemas));
        separator = ",\n    ";
    }
    return sql += "\n)";
}

/// `ALTER TABLE … ADD PRIMARY KEY`; empty where the table has none.
[[nodiscard]] inline std::string add_key_sql(table_description const& table) {
    if (table.key.empty()) return {};
    return "ALTER TABLE " + quote_identifier(table.schema, table.name) + " ADD PRIMARY KEY (" + detail::quoted_columns(table, table.key) +
           ")";
}

/// The table's indexes, those of its unique columns included, each once.
[[nodiscard]] inline std::vector<index_description> declared_indexes(table_description const& table) {
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
[[nodiscard]] inline std::string made_index_name(table_description const& table, index_description const& index) {
    std::string name(table.name);
    for (auto const place : index.fields) name.append("_").append(table.columns[place].name);
    return name + (index.unique ? "_key" : "_idx");
}

/// ` "vector_cosine_ops"` behind the column; empty where the type's default will do.
[[nodiscard]] inline std::string operator_class_sql(index_description const& index, column_type const& type,
                                                    extension_schemas const& schemas) {
    if (!index.operator_class.empty()) return text(" {}", quote_qualified(index.operator_class));
    if (index.method != index_method::hnsw && index.method != index_method::ivfflat) return {};
    return text(" {}{}", extension_prefix(entry_of(type.id).extension, schemas), metric_class(type, index.metric));
}

}  // namespace detail

/// The index's own name, or one made of table and columns as Postgres makes it, shortened where it is too long. Two different indexes of
/// the table that are made over the same columns are told apart by a number.
[[nodiscard]] inline std::string index_name(table_description const& table, index_description const& index) {
    if (!index.name.empty()) return std::string(index.name);
    auto const name = detail::made_index_name(table, index);
    std::size_t before = 0;
    for (auto const& other : table.indexes) {
        if (other == index) break;
        before += other.name.empty() && detail::made_index_name(table, other) == name ? 1 : 0;
    }
    return detail::shortened(before == 0 ? name : text("{}{}", name, before));
}

/// `CREATE INDEX`, with pgvector's operator class and parameters where the method is one of pgvector's. `concurrently`: without keeping
/// others from writing, outside of transactions.
[[nodiscard]] inline std::string create_index_sql(table_description const& table, index_description const& index,
                                                  extension_schemas const& schemas = {}, bool concurrently = false) {
    std::string columns;
    for (auto const place : index.fields) {
        auto const& column = table.columns[place];
        columns.append(columns.empty() ? "" : ", ").append(quote_identifier(column.name));
        columns += detail::operator_class_sql(index, column.type, schemas);
    }
    auto sql = text("CREATE {}INDEX {}{} ON {} USING {} ({})", index.unique ? "UNIQUE " : "", concurrently ? "CONCURRENTLY " : "",
                    quote_identifier(index_name(table, index)), quote_identifier(table.schema, table.name),
                    detail::method_name(index.method), columns);
    if (index.method == index_method::hnsw) sql += text(" WITH (m = {}, ef_construction = {})", index.m, index.ef_construction);
    if (index.method == index_method::ivfflat) sql += text(" WITH (lists = {})", index.lists);
    return sql;
}

/// The extensions that the table's types come from, each once.
[[nodiscard]] inline std::vector<std::string_view> needed_extensions(table_description const& table) {
    std::vector<std::string_view> names;
    for (auto const& column : table.columns) {
        auto const name = entry_of(column.type.id).extension;
        if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
}

/// All statements that make the table: table, key, indexes, in this order.
[[nodiscard]] inline std::vector<std::string> ddl_statements(table_description const& table, extension_schemas const& schemas = {}) {
    std::vector<std::string> statements{create_table_sql(table, schemas)};
    if (!table.key.empty()) statements.push_back(add_key_sql(table));
    for (auto const& index : declared_indexes(table)) statements.push_back(create_index_sql(table, index, schemas));
    return statements;
}

/// The DDL of T's table as one script.
template <class T>
[[nodiscard]] std::string ddl() {
    check<T>();
    std::string script;
    for (auto const& statement : ddl_statements(description_of<T>)) script += statement + ";\n";
    return script;
}

}  // namespace isorow::inline v1
