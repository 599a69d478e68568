#pragma once

/// @file
/// Statements with typed parameters and typed rows.

#include <isorow/query/detail/row_plan.hpp>
#include <isorow/query/parameters.hpp>
#include <isorow/query/session.hpp>
#include <isorow/schema/check.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// A result had more or fewer rows than the caller asked for.
class row_count_error : public error {
public:
    using error::error;
};

namespace detail {

template <class Row>
constexpr void check_row() {
    if constexpr (std::is_aggregate_v<Row>) check<Row>();
}

/// Runs the statement and gives its rows to `take`, one after another.
template <class Row, class Take, class... Arguments>
void for_each_row(session const& where, std::string_view sql, Take&& take, Arguments const&... arguments) {
    check_row<Row>();
    session::use const connection(where);
    auto const limits = connection.limits();
    row_plan<Row>::prepare(*connection, limits);
    auto const answer = execute_statement(*connection, sql, bind_parameters(*connection, limits, arguments...), limits);
    row_plan<Row> const plan(*connection, answer);
    for (int row = 0; row < answer.rows(); ++row) {
        Row value{};
        plan.decode(answer, row, value);
        take(std::move(value));
    }
}

}  // namespace detail

/// Runs one statement and returns all its rows. A Row is
/// - a struct: its fields are matched with the columns by name; columns without a field are passed over;
/// - a `std::tuple`: its values are the columns in their order;
/// - a value such as `std::int64_t` or `std::optional<std::string>`: the first column.
///
/// `$1`, `$2` … stand for the arguments, which are bound, never pasted. Throws `mismatch` with every column that does not fit its field,
/// `unrepresentable` for NULL in a field that is not optional, and the server's errors by their class.
template <class Row, class... Arguments>
[[nodiscard]] std::vector<Row> query(session const& where, std::string_view sql, Arguments const&... arguments) {
    std::vector<Row> rows;
    detail::for_each_row<Row>(where, sql, [&](Row&& row) { rows.push_back(std::move(row)); }, arguments...);
    return rows;
}

/// Like `query`, for statements that return at most one row. Throws `row_count_error` where there are more.
template <class Row, class... Arguments>
[[nodiscard]] std::optional<Row> query_optional(session const& where, std::string_view sql, Arguments const&... arguments) {
    auto rows = query<Row>(where, sql, arguments...);
    if (rows.size() > 1) throw row_count_error(text("{} rows where at most one was asked for, in: {}", rows.size(), sql));
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
}

/// Like `query`, for statements that return exactly one row. Throws `row_count_error` where they do not.
template <class Row, class... Arguments>
[[nodiscard]] Row query_one(session const& where, std::string_view sql, Arguments const&... arguments) {
    auto rows = query<Row>(where, sql, arguments...);
    if (rows.size() != 1) throw row_count_error(text("{} rows where one was asked for, in: {}", rows.size(), sql));
    return std::move(rows.front());
}

/// Runs one statement and returns the number of rows that it inserted, updated, deleted, copied or selected.
template <class... Arguments>
std::int64_t execute(session const& where, std::string_view sql, Arguments const&... arguments) {
    session::use const connection(where);
    auto const limits = connection.limits();
    return execute_statement(*connection, sql, bind_parameters(*connection, limits, arguments...), limits).affected_rows();
}

}  // namespace isorow::inline v1
