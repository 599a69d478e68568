#pragma once

#include <isorow/query/catalog.hpp>
#include <isorow/query/stream.hpp>
#include <isorow/schema/check.hpp>

#include <concepts>
#include <functional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// What a source reads. All is optional: without anything it reads the struct's own table.
struct source_options {
    std::string table{};   ///< the table's name; the struct's own where it is empty
    std::string schema{};  ///< the table's schema; the struct's own (`public`) where it is empty
    std::vector<std::string>
        columns{};             ///< the columns to read, each a column of the struct; the other fields keep their default initialisers
    std::string sql_filter{};  ///< an SQL condition on the table's columns, pasted into the query in parentheses: it must be trusted
    std::string sql_query{};   ///< a query to read instead of a table, pasted as it is: it must be trusted
};

/// Reads rows of a table or a query as T.
///
/// Refers to the pool, connection or transaction that it was made with, which must outlive it and its ranges. A source may be used by
/// several threads where it was made with a pool.
template <class T>
class source {
public:
    /// Throws `usage_error` where the options contradict each other or name a column that T does not have. Nothing is read yet.
    explicit source(database_ref const& where, source_options options = {}) : where_(where), options_(std::move(options)) {
        check<T>();
        if constexpr (mappable<T>) check_options();
    }

    /// The rows as a view that is walked once, streamed in bounded memory. The table is compared with T first: throws `mismatch` with every
    /// column that is missing, of another type or dimension, or nullable where the field is not optional.
    [[nodiscard]] row_range<T> rows() const {
        if (options_.sql_query.empty()) require_columns(where_, table(), table_use::reading, options_.columns, &reads_type_of<T>);
        return row_range<T>(where_, sql(), options_.columns);
    }

    /// The rows, each given through `factory`, any callable that takes a `T&&`.
    template <class Factory>
        requires std::invocable<Factory&, T>
    [[nodiscard]] auto rows(Factory factory) const {
        return rows() |
               std::views::transform([factory = std::move(factory)](T& row) mutable { return std::invoke(factory, std::move(row)); });
    }

    /// All rows at once.
    [[nodiscard]] std::vector<T> fetch_all() const {
        std::vector<T> all;
        for (T& row : rows()) all.push_back(std::move(row));
        return all;
    }

    /// All rows at once, each given through `factory`.
    template <class Factory>
        requires std::invocable<Factory&, T>
    [[nodiscard]] auto fetch_all(Factory factory) const {
        std::vector<std::decay_t<std::invoke_result_t<Factory&, T>>> all;
        for (T& row : rows()) all.push_back(std::invoke(factory, std::move(row)));
        return all;
    }

    /// The query that is run.
    [[nodiscard]] std::string sql() const {
        if (!options_.sql_query.empty()) return options_.sql_query;
        std::string columns;
        for (auto const& column : columns_of<T>) {
            if (!is_wanted(column.name)) continue;
            columns.append(columns.empty() ? "" : ", ").append(quote_identifier(column.name));
        }
        auto const description = table();
        auto sql = text("SELECT {} FROM {}", columns, quote_identifier(description.schema, description.name));
        // The line break ends a comment in the condition.
        if (!options_.sql_filter.empty()) sql.append(" WHERE (").append(options_.sql_filter).append("\n)");
        return sql;
    }

private:
    [[nodiscard]] table_description table() const {
        auto description = description_of<T>;
        if (!options_.table.empty()) description.name = options_.table;
        if (!options_.schema.empty()) description.schema = options_.schema;
        return description;
    }

    [[nodiscard]] bool is_wanted(std::string_view name) const {
        return options_.columns.empty() || std::find(options_.columns.begin(), options_.columns.end(), name) != options_.columns.end();
    }

    void check_options() const {
        if (!options_.sql_query.empty() && (!options_.table.empty() || !options_.schema.empty() || !options_.sql_filter.empty()))
            throw usage_error("a source reads a table, with or without a filter, or a query, not both");
        for (auto const& name : options_.columns) {
            bool const known = std::any_of(columns_of<T>.begin(), columns_of<T>.end(),
                                           [&](column_description const& column) { return column.name == name; });
            if (!known) throw usage_error(text("{} has no column \"{}\"", type_name<T>(), name));
        }
    }

    database_ref where_;
    source_options options_;
};

}  // namespace isorow::inline v1
