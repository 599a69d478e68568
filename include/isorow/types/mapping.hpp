#pragma once

/// @file
/// Which Postgres type a C++ type is. The table of the types that the language and its library bring; isorow's own value types say it
/// beside their definitions.

#include <isorow/types/column_type.hpp>
#include <isorow/types/view.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace isorow::inline v1 {

/// Says what a C++ value type is in Postgres. A specialisation holds
/// - `static constexpr column_type type`: the type of its column unless the user says another;
/// - optionally `static constexpr bool accepts(column_type)`: whether the user may say this other one.
/// Types without a specialisation, and those whose specialisation has no `type`, have no mapping: a field of theirs needs one said.
template <class T>
struct mapping {};

/// A type whose column type is known without the user's word.
template <class T>
concept mapped = requires {
    { mapping<T>::type } -> std::convertible_to<column_type>;
};

/// Whether a T may be stored in a column of type `type`.
template <class T>
[[nodiscard]] constexpr bool accepts(column_type type) {
    if constexpr (mapped<T>)
        if (type.base() == mapping<T>::type.base() && (mapping<T>::type.first_modifier < 0 || type == mapping<T>::type)) return true;
    if constexpr (requires { mapping<T>::accepts(type); }) return mapping<T>::accepts(type);
    else return false;
}

/// The column type of a T where the user says none.
template <mapped T>
inline constexpr column_type default_type = mapping<T>::type;

namespace detail {

/// A mapping to one type that nothing changes.
template <type_id Id>
struct maps_to {
    static constexpr column_type type{Id};
};

/// The integers fit into each other's columns where the value does: each value's range is checked.
template <type_id Id>
struct maps_to_integer : maps_to<Id> {
    static constexpr bool accepts(column_type other) {
        return !other.array && (other.id == type_id::int2 || other.id == type_id::int4 || other.id == type_id::int8);
    }
};

/// The integers whose column type the user says: 64 bits without sign, which no integer type holds, and single bytes, which may be
/// characters.
struct maps_where_said {
    static constexpr bool accepts(column_type other) { return maps_to_integer<type_id::int2>::accepts(other); }
};

template <type_id Id>
struct maps_to_float : maps_to<Id> {
    static constexpr bool accepts(column_type other) {
        return !other.array && (other.id == type_id::float4 || other.id == type_id::float8);
    }
};

template <type_id Id>
struct maps_to_timestamp : maps_to<Id> {
    static constexpr bool accepts(column_type other) {
        return !other.array && (other.id == type_id::timestamp || other.id == type_id::timestamptz);
    }
};

[[nodiscard]] constexpr column_type array_of(column_type element) noexcept {
    element.array = true;
    return element;
}

/// Whether values of the type are characters, and their binary form is those characters.
[[nodiscard]] constexpr bool is_character_type(type_id id) noexcept {
    return id == type_id::text || id == type_id::varchar || id == type_id::bpchar || id == type_id::name || id == type_id::citext ||
           id == type_id::xml || id == type_id::json;
}

}  // namespace detail

template <>
struct mapping<bool> : detail::maps_to<type_id::boolean> {};
template <>
struct mapping<std::int16_t> : detail::maps_to_integer<type_id::int2> {};
template <>
struct mapping<std::int32_t> : detail::maps_to_integer<type_id::int4> {};
template <>
struct mapping<std::int64_t> : detail::maps_to_integer<type_id::int8> {};
/// Integers without sign have a column type that holds them all; each value that is read is checked.
template <>
struct mapping<std::uint16_t> : detail::maps_to_integer<type_id::int4> {};
template <>
struct mapping<std::uint32_t> : detail::maps_to_integer<type_id::int8> {};
template <>
struct mapping<std::int8_t> : detail::maps_where_said {};
template <>
struct mapping<std::uint8_t> : detail::maps_where_said {};
/// numeric without digits behind the point: `numeric(20,0)` holds the whole range.
template <>
struct mapping<std::uint64_t> : detail::maps_where_said {
    static constexpr bool accepts(column_type other) {
        return maps_where_said::accepts(other) || (!other.array && other.id == type_id::numeric && other.second_modifier <= 0);
    }
};
template <>
struct mapping<float> : detail::maps_to_float<type_id::float4> {};
template <>
struct mapping<double> : detail::maps_to_float<type_id::float8> {};

template <>
struct mapping<std::string> : detail::maps_to<type_id::text> {
    static constexpr bool accepts(column_type other) { return !other.array && detail::is_character_type(other.id); }
};

template <>
struct mapping<std::vector<std::byte>> : detail::maps_to<type_id::bytea> {};

