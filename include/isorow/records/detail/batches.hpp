#pragma once

/// @file
/// What all stores do with batches.

#include <isorow/error/error.hpp>
#include <isorow/records/outcome.hpp>
#include <isorow/records/record.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <set>
#include <span>
#include <type_traits>
#include <utility>

namespace isorow::inline v1::records::detail {

[[nodiscard]] inline version expected_of(record const& one, expect expect) {
    return expect == expect::own_version ? version(one.updated_at) : version();
}

/// Calls `take` with a record; false where it returns something false: nothing more is wanted then.
template <class Take, class Record>
[[nodiscard]] bool goes_on(Take& take, Record&& one) {
    if constexpr (std::is_void_v<std::invoke_result_t<Take&, Record&&>>) {
        std::invoke(take, std::forward<Record>(one));
        return true;
    } else {
        return static_cast<bool>(std::invoke(take, std::forward<Record>(one)));
    }
}

inline void require_id(record const& one) {
    if (one.id == uuid{}) throw usage_error("a record that is restored has the id that it had");
}

/// Throws `record_exists` for an id that comes twice; nil ids are to be made.
inline void require_distinct(std::span<record const> added) {
    if (added.size() < 2) return;
    std::set<uuid> seen;
    for (auto const& one : added)
        if (one.id != uuid{} && !seen.insert(one.id).second) throw record_exists(one.id);
}

/// How many of the first records are of different ids, at most so many: what one statement can write.
[[nodiscard]] inline std::size_t distinct_prefix(std::span<record const> records, std::size_t most) {
    std::set<uuid> seen;
    std::size_t count = 0;
    for (auto const& one : records.first(std::min(most, records.size()))) {
        if (one.id != uuid{} && !seen.insert(one.id).second) break;
        ++count;
    }
    return count;
}

}  // namespace isorow::inline v1::records::detail
