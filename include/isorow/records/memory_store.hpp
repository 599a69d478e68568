#pragma once

/// @file
/// Records in memory: for tests, caches, and what other stores are held against.

#include <isorow/records/detail/keyed_records.hpp>
#include <isorow/records/detail/memory_table.hpp>

namespace isorow::inline v1::records {

/// A `record_backend` in memory. Several threads may use it: each call is one step for the others, and so is a transaction as a whole.
class memory_store : public detail::keyed_records<memory_store, detail::memory_table> {
public:
    memory_store() = default;
};

}  // namespace isorow::inline v1::records
