#pragma once

/// @file
/// C arrays as columns. Fields of a struct may be such where C++26's reflection takes it apart.

#include <isorow/types/mapping.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace isorow::inline v1 {

/// `char name[16]` is a text of at most 16 bytes. It ends before the first NUL, or with the array, which needs no NUL then; bytes behind
/// the NUL are no part of it. What is read is padded with NULs; a text with more bytes than the array is `unrepresentable`.
template <std::size_t Size>
struct mapping<char[Size]> : mapping<std::string> {};

/// An array of N elements is what a std::vector of them is, of exactly so many: `int sizes[3]` is integer[], `std::byte key[20]` is bytea.
template <class Element, std::size_t Size>
    requires(!std::is_array_v<Element> && mapped<std::vector<Element>>)
struct mapping<Element[Size]> : mapping<std::vector<Element>> {};

/// Floats may be an array or an embedding of that dimension: the user says which.
template <std::size_t Size>
struct mapping<float[Size]> {
    static constexpr bool accepts(column_type other) {
        if (other.id == type_id::vector || other.id == type_id::halfvec)
            return !other.array && other.first_modifier == static_cast<std::int32_t>(Size);
        return mapping<std::vector<float>>::accepts(other);
    }
};

namespace detail {

/// The text that an array of characters holds.
template <std::size_t Size>
[[nodiscard]] constexpr std::string_view text_in(char const (&characters)[Size]) noexcept {
    std::string_view const all(characters, Size);
    return all.substr(0, all.find('\0'));
}

}  // namespace detail

}  // namespace isorow::inline v1
