#pragma once

/// @file
/// The query of a source, and what its rows are made with.

#include <isorow/config.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/query/detail/dynamic_row_plan.hpp>
#include <isorow/source/detail/conditions.hpp>
#include <isorow/source/options.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

/// A query that is ready to be run.
struct reading {
    std::string sql;
    std::vector<std::string> wanted{};  ///< see `row_range`
    std::vector<std::string> names{};   ///< the columns of dynamic rows
};

/// A pool of the database that an environment variable names. Throws `usage_error` where it is not set.
[[nodiscard]] std::shared_ptr<pool> pool_of_variable(std::string const& variable);

/// Throws `usage_error` where options contradict each other, or name nothing to read. `has_table`: whether a struct names its table.
void check_options(source_options const& options, bool has_table);

/// ` WHERE …` with both conditions; empty where there is none.
[[nodiscard]] inline std::string conditions_of(source_options const& options) {
    return conditions_of(" WHERE ", options.sql_filter, options.filter);
}

/// The names of a live table's primary key's columns, in their order; empty where it has none.
[[nodiscard]] std::vector<std::string> primary_key_of(live_table const& table);

/// The columns of the primary key and those that are included. Throws `usage_error` where the table has no primary key.
[[nodiscard]] std::vector<std::string> with_key(std::vector<std::string> const& included, live_table const& table, std::string_view name);

/// Throws `usage_error` where columns of the key are not among those that are read. `wanted`: empty for all.
void require_key_read(std::vector<std::string> const& key, std::vector<std::string> const& wanted);

/// Throws `usage_error` where a column cannot tell the order in which rows were written. `ordinal`: empty for none.
void require_ordinal(live_table const& live, std::string_view ordinal, std::string_view table);

/// Asks the server for the columns of a query, and has those be read as text whose types isorow does not know.
[[nodiscard]] reading describe(database_ref const& where, source_options const& options, std::string_view columns, std::string_view from,
                               std::string_view conditions);

#if ISOROW_HAS_CODE

ISOROW_DECL std::shared_ptr<pool> pool_of_variable(std::string const& variable) {
    char const* const dsn = std::getenv(variable.c_str());
    if (dsn == nullptr || *dsn == 0)
        throw usage_error(
            text("the environment variable {}, which is to name the source's database, is not set; set it, or give the source a "
                 "pool",
                 variable));
    return std::make_shared<pool>(dsn, pool_options{.min_size = 0});
}

ISOROW_DECL void check_options(source_options const& options, bool has_table) {
    bool const reads_query = !options.sql_query.empty();
    if (reads_query && (!options.table.empty() || !options.schema.empty() || !options.sql_filter.empty() || !options.filter.empty()))
        throw usage_error("a source reads a table, with or without a filter, or a query, not both");
    if (reads_query && !options.included_columns.empty())
        throw usage_error("a query has no primary key whose columns would be included: say which columns by source_options::columns");
    if (!options.columns.empty() && !options.included_columns.empty())
        throw usage_error("a source reads the columns that it is told, or the primary key's and those included, not both");
    if (!reads_query && options.table.empty() && !has_table)
        throw usage_error("a source of dynamic rows is told which table to read, or which query");
}

ISOROW_DECL std::vector<std::string> primary_key_of(live_table const& table) {
    for (auto const& index : table.indexes)
        if (index.primary) return index.columns;
    return {};
}

ISOROW_DECL std::vector<std::string> with_key(std::vector<std::string> const& included, live_table const& table, std::string_view name) {
    auto columns = primary_key_of(table);
    if (columns.empty())
        throw usage_error(
            text("the table {} has no primary key, whose columns are always included; say all columns by source_options::columns", name));
    for (auto const& one : included)
        if (std::ranges::find(columns, one) == columns.end()) columns.push_back(one);
    return columns;
}

ISOROW_DECL void require_key_read(std::vector<std::string> const& key, std::vector<std::string> const& wanted) {
    for (auto const& name : key)
        if (!wanted.empty() && std::ranges::find(wanted, name) == wanted.end())
            throw usage_error(text("the column \"{}\" of the primary key is not among those that are read", name));
}

ISOROW_DECL void require_ordinal(live_table const& live, std::string_view ordinal, std::string_view table) {
    if (ordinal.empty()) return;
    auto const* const column = live.find(ordinal);
    if (column == nullptr) throw usage_error(text("the table {} has no column \"{}\", which is to be the ordinal", table, ordinal));
    auto const key = primary_key_of(live);
    if (std::ranges::find(key, ordinal) != key.end())
        throw usage_error(
            text("the column \"{}\" of {} cannot be the ordinal: it is of the primary key, which stays as it is when a row is updated",
                 ordinal, table));
    column_type type;
    bool const is_read = detail::parse_dynamic_type(column->type, type) && !type.array;
    bool const will_do = is_read && (type.id == type_id::int2 || type.id == type_id::int4 || type.id == type_id::int8 ||
                                     type.id == type_id::timestamp || type.id == type_id::timestamptz);
    if (!will_do)
        throw usage_error(
            text("the column \"{}\" of {} cannot be the ordinal: it is {}, and an ordinal is an integer, timestamp or timestamptz", ordinal,
                 table, column->type));
}

ISOROW_DECL reading describe(database_ref const& where, source_options const& options, std::string_view columns, std::string_view from,
                             std::string_view conditions) {
    database_ref::use const connection(where);
    auto const limits = connection.limits();
    parameters values;
    options.filter.bind(values, *connection, limits);
    auto const answer = execute_statement(*connection, text("SELECT {} FROM {}{} LIMIT 0", columns, from, conditions), values, limits);
    require_distinct_names(answer);
    reading ready;
    std::string list;
    for (int i = 0; i < answer.columns(); ++i) {
        auto const name = quote_identifier(answer.column_name(i));
        auto type = type_of_column(*connection, answer.column_type(i));
        ready.names.emplace_back(answer.column_name(i));
        list += text("{}{}{}", list.empty() ? "" : ", ", name, type.known ? std::string{} : text("::text AS {}", name));
        ready.wanted.push_back(type.known ? std::string{} : std::move(type.name));
    }
    ready.sql = text("SELECT {} FROM {}{}", list, from, conditions);
    return ready;
}

#endif

}  // namespace isorow::inline v1::detail
