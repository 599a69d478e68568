#pragma once

/// @file
/// Names in what compilers print of a function template's arguments, which is how C++20 comes by them.

#include <string_view>

namespace isorow::inline v1::reflect::detail {

/// Whether a character is part of identifiers, those with letters beyond ASCII included.
[[nodiscard]] consteval bool is_part_of_identifier(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || (character >= '0' && character <= '9') ||
           character == '_' || character == '$' || static_cast<unsigned char>(character) >= 0x80;
}

/// The identifier that ends last in a text: `field` of `&shop::Product::field]`.
[[nodiscard]] consteval std::string_view last_identifier(std::string_view text) {
    auto end = text.size();
    while (end > 0 && !is_part_of_identifier(text[end - 1])) --end;
    auto begin = end;
    while (begin > 0 && is_part_of_identifier(text[begin - 1])) --begin;
    return text.substr(begin, end - begin);
}

}  // namespace isorow::inline v1::reflect::detail
