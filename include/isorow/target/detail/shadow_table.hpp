#pragma once

/// @file
/// Declared rows that are too many for the client's memory, of a table that is not there yet: they are loaded into a table beside its
/// place, by COPY and once for all, and the commit gives that table the name. What is to be recorded of the rows waits in a temporary
/// table.
///
/// The shadow of a session that has died is known by the advisory lock that nobody holds any more.

#include <isorow/codec/copy_format.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/pq/transaction.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/ddl_statements.hpp>
#include <isorow/target/detail/declared_state.hpp>
#include <isorow/target/detail/refused_row.hpp>
#include <isorow/target/detail/server_rows.hpp>
#include <isorow/target/detail/table_clauses.hpp>
#include <isorow/target/detail/tracked_pages.hpp>
#include <isorow/types/hexadecimal.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

inline constexpr std::string_view shadow_prefix = "isorow_shadow_";

[[nodiscard]] inline std::string shadow_name(std::int64_t number) {
    return std::string(shadow_prefix) + hexadecimal(static_cast<std::uint64_t>(number), 16);
}

/// Whether rows of the table may be loaded before the commit: it is not there, and nobody would see the difference. Publications of all
/// tables would send the rows under the shadow's name; in a transaction of the user's the shadow's fate would be another one's to decide;
/// and keys that the server may change as it stores them could not be told from the record.
[[nodiscard]] inline bool may_have_shadow(connection& connection, limits const& now, declared_table const& table) {
    auto const& described = table.shape.table;
    if (connection.in_transaction() || table.recorded || table.options.managed_by == managed_by::user) return false;
    if (!table.shape.keys_compare_as_bytes) return false;
    constexpr int has_publications_of_schemas = 150000;
    auto sql = std::string(
        "SELECT pg_catalog.to_regclass($2) IS NULL AND pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND NOT EXISTS (SELECT FROM "
        "pg_catalog.pg_publication WHERE puballtables)");
    if (connection.server_version() >= has_publications_of_schemas)
        sql += " AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_namespace WHERE pnnspid = n.oid)";
    sql += " FROM pg_catalog.pg_namespace n WHERE n.nspname = $1";
    return query_optional<bool>(database_ref(connection, now), sql, described.schema, quote_identifier(described.schema, described.name))
        .value_or(false);
}

/// Makes the shadow, without rows. The session holds its lock from before it is there.
[[nodiscard]] inline shadow_table make_shadow(connection& connection, limits const& now, table_description described,
                                              extension_schemas const& schemas) {
    std::random_device random;
    shadow_table shadow{.number = static_cast<std::int64_t>(random() & 0x7fffffffU) << 32 | static_cast<std::int64_t>(random())};
    shadow.name = shadow_name(shadow.number);
    auto const comment =
        text("rows of {} that a run of isorow has declared and not committed yet; dropped by the next run if this one dies",
             quote_identifier(described.schema, described.name));
    described.name = shadow.name;
    execute_script(connection,
                   text("SELECT pg_catalog.pg_advisory_lock({}); {}; COMMENT ON TABLE {} IS {}", shadow.number,
                        create_table_sql(described, schemas), quote_identifier(described.schema, described.name), quote_literal(comment)),
                   now);
    return shadow;
}

/// Sends what is to be recorded of the rows that the client has. `writer`: the transaction that writes them, 0 where it is not known yet.
inline void send_pages(connection& connection, std::optional<limits> const& given, declared_table& table, std::uint32_t writer) {
    auto rows = pointers_to(table.rows.rows());
    sort_by_owner(rows);
    page_writer pages(connection, given, 0, "pg_temp." + quote_identifier(table.spilled.pages));
    for (auto const* const row : rows) pages.add(row->owner, {row->key(), table.fingerprints().of(*row), writer});
    pages.finish();
}

/// Loads the rows that the client has into what has their table's columns. Throws the server's error with the table and the key of the row
/// that it refuses.
inline void load_bare(connection& connection, std::optional<limits> const& given, declared_table& table, std::string_view schema,
                      std::string_view name) {
    auto const& described = table.shape.table;
    auto const rows = table.rows.rows();
    try {
        auto const oids = filler_for(connection, given, table.shape.types());
        copy_in sent(connection,
                     text("COPY {} ({}) FROM STDIN (FORMAT binary)", quote_identifier(schema, name), table_clauses(table.shape).columns()),
                     given);
        copy_format::put_header(sent.buffer());
        for (auto const& row : rows) {
            auto const start = sent.buffer().size();
            sent.buffer().put_bytes(row.bytes());
            oids.fill(sent.buffer(), start);
            sent.flush_if_full();
        }
        copy_format::put_trailer(sent.buffer());
        sent.finish();
    } catch (server_error const& failure) {
        auto fields = failure.diagnostics();
        for (auto at = fields.message.find(name); at != std::string::npos; at = fields.message.find(name))
            fields.message.replace(at, name.size(), described.name);
        if (fields.table == name) fields.table = described.name;
        rethrow_at_line(server_error(std::move(fields)), described, pointers_to(rows));
    }
}

/// Loads the rows that the client has, and their pages.
inline void load_shadow(connection& connection, std::optional<limits> const& given, declared_table& table, shadow_table& shadow) {
    transaction whole(connection);
    load_bare(connection, given, table, table.shape.table.schema, shadow.name);
    auto const writer = query_one<std::int64_t>(database_ref(connection, given ? *given : connection.default_limits()),
                                                "SELECT pg_catalog.pg_current_xact_id()::xid::text::bigint");
    send_pages(connection, given, table, static_cast<std::uint32_t>(writer));
    whole.commit();
    shadow.writers.push_back(writer);
}

/// Drops the shadows in a schema whose sessions have died, as far as this role may.
inline void drop_abandoned_shadows(connection& connection, limits const& now, std::string_view schema) {
    auto const names = query<std::string>(
        database_ref(connection, now),
        "SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 "
        "AND c.relkind = 'r' AND c.relname ~ ('^' || $2 || '[0-9a-f]{16}$') AND pg_catalog.pg_has_role(c.relowner, 'USAGE') AND NOT EXISTS "
        "(SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.database = (SELECT d.oid FROM "
        "pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) AND (l.classid::bigint << 32 | l.objid::bigint) = ('x' "
        "|| pg_catalog.right(c.relname, 16))::bit(64)::bigint)",
        schema, shadow_prefix);
    for (auto const& name : names) execute_script(connection, "DROP TABLE IF EXISTS " + quote_identifier(schema, name), now);
}

}  // namespace isorow::inline v1::detail
