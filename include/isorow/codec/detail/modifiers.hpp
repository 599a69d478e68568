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
[[nodiscard]] constexpr std::size_t count_characters(std::string_view text) noexcept {
    std::size_t characters = 0;
    for (char const byte : text) characters += (static_cast<unsigned char>(byte) & 0xc0) != 0x80 ? 1 : 0;
    return characters;
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
        case type_id::sparsevec:
        case type_id::bit:
        case type_id::varbit:
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
        case type_id::sparsevec:
            if (auto const found = static_cast<std::size_t>(in.take_int32()); found != limit)
                throw unrepresentable("sparsevec has {} dimensions, the column has {}", found, limit);
            break;
        case type_id::bit:
        case type_id::varbit:
            if (auto const found = static_cast<std::size_t>(in.take_int32()); type.id == type_id::bit ? found != limit : found > limit)
                throw unrepresentable("the string has {} bits, the column takes {}", found, limit);
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
