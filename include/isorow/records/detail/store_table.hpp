#pragma once

/// @file
/// The table of a record store: its DDL, and whether a table that is there will do. The reference's is one: columns id, fields, metadata,
/// created_at, updated_at, the times with a time zone or, in the session's, without.

#include <isorow/error/declaration_error.hpp>
#include <isorow/error/mismatch.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/records/detail/filter_sql.hpp>
#include <isorow/records/detail/search_sql.hpp>
#include <isorow/records/options.hpp>
#include <isorow/schema/made_names.hpp>
#include <isorow/target/install.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::records::detail {

/// The quoted name of a record store's table.
[[nodiscard]] inline std::string table_sql(store_options const& options) { return quote_identifier(options.schema, options.table); }

/// `idx_fields` of the table `records`, `idx_orders_fields` of others.
[[nodiscard]] inline std::string index_name(store_options const& options, std::string_view of) {
    std::string const middle = options.table == "records" ? "" : options.table + "_";
    return isorow::detail::shortened("idx_" + middle + std::string(of));
}

/// What makes the table and its indexes, where they are not there.
[[nodiscard]] inline std::string create_store_sql(store_options const& options, vector_extension const& extension = {}) {
    std::string sql = text(
        "CREATE TABLE IF NOT EXISTS {} (id uuid PRIMARY KEY, fields jsonb NOT NULL, metadata jsonb,"
        " created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(){});\n",
        table_sql(options), options.vector ? ", " + vector_column_sql(*options.vector, extension) : "");
    auto const add_index = [&](std::string_view column, document_index kind) {
        if (kind == document_index::none) return;
        sql += text("CREATE INDEX IF NOT EXISTS {} ON {} USING gin ({}{});\n", quote_identifier(index_name(options, column)),
                    table_sql(options), column, kind == document_index::path_keys ? " jsonb_path_ops" : "");
    };
    add_index("fields", options.fields);
    add_index("metadata", options.metadata);
    std::map<std::string, int> made;
    for (auto const& place : options.indexes) {
        if (!place.is_in_document() || place.steps().empty())
            throw usage_error("an index of a record store is over a place in fields or metadata; id, and all of a document, have theirs");
        std::string name = place.part() == part::metadata ? "metadata" : "fields";
        for (auto const& step : place.steps()) name.append("_").append(step);
        // `a.b` and `a_b`
        if (auto const same = ++made[name]; same > 1) name.append("_").append(std::to_string(same));
        sql += text("CREATE INDEX IF NOT EXISTS {} ON {} ({});\n", quote_identifier(index_name(options, name)), table_sql(options),
                    value_sql(place, {}));
    }
    if (options.texts)
        sql += text("CREATE INDEX IF NOT EXISTS {} ON {} USING gin ({});\n", quote_identifier(index_name(options, "texts")),
                    table_sql(options), words_sql(*options.texts, ""));
    if (options.vector && options.vector->index)
        sql += text("CREATE INDEX IF NOT EXISTS {} ON {} {};\n", quote_identifier(index_name(options, options.vector->column)),
                    table_sql(options), vector_index_sql(*options.vector, extension));
    return sql;
}

/// What the server computes a column by; empty for one that it does not compute.
[[nodiscard]] inline std::string generation_expression(database_ref const& where, live_table const& live, std::string_view column) {
    return query_optional<std::string>(where,
                                       "SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attribute a"
                                       " JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
                                       " WHERE a.attrelid = $1 AND a.attname = $2 AND a.attgenerated <> ''",
                                       live.relation, column)
        .value_or(std::string());
}

