#pragma once

/// @file
/// All rows of a followed table, in chunks by its key: between two of them no connection is held and no snapshot, however slow the consumer
/// is. What changes meanwhile is told afterwards by the feed, which began to watch before.

#include <isorow/config.hpp>
#include <isorow/pq/statement.hpp>
#include <isorow/source/detail/event_feed.hpp>
#include <isorow/source/detail/followed_table.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

class all_rows {
public:
    /// Refers to `sql`. `chunk`: how many rows at a time.
    all_rows(followed_sql const& sql, std::size_t chunk) : sql_(&sql), chunk_(chunk) {}

    /// Hands the next chunk over. The last one, after which `ended()` holds, may be empty. Where this throws, the chunk comes again.
    void next(connection& connection, limits const& limits, row_taker& rows);

    /// Whether a chunk was handed over.
    [[nodiscard]] bool has_begun() const noexcept { return has_begun_; }
    [[nodiscard]] bool ended() const noexcept { return ended_; }

private:
    /// As the server sent it, in binary: so nothing of it is lost on the way back.
    void remember_key(result const& answer);

    followed_sql const* sql_;
    std::size_t chunk_;
    std::vector<std::pair<oid, std::vector<std::byte>>> last_key_{};
    bool has_begun_ = false;
    bool ended_ = false;
};

#if ISOROW_HAS_CODE

ISOROW_DECL void all_rows::next(connection& connection, limits const& limits, row_taker& rows) {
    parameters values;
    sql_->bind_filter(values, connection, limits);
    auto const filter_values = values.size();
    for (auto const& [type, bytes] : last_key_) {
        values.add(type).put_bytes(std::span(bytes));
        values.end();
    }
    auto const answer = execute_statement(connection, sql_->chunk(!last_key_.empty(), chunk_, filter_values), values, limits);
    rows.take(connection, answer, true);
    has_begun_ = true;
    ended_ = static_cast<std::size_t>(answer.rows()) < chunk_;
    if (!ended_) remember_key(answer);
}

ISOROW_DECL void all_rows::remember_key(result const& answer) {
    last_key_.clear();
    for (std::size_t i = 0; i < sql_->keys(); ++i) {
        auto const column = static_cast<int>(sql_->columns() + 1 + i);
        auto const value = answer.value(answer.rows() - 1, column);
        last_key_.emplace_back(answer.column_type(column), std::vector(value.begin(), value.end()));
    }
}

#endif

}  // namespace isorow::inline v1::detail
