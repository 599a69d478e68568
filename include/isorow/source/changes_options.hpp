#pragma once

#include <isorow/types/lsn.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace isorow::inline v1 {

/// When the server is told that a transaction was dealt with.
enum class confirmation : std::uint8_t {
    by_call,  ///< by `confirm`
    on_next,  ///< when the change behind a transaction's commit is asked for
};

/// What a stream of changes reads, and how.
struct changes_options {
    std::string slot{};         ///< see `create_slot`
    std::string publication{};  ///< see `create_publication`
    std::string table{};        ///< the table's name; the struct's own where it is empty
    std::string schema{};       ///< the table's schema; the struct's own (`public`) where it is empty
    /// Where to go on: the `end` of the transaction that was dealt with last, kept by the caller; 0: where the slot was confirmed. What was
    /// committed before does not come.
    lsn resume_from{};
    isorow::confirmation confirmation = isorow::confirmation::by_call;
    bool messages = false;  ///< whether what `pg_logical_emit_message` was given comes, too
    /// Whether the server sends large transactions while they are under way. They are delivered all the same when they are committed, and
    /// those that are rolled back never; the client keeps them until then: `memory` bytes of all of them in memory, up to `largest_spool`
    /// in temporary files. Without, the server keeps them.
    bool streaming = false;
    std::size_t memory = std::size_t{8} << 20;
    std::uint64_t largest_spool = std::uint64_t{8} << 30;
    std::string temporary_folder{};  ///< of these files, which have no names; the system's where it is empty
    std::chrono::milliseconds wait_for_slot = std::chrono::seconds(5);  ///< how long a reader that is just ending may hold the slot
    std::chrono::milliseconds silence = std::chrono::seconds(60);       ///< a server that does not answer for so long is lost; 0: never
};

}  // namespace isorow::inline v1
