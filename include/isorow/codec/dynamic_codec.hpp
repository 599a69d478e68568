#pragma once

/// @file
/// Dynamic values to and from Postgres' binary format, the column's type being known at run time only.

#include <isorow/codec/codec.hpp>
#include <isorow/codec/detail/dynamic_array.hpp>
#include <isorow/codec/detail/modifiers.hpp>
#include <isorow/codec/detail/value_codecs.hpp>
#include <isorow/codec/dynamic_value.hpp>
#include <isorow/types/column_type.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// Appends a value, without its length, as a column of type `type` takes it. Only what is exactly the same there is converted: an integer
/// to every number type that holds it, a timestamptz to a timestamp in UTC, a vector to an array of floating point numbers; and a floating
/// point number is rounded to real, as the column asks. Throws `unrepresentable`, without the column's name, for NULL, for a value of
/// another kind, and for one that the type or its modifiers have no room for; `out` may then have a part of it.
inline void encode_value(dynamic_value const& value, column_type const& type, byte_writer& out) {
    auto const start = out.size();
    if (type.array) detail::encode_array(value, type, out);
    else detail::value_codec_of(type).encode(value, type, out);
    if (detail::has_bounds(type)) detail::check_bounds(type, byte_reader(out.bytes().subspan(start)));
}

/// Appends a value behind its length, NULL as the length -1.
inline void encode_value_with_length(dynamic_value const& value, column_type const& type, byte_writer& out) {
    if (value.is_null()) return encode_null(out);
    auto const place = out.size();
    out.put_int32(0);
    encode_value(value, type, out);
    auto const size = out.size() - place - sizeof(std::int32_t);
    if (size > longest_value) throw unrepresentable("the value takes {} bytes, which is more than a Postgres value can have", size);
    out.overwrite_int32(place, static_cast<std::int32_t>(size));
}

/// The value of a column of type `type`; `bytes` has no data for NULL. Throws `malformed` where the bytes are no value of the type.
[[nodiscard]] inline dynamic_value decode_value(column_type const& type, std::span<std::byte const> bytes) {
    if (bytes.data() == nullptr) return null;
    return type.array ? detail::decode_array(type, byte_reader(bytes)) : detail::value_codec_of(type).decode(type, byte_reader(bytes));
}

/// The value of a result's column. `type`: the OID that the result says; `name`: the name of the column's type as `format_type` prints it,
/// by which the types of extensions are known, whose OIDs differ. Values of types that isorow does not know are read as the text that
/// `::text` in the query makes of them: such a column's OID is text's, and its name another. Throws `malformed` where the bytes are no
/// value of the type, and `unrepresentable` where the type is not known and its value is not text.
[[nodiscard]] inline dynamic_value decode_value(oid type, std::string_view name, std::span<std::byte const> bytes) {
    if (bytes.data() == nullptr) return null;
    auto known = detail::find_column_type(type);
    column_type named;
    bool const is_named = parse_column_type(name, named);
    if (known && *known == column_type{type_id::text} && !name.empty() && !(is_named && named.base() == *known))
        return other_text{std::string(name), std::string(byte_reader(bytes).take_rest_as_text())};
    if (!known && is_named) known = named;
    if (!known) throw unrepresentable("a value of type {} can only be read as text; select it with ::text", name);
    return decode_value(*known, bytes);
}

namespace detail {

/// Whether the server gives back the bytes that it was given for a column of the type.
[[nodiscard]] inline bool is_bytewise_stable(column_type const& type) noexcept { return value_codec_of(type).stable && !is_rounded(type); }

/// Whether two values of the type are equal for the server's `=` exactly where their bytes are.
[[nodiscard]] inline bool is_bytewise_equal(column_type const& type) noexcept {
    return !type.array && value_codec_of(type).equal && !is_rounded(type);
}

}  // namespace detail

}  // namespace isorow::inline v1
