#pragma once

#include <isorow/config.hpp>
#include <isorow/error/unsupported.hpp>
#include <isorow/pq/statement.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// What an endpoint can do, found out by asking it, never by its version's number. A plain value: tests make their own and give it to
/// `type_registry::set_capabilities`.
struct capabilities {
    std::string engine = "PostgreSQL";  ///< PostgreSQL, CockroachDB, YugabyteDB, Citus …; with `behind a pooler` where one stands before it
    std::string version{};              ///< as the engine says it
    bool pooled = false;                ///< a pooler in transaction mode stands between
    bool listen = true;                 ///< LISTEN and NOTIFY
    bool session_state = true;          ///< settings, temporary tables and advisory locks of the session
    bool advisory_locks = true;
    bool transaction_status = true;    ///< pg_xact_status: a lost COMMIT can be settled
    bool two_phase_commit = false;     ///< max_prepared_transactions is more than 0
    bool logical_replication = false;  ///< wal_level is logical
    bool distributed_tables = false;   ///< Citus: keys and ON CONFLICT must have the distribution column
    std::string pgvector{};            ///< the extension's version; empty where it is not there

    /// Throws `unsupported` where a feature is missing; `alternative` says what to do instead.
    void require(bool capabilities::* feature, std::string_view name, std::string_view alternative = {}) const;
};

namespace detail {

[[nodiscard]] std::string engine_of(std::string_view version, bool citus, bool pooled);

[[nodiscard]] capabilities ask_capabilities(connection& connection, limits const& limits);

}  // namespace detail

/// What the connection's endpoint can do: asked once for a pool, or for a connection of its own, and then remembered. Not in a failed
/// transaction.
[[nodiscard]] std::shared_ptr<capabilities const> capabilities_of(connection& connection, limits const& limits);

#if ISOROW_HAS_CODE

ISOROW_DECL void capabilities::require(bool capabilities::* feature, std::string_view name, std::string_view alternative) const {
    if (!(this->*feature)) throw unsupported(name, engine, alternative);
}

namespace detail {

ISOROW_DECL std::string engine_of(std::string_view version, bool citus, bool pooled) {
    std::string engine = "PostgreSQL";
    if (version.find("CockroachDB") != std::string_view::npos) engine = "CockroachDB";
    else if (version.find("-YB-") != std::string_view::npos || version.find("Yugabyte") != std::string_view::npos) engine = "YugabyteDB";
    else if (citus) engine = "Citus";
    return pooled ? engine + " behind a pooler in transaction mode" : engine;
}

ISOROW_DECL capabilities ask_capabilities(connection& connection, limits const& limits) {
    connection.types().look_around(connection, limits);
    auto const answer = execute_script(connection,
                                       "SELECT pg_catalog.version(), pg_catalog.to_regproc('pg_catalog.pg_notify') IS NOT NULL,"
                                       " pg_catalog.to_regproc('pg_catalog.pg_xact_status') IS NOT NULL,"
                                       " EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proname = 'pg_try_advisory_xact_lock'),"
                                       " coalesce(pg_catalog.current_setting('max_prepared_transactions', true), '0') <> '0',"
                                       " coalesce(pg_catalog.current_setting('wal_level', true), '') = 'logical',"
                                       " (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'vector'),"
                                       " EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus')",
                                       limits);
    auto const text_of = [&](int column) {
        auto const bytes = answer.value(0, column);
        return bytes.data() == nullptr ? std::string{} : std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    };
    auto const holds = [&](int column) { return text_of(column) == "t"; };
    capabilities found;
    found.pooled = connection.is_pooled();
    found.version = text_of(0);
    found.distributed_tables = holds(7);
    found.engine = engine_of(found.version, found.distributed_tables, found.pooled);
    bool const cockroach = found.engine.starts_with("CockroachDB");  // it has the functions' names, but they do nothing
    found.listen = holds(1) && !found.pooled && !cockroach;
    found.session_state = !found.pooled;
    found.advisory_locks = holds(3) && !cockroach;
    found.transaction_status = holds(2);
    found.two_phase_commit = holds(4);
    found.logical_replication = holds(5) && !found.pooled;
    found.pgvector = text_of(6);
    return found;
}

}  // namespace detail

ISOROW_DECL std::shared_ptr<capabilities const> capabilities_of(connection& connection, limits const& limits) {
    if (auto known = connection.types().known_capabilities()) return known;
    auto asked = std::make_shared<capabilities const>(detail::ask_capabilities(connection, limits));
    connection.types().set_capabilities(asked);
    return asked;
}

#endif

}  // namespace isorow::inline v1
