#pragma once

/// @file
/// Structs taken apart by Boost.PFR: the backend for C++20. It answers the shapes refused here with unreadable errors, or, for C arrays,
/// with a wrong number of fields.

#include <isorow/reflect/detail/shapes.hpp>

#include <boost/pfr/core.hpp>
#include <boost/pfr/core_name.hpp>
#include <boost/pfr/tuple_size.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace isorow::inline v1::reflect {

/// The most fields a struct may have: what Boost.PFR takes apart since Boost 1.87.
inline constexpr std::size_t field_limit = 200;

namespace detail {

/// Stands for the initialiser of any field.
struct anything {
    template <class Field>
    operator Field() const noexcept;  // NOLINT(google-explicit-constructor)
};

/// Stands for the initialiser of a base class of T, and of nothing else.
template <class T>
struct any_base_of {
    template <class Base>
        requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>)
    operator Base() const noexcept;  // NOLINT(google-explicit-constructor)
};

template <std::size_t>
using anything_at = anything;

/// Whether T takes one braced initialiser for each of so many fields. A C array takes one of them where bare values it takes many.
template <class T, std::size_t... Index>
consteval bool takes_braces_each(std::index_sequence<Index...>) {
    return requires { T{{anything_at<Index>{}}...}; };
}

/// Whether T takes `{}` for one field, after `Before` bare values and before `After` of them.
template <class T, std::size_t... Before, std::size_t... After>
consteval bool takes_braces_between(std::index_sequence<Before...>, std::index_sequence<After...>) {
    return requires { T{anything_at<Before>{}..., {}, anything_at<After>{}...}; };
}

/// Whether the bare values from `Before` on fill a C array: `{}` there leaves room for fewer values than one less.
template <class T, std::size_t Count, std::size_t Before>
consteval bool is_array_at() {
    using before = std::make_index_sequence<Before>;
    if constexpr (takes_braces_between<T>(before{}, std::make_index_sequence<Count - Before - 1>{})) {
        return false;
    } else {
        return []<std::size_t... Fewer>(std::index_sequence<Fewer...>) {
            return (takes_braces_between<T>(before{}, std::make_index_sequence<Fewer>{}) || ...);
        }(std::make_index_sequence<Count - Before - 1>{});
    }
}

}  // namespace detail

/// Whether T has a base class. Exact for aggregates: only a base can be initialised from a base.
template <class T>
consteval bool has_base() {
    return requires { T{detail::any_base_of<T>{}}; };
}

/// The number of values that initialise a T, which is the number of its fields unless it has a C array.
template <class T>
inline constexpr std::size_t flat_field_count = boost::pfr::tuple_size_v<T>;

/// The place of the first C array among the fields of T, or the number of its fields where it has none. Arrays of one element are not
/// seen here, but by their field's type.
template <class T>
consteval std::size_t first_array() {
    constexpr std::size_t count = flat_field_count<T>;
    if constexpr (detail::takes_braces_each<T>(std::make_index_sequence<count>{})) {
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
using declared_field = boost::pfr::tuple_element_t<Index, T>;

template <class T>
consteval auto names_of_fields() {
    return boost::pfr::names_as_array<T>();
}

template <std::size_t Index, class T>
constexpr decltype(auto) field_at(T& value) noexcept {
    return boost::pfr::get<Index>(value);
}

}  // namespace detail

}  // namespace isorow::inline v1::reflect
