#pragma once

/// @file
/// Which types Postgres has ranges of, and how the values of those that are counted follow each other.

#include <isorow/types/date_time.hpp>
#include <isorow/types/mapping.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <limits>

namespace isorow::inline v1 {

/// How the values of a T whose column is an integer or a date follow each other: ranges of such types are kept as `[lower, upper)`, as
/// Postgres keeps them. For a type of your own with such a column, a specialisation holds
/// - `static constexpr T next(T const& value)`: the value behind this one; throws `unrepresentable` where there is none;
/// - optionally `static constexpr bool is_finite(T const& value)`: false where it has none before and behind it, as infinity.
template <class T>
struct range_step;

template <std::signed_integral Integer>
struct range_step<Integer> {
    static constexpr Integer next(Integer value) {
        if (value == std::numeric_limits<Integer>::max())
            throw unrepresentable("there is no integer behind the bound {}, and ranges of integers are kept as [lower, upper)", value);
        return static_cast<Integer>(value + 1);
    }
};

template <>
struct range_step<date> {
    static constexpr date next(date value) {
        if (value.count() >= detail::end_of_days - 1)
            throw unrepresentable("there is no date behind the bound, and ranges of dates are kept as [lower, upper)");
        return date(value.count() + 1);
    }
    static constexpr bool is_finite(date value) noexcept { return value.is_finite(); }
};

template <>
struct range_step<std::chrono::sys_days> {
    static constexpr std::chrono::sys_days next(std::chrono::sys_days value) { return range_step<date>::next(value).to_sys_days(); }
};

template <>
struct range_step<std::chrono::year_month_day> {
    static constexpr std::chrono::year_month_day next(std::chrono::year_month_day value) {
        if (value == std::chrono::year::max() / std::chrono::December / 31)
            throw unrepresentable("chrono has no date behind the bound, and ranges of dates are kept as [lower, upper); use isorow::date");
        return range_step<date>::next(value).to_sys_days();
    }
};

namespace detail {

/// The ranges and multiranges of one type. Source: src/include/catalog/pg_range.dat.
struct range_family {
    type_id value;
    type_id range;
    type_id multirange;
    bool is_discrete = false;
};
inline constexpr std::array range_families{
    range_family{type_id::int4, type_id::int4range, type_id::int4multirange, true},
    range_family{type_id::int8, type_id::int8range, type_id::int8multirange, true},
    range_family{type_id::numeric, type_id::numrange, type_id::nummultirange},
    range_family{type_id::date, type_id::daterange, type_id::datemultirange, true},
    range_family{type_id::timestamp, type_id::tsrange, type_id::tsmultirange},
    range_family{type_id::timestamptz, type_id::tstzrange, type_id::tstzmultirange},
};

/// The family that a type is `part` of; null where it is of none.
[[nodiscard]] constexpr range_family const* find_range_family(type_id type, type_id range_family::* part) noexcept {
    for (auto const& family : range_families)
        if (family.*part == type) return &family;
    return nullptr;
}

[[nodiscard]] constexpr bool is_range_type(type_id type) noexcept { return find_range_family(type, &range_family::range) != nullptr; }
[[nodiscard]] constexpr bool is_multirange_type(type_id type) noexcept {
    return find_range_family(type, &range_family::multirange) != nullptr;
}

/// The type of a range's bounds.
[[nodiscard]] constexpr column_type bound_type(type_id range) noexcept { return {find_range_family(range, &range_family::range)->value}; }
/// The type of a multirange's ranges.
[[nodiscard]] constexpr column_type range_type(type_id multirange) noexcept {
    return {find_range_family(multirange, &range_family::multirange)->range};
}

/// A type that Postgres has ranges of.
template <class T>
concept range_value = mapped<T> && !mapping<T>::type.array && find_range_family(mapping<T>::type.id, &range_family::value) != nullptr;

template <range_value T>
inline constexpr range_family family_of = *find_range_family(mapping<T>::type.id, &range_family::value);

}  // namespace detail

}  // namespace isorow::inline v1
