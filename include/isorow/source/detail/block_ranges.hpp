#pragma once

/// @file
/// A table divided by the places of its rows, and the snapshot under which all of it is read.

#include <isorow/config.hpp>
#include <isorow/pq/connection.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace isorow::inline v1::detail {

/// How many blocks a table has, of partitions the largest; nothing where its rows cannot be read by their places: that of a view, of a
/// foreign table, of a table access method other than heap, and before Postgres 14, which would read all of the table for each range.
[[nodiscard]] std::optional<std::int64_t> blocks_of(connection& connection, std::string const& schema, std::string const& name,
                                                    limits const& limits);

/// The name of the connection's snapshot, for `use_snapshot` on others while its transaction is open.
[[nodiscard]] std::string export_snapshot(connection& connection, limits const& limits);

/// Has the connection's transaction, in which nothing was run yet, see what another one sees.
void use_snapshot(connection& connection, std::string_view snapshot, limits const& limits);

/// Blocks that are given out in ranges, first come, first served. Thread-safe.
class block_ranges {
public:
    /// Ranges of which each of so many readers gets some, so that one that is slow does not keep the others waiting at the end.
    block_ranges(std::int64_t blocks, std::size_t readers)
        : blocks_(blocks), size_(std::clamp(blocks / static_cast<std::int64_t>(8 * readers), least, most)) {}

    /// How many ranges there are.
    [[nodiscard]] std::int64_t count() const noexcept { return std::max<std::int64_t>(1, (blocks_ + size_ - 1) / size_); }

    /// The condition of the next range; nothing where there is none. The last has no end: a table that grew meanwhile has no rows there
    /// that the snapshot would show, but tables that inherit from it may have.
    [[nodiscard]] std::optional<std::string> take();

    /// Whether all were given out.
    [[nodiscard]] bool empty() const;

private:
    static constexpr std::int64_t least = 16;
    static constexpr std::int64_t most = 8192;

    std::int64_t const blocks_;
    std::int64_t const size_;
    mutable std::mutex mutex_{};
    std::int64_t next_ = 0;
};

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/source/detail/block_ranges_code.hpp>
#endif
