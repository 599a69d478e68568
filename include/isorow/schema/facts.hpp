#pragma once

/// @file
/// What a program may assert of a struct's table where it relies on it, in `static_assert` or elsewhere.

#include <isorow/schema/check.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/schema/type_change.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace isorow::inline v1 {

namespace detail {

/// The column of a name, null where there is none.
template <reflect::reflectable T>
[[nodiscard]] constexpr column_description const* find_column(std::string_view name) noexcept {
    for (auto const& column : columns_of<T>)
        if (column.name == name) return &column;
    return nullptr;
}

}  // namespace detail

/// Whether T's table has a column of this name: `has_column<Product>("price")`.
template <reflect::reflectable T>
[[nodiscard]] constexpr bool has_column(std::string_view name) noexcept {
    return detail::find_column<T>(name) != nullptr;
}

/// The column type of a field: `column_type_of<&Product::price>()`.
template <auto Member>
    requires std::is_member_object_pointer_v<decltype(Member)>
[[nodiscard]] constexpr column_type column_type_of() noexcept {
    return columns_of<reflect::struct_of<Member>>[reflect::index_of<Member>].type;
}

/// Whether a column has the type that SQL writes so: `column_type_is<Product>("price", "double precision")`. False also where there is no
/// such column or no such type.
template <reflect::reflectable T>
[[nodiscard]] constexpr bool column_type_is(std::string_view column, std::string_view sql) {
    auto const* const found = detail::find_column<T>(column);
    return found != nullptr && found->has_type && is_type(found->type, sql);
}

/// The same of a field's column: `column_type_is<&Product::price>("double precision")`.
template <auto Member>
    requires std::is_member_object_pointer_v<decltype(Member)>
[[nodiscard]] constexpr bool column_type_is(std::string_view sql) {
    auto const& column = columns_of<reflect::struct_of<Member>>[reflect::index_of<Member>];
    return column.has_type && is_type(column.type, sql);
}

/// Whether a column is there and may be NULL.
template <reflect::reflectable T>
[[nodiscard]] constexpr bool column_is_nullable(std::string_view column) noexcept {
    auto const* const found = detail::find_column<T>(column);
    return found != nullptr && found->nullable;
}

/// Whether the primary key is of these columns in this order: `key_is<Product>("category", "name")`; without names, whether there is none.
template <reflect::reflectable T, std::convertible_to<std::string_view>... Names>
[[nodiscard]] constexpr bool key_is(Names const&... names) {
    auto const& key = description_of<T>.key;
    if (key.size() != sizeof...(names)) return false;
    std::array<std::string_view, sizeof...(names)> const wanted{std::string_view(names)...};
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (columns_of<T>[key[i]].name != wanted[i]) return false;
    return true;
}

/// The same by members: `key_is<&Product::category, &Product::name>()`.
template <auto First, auto... Others>
    requires std::is_member_object_pointer_v<decltype(First)>
[[nodiscard]] constexpr bool key_is() noexcept {
    auto const& key = description_of<reflect::struct_of<First>>.key;
    std::array<std::size_t, 1 + sizeof...(Others)> const wanted{reflect::index_of<First>, reflect::index_of<Others>...};
    if (key.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        if (key[i] != wanted[i]) return false;
    return true;
}

}  // namespace isorow::inline v1
