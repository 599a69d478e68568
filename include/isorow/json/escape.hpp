#pragma once

#include <isorow/types/hexadecimal.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace isorow::inline v1 {

namespace detail {

/// How one byte stands within quotes; `size` is 0 where it stands for itself, and may do so when it is read. Source: json.c, escape_json.
struct json_escape {
    std::array<char, 6> text{};
    std::size_t size = 0;

    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text.data(), size}; }
};

[[nodiscard]] constexpr json_escape json_escape_of(char character) noexcept {
    switch (character) {
        case '"':
            return {{'\\', '"'}, 2};
        case '\\':
            return {{'\\', '\\'}, 2};
        case '\b':
            return {{'\\', 'b'}, 2};
        case '\f':
            return {{'\\', 'f'}, 2};
        case '\n':
            return {{'\\', 'n'}, 2};
        case '\r':
            return {{'\\', 'r'}, 2};
        case '\t':
            return {{'\\', 't'}, 2};
        default:
            break;
    }
    auto const byte = static_cast<unsigned char>(character);
    if (byte >= 0x20) return {};
    return {{'\\', 'u', '0', '0', hexadecimal_digits[byte >> 4], hexadecimal_digits[byte & 15]}, 6};
}

inline constexpr std::array<bool, 256> needs_json_escape = [] {
    std::array<bool, 256> needs{};
    for (std::size_t byte = 0; byte < needs.size(); ++byte) needs[byte] = json_escape_of(static_cast<char>(byte)).size != 0;
    return needs;
}();

}  // namespace detail

}  // namespace isorow::inline v1
