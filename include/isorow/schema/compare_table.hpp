#pragma once

/// @file
/// What is different between a table as a struct describes it and as it is, in the live catalogue or in DDL.

#include <isorow/error/mismatch.hpp>
#include <isorow/schema/detail/table_comparison.hpp>
#include <isorow/schema/live_table.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// All differences between a struct's columns and a table's. `wanted`: the columns that matter; empty for all. `readable`: which other
/// types will do; null where only the struct's own.
[[nodiscard]] inline std::vector<difference> compare_columns(table_description const& table, live_table const& live, table_use use,
                                                             std::vector<std::string> const& wanted = {},
                                                             readable_type readable = nullptr) {
    detail::table_comparison comparison(table, use, readable);
    comparison.compare_columns(detail::as_compared(live), wanted);
    return detail::as_differences(comparison.differences());
}

/// All differences between a struct's table and one that is there, or null where there is none, which is one difference. Of a table that
/// the struct defines, indexes, constraints, collations and defaults that it does not say are no differences, nor is another text of a
/// default or a generated column: they change nothing of what the struct says. A check will do that has the declared one's name, as
/// Postgres prints conditions otherwise than they were written; a foreign key is held against what it says. `readable`: as
/// `compare_columns`.
[[nodiscard]] inline std::vector<difference> compare_table(table_description const& table, live_table const* live,
                                                           table_use use = table_use::defining, readable_type readable = nullptr) {
    if (live == nullptr) return detail::as_differences(detail::compare(table, nullptr, use, readable));
    auto const other = detail::as_compared(*live);
    return detail::as_differences(detail::compare(table, &other, use, readable));
}

namespace detail {

/// What a column of another type loses nothing by being read into: another length, fewer digits, other characters.
[[nodiscard]] constexpr bool reads_other_type(column_type const& own, column_type const& found) noexcept {
    if (own.array != found.array || entry_of(own.id).extension == "vector") return false;
    if (own.id == found.id) return own.id != type_id::bit;
    if (integer_digits(found.id) > 0) return integer_digits(own.id) > integer_digits(found.id);
    if (own.id == type_id::float8) return found.id == type_id::float4;
    return is_character_type(own.id) && is_character_type(found.id);
}

template <class T, std::size_t... Place>
[[nodiscard]] constexpr bool field_reads(std::size_t place, column_type const& found, std::index_sequence<Place...>) {
    return ((place == Place && accepts<typename field_traits<reflect::field_type<T, Place>>::value>(found) &&
             reads_other_type(columns_of<T>[Place].type, found)) ||
            ...);
}

/// The types that T's fields can read, as far as is known without codecs.
template <class T>
[[nodiscard]] constexpr bool field_reads_type(std::size_t place, column_type const& found) {
    return field_reads<T>(place, found, std::make_index_sequence<reflect::field_count<T>>{});
}

}  // namespace detail

}  // namespace isorow::inline v1
