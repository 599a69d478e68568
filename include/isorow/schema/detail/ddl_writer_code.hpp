#pragma once

#include <isorow/schema/detail/ddl_writer.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace isorow::inline v1::detail {

ISOROW_DECL ddl_writer& ddl_writer::type(column_type const& type) {
    if (auto const* const schema = find_schema(schemas_, entry_of(type.id).extension)) name(*schema).add(".");
    append_sql(sql_, type);
    return *this;
}

ISOROW_DECL ddl_writer& ddl_writer::columns(table_description const& table, field_list const& fields) {
    std::string_view separator;
    for (auto const place : fields) {
        add(separator).name(table.columns[place].name);
        separator = ", ";
    }
    return *this;
}

ISOROW_DECL void ddl_writer::create_type(user_type const& type) {
    add("CREATE TYPE ").name(type.schema, type.name).add(type.kind == user_type_kind::enumeration ? " AS ENUM (" : " AS (");
    std::string_view separator;
    for (auto const label : type.labels) {
        add(separator).literal(label);
        separator = ", ";
    }
    for (auto const& attribute : type.attributes) {
        add(separator).name(attribute.name).add(" ").type(attribute.type);
        separator = ", ";
    }
    add(")");
}

ISOROW_DECL void ddl_writer::labels(column_description const& column) {
    add("CONSTRAINT ").name(labels_name(column.name)).add(" CHECK (").name(column.name);
    add(column.type.array ? "::text[] <@ ARRAY[" : " IN (");
    std::string_view separator;
    for (auto const label : column.labels) {
        add(separator).literal(label);
        separator = ", ";
    }
    add(column.type.array ? "]::text[])" : "))");
}

ISOROW_DECL void ddl_writer::column(column_description const& column) {
    name(column.name).add(" ").type(column.type);
    if (!column.collation.empty()) add(" COLLATE ").name(column.collation);
    if (!column.default_value.empty()) add(" DEFAULT ").add(column.default_value);
    if (!column.generated.empty()) add(" GENERATED ALWAYS AS (").add(column.generated).add(") STORED");
    if (column.identity != identity::none) add(" GENERATED ").add(identity_sql(column.identity));
    if (!column.nullable) add(" NOT NULL");
    if (column.is_labelled()) {
        add(" ");
        labels(column);
    }
}

ISOROW_DECL void ddl_writer::create_table(table_description const& table) {
    add("CREATE TABLE ").name(table).add(" (");
    std::string_view separator = "\n    ";
    for (auto const& one : table.columns) {
        add(separator);
        column(one);
        separator = ",\n    ";
    }
    each_check(table, [&](std::string_view called, std::string_view condition) {
        add(separator).add("CONSTRAINT ").name(called).add(" CHECK (").add(condition).add(")");
        separator = ",\n    ";
    });
    add("\n)");
}

ISOROW_DECL void ddl_writer::add_key(table_description const& table) {
    add("ALTER TABLE ").name(table).add(" ADD PRIMARY KEY (").columns(table, table.key).add(")");
}

ISOROW_DECL void ddl_writer::foreign_key(table_description const& table, foreign_key_description const& key) {
    add("FOREIGN KEY (").columns(table, key.fields).add(") REFERENCES ").name(key.schema, key.table);
    std::string_view separator = " (";
    for (std::size_t i = 0; i < key.fields.size(); ++i) {
        add(separator).name(key.columns[i]);
        separator = ", ";
    }
    add(")");
    if (auto const action = action_sql(key.options.on_update); !action.empty()) add(" ON UPDATE ").add(action);
    if (auto const action = action_sql(key.options.on_delete); !action.empty()) add(" ON DELETE ").add(action);
    add(" DEFERRABLE");
}

ISOROW_DECL void ddl_writer::operator_class(index_description const& index, column_type const& type) {
    if (!index.operator_class.empty()) {
        auto const dot = index.operator_class.find('.');
        add(" ");
        if (dot != std::string_view::npos) name(index.operator_class.substr(0, dot)).add(".");
        name(index.operator_class.substr(dot + 1));  // npos + 1 is 0
    } else if (index.is_of_pgvector()) {
        add(" ");
        if (auto const* const schema = find_schema(schemas_, "vector")) name(*schema).add(".");
        add(entry_of(type.id).catalog_name).add(metric_suffix(index.metric));
    }
}

ISOROW_DECL void ddl_writer::create_index(table_description const& table, index_description const& index, bool concurrently) {
    add("CREATE ").add(index.unique ? "UNIQUE " : "").add("INDEX ").add(concurrently ? "CONCURRENTLY " : "");
    name(index_name(table, index)).add(" ON ").name(table).add(" USING ").add(method_name(index.method));
    std::string_view separator = " (";
    for (auto const place : index.fields) {
        add(separator).name(table.columns[place].name);
        operator_class(index, table.columns[place].type);
        separator = ", ";
    }
    add(")");
    if (index.method == index_method::hnsw) {
        add(" WITH (m = ");
        append_number(sql_, index.m);
        add(", ef_construction = ");
        append_number(sql_, index.ef_construction);
        add(")");
    } else if (index.method == index_method::ivfflat) {
        add(" WITH (lists = ");
        append_number(sql_, index.lists);
        add(")");
    }
}

ISOROW_DECL void ddl_writer::comment_text(std::string_view comment) {
    add(" IS ");
    if (comment.empty()) add("NULL");
    else literal(comment);
}

ISOROW_DECL void ddl_writer::comment(table_description const& table) {
    add("COMMENT ON TABLE ").name(table);
    comment_text(table.comment);
}

ISOROW_DECL void ddl_writer::comment(table_description const& table, column_description const& column) {
    add("COMMENT ON COLUMN ").name(table).add(".").name(column.name);
    comment_text(column.comment);
}

ISOROW_DECL void append_type_script(std::string& script, user_type const& type) {
    ddl_writer(script, {}).create_type(type);
    script.append(";\n", 2);
}

ISOROW_DECL void append_table_script(std::string& script, table_description const& table) {
    write_statements(script, table, {}, [&] { script.append(";\n", 2); });
}

}  // namespace isorow::inline v1::detail
