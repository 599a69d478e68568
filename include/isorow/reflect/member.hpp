#pragma once

#include <isorow/reflect/constant_list.hpp>
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
consteval printed print_member() {
    return {__PRETTY_FUNCTION__, sizeof(__PRETTY_FUNCTION__) - 1};
}

}  // namespace detail

/// The struct that a member pointer points into.
template <auto Pointer>
using struct_of = typename detail::member_pointer<std::remove_cv_t<decltype(Pointer)>>::struct_type;

/// The name of the field that `Pointer` names.
template <auto Pointer>
inline constexpr std::string_view member_name = detail::last_name(detail::print_member<Pointer>().view());

/// The place of a name that is among these. It is looked for from behind: a struct's own fields are behind those of its base classes, which
/// they may hide.
[[nodiscard]] constexpr std::size_t find_name(constant_list<std::string_view> names, std::string_view wanted) noexcept {
    auto const size = wanted.size();
    auto const letter = wanted.front();
    auto const* const first = names.data();
    auto const* name = first + names.size() - 1;
    while (name != first && (name->size() != size || name->front() != letter || *name != wanted)) --name;
    return static_cast<std::size_t>(name - first);
}

/// The place of the field that `Pointer` names: `index_of<&Product::price>` is 2.
template <auto Pointer>
inline constexpr std::size_t index_of = find_name(field_names<struct_of<Pointer>>, member_name<Pointer>);

}  // namespace isorow::inline v1::reflect
