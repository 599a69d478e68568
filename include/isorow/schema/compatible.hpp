#pragma once

/// @file
/// Whether a struct can be read from the table that another struct is.

#include <isorow/schema/check.hpp>
#include <isorow/schema/compare_table.hpp>
#include <isorow/schema/detail/difference_report.hpp>

#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// The table as it will be once the struct's DDL has made it; key and indexes left out.
[[nodiscard]] constexpr table_in_sql as_table(table_description const& description) {
    table_in_sql table;
    for (auto const& column : description.columns) {
        auto& made = table.columns.emplace_back();
        made.name += column.name;
        append_printed(made.type, column.type);
        made.not_null = !column.nullable;
        made.generated = !column.is_written();
    }
    return table;
}

template <class From, class To>
struct struct_comparison {
    [[nodiscard]] static constexpr held_against against() noexcept { return held_against::other_struct; }
    [[nodiscard]] static constexpr std::vector<noted_difference> differences() {
        auto const table = as_table(description_of<To>);
        auto const other = as_compared(table);
        return compare(description_of<From>, &other, table_use::reading, &field_reads_type<From>);
    }
};

}  // namespace detail

/// Whether rows of From can be read from To's table: it has a column for each field, of a type that the field reads, and none that may be
/// NULL where the field is not optional. Columns of To that From does not have are no hindrance.
template <class From, class To>
concept compatible = mappable<From> && mappable<To> && detail::struct_comparison<From, To>::differences().empty();

/// Stops the compiler where rows of From cannot be read from To's table, with a message for each difference that names struct, field and
/// column.
template <class From, class To>
constexpr void check_compatible() {
    check<From>();
    check<To>();
    if constexpr (mappable<From> && mappable<To>) detail::differences_report<detail::struct_comparison<From, To>>::print();
}

}  // namespace isorow::inline v1
