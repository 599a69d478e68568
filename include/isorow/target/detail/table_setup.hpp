#pragma once

/// @file
/// The table of a target: made where it does not exist, held against the struct where it does, and entered in `isorow.targets`.

#include <isorow/error/declaration_error.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/target/install.hpp>
#include <isorow/target/options.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// A target's table as a commit found or made it.
struct table_setup {
    std::int64_t id = 0;             ///< in `isorow.targets`
    bool created = false;            ///< made by this commit, so that it is empty, and its key and indexes come after the rows
    std::vector<std::string> ddl{};  ///< what was run to make it
    extension_schemas schemas{};
};

struct registered_target {
    std::int64_t id;
    std::string ownership;
    std::optional<std::string> owner;
};

[[nodiscard]] inline std::string_view name_of(ownership ownership) noexcept {
    return ownership == ownership::exclusive ? "exclusive" : "shared";
}

/// Makes sure of the extensions that the table's types come from, and learns which schema each is in.
[[nodiscard]] inline extension_schemas ensure_extensions(connection& connection, limits const& limits, table_description const& table,
                                                         std::vector<std::string>& ddl) {
    extension_schemas schemas;
    for (auto const extension : needed_extensions(table)) {
        constexpr std::string_view find =
            "SELECT n.nspname::text FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE "
            "e.extname = $1";
        auto schema = query_optional<std::string>(connection, find, extension);
        if (!schema) {
            auto const sql = "CREATE EXTENSION IF NOT EXISTS " + quote_identifier(extension);
            try {
                transaction inner(connection);
                lock_setup(connection);
                execute_script(connection, sql, limits);
                inner.commit();
            } catch (server_error const& failure) {
                throw missing_privilege(
                    text("{} needs the extension \"{}\", which this database does not have and this role cannot create ({}); ask an "
                         "administrator to run: {}",
                         quote_identifier(table.schema, table.name), extension, failure.message(), sql));
            }
            ddl.push_back(sql);
            schema = query_one<std::string>(connection, find, extension);
        }
        schemas.emplace(extension, *schema);
    }
    return schemas;
}

/// Whether a unique index over exactly the key's columns stands on the table: without one, keys do not tell rows apart.
[[nodiscard]] inline bool has_key(connection& connection, table_description const& table, oid relation) {
    std::vector<std::string> names;
    for (auto const place : table.key) names.emplace_back(table.columns[place].name);
    return query_one<bool>(
        connection,
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = $1::bigint::oid AND i.indisunique AND i.indpred IS NULL"
        " AND i.indexprs IS NULL AND i.indisvalid AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE \"C\")"
        " FROM pg_catalog.unnest(i.indkey[0:i.indnkeyatts - 1]) k(attnum) JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND "
        "a.attnum = k.attnum)"
        " = (SELECT array_agg(n ORDER BY n COLLATE \"C\") FROM pg_catalog.unnest($2::text[]) n))",
        static_cast<std::int64_t>(relation), names);
}

/// Refuses a table that somebody else made unless it may be adopted.
inline void require_adoptable(connection& connection, table_description const& table, target_options const& options) {
    auto const name = quote_identifier(table.schema, table.name);
    if (options.adopt == adopt::nothing)
        throw not_owned(
            text("the table {} exists, and isorow did not create it; say adopt::table or adopt::rows to use it all the same", name));
    if (options.ownership == ownership::exclusive && options.adopt != adopt::rows &&
        query_one<bool>(connection, text("SELECT EXISTS (SELECT FROM {})", name)))
        throw not_owned(
            text("the table {} has rows that isorow did not write, and an exclusive target would delete those that are not declared; say "
                 "adopt::rows if they may go",
                 name));
}

inline void require_same_ownership(table_description const& table, registered_target const& known, target_options const& options) {
    auto const name = quote_identifier(table.schema, table.name);
    if (known.ownership != name_of(options.ownership))
        throw not_owned(
            text("the table {} is kept by a target that is {}, and this one is {}", name, known.ownership, name_of(options.ownership)));
    if (options.ownership == ownership::exclusive && known.owner != options.owner)
        throw not_owned(text("the table {} is kept by the exclusive target of \"{}\", and this one is of \"{}\"", name,
                             known.owner.value_or(""), options.owner));
}

/// Finds or makes the table and its entry; the entry is locked until the transaction ends, so that commits of one table follow each other.
[[nodiscard]] inline table_setup set_up_table(connection& connection, limits const& limits, table_description const& table,
                                              target_options const& options) {
    table_setup setup;
    setup.schemas = ensure_extensions(connection, limits, table, setup.ddl);
    auto const known = query_optional<registered_target>(
        connection, "SELECT id, ownership, owner FROM isorow.targets WHERE schema_name = $1 AND table_name = $2 FOR UPDATE", table.schema,
        table.name);
    auto live = read_table(connection, table.schema, table.name);
    if (known) require_same_ownership(table, *known, options);
    if (!live) {
        auto const sql = create_table_sql(table, setup.schemas);
        execute_script(connection, sql, limits);
        setup.ddl.push_back(sql);
        setup.created = true;
        live = read_table(connection, table.schema, table.name);
    } else {
        auto differences = compare_columns(table, *live, table_use::writing);
        if (!has_key(connection, table, live->relation))
            differences.push_back({std::string(table.struct_name), quoted_columns(table, table.key),
                                   "a primary key or a unique index over exactly these columns", "none"});
        if (!differences.empty())
            throw mismatch(table.struct_name, text("the table {}", quote_identifier(table.schema, table.name)), std::move(differences));
        if (!known) require_adoptable(connection, table, options);
    }
    if (known) {
        setup.id = known->id;
        // Rows that were tracked went with a table that somebody dropped.
        if (setup.created) execute(database_ref(connection), "DELETE FROM isorow.tracked WHERE target = $1", known->id);
        execute(database_ref(connection),
                "UPDATE isorow.targets SET relation = $2::bigint::oid, created = created OR $3 WHERE id = $1 AND (relation <> "
                "$2::bigint::oid OR created <> (created OR $3))",
                known->id, static_cast<std::int64_t>(live->relation), setup.created);
        return setup;
    }
    std::optional<std::string> const owner = options.ownership == ownership::exclusive ? std::optional(options.owner) : std::nullopt;
    setup.id = query_one<std::int64_t>(connection,
                                       "INSERT INTO isorow.targets (schema_name, table_name, relation, ownership, owner, created)"
                                       " VALUES ($1, $2, $3::bigint::oid, $4, $5, $6) RETURNING id",
                                       table.schema, table.name, static_cast<std::int64_t>(live->relation), name_of(options.ownership),
                                       owner, setup.created);
    return setup;
}

/// The key and the indexes of a table that this commit made: once its rows are there.
inline void finish_table(connection& connection, std::optional<limits> const& given, table_description const& table, table_setup& setup) {
    if (!setup.created) return;
    auto const run = [&](std::string sql) {
        execute_script(connection, sql, given ? *given : connection.default_limits());
        setup.ddl.push_back(std::move(sql));
    };
    run(add_key_sql(table));
    for (auto const& index : table.indexes) run(create_index_sql(table, index, setup.schemas));
}

}  // namespace isorow::inline v1::detail
