#pragma once

#include <isorow/schema/ddl.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

ISOROW_DECL std::string quoted_columns(table_description const& table, field_list const& fields) {
    std::string list;
    for (auto const place : fields) list.append(list.empty() ? "" : ", ").append(quote_identifier(table.columns[place].name));
    return list;
}

ISOROW_DECL std::string quote_qualified(std::string_view name) {
    auto const dot = name.find('.');
    return dot == std::string_view::npos ? quote_identifier(name) : quote_identifier(name.substr(0, dot), name.substr(dot + 1));
}

ISOROW_DECL std::string metric_class(column_type const& type, metric metric) {
    return text("{}{}", entry_of(type.id).catalog_name, metric_suffix(metric));
}

ISOROW_DECL std::string shortened(std::string name) {
    if (name.size() <= identifier_limit) return name;
    auto const suffix = "_" + hash_digits(name, 10);
    auto front = name.substr(0, identifier_limit - suffix.size());
    while (!is_valid_utf8(front)) front.pop_back();
    return front + suffix;
}

}  // namespace detail

ISOROW_DECL std::string type_sql(column_type const& type, extension_schemas const& schemas) {
    return detail::extension_prefix(entry_of(type.id).extension, schemas) + to_sql(type);
}

ISOROW_DECL std::string create_type_sql(user_type const& type, extension_schemas const& schemas) {
    return create_type_sql(type, [&](column_type const& part) { return type_sql(part, schemas); });
}

namespace detail {

ISOROW_DECL std::string labels_sql(column_description const& column) {
    std::string list;
    for (auto const label : column.labels) list.append(list.empty() ? "" : ", ").append(quote_literal(label));
    return text(column.type.array ? "CONSTRAINT {} CHECK ({}::text[] <@ ARRAY[{}]::text[])" : "CONSTRAINT {} CHECK ({} IN ({}))",
                quote_identifier(labels_name(column.name)), quote_identifier(column.name), list);
}

}  // namespace detail

ISOROW_DECL std::string column_sql(column_description const& column, extension_schemas const& schemas) {
    auto sql = quote_identifier(column.name) + " " + type_sql(column.type, schemas);
    if (!column.collation.empty()) sql.append(" COLLATE ").append(quote_identifier(column.collation));
    if (!column.default_value.empty()) sql.append(" DEFAULT ").append(column.default_value);
    if (!column.generated.empty()) sql += text(" GENERATED ALWAYS AS ({}) STORED", column.generated);
    if (column.identity != identity::none) sql += text(" GENERATED {}", detail::identity_sql(column.identity));
    if (!column.nullable) sql += " NOT NULL";
    if (column.is_labelled()) sql += " " + detail::labels_sql(column);
    return sql;
}

namespace detail {

ISOROW_DECL std::string made_constraint_name(table_description const& table, field_list const& fields, std::string_view suffix) {
    std::string name(table.name);
    for (auto const place : fields) name.append("_").append(table.columns[place].name);
    return shortened(name.append(suffix));
}

}  // namespace detail

ISOROW_DECL std::vector<constraint_sql> declared_checks(table_description const& table) {
    std::vector<constraint_sql> checks;
    for (std::size_t place = 0; place < table.columns.size(); ++place)
        if (auto const condition = table.columns[place].check; !condition.empty())
            checks.push_back(
                {detail::made_constraint_name(table, {{static_cast<std::uint16_t>(place)}, 1}, "_check"), text("CHECK ({})", condition)});
    for (auto const& check : table.checks) checks.push_back({std::string(check.name), text("CHECK ({})", check.condition)});
    return checks;
}

ISOROW_DECL constraint_sql foreign_key_sql(table_description const& table, foreign_key_description const& key) {
    std::string columns;
    for (std::size_t i = 0; i < key.fields.size(); ++i) columns.append(i == 0 ? "" : ", ").append(quote_identifier(key.columns[i]));
    auto definition = text("FOREIGN KEY ({}) REFERENCES {} ({})", detail::quoted_columns(table, key.fields),
                           quote_identifier(key.schema, key.table), columns);
    auto const add_action = [&](std::string_view event, referential_action action) {
        if (action != referential_action::no_action) definition += text(" ON {} {}", event, detail::action_sql(action));
    };
    add_action("UPDATE", key.options.on_update);
    add_action("DELETE", key.options.on_delete);
    return {key.options.name.empty() ? detail::made_constraint_name(table, key.fields, "_fkey") : std::string(key.options.name),
            definition + " DEFERRABLE"};
}

