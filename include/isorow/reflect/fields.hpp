#pragma once

/// @file
/// The fields of a plain struct: how many, their names, their types, their references. The one place that takes a struct apart; the
/// floors above see only this.

#include <isorow/reflect/shape.hpp>

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
using field_type = std::remove_const_t<detail::declared_field<T, Index>>;

/// The names of the fields of T in order, taken from the compiler once and kept.
template <reflectable T>
inline constexpr std::array<std::string_view, field_count<T>> field_names = detail::names_of_fields<T>();

/// The field at a place of a value, with the value's constness.
template <std::size_t Index, class T>
[[nodiscard]] constexpr decltype(auto) get(T& value) noexcept {
    return detail::field_at<Index>(value);
}

/// Gives a field the value of another of its type; C arrays, which cannot be assigned, element by element.
template <class Field, class From>
constexpr void assign(Field& field, From&& from) {
    if constexpr (std::is_array_v<Field>) {
        for (std::size_t i = 0; i < std::extent_v<Field>; ++i) reflect::assign(field[i], std::forward<From>(from)[i]);
    } else {
        field = std::forward<From>(from);
    }
}

/// Calls `function(std::integral_constant<std::size_t, I>{})` for each field's place in order.
template <reflectable T, class Function>
constexpr void for_each_index(Function&& function) {
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
        (function(std::integral_constant<std::size_t, Index>{}), ...);
    }(std::make_index_sequence<field_count<T>>{});
}

}  // namespace isorow::inline v1::reflect
