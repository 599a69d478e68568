#pragma once

/// @file
/// What a column's modifiers ask of a value, where the type is known at run time only: looked up in the bytes of the encoded value, so
/// that it is one check for all C++ types.

#include <isorow/codec/array.hpp>
#include <isorow/codec/bytes.hpp>
#include <isorow/codec/numeric.hpp>
#include <isorow/codec/text.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/types/column_type.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isorow::inline v1::detail {

/// The number of characters of a text in UTF-8.
[[nodiscard]] inline std::size_t count_characters(std::string_view text) noexcept {
    std::size_t characters = 0;
    for (char const byte : text) characters += (static_cast<unsigned char>(byte) & 0xc0) != 0x80 ? 1 : 0;
    return characters;
}

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

/// Whether values of the type's C++ types may be more than a column of the type takes.
[[nodiscard]] constexpr bool has_bounds(column_type const& type) noexcept {
    switch (type.id) {
        case type_id::name:
            return true;
        case type_id::varchar:
        case type_id::bpchar:
        case type_id::numeric:
        case type_id::vector:
        case type_id::halfvec:
            return type.first_modifier >= 0;
        default:
            return false;
    }
}

/// Throws `unrepresentable` where a scalar that was encoded for the type is more than a column of it takes.
inline void check_scalar_bounds(column_type const& type, byte_reader in) {
    auto const limit = static_cast<std::size_t>(type.first_modifier);
    switch (type.id) {
        case type_id::name:
            if (in.remaining() > identifier_limit)
                throw unrepresentable("the text has {} bytes, name takes {}", in.remaining(), identifier_limit);
            break;
        case type_id::varchar:
        case type_id::bpchar:
            if (in.remaining() <= limit) break;
            if (auto const found = count_characters(in.take_rest_as_text()); found > limit)
                throw unrepresentable("the text has {} characters, the column takes {}", found, limit);
            break;
        case type_id::numeric:
            check_precision(codec<numeric>::decode(in), type);
            break;
        case type_id::vector:
        case type_id::halfvec:
            if (auto const found = static_cast<std::size_t>(in.take_int16()); found != limit)
                throw unrepresentable("vector has {} dimensions, the column has {}", found, limit);
            break;
        default:
            break;
    }
}

/// The same of any encoded value; the bounds of an array's type are those of each element.
inline void check_bounds(column_type const& type, byte_reader in) {
    if (!type.array) return check_scalar_bounds(type, in);
    auto const dimensions = in.take_int32();
    static_cast<void>(in.take_bytes(2 * sizeof(std::int32_t) + static_cast<std::size_t>(dimensions) * 2 * sizeof(std::int32_t)));
    for (std::size_t place = 0; in.remaining() > 0; ++place) {
        auto const length = in.take_int32();
        if (length < 0) continue;
        try {
            check_scalar_bounds(element_type(type), byte_reader(in.take_bytes(static_cast<std::size_t>(length))));
        } catch (value_error const& failure) {
            failure.rethrow_at(text("element {}", place));
        }
    }
}

/// Whether the server rounds what it is given to the column's modifiers, and so gives back other bytes.
[[nodiscard]] constexpr bool is_rounded(column_type const& type) noexcept {
    if (type.first_modifier < 0) return false;
    switch (type.id) {
        case type_id::numeric:
        case type_id::time:
        case type_id::timetz:
        case type_id::timestamp:
        case type_id::timestamptz:
        case type_id::interval:
            return true;
        default:
            return false;
    }
}

}  // namespace isorow::inline v1::detail
