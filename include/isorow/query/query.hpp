#pragma once

/// @file
/// Statements with typed parameters and typed rows.

#include <isorow/query/database_ref.hpp>
#include <isorow/query/detail/row_plan.hpp>
#include <isorow/query/parameters.hpp>
#include <isorow/schema/check.hpp>

#include <cstdint>
#include <optional>
#include <type_traits>
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
void for_each_row(database_ref const& where, sql_text const& sql, Take&& take, Arguments const&... arguments) {
    check_row<Row>();
    database_ref::use const connection(where);
    auto const limits = connection.limits();
    row_plan<Row>::prepare(*connection, limits);
    bound_statement const bound(*connection, limits, sql, arguments...);
    auto const answer = execute_statement(*connection, bound.sql(), bound.values(), limits);
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
/// `$1`, `%s`, `%(name)s` or `:name` stand for the arguments (see `sql_text`), which are bound, never pasted. Arguments by name are a
/// struct, whose fields they are, or made by `arg`. Of a pool each call takes a connection and commits by itself. Throws `mismatch` with
/// every column that does not fit its field, `unrepresentable` for NULL in a field that is not optional, and the server's errors by their
/// class.
template <class Row, class... Arguments>
[[nodiscard]] std::vector<Row> query(database_ref const& where, sql_text const& sql, Arguments const&... arguments) {
    std::vector<Row> rows;
    detail::for_each_row<Row>(where, sql, [&](Row&& row) { rows.push_back(std::move(row)); }, arguments...);
    return rows;
}

/// Like `query`, for statements that return at most one row. Throws `row_count_error` where there are more.
template <class Row, class... Arguments>
[[nodiscard]] std::optional<Row> query_optional(database_ref const& where, sql_text const& sql, Arguments const&... arguments) {
    auto rows = query<Row>(where, sql, arguments...);
    if (rows.size() > 1) throw row_count_error(text("{} rows where at most one was asked for, in: {}", rows.size(), sql.text()));
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
}

/// Like `query`, for statements that return exactly one row. Throws `row_count_error` where they do not.
template <class Row, class... Arguments>
[[nodiscard]] Row query_one(database_ref const& where, sql_text const& sql, Arguments const&... arguments) {
    auto rows = query<Row>(where, sql, arguments...);
    if (rows.size() != 1) throw row_count_error(text("{} rows where one was asked for, in: {}", rows.size(), sql.text()));
    return std::move(rows.front());
}

/// Like `query`, for the first row of any number; nothing where there is none. All rows are sent: say LIMIT 1 where there are many.
template <class Row, class... Arguments>
[[nodiscard]] std::optional<Row> first(database_ref const& where, sql_text const& sql, Arguments const&... arguments) {
    std::optional<Row> found;
    detail::for_each_row<Row>(
        where, sql,
        [&](Row&& row) {
            if (!found) found = std::move(row);
        },
        arguments...);
    return found;
}

/// The one value of a statement that returns one row: `scalar<std::int64_t>(db, "insert … returning id", …)`. Throws `row_count_error`
/// where there is not exactly one row.
template <class Value, class... Arguments>
    requires(!std::is_aggregate_v<Value> || field_traits<Value>::has_type)
[[nodiscard]] Value scalar(database_ref const& where, sql_text const& sql, Arguments const&... arguments) {
    return query_one<Value>(where, sql, arguments...);
}

/// Runs one statement and returns the number of rows that it inserted, updated, deleted, copied or selected.
template <class... Arguments>
std::int64_t execute(database_ref const& where, sql_text const& sql, Arguments const&... arguments) {
    database_ref::use const connection(where);
    auto const limits = connection.limits();
    bound_statement const bound(*connection, limits, sql, arguments...);
    return execute_statement(*connection, bound.sql(), bound.values(), limits).affected_rows();
}

}  // namespace isorow::inline v1
