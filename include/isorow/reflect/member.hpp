#pragma once

#include <isorow/reflect/fields.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

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

/// Where a field is, and of which type: fields without a size of their own share their place with others.
struct location {
    void const* address = nullptr;
    void const* type = nullptr;

    friend constexpr bool operator==(location const&, location const&) = default;
};

template <class T>
inline constexpr char type_tag{};

template <class Field>
consteval location location_of(Field const& field) {
    return {std::addressof(field), &type_tag<std::remove_cv_t<Field>>};
}

template <class T, std::size_t... Index>
consteval std::array<location, sizeof...(Index)> find_locations(std::index_sequence<Index...>) {
    return {location_of(reflect::get<Index>(specimen<T>.value))...};
}

template <class T>
consteval auto find_locations() {
    return find_locations<T>(std::make_index_sequence<field_count<T>>{});
}

template <auto Pointer, class T>
consteval std::size_t find_member() {
    auto const wanted = location_of(specimen<T>.value.*Pointer);
    std::size_t place = 0;
    for (auto const& one : find_locations<T>()) {
        if (one == wanted) break;
        ++place;
    }
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
inline constexpr std::size_t index_of = detail::find_member<Pointer, struct_of<Pointer>>();

}  // namespace isorow::inline v1::reflect
