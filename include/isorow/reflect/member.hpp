#pragma once

#include <isorow/reflect/fields.hpp>

#include <cstddef>
#include <memory>
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

template <class T>
struct holder {
    T value;
};

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif

/// Never defined: only addresses of its parts are compared, in constant expressions.
template <class T>
extern holder<T> const specimen;

template <auto Pointer, class T, std::size_t... Index>
consteval std::size_t find_member(std::index_sequence<Index...>) {
    std::size_t place = sizeof...(Index);
    auto const look = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        auto const& field = reflect::get<I>(specimen<T>.value);
        using field_type = std::remove_cvref_t<decltype(field)>;
        using wanted_type = std::remove_cvref_t<typename member_pointer<decltype(Pointer)>::field_type>;
        if constexpr (std::is_same_v<field_type, wanted_type>)
            if (std::addressof(specimen<T>.value.*Pointer) == std::addressof(field)) place = I;
    };
    (look(std::integral_constant<std::size_t, Index>{}), ...);
    return place;
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

}  // namespace detail

/// The struct that a member pointer points into.
template <auto Pointer>
using struct_of = typename detail::member_pointer<std::remove_cv_t<decltype(Pointer)>>::struct_type;

/// The place of the field that `Pointer` names: `index_of<&Product::price>` is 2.
template <auto Pointer>
inline constexpr std::size_t index_of =
    detail::find_member<Pointer, struct_of<Pointer>>(std::make_index_sequence<field_count<struct_of<Pointer>>>{});

}  // namespace isorow::inline v1::reflect
