#pragma once

/// @file
/// Structs taken apart by Boost.PFR: the backend for C++20. It answers the shapes refused here with unreadable errors, or, for C arrays,
/// with a wrong number of fields.

#include <isorow/reflect/detail/pfr_count.hpp>
#include <isorow/reflect/detail/pfr_names.hpp>
#include <isorow/reflect/detail/pfr_tie.hpp>
#include <isorow/reflect/detail/shapes.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace isorow::inline v1::reflect {

/// The most fields a struct may have: what Boost.PFR takes apart since Boost 1.87.
inline constexpr std::size_t field_limit = 200;

namespace detail {

/// Stands for the initialiser of a base class of T, and of nothing else.
template <class T>
struct any_base_of {
    template <class Base>
        requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>)
    operator Base() const noexcept;  // NOLINT(google-explicit-constructor)
};

/// Initialises only what is made of everything, such as a std::any.
struct of_no_type {};

/// Whether T takes `{}` for each of `Size` fields, after `Before` values and before `After` of them.
template <class T, std::size_t Size, std::size_t... Before, std::size_t... After>
consteval bool takes_braces(std::index_sequence<Before...>, std::index_sequence<After...>) {
    if constexpr (Size == 8) return requires { T{value_at<T, Before>{}..., {}, {}, {}, {}, {}, {}, {}, {}, value_at<T, After>{}...}; };
    else if constexpr (Size == 4) return requires { T{value_at<T, Before>{}..., {}, {}, {}, {}, value_at<T, After>{}...}; };
    else if constexpr (Size == 2) return requires { T{value_at<T, Before>{}..., {}, {}, value_at<T, After>{}...}; };
    else return requires { T{value_at<T, Before>{}..., {}, value_at<T, After>{}...}; };
}

/// Whether each of the values from `Before` on stands for a field of its own: where they fill a C array, `{}` stands for all of them, and
/// there are too many behind it. Says no as well where a field has no value of its own.
template <class T, std::size_t Count, std::size_t Before = 0>
consteval bool has_fields_alone() {
    constexpr auto left = Count - Before;
    constexpr std::size_t size = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : left;
    if constexpr (left == 0) return true;
    else if constexpr (!takes_braces<T, size>(std::make_index_sequence<Before>{}, std::make_index_sequence<left - size>{})) return false;
    else return has_fields_alone<T, Count, Before + size>();
}

/// Whether the values from `Before` on fill a C array: `{}` there leaves room for fewer values than one less.
template <class T, std::size_t Count, std::size_t Before>
consteval bool is_array_at() {
    using before = std::make_index_sequence<Before>;
    if constexpr (takes_braces<T, 1>(before{}, std::make_index_sequence<Count - Before - 1>{})) {
        return false;
    } else {
        return []<std::size_t... Fewer>(std::index_sequence<Fewer...>) {
            return (takes_braces<T, 1>(before{}, std::make_index_sequence<Fewer>{}) || ...);
        }(std::make_index_sequence<Count - Before - 1>{});
    }
}

}  // namespace detail

/// Whether T has a base class. Exact for aggregates: only a base can be initialised from a base, or a first field from anything at all.
template <class T>
consteval bool has_base() {
    if constexpr (requires { T{detail::any_base_of<T>{}}; }) return !requires { T{detail::of_no_type{}}; };
    else return false;
}

/// The number of values that initialise a T, which is the number of its fields unless it has a C array.
template <class T>
inline constexpr std::size_t flat_field_count = detail::count_values<T>();

/// The place of the first C array among the fields of T, or the number of its fields where it has none. Arrays of one element are not
/// seen here, but by their field's type.
template <class T>
consteval std::size_t first_array() {
    constexpr std::size_t count = flat_field_count<T>;
    if constexpr (detail::has_fields_alone<T, count>()) {
        return count;
    } else {
        return []<std::size_t... Index>(std::index_sequence<Index...>) {
            std::size_t first = count;
            static_cast<void>(((detail::is_array_at<T, count, Index>() ? (first = Index, true) : false) || ...));
            return first;
        }(std::make_index_sequence<count>{});
    }
}

/// What T is to reflection.
template <class T>
consteval shape shape_of() {
    // NOLINTBEGIN(bugprone-branch-clone): each rests on those before it
    if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T> || detail::is_standard_array<T>) return shape::no_aggregate;
    else if constexpr (std::is_empty_v<T>) return shape::no_fields;
    else if constexpr (has_base<T>()) return shape::has_base;
    else if constexpr (flat_field_count<T> == 0) return shape::no_fields;
    else if constexpr (first_array<T>() != flat_field_count<T>) return shape::has_array;
    else if constexpr (flat_field_count<T> > field_limit) return shape::too_many_fields;
    else return shape::plain;
    // NOLINTEND(bugprone-branch-clone)
}

/// Calls `function` for each base class whose fields are T's: none here.
template <class T, class Function>
constexpr void for_each_base(Function&&) {}

namespace detail {

template <class T, std::size_t Index>
using declared_field = std::remove_reference_t<decltype(detail::get<Index>(detail::tie<flat_field_count<T>>(std::declval<T&>())))>;

template <class T>
consteval auto names_of_fields() {
    return names_of<T, flat_field_count<T>>();
}

template <std::size_t Index, class T>
constexpr decltype(auto) field_at(T& value) noexcept {
    return detail::get<Index>(detail::tie<flat_field_count<std::remove_const_t<T>>>(value));
}

}  // namespace detail

}  // namespace isorow::inline v1::reflect
