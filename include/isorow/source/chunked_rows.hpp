#pragma once

/// @file
/// A table read in chunks by its key, each by a statement of its own.

#include <isorow/query/detail/single_pass_iterator.hpp>
#include <isorow/query/stream.hpp>
#include <isorow/schema/ddl_statements.hpp>
#include <isorow/schema/table.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// The rows of a table in the order of its primary key, read in chunks: between two of them no connection is held and no snapshot, however
/// slowly the rows are walked. So they are not all of one moment: a row that is changed meanwhile comes as it is when its chunk is read.
/// Walked once. Move-only, not thread-safe; refers to the place where it runs. Made by `source<T>::rows_in_chunks`.
///
/// The row behind an iterator may be moved from.
template <class T>
class chunked_rows : public std::ranges::view_interface<chunked_rows<T>> {
    struct state;

public:
    /// `select_sql`: without ORDER BY; `has_conditions`: whether it ends with a WHERE, to which AND may be added. `rows`: of a chunk.
    chunked_rows(database_ref const& where, std::string select_sql, bool has_conditions, std::vector<std::string> wanted, filter filter,
                 std::size_t rows)
        : state_(std::make_unique<state>(state{where, std::move(select_sql), has_conditions, std::move(wanted), std::move(filter), rows})) {
    }

    using iterator = detail::single_pass_iterator<state>;

    /// Reads the first chunk.
    [[nodiscard]] iterator begin() {
        if (!state_->begun) state_->fetch();
        return iterator(*state_);
    }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    struct state {
        using value_type = T;

        database_ref where;
        std::string select_sql;
        bool has_conditions;
        std::vector<std::string> wanted;
        isorow::filter filter;
        std::size_t rows;
        parameters behind{};  ///< the filter's values and the key of the last row
        bool begun = false;
        bool ended = false;
        std::vector<T> chunk{};
        std::size_t next = 0;

        [[nodiscard]] T& current() noexcept { return chunk[next]; }
        [[nodiscard]] bool has_ended() const noexcept { return next == chunk.size(); }
        void advance() {
            if (++next == chunk.size()) fetch();
        }

        void fetch() {
            next = 0;
            chunk.clear();
            if (ended) return;
            database_ref::use const connection(where);
            auto const limits = connection.limits();
            detail::row_plan<T>::prepare(*connection, limits);
            if (!begun) filter.bind(behind, *connection, limits);
            auto const answer = execute_statement(*connection, sql(), behind, limits);
            detail::row_plan<T> const plan(*connection, answer, wanted);
            chunk.resize(static_cast<std::size_t>(answer.rows()));
            for (int row = 0; row < answer.rows(); ++row) plan.decode(answer, row, chunk[static_cast<std::size_t>(row)]);
            begun = true;
            ended = chunk.size() < rows;
            if (ended) return;
            behind = {};
            filter.bind(behind, *connection, limits);
            bind_key(*connection, limits, chunk.back(), std::make_index_sequence<description_of<T>.key.size()>{});
        }

        template <std::size_t... I>
        void bind_key(connection& connection, limits const& limits, T const& row, std::index_sequence<I...>) {
            (detail::bind_field<T, description_of<T>.key[I]>(behind, connection, limits, row), ...);
        }

        [[nodiscard]] std::string sql() const {
            auto const& table = description_of<T>;
            auto const key = detail::quoted_columns(table, table.key);
            auto all = select_sql;
            if (begun) {
                std::string places;
                for (std::size_t i = 0; i < table.key.size(); ++i)
                    places += text("{}${}", i == 0 ? "" : ", ", behind.size() - table.key.size() + i + 1);
                all += text(" {} ({}) > ({})", has_conditions ? "AND" : "WHERE", key, places);
            }
            return all + text(" ORDER BY {} LIMIT {}", key, rows);
        }
    };

    std::unique_ptr<state> state_;
};

}  // namespace isorow::inline v1

template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<isorow::chunked_rows<T>> = false;
