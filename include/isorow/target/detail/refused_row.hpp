#pragma once

/// @file
/// Errors of the server about one of many rows that were sent to it: the table's name and the row's key are put in front.

#include <isorow/codec/row_encoder.hpp>
#include <isorow/error/server_error.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/target/detail/declared_rows.hpp>

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Where an error of COPY is, as the server says in its context.
struct copy_place {
    std::size_t line = 0;       ///< the row's number, from 1; 0 where it is not said
    std::string_view column{};  ///< empty where it is not said. Of the error's own text
};

[[nodiscard]] inline copy_place place_of(server_error const& failure) {
    static constexpr std::string_view beginning = "COPY ";  // types may say where in a value it is, in a line before
    static constexpr std::string_view before_line = ", line ";
    static constexpr std::string_view before_column = ", column ";
    std::string_view where = failure.context();
    while (!where.starts_with(beginning)) {
        auto const end = where.find('\n');
        if (end == std::string_view::npos) return {};
        where.remove_prefix(end + 1);
    }
    where = where.substr(0, where.find('\n'));
    auto const begin = where.find(before_line);
    if (begin == std::string_view::npos) return {};
    where.remove_prefix(begin + before_line.size());
    copy_place place;
    std::from_chars(where.data(), where.data() + where.size(), place.line);
    if (auto const name = where.find(before_column); name != std::string_view::npos)
        place.column = where.substr(name + before_column.size(), where.find(':', name) - name - before_column.size());
    return place;
}

/// Throws the same error with the table, and the row's key where it is known, in front.
[[noreturn]] inline void rethrow_at(server_error const& failure, table_description const& table, declared_row const* row,
                                    std::string_view column = {}) {
    auto fields = failure.diagnostics();
    auto where = quote_identifier(table.schema, table.name);
    if (row != nullptr) where += text(", the row with the key {}", isorow::key_text(table, row->bytes()));
    if (fields.column.empty()) fields.column = column;
    fields.message = text("{}: {}", where, fields.message);
    throw_server_error(std::move(fields));
}

/// The same, of one of some rows that COPY was sent.
[[noreturn]] inline void rethrow_at_line(server_error const& failure, table_description const& table,
                                         std::vector<declared_row const*> const& rows) {
    auto const place = place_of(failure);
    rethrow_at(failure, table, place.line > 0 && place.line <= rows.size() ? rows[place.line - 1] : nullptr, place.column);
}

}  // namespace isorow::inline v1::detail
