#pragma once

/// @file
/// Which C++ types are jsonb columns: nested structs, maps, variants, lists of these, and whatever `jsonb<T>` is put around. The user may
/// say `json` for them instead.

#include <isorow/reflect/fields.hpp>
#include <isorow/types/jsonb.hpp>
#include <isorow/types/mapping.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <variant>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// jsonb as the type of documents. It is no `column_type` itself, but becomes one: so the mapping of vectors of scalars to arrays, which
/// asks for the parts of a `column_type`, leaves vectors of documents to the mapping below.
struct document_type {
    static constexpr std::int32_t first_modifier = -1;

    // NOLINTNEXTLINE(google-explicit-constructor): it stands where a column_type is asked for
    constexpr operator column_type() const noexcept { return column_type{type_id::jsonb}; }
    [[nodiscard]] constexpr column_type base() const noexcept { return *this; }
};

struct maps_to_document {
    static constexpr document_type type{};
    static constexpr bool accepts(column_type other) { return !other.array && (other.id == type_id::jsonb || other.id == type_id::json); }
};

/// A struct with fields of its own.
template <class T>
concept plain_struct = reflect::reflectable<T>;

}  // namespace detail

/// A type that is stored as a JSON document.
template <class T>
concept json_document = requires { requires std::same_as<decltype(mapping<T>::type), detail::document_type const>; };

template <detail::plain_struct T>
struct mapping<T> : detail::maps_to_document {};

template <class T>
struct mapping<jsonb<T>> : detail::maps_to_document {};

template <class Value, class Compare, class Allocator>
struct mapping<std::map<std::string, Value, Compare, Allocator>> : detail::maps_to_document {};

template <class Value, class Hash, class Equal, class Allocator>
struct mapping<std::unordered_map<std::string, Value, Hash, Equal, Allocator>> : detail::maps_to_document {};

template <class... Alternatives>
struct mapping<std::variant<Alternatives...>> : detail::maps_to_document {};

template <json_document Element>
struct mapping<std::vector<Element>> : detail::maps_to_document {};

template <json_document Element>
struct mapping<std::vector<std::optional<Element>>> : detail::maps_to_document {};

template <json_document Element, std::size_t Size>
struct mapping<std::array<Element, Size>> : detail::maps_to_document {};

}  // namespace isorow::inline v1
