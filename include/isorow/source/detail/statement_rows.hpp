#pragma once

#include <isorow/codec/dynamic_row.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/source/detail/batch_reader.hpp>
#include <isorow/source/detail/chunk_rows.hpp>
#include <isorow/source/detail/copied_rows.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace isorow::inline v1::detail {

/// Whether COPY can read the statement: it takes no parameters, and of statements those that begin so.
[[nodiscard]] inline bool can_be_copied(batch_request const& request) {
    if (!request.filter.empty()) return false;
    auto const first = first_word(request.ready.sql);
    constexpr std::array<std::string_view, 4> readable{"select", "values", "with", "table"};
    return std::ranges::any_of(readable, [&](std::string_view word) {
        return std::ranges::equal(first, word, [](char left, char right) { return lower(left) == right; });
    });
}

/// The COPY of a statement. A semicolon at its end would stand within parentheses, and the line break ends a comment.
[[nodiscard]] inline std::string copy_sql(std::string_view statement) {
    auto const end = statement.find_last_not_of("; \t\r\n\f\v");
    return text("COPY ({}\n) TO STDOUT (FORMAT binary)", statement.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

/// Within which limits the steps of a stream go on.
struct step_limits {
    std::optional<limits> whole{};  ///< else the connection's own for each step
    std::stop_token stop{};
};

/// Reads statements of one shape, each with its own conditions, by COPY or as queries.
template <class Row>
class statement_rows {
    static constexpr bool is_dynamic = std::is_same_v<Row, dynamic_row>;

public:
    /// Asks what is needed to read rows: types that an extension brought, and, for COPY, which carries no types, what the columns are. In
    /// a transaction the server has the table locked from here to its end, so that nobody alters it. Throws `mismatch`.
    statement_rows(connection& connection, batch_request const& request, limits const& limits) : request_(&request) {
        row_plan<Row>::prepare(connection, limits);
        if constexpr (!is_dynamic) {
            if (!can_be_copied(request)) return;
            plan_.emplace(connection, describe_statement(connection, request.ready.sql, {}, limits), request.ready.wanted);
        }
    }

    [[nodiscard]] bool is_copy() const noexcept { return plan_.has_value(); }

    /// One statement that is under way.
    class reading {
    public:
        reading(statement_rows const& of, connection& connection, std::string const& sql, step_limits const& limits)
            : rows_(start(of, connection, sql, limits)) {}

        /// Replaces the batch's rows by the next. Returns false at the end; the batch may have the last rows then.
        bool fill(row_batch<Row>& batch) {
            return std::visit([&](auto& rows) { return rows.fill(batch_access::of(batch)); }, rows_);
        }

    private:
        using variant = std::conditional_t<is_dynamic, std::variant<chunk_rows<Row>>, std::variant<chunk_rows<Row>, copied_rows<Row>>>;

        static variant start(statement_rows const& of, connection& connection, std::string const& sql, step_limits const& limits) {
            auto const& request = *of.request_;
            if constexpr (!is_dynamic)
                if (of.plan_)
                    return copied_rows<Row>(copy_out(connection, copy_sql(sql), limits.whole, limits.stop), *of.plan_, request.options);
            parameters values;
            request.filter.bind(values, connection, limits_of_step(connection, limits.whole, limits.stop));
            auto const most = chunk_rows<Row>::most_rows(connection, request.options.rows);
            return chunk_rows<Row>(connection, row_stream(connection, sql, values, limits.whole, limits.stop, static_cast<int>(most)), most,
                                   request.ready.wanted);
        }

        variant rows_;
    };

private:
    struct nothing {
        [[nodiscard]] static constexpr bool has_value() noexcept { return false; }
    };

    batch_request const* request_;
    std::conditional_t<is_dynamic, nothing, std::optional<tuple_plan<std::conditional_t<is_dynamic, int, Row>>>> plan_{};
};

}  // namespace isorow::inline v1::detail
