#pragma once

#include <isorow/types/hexadecimal.hpp>
#include <isorow/types/mapping.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// A universally unique identifier: sixteen bytes, ordered as Postgres orders them.
class uuid {
public:
    constexpr uuid() = default;
    constexpr explicit uuid(std::array<std::uint8_t, 16> const& bytes) noexcept : bytes_(bytes) {}

    [[nodiscard]] constexpr std::array<std::uint8_t, 16> const& bytes() const noexcept { return bytes_; }

    /// Reads the 32 hexadecimal digits, in the groups of RFC 9562 or without hyphens; nothing where they are not such.
    [[nodiscard]] static constexpr std::optional<uuid> parse(std::string_view text) noexcept {
        uuid result;
        std::size_t digits = 0;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '-' && (i == 8 || i == 13 || i == 18 || i == 23) && text.size() == 36) continue;
            int const value = digit(text[i]);
            if (value < 0 || digits == 32) return std::nullopt;
            result.bytes_[digits / 2] = static_cast<std::uint8_t>(result.bytes_[digits / 2] * 16 + value);
            ++digits;
        }
        if (digits != 32) return std::nullopt;
        return result;
    }

    friend constexpr auto operator<=>(uuid const&, uuid const&) = default;

private:
    [[nodiscard]] static constexpr int digit(char character) noexcept {
        if (character >= '0' && character <= '9') return character - '0';
        if (character >= 'a' && character <= 'f') return character - 'a' + 10;
        if (character >= 'A' && character <= 'F') return character - 'A' + 10;
        return -1;
    }

    std::array<std::uint8_t, 16> bytes_{};
};

/// `550e8400-e29b-41d4-a716-446655440000`.
[[nodiscard]] inline std::string to_string(uuid const& value) {
    std::string text;
    for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        detail::append_hexadecimal(value.bytes()[i], text);
    }
    return text;
}

inline std::ostream& operator<<(std::ostream& out, uuid const& value) { return out << to_string(value); }

template <>
struct mapping<uuid> : detail::maps_to<type_id::uuid> {};

}  // namespace isorow::inline v1
