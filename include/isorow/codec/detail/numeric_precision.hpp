#pragma once

#include <isorow/error/value_error.hpp>
#include <isorow/types/column_type.hpp>
#include <isorow/types/numeric.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace isorow::inline v1::detail {

/// How many digits the number has, without zeros in front, when it is rounded to `scale` digits behind the point and the point is left out.
/// `digits`: as Postgres writes them, without sign.
[[nodiscard]] inline std::size_t digits_at_scale(std::string digits, std::size_t scale) {
    auto const point = digits.find('.');
    auto const whole = point == std::string::npos ? digits.size() : point;
    if (point != std::string::npos) digits.erase(point, 1);
    auto const kept = whole + scale;
    bool const round_up = kept < digits.size() && digits[kept] >= '5';
    digits.resize(kept, '0');
    auto const first = digits.find_first_not_of('0');
    if (first == std::string::npos) return round_up ? 1 : 0;
    bool const carries = round_up && digits.find_first_not_of('9', first) == std::string::npos;  // 99.9 becomes 100
    return digits.size() - first + (carries ? 1 : 0);
}

/// Refuses a number that has no room before the point. What does not fit behind it is rounded by the server, as the column's scale asks.
/// Source: numeric.c, apply_typmod.
inline void check_precision(numeric const& value, column_type const& type) {
    if (value.kind() == numeric::kind::nan) return;
    auto const digits = to_string(value);
    auto const scale = static_cast<std::size_t>(std::max(type.second_modifier, 0));
    if (!value.is_finite() ||
        digits_at_scale(digits.substr(value.is_negative() ? 1 : 0), scale) > static_cast<std::size_t>(type.first_modifier))
        throw unrepresentable("{} is out of the range of {}", digits, to_sql(type));
}

}  // namespace isorow::inline v1::detail
