#pragma once

/// @file
/// Whether two values are the same in every bit: -0.0 is not 0.0, NaN is NaN, and a numeric's zeros count.

#include <isorow/codec/dynamic_value.hpp>
#include <isorow/reflect/fields.hpp>
#include <isorow/types/field.hpp>
#include <isorow/types/numeric.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <type_traits>

namespace test {

template <class T>
[[nodiscard]] bool same(T const& a, T const& b);

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// A list that does not hold itself.
template <class T>
concept list = std::ranges::forward_range<T> && !std::same_as<std::ranges::range_value_t<T>, T>;

}  // namespace detail

template <class T>
bool same(T const& a, T const& b) {
    if constexpr (std::same_as<T, float>) {
        return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
    } else if constexpr (std::same_as<T, double>) {
        return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
    } else if constexpr (std::same_as<T, isorow::numeric>) {
        return a == b && isorow::to_string(a) == isorow::to_string(b);
    } else if constexpr (std::same_as<T, isorow::dynamic_value>) {
        return a.kind() == b.kind() && a.visit([&]<class Held>(Held const& held) { return same(held, *b.template get_if<Held>()); });
    } else if constexpr (detail::is_optional<T>) {
        return a.has_value() == b.has_value() && (!a.has_value() || same(*a, *b));
    } else if constexpr (detail::list<T>) {
        auto other = std::ranges::begin(b);
        for (auto const& element : a) {
            if (other == std::ranges::end(b)) return false;
            std::ranges::range_value_t<T> const left(element);
            std::ranges::range_value_t<T> const right(*other++);
            if (!same(left, right)) return false;
        }
        return other == std::ranges::end(b);
    } else {
        return a == b;
    }
}

/// Whether all fields of two rows are.
template <class Row>
[[nodiscard]] bool same_row(Row const& a, Row const& b) {
    bool all = true;
    isorow::reflect::for_each_index<Row>([&](auto place) {
        using field = isorow::reflect::field_type<Row, place>;
        using traits = isorow::field_traits<field>;
        field const& left = isorow::reflect::get<place>(a);
        field const& right = isorow::reflect::get<place>(b);
        all = all && traits::has_value(left) == traits::has_value(right) &&
              (!traits::has_value(left) || same<typename traits::value>(traits::get(left), traits::get(right)));
    });
    return all;
}

}  // namespace test
