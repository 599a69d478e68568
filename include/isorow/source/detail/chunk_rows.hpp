#pragma once

/// @file
/// Rows of a query in chunks, decoded where libpq has them.

#include <isorow/pq/row_stream.hpp>
#include <isorow/query/detail/dynamic_row_plan.hpp>
#include <isorow/source/batch.hpp>
#include <isorow/source/detail/copied_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Fills batches from a query that is under way.
template <class Row>
class chunk_rows {
public:
    /// `rows`: in chunks of `most_rows` at the most.
    chunk_rows(connection& connection, row_stream rows, std::size_t most_rows, std::vector<std::string> const& wanted)
        : connection_(&connection), rows_(std::in_place, std::move(rows)), most_rows_(most_rows), wanted_(wanted) {}

    /// The most rows of a chunk where batches are to have `asked` at the most.
    [[nodiscard]] static std::size_t most_rows(connection const& connection, std::size_t asked) {
        return std::min(asked, static_cast<std::size_t>(std::max(1, connection.options().chunk_rows)));
    }

    /// Replaces the batch's rows by the next. Returns false at the end; the batch may have the last rows then.
    bool fill(batch_storage<Row>& batch) {
        batch.begin(0);
        while (batch.count < most_rows_) {
            auto chunk = rows_->next();
            if (!chunk) return false;
            if (!plan_) make_plan(*chunk);
            take(batch, *chunk);
            if (chunk->rows() != 0) batch.results.push_back(std::move(*chunk));
        }
        return true;
    }

private:
    /// A mismatch ends the query first, so that the connection is free to name the types that were found.
    void make_plan(result const& chunk) {
        if constexpr (reflect::reflectable<Row>) require_no_view_of_documents<Row>(*connection_);
        try {
            plan_.emplace(*connection_, chunk, wanted_);
        } catch (mismatch const&) {
            rows_.reset();
            plan_.emplace(*connection_, chunk, wanted_);
            throw;
        }
    }

    void take(batch_storage<Row>& batch, result const& chunk) {
        for (int i = 0; i < chunk.rows(); ++i, ++batch.count) {
            auto& row = batch.next(std::numeric_limits<std::size_t>::max());
            if (!wanted_.empty()) row = Row{};  // what is not read may have been written by whoever had the batch before
            plan_->decode(chunk, i, row);
        }
    }

    connection* connection_;
    std::optional<row_stream> rows_;
    std::size_t most_rows_;
    std::vector<std::string> wanted_;
    std::optional<row_plan<Row>> plan_{};
};

}  // namespace isorow::inline v1::detail
