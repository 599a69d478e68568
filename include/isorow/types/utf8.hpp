#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace isorow::inline v1 {

namespace detail {

/// The length of the UTF-8 sequence at the front of `text`, which is not empty; 0 where it is not one.
/// Source: RFC 3629, table of well-formed sequences: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] constexpr std::size_t utf8_sequence_length(std::string_view text) noexcept {
    auto const byte = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0}; };
    auto const is_tail = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
    auto const first = byte(0);
    auto const second = byte(1);
    if (first < 0x80) return 1;
    if (first < 0xc2) return 0;
    if (first < 0xe0) return is_tail(1) ? 2 : 0;
    if (first < 0xf0) {
        if (!is_tail(1) || !is_tail(2)) return 0;
        if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
        return 3;
    }
    if (first > 0xf4 || !is_tail(1) || !is_tail(2) || !is_tail(3)) return 0;
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
    return 4;
}

}  // namespace detail

/// Whether `text` is well-formed UTF-8. A NUL byte is well-formed.
[[nodiscard]] constexpr bool is_valid_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        // Most texts are ASCII, and the compiler asks this of every name.
        std::size_t ascii = 0;
        for (char const character : text) {
            if (static_cast<unsigned char>(character) >= 0x80) break;
            ++ascii;
        }
        if (ascii == text.size()) return true;
        text.remove_prefix(ascii);
        auto const length = detail::utf8_sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace isorow::inline v1
