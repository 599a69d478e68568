#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

namespace isorow::inline v1::detail {

/// Whether a decimal number lies exactly between two floats, one of them `value`: which of them it is read as is a matter of rounding, so
/// Postgres does not write it. Midpoints of floats are doubles.
[[nodiscard]] inline bool is_midpoint(char const* first, char const* last, float value) {
    double read = 0;
    if (std::from_chars(first, last, read).ec != std::errc{}) return false;
    for (auto const towards : {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()}) {
        auto const next = std::nextafter(value, towards);
        if (std::isfinite(next) && read == (static_cast<double>(value) + static_cast<double>(next)) / 2) return true;
    }
    return false;
}

/// How many digits stand behind the point of a number with an exponent.
[[nodiscard]] inline int digits_behind_point(std::string_view written) noexcept {
    auto const mantissa = written.substr(0, written.find('e'));
    auto const point = mantissa.find('.');
    return point == std::string_view::npos ? 0 : static_cast<int>(mantissa.size() - point - 1);
}

/// A finite float as Postgres writes it: the fewest digits that are nearer to it than to any other, with an exponent where that is below
/// -4 or above 5. Source: src/common/f2s.c, float_to_shortest_decimal_bufn, and its thresholds in to_chars.
[[nodiscard]] inline std::string float_text(float value) {
    char digits[32];
    auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific).ptr;
    auto const written = [&] { return std::string_view(digits, static_cast<std::size_t>(end - digits)); };
    for (auto precision = digits_behind_point(written()) + 1; precision < 9 && is_midpoint(digits, end, value); ++precision)
        end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific, precision).ptr;
    auto const exponent = std::atoi(std::string(written().substr(written().find('e') + 1)).c_str());
    if (exponent < -4 || exponent > 5) return std::string(written());
    // The same digits, without the exponent.
    char plain[64];
    auto const precision = std::max(0, digits_behind_point(written()) - exponent);
    return {plain, std::to_chars(plain, plain + sizeof plain, value, std::chars_format::fixed, precision).ptr};
}

}  // namespace isorow::inline v1::detail
