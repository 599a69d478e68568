#pragma once

/// @file
/// Names in what compilers print of a function template's arguments, which is how C++20 comes by them.

#include <cstddef>
#include <string_view>

namespace isorow::inline v1::reflect::detail {

/// What a compiler prints of a function template. Its length is what `sizeof` says: to count it in a loop is what would cost the compiler
/// most. No std::string_view, whose alias g++ would print as well.
struct printed {
    char const* text;
    unsigned long long size;

    [[nodiscard]] consteval std::string_view view() const { return {text, static_cast<std::size_t>(size)}; }
};

/// Whether a character is part of identifiers, those with letters beyond ASCII included.
[[nodiscard]] consteval bool is_part_of_identifier(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9') ||
           character == '_' || character == '$' || static_cast<unsigned char>(character) >= 0x80;
}

/// The name that ends last in a text, where a colon or a dot stands before it: `field` of `&shop::Product::field]`. Compilers are slow at
/// loops over characters, so this one asks as little as it can.
[[nodiscard]] consteval std::string_view last_name(std::string_view text) {
    auto const* end = text.data() + text.size();
    while (!is_part_of_identifier(end[-1])) --end;
    auto const* begin = end;
    while (begin[-1] != ':' && begin[-1] != '.') --begin;
    return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace isorow::inline v1::reflect::detail
