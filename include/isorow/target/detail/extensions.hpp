#pragma once

/// @file
/// The extensions that a table's types come from.

#include <isorow/error/declaration_error.hpp>
#include <isorow/pq/transaction.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/ddl.hpp>
#include <isorow/target/install.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

struct extension_place {
    std::string extension;
    std::string schema;
};

/// Where those of the extensions are that the table's types come from and that the database has.
[[nodiscard]] inline extension_schemas read_extension_schemas(database_ref const& where, table_description const& table) {
    extension_schemas schemas;
    auto const needed = needed_extensions(table);
    if (needed.empty()) return schemas;
    auto places =
        query<extension_place>(where,
                               "SELECT e.extname::text AS extension, n.nspname::text AS schema FROM pg_catalog.pg_extension e"
                               " JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname::text = ANY($1::text[])",
                               std::vector<std::string>(needed.begin(), needed.end()));
    for (auto& place : places) schemas.emplace(std::move(place.extension), std::move(place.schema));
    return schemas;
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

/// Makes sure of all extensions that the table needs; what is run is added to `ddl`.
[[nodiscard]] inline extension_schemas ensure_extensions(connection& connection, std::optional<limits> const& given,
                                                         table_description const& table, std::vector<std::string>& ddl) {
    auto const here = [&] { return given ? database_ref(connection, *given) : database_ref(connection); };
    auto schemas = read_extension_schemas(here(), table);
    bool has_created = false;
    for (auto const extension : needed_extensions(table)) {
        if (schemas.contains(extension)) continue;
        ddl.push_back("CREATE EXTENSION IF NOT EXISTS " + quote_identifier(extension));
        create_extension(connection, given, table, extension, ddl.back());
        has_created = true;
    }
    return has_created ? read_extension_schemas(here(), table) : schemas;
}

}  // namespace isorow::inline v1::detail
