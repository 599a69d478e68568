#pragma once

/// @file
/// Dynamic values to and from Postgres' binary format, the column's type being known at run time only.

#include <isorow/codec/codec.hpp>
#include <isorow/codec/detail/modifiers.hpp>
#include <isorow/codec/detail/value_codecs.hpp>
#include <isorow/codec/dynamic_value.hpp>
#include <isorow/codec/type_oids.hpp>
#include <isorow/config.hpp>
#include <isorow/types/column_type.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace isorow::inline v1 {

/// Appends a value, without its length, as a column of type `type` takes it. Only what is exactly the same there is converted: an integer
/// to every number type that holds it, a timestamptz to a timestamp in UTC, a vector to an array of floating point numbers; and a floating
/// point number is rounded to real, as the column asks. Throws `unrepresentable`, without the column's name, for NULL, for a value of
/// another kind, and for one that the type or its modifiers have no room for; `out` may then have a part of it.
void encode_value(dynamic_value const& value, column_type const& type, byte_writer& out);

/// Appends a value behind its length, NULL as the length -1.
void encode_value_with_length(dynamic_value const& value, column_type const& type, byte_writer& out);

/// The value of a column of type `type`; `bytes` has no data for NULL. Throws `malformed` where the bytes are no value of the type.
[[nodiscard]] dynamic_value decode_value(column_type const& type, std::span<std::byte const> bytes);

/// The value of a result's column. `type`: the OID that the result says; `name`: the name of the column's type as `format_type` prints it,
/// by which the types of extensions are known, whose OIDs differ. Values of types that isorow does not know are read as the text that
/// `::text` in the query makes of them: such a column's OID is text's, and its name another. Throws `malformed` where the bytes are no
/// value of the type, and `unrepresentable` where the type is not known and its value is not text.
[[nodiscard]] dynamic_value decode_value(oid type, std::string_view name, std::span<std::byte const> bytes);

namespace detail {

/// Whether the server gives back the bytes that it was given for a column of the type.
[[nodiscard]] bool is_bytewise_stable(column_type const& type) noexcept;

/// Whether two values of the type are equal for the server's `=` exactly where their bytes are.
[[nodiscard]] bool is_bytewise_equal(column_type const& type) noexcept;

}  // namespace detail

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/codec/detail/dynamic_codec_code.hpp>
#endif
