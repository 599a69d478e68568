#pragma once

/// @file
/// The rows of a query as a range that holds a few of them at a time.

#include <isorow/pq/row_stream.hpp>
#include <isorow/query/detail/single_pass_iterator.hpp>
#include <isorow/query/filter.hpp>
#include <isorow/query/query.hpp>

#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// The rows of a running query, decoded one by one as the range is walked; the client holds one chunk of at most 256 rows at a time.
/// Walked once. Move-only; owns the connection that it took from a pool, and keeps a borrowed one busy until it ends. Leaving early
/// cancels the query and gives the connection back idle, or closes it where that does not succeed in a short time.
///
/// The row behind an iterator is one object, which the next step overwrites: move from it what you want to keep.
/// Not thread-safe. Errors of the server and of decoding are thrown by `begin()` and `++`.
template <class Row>
class row_range : public std::ranges::view_interface<row_range<Row>> {
    struct state;

public:
    /// Starts the query. Made by `stream` and by `source<T>::rows`. `wanted`: the columns that a struct's fields are matched with, empty
    /// for all; or, for dynamic rows, the names of the types of columns that the query has made text of, by place.
    template <class... Arguments>
    row_range(database_ref const& where, sql_text const& sql, std::vector<std::string> wanted, Arguments const&... arguments)
        : state_(std::make_unique<state>(where, std::move(wanted))) {
        detail::check_row<Row>();
        auto& connection = *state_->connection;
        auto const limits = state_->connection.limits();
        detail::row_plan<Row>::prepare(connection, limits);
        bound_statement const bound(connection, limits, sql, arguments...);
        state_->rows.emplace(connection, bound.sql(), bound.values(), state_->connection.given_limits());
    }

    /// The same with a filter's values for the statement's `$1`, `$2` and so on.
    row_range(database_ref const& where, std::string_view sql, std::vector<std::string> wanted, filter const& filter)
        : state_(std::make_unique<state>(where, std::move(wanted))) {
        detail::check_row<Row>();
        auto& connection = *state_->connection;
        auto const limits = state_->connection.limits();
        detail::row_plan<Row>::prepare(connection, limits);
        parameters values;
        filter.bind(values, connection, limits);
        state_->rows.emplace(connection, sql, values, state_->connection.given_limits());
    }

    using iterator = detail::single_pass_iterator<state>;

    /// Fetches the first row.
    [[nodiscard]] iterator begin() {
        if (!state_->begun) state_->advance();
        return iterator(*state_);
    }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    struct state {
        using value_type = Row;

        state(database_ref const& where, std::vector<std::string> names) : connection(where), wanted(std::move(names)) {}

        [[nodiscard]] Row& current() noexcept { return row; }
        [[nodiscard]] bool has_ended() const noexcept { return ended; }
        void advance() {
            begun = true;
            while (!chunk || next >= chunk->rows()) {
                chunk = rows->next();
                next = 0;
                if (!chunk) {
                    ended = true;
                    rows.reset();
                    return;
                }
                if (!plan) make_plan();
            }
            plan->decode(*chunk, next++, row);
        }

        /// A mismatch ends the query first, so that the connection is free to name the types that were found.
        void make_plan() {
            try {
                plan.emplace(*connection, *chunk, wanted);
            } catch (mismatch const&) {
                rows.reset();
                ended = true;
                plan.emplace(*connection, *chunk, wanted);
                throw;
            }
        }

        database_ref::use connection;
        std::vector<std::string> wanted;
        std::optional<row_stream> rows{};
        std::optional<result> chunk{};
        std::optional<detail::row_plan<Row>> plan{};
        int next = 0;
        bool begun = false;
        bool ended = false;
        Row row{};
    };

    std::unique_ptr<state> state_;
};

/// Runs a statement and returns its rows as a range, in bounded memory. Rows and errors are those of `query`.
template <class Row, class... Arguments>
[[nodiscard]] row_range<Row> stream(database_ref const& where, sql_text const& sql, Arguments const&... arguments) {
    return row_range<Row>(where, sql, {}, arguments...);
}

}  // namespace isorow::inline v1

template <class Row>
inline constexpr bool std::ranges::enable_borrowed_range<isorow::row_range<Row>> = false;
