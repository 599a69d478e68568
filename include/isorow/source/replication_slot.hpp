#pragma once

/// @file
/// Replication slots: made, dropped and looked at. A slot is the server's memory of how far a reader has come; it keeps all WAL behind
/// that, whether anybody reads or not.

#include <isorow/config.hpp>
#include <isorow/pq/replication.hpp>
#include <isorow/pq/transaction.hpp>
#include <isorow/query/database_ref.hpp>
#include <isorow/types/lsn.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

struct slot_options {
    bool exists_ok = false;  ///< where there is one of this name, it is taken as it is, and there is no snapshot; else that is an error
    bool temporary = false;  ///< goes with the object that `create_slot` returns, or with the stream that it is moved into
    bool export_snapshot = true;  ///< for `use_snapshot`
    bool failover = false;        ///< kept in step on standbys that are set up for it; needs Postgres 17
};

/// A slot that `create_slot` has made. Its snapshot shows the database as it is where the slot's changes begin: rows read in it and the
/// changes after it miss nothing and have nothing twice. The snapshot can be taken up for as long as this object lives, and no stream was
/// made of it; a transaction that has it keeps it to its own end. Move-only.
class new_slot {
public:
    /// Whether it was made now, and was not there already.
    [[nodiscard]] bool is_new() const noexcept { return link_ != nullptr; }
    [[nodiscard]] std::string const& name() const noexcept { return made_.name; }
    /// Where its changes begin; 0 where it was there already.
    [[nodiscard]] lsn begins_at() const noexcept { return made_.consistent_point; }
    [[nodiscard]] std::string const& snapshot() const noexcept { return made_.snapshot; }

    /// Has a transaction see the snapshot: its first statement, at isolation repeatable_read or serializable. Throws `usage_error` where
    /// there is no snapshot.
    void use_snapshot(transaction& moment) const;

    /// Made by `create_slot`.
    new_slot(made_slot made, std::unique_ptr<replication_connection> link) : made_(std::move(made)), link_(std::move(link)) {}

    /// The connection that made it, for a stream on it; null where there is none.
    [[nodiscard]] std::unique_ptr<replication_connection> take_connection() noexcept { return std::move(link_); }

private:
    made_slot made_;
    std::unique_ptr<replication_connection> link_;
};

/// Makes a slot for changes. Names of slots have lower-case letters, digits and underscores. Waits for the transactions that are under way
/// to end, as its changes begin behind them. Throws `usage_error` where there is one of
/// this name and it is not `exists_ok`, or it is of another database or plugin; `missing_privilege` where the role lacks REPLICATION;
/// `replication_not_set_up` where `wal_level` is not logical or there is no room for another slot; and what connecting throws.
[[nodiscard]] new_slot create_slot(replication_endpoint const& where, std::string const& name, slot_options const& options = {},
                                   std::optional<limits> const& limits = {});

struct drop_slot_options {
    bool missing_ok = false;                                   ///< it need not exist
    std::chrono::milliseconds wait = std::chrono::seconds(5);  ///< how long a reader that is just ending may hold it
};

/// Drops a slot; the server may remove the WAL that it held. Throws `missing_slot`, `slot_in_use`, `missing_privilege`.
void drop_slot(database_ref const& where, std::string const& name, drop_slot_options const& options = {});

/// How a slot is doing. See the manual, "pg_replication_slots".
struct slot_status {
    std::string name{};
    std::string database{};
    std::string plugin{};
    bool temporary = false;
    bool active = false;         ///< somebody reads from it
    std::int32_t process = 0;    ///< the server's process that does
    std::string wal_status{};    ///< reserved, extended, unreserved, lost
    std::string invalidation{};  ///< why it was given up, where it was and the server tells
    lsn restart{};               ///< WAL is kept from here on
    lsn confirmed{};
    std::optional<std::uint64_t> retained_bytes{};  ///< of WAL that it keeps
    std::optional<std::uint64_t> lag_bytes{};       ///< of WAL behind what was confirmed
    std::optional<std::uint64_t> safe_bytes{};      ///< that may be written before it is in danger; nothing where that is not limited
    std::optional<std::chrono::microseconds>
        lag_time{};  ///< until what is written is confirmed, where somebody reads and the role may know

    /// Whether the server has given it up: changes are missing.
    [[nodiscard]] bool is_lost() const noexcept { return wal_status == "lost" || !invalidation.empty(); }
};

/// Looks at a slot; nothing where there is none of this name.
[[nodiscard]] std::optional<slot_status> find_slot(database_ref const& where, std::string_view name);

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/source/detail/replication_slot_code.hpp>
#endif
