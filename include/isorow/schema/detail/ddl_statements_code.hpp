#pragma once

#include <isorow/schema/ddl_statements.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

ISOROW_DECL std::string quoted_columns(table_description const& table, field_list const& fields) {
    std::string list;
    ddl_writer(list, {}).columns(table, fields);
    return list;
}

}  // namespace detail

ISOROW_DECL std::string type_sql(column_type const& type, extension_schemas const& schemas) {
    std::string sql;
    detail::ddl_writer(sql, schemas).type(type);
    return sql;
}

ISOROW_DECL std::string create_type_sql(user_type const& type, extension_schemas const& schemas) {
    std::string sql;
    detail::ddl_writer(sql, schemas).create_type(type);
    return sql;
}

ISOROW_DECL std::string detail::labels_sql(column_description const& column) {
    std::string sql;
    ddl_writer(sql, {}).labels(column);
    return sql;
}

ISOROW_DECL std::string column_sql(column_description const& column, extension_schemas const& schemas) {
    std::string sql;
    detail::ddl_writer(sql, schemas).column(column);
    return sql;
}

ISOROW_DECL std::vector<constraint_sql> declared_checks(table_description const& table) {
    std::vector<constraint_sql> checks;
    detail::each_check(table, [&](std::string_view name, std::string_view condition) {
        checks.push_back({std::string(name), text("CHECK ({})", condition)});
    });
    return checks;
}

ISOROW_DECL constraint_sql foreign_key_sql(table_description const& table, foreign_key_description const& key) {
    constraint_sql constraint{detail::foreign_key_name(table, key), {}};
    detail::ddl_writer(constraint.definition, {}).foreign_key(table, key);
    return constraint;
}

ISOROW_DECL std::vector<constraint_sql> declared_foreign_keys(table_description const& table) {
    std::vector<constraint_sql> keys;
    for (auto const& key : table.foreign_keys) keys.push_back(foreign_key_sql(table, key));
    return keys;
}

ISOROW_DECL std::string add_constraint_sql(table_description const& table, constraint_sql const& constraint) {
    std::string sql;
    detail::ddl_writer(sql, {})
        .add("ALTER TABLE ")
        .name(table)
        .add(" ADD CONSTRAINT ")
        .name(constraint.name)
        .add(" ")
        .add(constraint.definition);
    return sql;
}

ISOROW_DECL std::string comment_sql(table_description const& table, column_description const& column) {
    std::string sql;
    detail::ddl_writer(sql, {}).comment(table, column);
    return sql;
}

ISOROW_DECL std::string comment_sql(table_description const& table) {
    std::string sql;
    detail::ddl_writer(sql, {}).comment(table);
    return sql;
}

ISOROW_DECL std::string create_table_sql(table_description const& table, extension_schemas const& schemas) {
    std::string sql;
    detail::ddl_writer(sql, schemas).create_table(table);
    return sql;
}

ISOROW_DECL std::string add_key_sql(table_description const& table) {
    std::string sql;
    if (!table.key.empty()) detail::ddl_writer(sql, {}).add_key(table);
    return sql;
}

ISOROW_DECL std::string create_index_sql(table_description const& table, index_description const& index, extension_schemas const& schemas,
                                         bool concurrently) {
    std::string sql;
    detail::ddl_writer(sql, schemas).create_index(table, index, concurrently);
    return sql;
}

namespace detail {

ISOROW_DECL void add_needed_extensions(column_type const& type, std::vector<std::string_view>& names) {
    auto const name = entry_of(type.id).extension;
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    if (type.user == nullptr) return;
    for (auto const& attribute : type.user->attributes) add_needed_extensions(attribute.type, names);
}

}  // namespace detail

ISOROW_DECL std::vector<std::string_view> needed_extensions(table_description const& table) {
    std::vector<std::string_view> names;
    for (auto const& column : table.columns) detail::add_needed_extensions(column.type, names);
    for (auto const& index : table.indexes)
        if (index.is_of_pgvector()) detail::add_needed_extensions({.id = type_id::vector}, names);
    return names;
}

ISOROW_DECL std::vector<std::string> ddl_statements(table_description const& table, extension_schemas const& schemas) {
    std::vector<std::string> statements;
    for (auto const* const type : needed_types(table)) statements.push_back(create_type_sql(*type, schemas));
    std::string sql;
    detail::write_statements(sql, table, schemas, [&] { statements.push_back(std::exchange(sql, {})); });
    return statements;
}

}  // namespace isorow::inline v1
