#pragma once

#include <isorow/error/declaration_error.hpp>
#include <isorow/pq/connection.hpp>
#include <isorow/query/query.hpp>
#include <isorow/records/configuration.hpp>
#include <isorow/schema/identifier.hpp>

#include <string>

namespace isorow::inline v1::records {

/// Makes the database that the configuration names, where the server does not have it; true where it made it. It is made through the
/// server's database `postgres`. Throws `usage_error` where the configuration does not say `database`, `missing_privilege`, with the SQL to
/// ask for, where the role may not make it, and what connecting throws.
inline bool ensure_database(configuration const& from) {
    auto const& name = from.where.dbname;
    if (name.empty()) throw usage_error("the configuration names no database that could be made: say it as \"database\"");
    auto const sql = "CREATE DATABASE " + quote_identifier(name);
    auto maintenance = from.where;
    maintenance.dbname = "postgres";
    connection server(maintenance);
    if (query_one<bool>(server, "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)", name)) return false;
    try {
        execute(server, sql);
    } catch (server_error const& failure) {
        constexpr std::string_view duplicate_database = "42P04";
        // Somebody else has made it meanwhile.
        if (failure.sqlstate() == duplicate_database || failure.sqlstate() == sqlstate::unique_violation) return false;
        if (failure.sqlstate() != sqlstate::insufficient_privilege) throw;
        throw missing_privilege(
            text("the database \"{}\" does not exist and this role may not create it ({}); ask an administrator to run: {}", name,
                 failure.message(), sql));
    }
    return true;
}

}  // namespace isorow::inline v1::records
