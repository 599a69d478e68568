#pragma once

/// @file
/// Bytes and numbers as hexadecimal digits, in lower case.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace isorow::inline v1::detail {

inline constexpr std::string_view hexadecimal_digits = "0123456789abcdef";

/// Appends a byte as two digits.
inline void append_hexadecimal(std::uint8_t byte, std::string& out) {
    out += hexadecimal_digits[byte >> 4];
    out += hexadecimal_digits[byte & 15];
}

/// Two digits for each byte.
[[nodiscard]] inline std::string hexadecimal(std::span<std::byte const> bytes) {
    std::string digits;
    digits.reserve(2 * bytes.size());
    for (auto const byte : bytes) append_hexadecimal(std::to_integer<std::uint8_t>(byte), digits);
    return digits;
}

/// The last `count` digits of a number, at most 16, with zeros in front.
[[nodiscard]] inline std::string hexadecimal(std::uint64_t number, std::size_t count) {
    std::string digits(count, '0');
    for (auto place = count; place-- > 0; number >>= 4) digits[place] = hexadecimal_digits[number & 15];
    return digits;
}

}  // namespace isorow::inline v1::detail
