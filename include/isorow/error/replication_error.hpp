#pragma once

#include <isorow/error/error.hpp>

#include <string>

namespace isorow::inline v1 {

/// Logical replication cannot begin or go on. The message says what is missing or wrong, and the cure.
class replication_error : public error {
public:
    using error::error;
};

/// The server, the publication or the table is not set up for what was asked: `wal_level`, a publication that is not there or does not have
/// the table, a table without a replica identity, no room for another slot.
class replication_not_set_up final : public replication_error {
public:
    using replication_error::replication_error;
};

/// There is no slot of this name. Whatever was changed before a new one is made will not come: read the table under the new slot's
/// snapshot.
class missing_slot final : public replication_error {
public:
    using replication_error::replication_error;
};

/// The server has given the slot up and removed WAL that it held: changes are missing, and cannot be had any more. Drop the slot, make it
/// anew and read the table again under its snapshot.
class slot_lost final : public replication_error {
public:
    using replication_error::replication_error;
};

/// Somebody else reads from the slot: it has one reader at a time. A reader that has just ended may hold it for a moment more.
class slot_in_use final : public replication_error {
public:
    slot_in_use(std::string const& what, int process) : replication_error(what), process_(process) {}

    [[nodiscard]] bool retryable() const noexcept override { return true; }
    /// The server's process that reads from the slot; 0 where it has ended meanwhile.
    [[nodiscard]] int process() const noexcept { return process_; }

private:
    int process_;
};

/// The temporary file that keeps changes of transactions under way could not be written or read, or would be larger than allowed.
class spool_error final : public replication_error {
public:
    using replication_error::replication_error;
};

}  // namespace isorow::inline v1
