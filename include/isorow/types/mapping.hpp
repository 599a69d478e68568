#pragma once

/// @file
/// Which Postgres type a C++ type is. The table of the types that the language and its library bring; isorow's own value types say it
/// beside their definitions.

#include <isorow/types/column_type.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
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

/// A vector of scalars, or of optional scalars, is an array. `std::vector<float>` may be an array or pgvector's vector, so it has no
/// default: the user says `vector_schema<N>` or `pg_type<"real[]">`.
template <class Element>
    requires(mapped<Element> && !std::same_as<Element, float> && !mapping<Element>::type.array &&
             mapping<Element>::type.id != type_id::jsonb)
struct mapping<std::vector<Element>> {
    static constexpr column_type type{mapping<Element>::type.id, true};
    static constexpr bool accepts(column_type other) {
        column_type const element{other.id, false, other.first_modifier, other.second_modifier};
        return other.array && isorow::accepts<Element>(element);
    }
};

template <class Element>
    requires(mapped<Element> && !mapping<Element>::type.array)
struct mapping<std::vector<std::optional<Element>>> {
    static constexpr column_type type{mapping<Element>::type.id, true};
    static constexpr bool accepts(column_type other) {
        column_type const element{other.id, false, other.first_modifier, other.second_modifier};
        return other.array && isorow::accepts<Element>(element);
    }
};

template <>
struct mapping<std::vector<float>> {
    static constexpr bool accepts(column_type other) {
        if (other.id == type_id::vector || other.id == type_id::halfvec) return !other.array && other.first_modifier > 0;
        return other.array && (other.id == type_id::float4 || other.id == type_id::float8);
    }
};

}  // namespace isorow::inline v1
