#pragma once

/// @file
/// Records in memory: for tests, caches, and what other stores are held against.

#include <isorow/records/detail/keyed_records.hpp>
#include <isorow/records/detail/memory_table.hpp>

namespace isorow::inline v1::records {

class file_store;

/// A `record_backend` in memory. Several threads and coroutines may use it: each call is one step for the others, and so is a transaction
/// as a whole.
class memory_store : public detail::keyed_records<memory_store, detail::memory_table> {
public:
    memory_store() = default;

private:
    friend file_store;

    /// Whether the transaction that is open has changed anything.
    [[nodiscard]] bool has_changed() const noexcept { return table_.has_changed(); }
};

}  // namespace isorow::inline v1::records
