#pragma once

/// @file
/// Records in a file of SQLite.

#include <isorow/records/detail/keyed_records.hpp>
#include <isorow/sqlite/detail/sqlite_table.hpp>

#include <chrono>
#include <filesystem>
#include <string>

namespace isorow::inline v1::records {

struct sqlite_options {
    std::string table = "records";
    /// How long a call waits for other processes that write to the file before it throws a retryable `sqlite_error`.
    std::chrono::milliseconds patience = std::chrono::seconds(5);
};

/// A `record_backend` in a file of SQLite, which is made where it is not there; ":memory:" is a database of the store's own in memory.
/// Several processes may use the file. What a call, or a transaction as a whole, has written is on the disk when it returns. Several
/// threads and coroutines may use the store; each call is one step for the others. An index or a column that somebody adds to the table
/// counts, and stays.
///
/// In the table a record is its `id`, `fields` and `metadata` as texts, and its `created_at` and `updated_at` in microseconds since 1970.
/// Records are found by their ids through the key; a condition is held against each record.
///
/// Throws `sqlite_error`, also where the table is none of records, `usage_error` for an empty path, and `value_error` for a text in the
/// table that is no document.
class sqlite_store : public detail::keyed_records<sqlite_store, isorow::detail::sqlite_table> {
public:
    explicit sqlite_store(std::filesystem::path const& path, sqlite_options const& options = {})
        : keyed_records(path, options.table, options.patience) {}
};

}  // namespace isorow::inline v1::records
