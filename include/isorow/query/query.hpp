#pragma once

/// @file
/// Statements with typed parameters and typed rows.

#include <isorow/query/database_ref.hpp>
#include <isorow/query/detail/dynamic_row_plan.hpp>
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

template <class Value>
inline constexpr bool has_view = is_view<typename field_traits<Value>::value>;
template <class... Values>
inline constexpr bool has_view<std::tuple<Values...>> = (has_view<Values> || ...);

template <class Row>
constexpr void check_row() {
    if constexpr (std::is_aggregate_v<Row> && !is_array_field<Row>) check_owning<Row>();
    else
        static_assert(!has_view<Row>,
                      "isorow: a row would be a view of memory that is gone; ask for std::string or std::vector<std::byte>, or read "
                      "structs with views by source<T>::batches()");
}

/// Decodes a row into its place; that of `std::vector<bool>` is no object.
template <class Row>
void decode_at(row_plan<Row> const& plan, result const& answer, int row, std::vector<Row>& rows) {
    if constexpr (std::is_same_v<Row, bool>) {
        bool value{};
        plan.decode(answer, row, value);
        rows[static_cast<std::size_t>(row)] = value;
    } else {
        plan.decode(answer, row, rows[static_cast<std::size_t>(row)]);
    }
}

/// Runs the statement and gives `take` its answer with the plan to decode it.
template <class Row, class Take, class... Arguments>
void with_answer(database_ref const& where, sql_text const& sql, Take&& take, Arguments const&... arguments) {
    check_row<Row>();
    database_ref::use const connection(where);
    auto const limits = connection.limits();
    row_plan<Row>::prepare(*connection, limits);
    bound_statement const bound(*connection, limits, sql, arguments...);
    auto const answer = execute_statement(*connection, bound.sql(), bound.values(), limits);
    plan_for<Row> const plan(*connection, answer);
    take(answer, *plan.operator->());
}

}  // namespace detail

/// Runs one statement and returns all its rows. A Row is
/// - a struct: its fields are matched with the columns by name; columns without a field are passed over;
/// - a `std::tuple`: its values are the columns in their order;
/// - a value such as `std::int64_t` or `std::optional<std::string>`: the first column;
/// - a `dynamic_row`: all columns by their names, whose types are known when the result comes.
///
/// `$1`, `%s`, `%(name)s` or `:name` stand for the arguments (see `sql_text`), which are bound, never pasted. Arguments by name are a
/// struct, whose fields they are, or made by `arg`. Of a pool each call takes a connection and commits by itself. Throws `mismatch` with
/// every column that does not fit its field, `unrepresentable` for NULL in a field that is not optional, and the server's errors by their
/// class.
template <class Row, class... Arguments>
[[nodiscard]] std::vector<Row> query(database_ref const& where, sql_text const& sql, Arguments const&... arguments) {
    std::vector<Row> rows;
    detail::with_answer<Row>(
        where, sql,
        [&](result const& answer, detail::row_plan<Row> const& plan) {
            rows.resize(static_cast<std::size_t>(answer.rows()));
            for (int row = 0; row < answer.rows(); ++row) detail::decode_at(plan, answer, row, rows);
        },
        arguments...);
    return rows;
}

/// Like `query`, for statements that return at most one row. Throws `row_count_error` where there are more.
template <class Row, class... Arguments>
[[nodiscard]] std::optional<Row> query_optional(database_ref const& where, sql_text const& sql, Arguments const&... arguments) {
    std::optional<Row> found;
    detail::with_answer<Row>(
        where, sql,
        [&](result const& answer, detail::row_plan<Row> const& plan) {
            if (answer.rows() > 1)
                throw row_count_error(text("{} rows where at most one was asked for, in: {}", answer.rows(), sql.text()));
            if (answer.rows() == 1) plan.decode(answer, 0, found.emplace());
        },
        arguments...);
    return found;
}

/// Like `query`, for statements that return exactly one row. Throws `row_count_error` where they do not.
template <class Row, class... Arguments>
[[nodiscard]] Row query_one(database_ref const& where, sql_text const& sql, Arguments const&... arguments) {
    Row found{};
    detail::with_answer<Row>(
        where, sql,
        [&](result const& answer, detail::row_plan<Row> const& plan) {
            if (answer.rows() != 1) throw row_count_error(text("{} rows where one was asked for, in: {}", answer.rows(), sql.text()));
            plan.decode(answer, 0, found);
        },
        arguments...);
    return found;
}

/// Like `query`, for the first row of any number; nothing where there is none. All rows are sent: say LIMIT 1 where there are many.
template <class Row, class... Arguments>
[[nodiscard]] std::optional<Row> first(database_ref const& where, sql_text const& sql, Arguments const&... arguments) {
    std::optional<Row> found;
    detail::with_answer<Row>(
        where, sql,
        [&](result const& answer, detail::row_plan<Row> const& plan) {
            if (answer.rows() > 0) plan.decode(answer, 0, found.emplace());
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
