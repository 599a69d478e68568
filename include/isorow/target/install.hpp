#pragma once

/// @file
/// Schema `isorow`: what isorow remembers of the tables that it keeps, in the same database as these and committed with their rows.

#include <isorow/error/declaration_error.hpp>
#include <isorow/pq/transaction.hpp>
#include <isorow/query/query.hpp>

#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// The version of schema `isorow` that this isorow works with.
inline constexpr int tracking_version = 1;

/// The SQL that makes schema `isorow`, for those who install it by hand: a role that only uses it needs USAGE on the schema and SELECT,
/// INSERT, UPDATE, DELETE on its tables. Running it again changes nothing.
[[nodiscard]] inline std::string_view install_sql() {
    return R"(CREATE SCHEMA IF NOT EXISTS isorow;
CREATE TABLE IF NOT EXISTS isorow.version (
    version integer PRIMARY KEY
);
INSERT INTO isorow.version SELECT 1 WHERE NOT EXISTS (SELECT FROM isorow.version);
CREATE TABLE IF NOT EXISTS isorow.targets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    relation oid NOT NULL,
    ownership text NOT NULL CHECK (ownership IN ('exclusive', 'shared')),
    owner text,
    created boolean NOT NULL,
    UNIQUE (schema_name, table_name)
);
COMMENT ON TABLE isorow.targets IS 'the tables that isorow keeps; owner: of the whole table where it is exclusive; created: isorow made the table';
CREATE TABLE IF NOT EXISTS isorow.tracked (
    target bigint NOT NULL REFERENCES isorow.targets ON DELETE CASCADE,
    key bytea NOT NULL,
    owner text NOT NULL,
    fingerprint bytea NOT NULL,
    PRIMARY KEY (target, key)
);
COMMENT ON TABLE isorow.tracked IS 'the rows of shared tables that isorow keeps: key columns in binary COPY format, XXH3-128 of the declared row';
)";
}

namespace detail {

/// Makes those who set up schemas and extensions at once do so one after another, as `IF NOT EXISTS` alone does not.
inline void lock_setup(connection& connection) {
    static_cast<void>(query_one<std::string>(connection, "SELECT pg_catalog.pg_advisory_xact_lock(7310862210123)::text"));
}

}  // namespace detail

/// Makes schema `isorow` where it does not exist. Throws `missing_privilege` where the role may not, with the SQL to ask for.
inline void install(database_ref const& where) {
    database_ref::use connection(where);
    auto const version_table = query_one<std::optional<std::string>>(*connection, "SELECT pg_catalog.to_regclass('isorow.version')::text");
    if (version_table) {
        auto const version = query_one<std::int32_t>(*connection, "SELECT coalesce(max(version), 0) FROM isorow.version");
        if (version > tracking_version)
            throw usage_error(
                text("schema isorow has version {}, this isorow knows versions up to {}: a newer isorow has used this database", version,
                     tracking_version));
        return;
    }
    try {
        transaction inner(*connection);
        detail::lock_setup(*connection);
        execute_script(*connection, install_sql(), connection.limits());
        inner.commit();
    } catch (server_error const& failure) {
        if (failure.sqlstate() != sqlstate::insufficient_privilege) throw;
        throw missing_privilege(text("schema isorow does not exist and this role may not create it ({}); ask an administrator to run:\n{}",
                                     failure.message(), install_sql()));
    }
}

}  // namespace isorow::inline v1
