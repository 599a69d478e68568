#pragma once

#include <isorow/codec/detail/dynamic_array.hpp>
#include <isorow/codec/detail/modifiers.hpp>
#include <isorow/codec/detail/value_codecs.hpp>
#include <isorow/codec/dynamic_codec.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

ISOROW_DECL void encode_value(dynamic_value const& value, column_type const& type, byte_writer& out) {
    auto const start = out.size();
    if (type.array) detail::encode_array(value, type, out);
    else detail::value_codec_of(type).encode(value, type, out);
    if (detail::has_bounds(type)) detail::check_bounds(type, byte_reader(out.bytes().subspan(start)));
}

ISOROW_DECL void encode_value_with_length(dynamic_value const& value, column_type const& type, byte_writer& out) {
    if (value.is_null()) return encode_null(out);
    auto const place = out.size();
    out.put_int32(0);
    encode_value(value, type, out);
    auto const size = out.size() - place - sizeof(std::int32_t);
    if (size > longest_value) throw unrepresentable("the value takes {} bytes, which is more than a Postgres value can have", size);
    out.overwrite_int32(place, static_cast<std::int32_t>(size));
}

ISOROW_DECL dynamic_value decode_value(column_type const& type, std::span<std::byte const> bytes) {
    if (bytes.data() == nullptr) return null;
    return type.array ? detail::decode_array(type, byte_reader(bytes)) : detail::value_codec_of(type).decode(type, byte_reader(bytes));
}

ISOROW_DECL dynamic_value decode_value(oid type, std::string_view name, std::span<std::byte const> bytes) {
    if (bytes.data() == nullptr) return null;
    auto known = detail::find_column_type(type);
    column_type named;
    bool const is_named = detail::parse_dynamic_type(name, named);
    if (known && *known == column_type{type_id::text} && !name.empty() && !(is_named && named.base() == *known))
        return other_text{std::string(name), std::string(byte_reader(bytes).take_rest_as_text())};
    if (!known && is_named) known = named;
    if (!known) throw unrepresentable("a value of type {} can only be read as text; select it with ::text", name);
    return decode_value(*known, bytes);
}

namespace detail {

ISOROW_DECL bool is_bytewise_stable(column_type const& type) noexcept {
    return value_codec_of(type).stable && !is_rounded(type) && !has_oids_within(type);
}

ISOROW_DECL bool is_bytewise_equal(column_type const& type) noexcept {
    return !type.array && value_codec_of(type).equal && !is_rounded(type);
}

}  // namespace detail

}  // namespace isorow::inline v1
