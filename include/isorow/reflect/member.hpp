#pragma once

#include <isorow/reflect/detail/signature.hpp>
#include <isorow/reflect/fields.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace isorow::inline v1::reflect {

namespace detail {

template <class Pointer>
struct member_pointer;
template <class Struct, class Field>
struct member_pointer<Field Struct::*> {
    using struct_type = Struct;
    using field_type = Field;
};

/// `… = &shop::Product::name]`.
template <auto Pointer>
consteval char const* print_member() {
    return __PRETTY_FUNCTION__;
}

template <auto Pointer, class T>
consteval std::size_t find_member() {
    // From behind: a struct's own fields are behind those of its base classes, which they may hide.
    auto const wanted = last_identifier(print_member<Pointer>());
    auto place = field_count<T> - 1;
    while (place > 0 && field_names<T>[place] != wanted) --place;
    return place;
}

}  // namespace detail

/// The struct that a member pointer points into.
template <auto Pointer>
using struct_of = typename detail::member_pointer<std::remove_cv_t<decltype(Pointer)>>::struct_type;

/// The place of the field that `Pointer` names: `index_of<&Product::price>` is 2.
template <auto Pointer>
inline constexpr std::size_t index_of = detail::find_member<Pointer, struct_of<Pointer>>();

}  // namespace isorow::inline v1::reflect
