#pragma once

/// @file
/// Value types that refer to memory of others: fields of rows that stand in a batch, which owns that memory.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

/// Whether a value refers to bytes that it does not own.
template <class Value>
inline constexpr bool is_view = false;
template <>
inline constexpr bool is_view<std::string_view> = true;
template <>
inline constexpr bool is_view<std::span<std::byte const>> = true;

/// The type that owns what a value is: the value's own, where that is no view.
template <class Value>
struct owner_of {
    using type = Value;
};
template <>
struct owner_of<std::string_view> {
    using type = std::string;
};
template <>
struct owner_of<std::span<std::byte const>> {
    using type = std::vector<std::byte>;
};

/// A value that outlives what it was made from.
template <class Value>
[[nodiscard]] auto owned(Value value) {
    if constexpr (is_view<Value>) return typename owner_of<Value>::type(value.begin(), value.end());
    else return value;
}

}  // namespace isorow::inline v1::detail
