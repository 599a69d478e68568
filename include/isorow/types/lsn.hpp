#pragma once

#include <isorow/error/value_error.hpp>

#include <charconv>
#include <compare>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <system_error>

namespace isorow::inline v1 {

/// A log sequence number: a place in the server's write-ahead log (WAL), counted in bytes. 0 is no place.
/// Source: the manual, "pg_lsn Type".
struct lsn {
    std::uint64_t value = 0;

    /// As Postgres writes it: two hexadecimal numbers, `16/B374D848`.
    [[nodiscard]] std::string to_string() const {
        char digits[24];
        char* const end = digits + sizeof digits;
        char* place = std::to_chars(digits, end, value >> 32, 16).ptr;
        *place++ = '/';
        place = std::to_chars(place, end, value & 0xffffffff, 16).ptr;
        for (char* c = digits; c != place; ++c)
            if (*c >= 'a') *c = static_cast<char>(*c - 'a' + 'A');
        return {digits, place};
    }

    /// Reads what `to_string` and the server write. Throws `malformed`.
    [[nodiscard]] static lsn parse(std::string_view text) {
        auto const slash = text.find('/');
        std::uint32_t high = 0;
        std::uint32_t low = 0;
        auto const reads = [](std::string_view digits, std::uint32_t& number) {
            auto const read = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
            return read.ec == std::errc{} && read.ptr == digits.data() + digits.size();
        };
        if (slash == std::string_view::npos || !reads(text.substr(0, slash), high) || !reads(text.substr(slash + 1), low))
            throw malformed("this is no place in the WAL, which is written like 16/B374D848");
        return {std::uint64_t{high} << 32 | low};
    }

    friend bool operator==(lsn, lsn) = default;
    friend auto operator<=>(lsn, lsn) = default;
    friend std::ostream& operator<<(std::ostream& out, lsn place) { return out << place.to_string(); }
};

}  // namespace isorow::inline v1