/// Throws `mismatch` with all that a table lacks. `generated_by`: what the server computes the column of vectors by, if there is one.
inline void check_store_table(live_table const& live, store_options const& options, vector_extension const& extension,
                              std::string_view generated_by) {
    std::vector<difference> differences;
    auto const expect = [&](std::string_view column, std::string_view type, std::string_view other_type) {
        auto const* const found = live.find(column);
        if (found != nullptr && (found->type == type || found->type == other_type)) return;
        differences.push_back({text("record.{}", column), std::string(column), std::string(type),
                               found == nullptr ? std::string("no such column") : found->type});
    };
    expect("id", "uuid", "uuid");
    expect("fields", "jsonb", "jsonb");
    expect("metadata", "jsonb", "jsonb");
    expect("created_at", "timestamp with time zone", "timestamp without time zone");
    expect("updated_at", "timestamp with time zone", "timestamp without time zone");
    if (options.vector) {
        auto const* const found = live.find(options.vector->column);
        auto const type = text("vector({})", options.vector->dimension);
        if (found == nullptr)
            differences.push_back({text("record.{}", options.vector->column), options.vector->column, type,
                                   text("no such column; make it by: ALTER TABLE {} ADD COLUMN {}", table_sql(options),
                                        vector_column_sql(*options.vector, extension))});
        else if (found->type != type && !found->type.ends_with("." + type))
            differences.push_back({text("record.{}", options.vector->column), options.vector->column, type, found->type});
        else if (!is_vector_expression(generated_by, *options.vector))
            differences.push_back(
                {text("record.{}", options.vector->column), options.vector->column, vector_column_sql(*options.vector, extension),
                 generated_by.empty() ? std::string("a column that writes do not fill") : text("generated as {}", generated_by)});
    }
    for (auto const& column : live.columns)
        if (column.not_null && !column.has_default() && column.name != "id" && column.name != "fields" && column.name != "metadata")
            differences.push_back({"record", column.name, "a default, or no such column", "NOT NULL without a default"});
    bool has_key = false;
    for (auto const& index : live.indexes)
        has_key = has_key || (index.unique && index.valid && index.plain && index.columns == std::vector<std::string>{"id"});
    if (!has_key) differences.push_back({"record.id", "id", "a primary key or a unique index over it", "none"});
    if (!differences.empty()) throw mismatch("record", text("the table {}", table_sql(options)), std::move(differences));
}

/// Where pgvector is in the database, and what it can do; nothing where it is not there.
[[nodiscard]] inline std::optional<vector_extension> find_vector_extension(database_ref const& where) {
    struct row {
        std::string schema;
        bool scans_on;
    };
    auto const found = query_optional<row>(
        where,
        "SELECT n.nspname::text AS schema, string_to_array(e.extversion, '.')::int[] >= ARRAY[0, 8] AS scans_on"
        " FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector'");
    if (!found) return std::nullopt;
    return vector_extension{quote_identifier(found->schema) + ".", found->scans_on};
}

/// Runs SQL that makes something, alone among those who set up this database. Throws `missing_privilege` with the SQL to ask for.
inline void make(database_ref const& where, std::string_view what, std::string const& sql) {
    database_ref::use const connection(where);
    try {
        transaction making(*connection);
        isorow::detail::lock_setup(*connection);
        execute_script(*connection, sql, connection.limits());
        making.commit();
    } catch (server_error const& failure) {
        if (failure.sqlstate() != sqlstate::insufficient_privilege) throw;
        throw missing_privilege(
            text("{} does not exist and this role may not create it ({}); ask an administrator to run:\n{}", what, failure.message(), sql));
    }
}

/// Makes the table where it is not there, and pgvector where it is needed. Throws `mismatch` where it is another table, and
/// `missing_privilege`, with the SQL to ask for, where the role may not make it.
[[nodiscard]] inline vector_extension prepare_store(database_ref const& where, store_options const& options) {
    std::optional<vector_extension> extension;
    if (options.vector) {
        check_vector_field(*options.vector);
        extension = find_vector_extension(where);
        if (!extension && options.create) {
            make(where, "the extension \"vector\"", "CREATE EXTENSION IF NOT EXISTS vector;\n");
            extension = find_vector_extension(where);
        }
        if (!extension) throw usage_error("the database has not the extension \"vector\"; make it by: CREATE EXTENSION vector");
    }
    auto const known = extension.value_or(vector_extension{});
    if (auto const live = read_table(where, options.schema, options.table)) {
        auto const generated_by = options.vector ? generation_expression(where, *live, options.vector->column) : std::string();
        check_store_table(*live, options, known, generated_by);
        return known;
    }
    auto const sql = create_store_sql(options, known);
    if (!options.create) throw usage_error(text("there is no table {}; make it by:\n{}", table_sql(options), sql));
    make(where, text("the table {}", table_sql(options)), sql);
    return known;
}

}  // namespace isorow::inline v1::records::detail
