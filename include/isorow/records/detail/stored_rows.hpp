#pragma once

/// @file
/// Rows of a record store's table, and statements run with values of a number that is known at run time.

#include <isorow/pq/row_stream.hpp>
#include <isorow/query/query.hpp>
#include <isorow/records/detail/statement_builder.hpp>
#include <isorow/records/record.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace isorow::inline v1::records::detail {

struct stored_row {
    uuid id;
    boost::json::object fields;
    std::optional<boost::json::object> metadata;
    std::chrono::sys_time<std::chrono::microseconds> created_at;
    std::chrono::sys_time<std::chrono::microseconds> updated_at;
};

[[nodiscard]] inline record as_record(stored_row&& row) {
    return {.id = row.id,
            .fields = std::move(row.fields),
            .metadata = row.metadata ? std::move(*row.metadata) : boost::json::object{},
            .created_at = row.created_at,
            .updated_at = row.updated_at};
}

/// Runs a statement; `take` gets each row.
template <class Row, class Take>
void run(database_ref const& where, statement_builder const& statement, Take const& take) {
    database_ref::use const connection(where);
    auto const limits = connection.limits();
    isorow::detail::row_plan<Row>::prepare(*connection, limits);
    parameters values;
    statement.bind_to(values, *connection, limits);
    auto const answer = execute_statement(*connection, statement.sql(), values, limits);
    isorow::detail::plan_for<Row> const plan(*connection, answer);
    for (int row = 0; row < answer.rows(); ++row) {
        Row decoded{};
        plan->decode(answer, row, decoded);
        take(std::move(decoded));
    }
}

template <class Row>
[[nodiscard]] std::vector<Row> rows_of(database_ref const& where, statement_builder const& statement) {
    std::vector<Row> rows;
    run<Row>(where, statement, [&](Row&& row) { rows.push_back(std::move(row)); });
    return rows;
}

/// Runs a statement and receives its rows a few hundred at a time; `take` gets each, until it returns false.
template <class Row, class Take>
void stream(database_ref const& where, statement_builder const& statement, Take const& take) {
    database_ref::use const connection(where);
    auto const limits = connection.limits();
    isorow::detail::row_plan<Row>::prepare(*connection, limits);
    parameters values;
    statement.bind_to(values, *connection, limits);
    row_stream rows(*connection, statement.sql(), values, connection.given_limits());
    std::optional<isorow::detail::row_plan<Row>> plan;
    while (auto const chunk = rows.next()) {
        if (!plan) plan.emplace(*connection, *chunk);
        for (int row = 0; row < chunk->rows(); ++row) {
            Row decoded{};
            plan->decode(*chunk, row, decoded);
            if (!take(std::move(decoded))) return;
        }
    }
}

}  // namespace isorow::inline v1::records::detail
