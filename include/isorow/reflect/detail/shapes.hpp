#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace isorow::inline v1::reflect {

namespace detail {

/// An aggregate whose only field is an array that is nobody's column.
template <class T>
inline constexpr bool is_standard_array = false;
template <class Element, std::size_t Size>
inline constexpr bool is_standard_array<std::array<Element, Size>> = true;

}  // namespace detail

/// What a type is to reflection: a plain struct, or the first reason why it is none.
enum class shape : std::uint8_t {
    plain,
    no_aggregate,     ///< no class, or one with constructors, private members or virtual functions
    no_fields,        ///< neither of its own nor from a base class
    has_base,         ///< a base class whose fields cannot be reached
    has_array,        ///< a C array, which Boost.PFR cannot tell from its elements
    too_many_fields,  ///< more than `field_limit`
    has_unnamed,      ///< a bit-field, a reference or an anonymous union, which no reference to a value can be had of
};

}  // namespace isorow::inline v1::reflect