ISOROW_DECL std::vector<constraint_sql> declared_foreign_keys(table_description const& table) {
    std::vector<constraint_sql> keys;
    for (auto const& key : table.foreign_keys) keys.push_back(foreign_key_sql(table, key));
    return keys;
}

ISOROW_DECL std::string add_constraint_sql(table_description const& table, constraint_sql const& constraint) {
    return text("ALTER TABLE {} ADD CONSTRAINT {} {}", quote_identifier(table.schema, table.name), quote_identifier(constraint.name),
                constraint.definition);
}

ISOROW_DECL std::string comment_sql(table_description const& table, column_description const& column) {
    return text("COMMENT ON COLUMN {}.{} IS {}", quote_identifier(table.schema, table.name), quote_identifier(column.name),
                column.comment.empty() ? std::string("NULL") : detail::quote_literal(column.comment));
}

ISOROW_DECL std::string comment_sql(table_description const& table) {
    return text("COMMENT ON TABLE {} IS {}", quote_identifier(table.schema, table.name),
                table.comment.empty() ? std::string("NULL") : detail::quote_literal(table.comment));
}

ISOROW_DECL std::string create_table_sql(table_description const& table, extension_schemas const& schemas) {
    std::string sql = "CREATE TABLE " + quote_identifier(table.schema, table.name) + " (";
    char const* separator = "\n    ";
    for (auto const& column : table.columns) {
        sql.append(separator).append(column_sql(column, schemas));
        separator = ",\n    ";
    }
    for (auto const& check : declared_checks(table))
        sql.append(separator).append(text("CONSTRAINT {} {}", quote_identifier(check.name), check.definition));
    return sql += "\n)";
}

ISOROW_DECL std::string add_key_sql(table_description const& table) {
    if (table.key.empty()) return {};
    return "ALTER TABLE " + quote_identifier(table.schema, table.name) + " ADD PRIMARY KEY (" + detail::quoted_columns(table, table.key) +
           ")";
}

namespace detail {

ISOROW_DECL std::string made_index_name(table_description const& table, index_description const& index) {
    std::string name(table.name);
    for (auto const place : index.fields) name.append("_").append(table.columns[place].name);
    return name + (index.unique ? "_key" : "_idx");
}

ISOROW_DECL std::string operator_class_sql(index_description const& index, column_type const& type, extension_schemas const& schemas) {
    if (!index.operator_class.empty()) return text(" {}", quote_qualified(index.operator_class));
    if (!index.is_of_pgvector()) return {};
    return text(" {}{}", extension_prefix("vector", schemas), metric_class(type, index.metric));
}

}  // namespace detail

ISOROW_DECL std::string index_name(table_description const& table, index_description const& index) {
    if (!index.name.empty()) return std::string(index.name);
    auto const name = detail::made_index_name(table, index);
    std::size_t before = 0;
    for (auto const& other : table.indexes) {
        if (other == index) break;
        before += other.name.empty() && detail::made_index_name(table, other) == name ? 1 : 0;
    }
    return detail::shortened(before == 0 ? name : text("{}{}", name, before));
}

ISOROW_DECL std::string create_index_sql(table_description const& table, index_description const& index, extension_schemas const& schemas,
                                         bool concurrently) {
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
    statements.push_back(create_table_sql(table, schemas));
    if (!table.key.empty()) statements.push_back(add_key_sql(table));
    for (auto const& index : declared_indexes(table)) statements.push_back(create_index_sql(table, index, schemas));
    if (!table.comment.empty()) statements.push_back(comment_sql(table));
    for (auto const& column : table.columns)
        if (!column.comment.empty()) statements.push_back(comment_sql(table, column));
    for (auto const& key : declared_foreign_keys(table)) statements.push_back(add_constraint_sql(table, key));
    return statements;
}

ISOROW_DECL std::string detail::ddl_script(table_description const& table) {
    std::string script;
    for (auto const& statement : ddl_statements(table)) script += statement + ";\n";
    return script;
}

}  // namespace isorow::inline v1
