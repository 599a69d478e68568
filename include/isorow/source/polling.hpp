#pragma once

#include <chrono>

namespace isorow::inline v1 {

/// Follow by asking again and again. With `source_options::ordinal_column` each look reads what was written since the last one, and all
/// rows are read now and then, since an ordinal tells neither of rows that were deleted nor of those that were written without it. Without,
/// each look reads all rows.
///
/// Needs the right to SELECT and nothing else, and can be used where nothing may be made in the source's database.
///
/// Transactions that commit late do not lose rows: before each look those that are running are listed (`pg_locks`, `pg_prepared_xacts`),
/// and rows are asked for from the greatest ordinal that was read before all transactions of that time had ended. This holds for ordinals
/// that are drawn in or after the beginning of the transaction that writes them: `now()`, `clock_timestamp()`, a sequence without CACHE.
/// What other ordinals hide is found when all rows are read.
struct polling {
    std::chrono::milliseconds interval = std::chrono::seconds(10);        ///< between two looks
    std::chrono::milliseconds sweep_interval = std::chrono::minutes(10);  ///< between two readings of all rows, where there is an ordinal
};

}  // namespace isorow::inline v1
