#pragma once

/// @file
/// The extensions that a table's types come from, and the types of the user's that it has.

#include <isorow/error/declaration_error.hpp>
#include <isorow/pq/transaction.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/ddl_statements.hpp>
#include <isorow/schema/evolution.hpp>
#include <isorow/schema/user_types.hpp>
#include <isorow/target/install.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Where those of the extensions are that the table's types come from and that the database has.
[[nodiscard]] inline extension_schemas read_extension_schemas(database_ref const& where, table_description const& table) {
    auto const needed = needed_extensions(table);
    if (needed.empty()) return {};
    return query<extension_schema>(where,
                                   "SELECT e.extname::text AS extension, n.nspname::text AS schema FROM pg_catalog.pg_extension e"
                                   " JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname::text = ANY($1::text[])",
                                   std::vector<std::string>(needed.begin(), needed.end()));
}

/// Creates an extension for a table. Throws `missing_privilege` with the SQL to ask for.
inline void create_extension(connection& connection, std::optional<limits> const& given, table_description const& table,
                             std::string_view extension, std::string const& sql) {
    try {
        transaction inner(connection);
        lock_setup(connection);
        execute_script(connection, sql, given ? *given : connection.default_limits());
        inner.commit();
    } catch (server_error const& failure) {
        if (failure.retryable()) throw;
        throw missing_privilege(text(
            "{} needs the extension \"{}\", which this database does not have and this role cannot create ({}); ask an administrator to "
            "run: {}",
            quote_identifier(table.schema, table.name), extension, failure.message(), sql));
    }
}

struct live_user_type {
    std::string schema;
    std::string name;
    std::vector<std::string> parts;
};

/// Those types of the user's that the table's columns are of and that the database has: see `evolution_rules::known_types`.
[[nodiscard]] inline decltype(evolution_rules::known_types) read_user_types(database_ref const& where, table_description const& table) {
    decltype(evolution_rules::known_types) known;
    std::vector<std::string> schemas;
    std::vector<std::string> names;
    for (auto const* const type : needed_types(table)) {
        schemas.emplace_back(type->schema);
        names.emplace_back(type->name);
    }
    if (names.empty()) return known;
    auto types = query<live_user_type>(
        where,
        "SELECT n.nspname::text AS schema, t.typname::text AS name, CASE t.typtype WHEN 'e' THEN"
        " ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)"
        " ELSE ARRAY(SELECT a.attname::text || ' ' || pg_catalog.substring(pg_catalog.format_type(a.atttypid, a.atttypmod), '[^.]*$')"
        " FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)"
        " END AS parts FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
        " JOIN ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w(schema, name)"
        " ON w.schema = n.nspname AND w.name = t.typname",
        schemas, names);
    for (auto& type : types) known.emplace(quote_identifier(type.schema, type.name), std::move(type.parts));
    return known;
}

/// Makes a type of the user's, or adds a label to one. That somebody else has just made it is as good.
inline void change_type(connection& connection, std::optional<limits> const& given, std::string const& sql) {
    try {
        transaction inner(connection);
        lock_setup(connection);
        execute_script(connection, sql, given ? *given : connection.default_limits());
        inner.commit();
    } catch (server_error const& failure) {
        constexpr std::string_view duplicate_object = "42710";
        if (failure.sqlstate() != duplicate_object) throw;
    }
}

/// Which types of the user's are to be made sure of.
enum class missing_types : std::uint8_t {
    all,
    labels,  ///< only the labels that types lack which are there
};

/// Makes sure of the types of the user's that the table needs; what is run is added to `ddl`.
inline void ensure_user_types(connection& connection, std::optional<limits> const& given, table_description const& table,
                              extension_schemas const& schemas, std::vector<std::string>& ddl, missing_types which = missing_types::all) {
    if (needed_types(table).empty()) return;
    auto const known = read_user_types(given ? database_ref(connection, *given) : database_ref(connection), table);
    auto const planned = evolve(table, nullptr, {}, schemas, {.known_types = known});
    for (auto const& change : planned.changes) {
        bool const is_wanted = which == missing_types::all || known.contains(change.name);
        if (change.object != changed_object::type || !is_wanted) continue;
        change_type(connection, given, change.sql);
        ddl.push_back(change.sql);
    }
}

/// Makes sure of all extensions and types that the table needs; what is run is added to `ddl`.
[[nodiscard]] inline extension_schemas ensure_extensions(connection& connection, std::optional<limits> const& given,
                                                         table_description const& table, std::vector<std::string>& ddl) {
    auto const here = [&] { return given ? database_ref(connection, *given) : database_ref(connection); };
    auto schemas = read_extension_schemas(here(), table);
    bool has_created = false;
    for (auto const extension : needed_extensions(table)) {
        if (find_schema(schemas, extension) != nullptr) continue;
        ddl.push_back("CREATE EXTENSION IF NOT EXISTS " + quote_identifier(extension));
        create_extension(connection, given, table, extension, ddl.back());
        has_created = true;
    }
    if (has_created) schemas = read_extension_schemas(here(), table);
    ensure_user_types(connection, given, table, schemas, ddl);
    return schemas;
}

}  // namespace isorow::inline v1::detail