/// Views are fields of rows that stand in a batch; `check_owning` refuses them where rows stand alone.
template <>
struct mapping<std::string_view> : mapping<std::string> {};
template <>
struct mapping<std::span<std::byte const>> : mapping<std::vector<std::byte>> {};

template <>
struct mapping<std::chrono::year_month_day> : detail::maps_to<type_id::date> {};
template <>
struct mapping<std::chrono::sys_days> : detail::maps_to<type_id::date> {};
template <>
struct mapping<std::chrono::sys_time<std::chrono::microseconds>> : detail::maps_to_timestamp<type_id::timestamptz> {};
template <>
struct mapping<std::chrono::local_time<std::chrono::microseconds>> : detail::maps_to<type_id::timestamp> {};
template <>
struct mapping<std::chrono::microseconds> : detail::maps_to<type_id::interval> {};

namespace detail {

/// The most dimensions of an array: Postgres' MAXDIM.
inline constexpr std::size_t array_dimension_limit = 6;

/// What may be an array's dimension; bytes are bytea.
template <class T>
inline constexpr bool is_array_field = false;
template <class Element>
inline constexpr bool is_array_field<std::vector<Element>> = !std::same_as<Element, std::byte>;
template <class Element, std::size_t Size>
inline constexpr bool is_array_field<std::array<Element, Size>> = Size != 0 && !std::same_as<Element, std::byte>;

/// How many dimensions a field has, and what the innermost elements are.
template <class T>
struct array_shape {
    static constexpr std::size_t dimensions = 0;
    using element = T;
};
template <class T>
    requires is_array_field<T>
struct array_shape<T> {
    static constexpr std::size_t dimensions = 1 + array_shape<typename T::value_type>::dimensions;
    using element = typename array_shape<typename T::value_type>::element;
};

/// An element without `std::optional`.
template <class Element>
struct array_element {
    using value = Element;
    static constexpr bool nullable = false;
};
template <class Value>
struct array_element<std::optional<Value>> {
    using value = Value;
    static constexpr bool nullable = true;
};

template <class Value>
concept mapped_scalar = mapped<Value> && !is_view<Value> && requires { requires !mapping<Value>::type.array; };

/// An element whose array has a column type of its own: a scalar, an optional one, or an array that has one.
template <class Element>
concept element_with_type =
    (mapped_scalar<Element> && !std::same_as<Element, float> && requires { requires mapping<Element>::type.id != type_id::jsonb; }) ||
    (array_element<Element>::nullable && mapped_scalar<typename array_element<Element>::value>) ||
    (array_shape<Element>::dimensions > 0 && array_shape<Element>::dimensions < array_dimension_limit && mapped<Element> &&
     requires { requires mapping<Element>::type.array; });

/// An array whose column type the user has to say, as its elements are `float`: it is not an element of one that has a type either.
template <class T>
concept array_without_type =
    is_array_field<T> && array_shape<T>::dimensions <= array_dimension_limit && std::same_as<typename array_shape<T>::element, float>;

template <class Element>
struct array_labels {};
template <class Element>
    requires requires { mapping<Element>::labels; }
struct array_labels<Element> {
    static constexpr auto labels = mapping<Element>::labels;
};

/// Postgres' array types have no dimensions: an array of arrays is of the type that those are of.
template <class Element>
struct accepts_arrays {
    static constexpr bool accepts(column_type other) {
        if (!other.array) return false;
        if constexpr (!is_array_field<Element>) other.array = false;
        return isorow::accepts<typename array_element<Element>::value>(other);
    }
};

template <class Element>
struct maps_to_array : accepts_arrays<Element>, array_labels<Element> {
    static constexpr column_type type = array_of(mapping<typename array_element<Element>::value>::type);
};

}  // namespace detail

/// A vector of scalars, or of optional scalars, is an array; a vector of such vectors one of two dimensions, up to six. `std::array` is the
/// same with exactly so many elements. Where the elements are `float`, it may be an array or pgvector's vector, so it has no default: the
/// user says `vector_schema<N>` or `pg_type<"real[]">`.
template <detail::element_with_type Element>
struct mapping<std::vector<Element>> : detail::maps_to_array<Element> {};
template <detail::element_with_type Element, std::size_t Size>
    requires(Size != 0)
struct mapping<std::array<Element, Size>> : detail::maps_to_array<Element> {};

template <detail::array_without_type T>
struct mapping<T> : detail::accepts_arrays<typename T::value_type> {};

template <>
struct mapping<std::vector<float>> {
    static constexpr bool accepts(column_type other) {
        if (other.id == type_id::vector || other.id == type_id::halfvec) return !other.array && other.first_modifier > 0;
        return other.array && (other.id == type_id::float4 || other.id == type_id::float8);
    }
};

}  // namespace isorow::inline v1
