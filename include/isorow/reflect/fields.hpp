#pragma once

/// @file
/// The fields of a plain struct: how many, their names, their types, their references. The one place that takes a struct apart; the
/// floors above see only this.

#include <isorow/reflect/shape.hpp>

#include <boost/pfr/core.hpp>
#include <boost/pfr/core_name.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace isorow::inline v1::reflect {

/// The number of fields of T.
template <reflectable T>
inline constexpr std::size_t field_count = flat_field_count<T>;

/// The type of a field as declared, `const` of const fields aside.
template <reflectable T, std::size_t Index>
using field_type = std::remove_const_t<boost::pfr::tuple_element_t<Index, T>>;

/// The names of the fields of T in order, taken from the compiler once and kept.
template <reflectable T>
inline constexpr std::array<std::string_view, field_count<T>> field_names = boost::pfr::names_as_array<T>();

/// The field at a place of a value, with the value's constness.
template <std::size_t Index, class T>
[[nodiscard]] constexpr decltype(auto) get(T& value) noexcept {
    return boost::pfr::get<Index>(value);
}

/// Calls `function(std::integral_constant<std::size_t, I>{})` for each field's place in order.
template <reflectable T, class Function>
constexpr void for_each_index(Function&& function) {
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
        (function(std::integral_constant<std::size_t, Index>{}), ...);
    }(std::make_index_sequence<field_count<T>>{});
}

}  // namespace isorow::inline v1::reflect
