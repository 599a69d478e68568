#pragma once

#include <isorow/error/declaration_error.hpp>
#include <isorow/error/replication_error.hpp>
#include <isorow/query/query.hpp>
#include <isorow/source/replication_slot.hpp>

#include <algorithm>

namespace isorow::inline v1 {

namespace detail {

/// Codes of errors around slots.
inline constexpr std::string_view undefined_object = "42704";
inline constexpr std::string_view duplicate_object = "42710";
inline constexpr std::string_view object_in_use = "55006";
inline constexpr std::string_view not_in_prerequisite_state = "55000";
inline constexpr std::string_view configuration_limit_exceeded = "53400";

/// What matters for replication beside the slot.
struct replication_setup {
    std::string wal_level;
    std::string role;
    bool may_replicate;
    std::string database;
};

[[nodiscard]] inline replication_setup read_replication_setup(database_ref const& where) {
    return query_one<replication_setup>(where,
                                        "SELECT pg_catalog.current_setting('wal_level') AS wal_level, r.rolname::text AS role,"
                                        " r.rolreplication OR r.rolsuper AS may_replicate, pg_catalog.current_database()::text AS database"
                                        " FROM pg_catalog.pg_roles r WHERE r.rolname = current_user");
}

inline void require_logical(replication_setup const& setup) {
    if (setup.wal_level == "logical") return;
    throw replication_not_set_up(
        text("the server's wal_level is {}, and changes need logical: say ALTER SYSTEM SET wal_level = 'logical' and restart the server",
             setup.wal_level));
}

[[noreturn]] inline void throw_missing_replication(replication_setup const& setup, std::string_view said) {
    throw missing_privilege(text("the role \"{}\" may not replicate; it takes an administrator to run: ALTER ROLE {} REPLICATION ({})",
                                 setup.role, quote_identifier(setup.role), said));
}

/// Connects for replication; where that fails, says what is missing as far as an ordinary connection can tell.
[[nodiscard]] inline std::unique_ptr<replication_connection> connect_for_replication(replication_endpoint const& where, connection& side,
                                                                                     limits const& limits) {
    try {
        return std::make_unique<replication_connection>(where, limits);
    } catch (connection_error const& failure) {
        // On some services membership in a role of theirs is what lets one replicate: so only what was refused is explained.
        auto const setup = read_replication_setup(side);
        if (!setup.may_replicate) throw_missing_replication(setup, failure.what());
        require_logical(setup);
        throw;
    }
}

[[nodiscard]] inline std::string lost_text(slot_status const& slot) {
    return text(
        "the replication slot \"{}\" is lost{}: the server has removed WAL that it held, and changes with it. Snapshot again: drop the "
        "slot, "
        "make it anew, and read the table under the new slot's snapshot. max_slot_wal_keep_size limits how much WAL a slot may hold",
        slot.name, slot.invalidation.empty() ? "" : " (" + slot.invalidation + ")");
}

[[nodiscard]] inline std::string missing_text(std::string_view name) {
    return text(
        "there is no replication slot \"{}\": make it with create_slot, and read the table under its snapshot, as nothing that was changed "
        "before will come",
        name);
}

[[nodiscard]] inline slot_in_use in_use(std::string_view name, int process) {
    return {text("the replication slot \"{}\" is read by somebody else{}: a slot has one reader at a time", name,
                 process == 0 ? "" : text(", in the server's process {}", process)),
            process};
}

/// The columns of pg_replication_slots that not all versions have are read through jsonb.
struct slot_row {
    std::string name;
    std::string database;
    std::string plugin;
    bool temporary;
    bool active;
    std::int32_t process;
    std::string wal_status;
    std::string invalidation;
    std::string restart;
    std::string confirmed;
    std::optional<std::int64_t> retained_bytes;
    std::optional<std::int64_t> lag_bytes;
    std::optional<std::int64_t> safe_bytes;
    std::optional<std::int64_t> lag_time;
};

inline constexpr std::string_view slot_row_sql =
    "SELECT s.slot_name::text AS name, coalesce(s.database::text, '') AS database, coalesce(s.plugin::text, '') AS plugin, s.temporary,"
    " s.active, coalesce(s.active_pid, 0) AS process, coalesce(s.wal_status, '') AS wal_status,"
    " coalesce(pg_catalog.to_jsonb(s) ->> 'invalidation_reason', CASE WHEN (pg_catalog.to_jsonb(s) ->> 'conflicting')::boolean"
    " THEN 'conflict with recovery' ELSE '' END) AS invalidation, coalesce(s.restart_lsn::text, '0/0') AS restart,"
    " coalesce(s.confirmed_flush_lsn::text, '0/0') AS confirmed,"
    " pg_catalog.pg_wal_lsn_diff(w.now, s.restart_lsn)::bigint AS retained_bytes,"
    " pg_catalog.pg_wal_lsn_diff(w.now, s.confirmed_flush_lsn)::bigint AS lag_bytes, s.safe_wal_size AS safe_bytes,"
    " (SELECT (extract(epoch FROM r.flush_lag) * 1000000)::bigint FROM pg_catalog.pg_stat_replication r WHERE r.pid = s.active_pid)"
    " AS lag_time FROM pg_catalog.pg_replication_slots s, (SELECT CASE WHEN pg_catalog.pg_is_in_recovery()"
    " THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END AS now) w WHERE s.slot_name = $1";

/// Throws where an existing slot is not one that this database's changes can be read from.
inline void require_usable(slot_status const& slot, std::string const& database) {
    if (slot.plugin != "pgoutput" || slot.database != database)
        throw usage_error(
            text("the replication slot \"{}\" is of the plugin \"{}\" in the database \"{}\"; one of pgoutput in \"{}\" is needed",
                 slot.name, slot.plugin, slot.database, database));
    if (slot.is_lost()) throw slot_lost(lost_text(slot));
}

}  // namespace detail

ISOROW_DECL void new_slot::use_snapshot(transaction& moment) const {
    if (made_.snapshot.empty() || link_ == nullptr)
        throw usage_error(
            text("the slot \"{}\" has no snapshot: it was there already, was made without, or a stream was made of it", name()));
    execute(moment, "SET TRANSACTION SNAPSHOT " + detail::quote_literal(made_.snapshot));
}

ISOROW_DECL new_slot create_slot(replication_endpoint const& where, std::string const& name, slot_options const& options,
                                 std::optional<limits> const& limits) {
    auto const within = limits ? *limits : where.default_limits();
    auto side = where.connect(within);
    database_ref const ordinary(side, within);
    auto const existing = find_slot(ordinary, name);
    if (existing) {
        if (!options.exists_ok)
            throw usage_error(text("there is a replication slot \"{}\" already; slot_options.exists_ok takes it as it is", name));
        detail::require_usable(*existing, detail::read_replication_setup(ordinary).database);
        return {made_slot{.name = name}, nullptr};
    }
    auto link = detail::connect_for_replication(where, side, within);
    try {
        auto made = link->create_slot(
            {.name = name, .temporary = options.temporary, .export_snapshot = options.export_snapshot, .failover = options.failover},
            within);
        return {std::move(made), std::move(link)};
    } catch (server_error const& failure) {
        auto const setup = detail::read_replication_setup(ordinary);
        detail::require_logical(setup);
        if (failure.sqlstate() == sqlstate::insufficient_privilege) detail::throw_missing_replication(setup, failure.message());
        if (failure.sqlstate() == detail::configuration_limit_exceeded)
            throw replication_not_set_up(text("{}: drop slots that nobody reads from, or raise max_replication_slots", failure.message()));
        throw;
    }
}

ISOROW_DECL void drop_slot(database_ref const& where, std::string const& name, drop_slot_options const& options) {
    constexpr std::chrono::milliseconds pause{50};
    auto const end = std::chrono::steady_clock::now() + options.wait;
    for (;;) {
        auto const slot = find_slot(where, name);
        if (!slot && options.missing_ok) return;
        if (!slot) throw missing_slot(detail::missing_text(name));
        try {
            execute(where, "SELECT pg_catalog.pg_drop_replication_slot($1)", name);
            return;
        } catch (server_error const& failure) {
            if (failure.sqlstate() == detail::undefined_object) continue;
            if (failure.sqlstate() == sqlstate::insufficient_privilege)
                detail::throw_missing_replication(detail::read_replication_setup(where), failure.message());
            if (failure.sqlstate() != detail::object_in_use) throw;
            if (std::chrono::steady_clock::now() >= end) throw detail::in_use(name, slot->process);
        }
        pause_for(pause, limits::until_stopped({}), "waiting for a replication slot to be free");
    }
}

ISOROW_DECL std::optional<slot_status> find_slot(database_ref const& where, std::string_view name) {
    auto row = query_optional<detail::slot_row>(where, detail::slot_row_sql, name);
    if (!row) return std::nullopt;
    auto const bytes = [](std::optional<std::int64_t> const& count) -> std::optional<std::uint64_t> {
        if (!count) return std::nullopt;
        return static_cast<std::uint64_t>(std::max<std::int64_t>(*count, 0));
    };
    slot_status status{.name = std::move(row->name),
                       .database = std::move(row->database),
                       .plugin = std::move(row->plugin),
                       .temporary = row->temporary,
                       .active = row->active,
                       .process = row->process,
                       .wal_status = std::move(row->wal_status),
                       .invalidation = std::move(row->invalidation),
                       .restart = lsn::parse(row->restart),
                       .confirmed = lsn::parse(row->confirmed),
                       .retained_bytes = bytes(row->retained_bytes),
                       .lag_bytes = bytes(row->lag_bytes),
                       .safe_bytes = bytes(row->safe_bytes)};
    if (row->lag_time) status.lag_time = std::chrono::microseconds(*row->lag_time);
    return status;
}

}  // namespace isorow::inline v1
