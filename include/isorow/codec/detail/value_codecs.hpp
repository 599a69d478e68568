#pragma once

/// @file
/// For each of Postgres' types, how dynamic values are written and read: the typed codecs, found by the type's id.

#include <isorow/codec/detail/dynamic_range.hpp>
#include <isorow/codec/dynamic_value.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/config.hpp>
#include <isorow/types/column_type.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

/// json and jsonb: the document's text, for jsonb behind the format's version, 1. Source: jsonb_send, jsonb_recv, json_send.
template <column_type As>
    requires(!As.array && (As.id == type_id::jsonb || As.id == type_id::json))
struct codec<json_text, As> {
    using characters = codec<std::string, column_type{type_id::json}>;
    static constexpr std::size_t prefix = As.id == type_id::jsonb ? 1 : 0;
    static constexpr bool bytewise_stable = As.id == type_id::json;
    static constexpr bool bytewise_equal = false;

    static std::size_t size_of(json_text const& value) { return prefix + characters::size_of(value.text); }
    static void store(json_text const& value, std::byte* place) noexcept {
        if constexpr (prefix != 0) *place = std::byte{version};
        characters::store(value.text, place + prefix);
    }
    static json_text decode(byte_reader in) {
        if constexpr (prefix != 0)
            if (auto const found = in.take_int8(); found != version)
                throw malformed("a jsonb value of version {}; version {} is known", int{found}, int{version});
        return {std::string(in.take_rest_as_text())};
    }

private:
    static constexpr std::int8_t version = 1;
};

namespace detail {

/// One type's ways in and out.
struct value_codec {
    void (*encode)(dynamic_value const&, column_type const&, byte_writer&);
    dynamic_value (*decode)(column_type const&, byte_reader);
    bool stable;
    bool equal;
};

[[noreturn]] void refuse_type(dynamic_value const& value, column_type const& type);

/// pgvector's types, whose dimension is the value's.
template <bool Half>
struct vector_codec {
    using format = pgvector_format<Half>;

    static void encode(dynamic_value const& from, column_type const& type, byte_writer& out) {
        auto const* const values = from.get_if<std::vector<float>>();
        if (values == nullptr) refuse_type(from, type);
        encode_floats(*values, out);
    }
    static void encode_floats(std::vector<float> const& values, byte_writer& out) {
        if (values.empty() || values.size() > vector_dimension_limit)
            throw unrepresentable("the vector has {} dimensions; pgvector stores 1 to {}", values.size(), vector_dimension_limit);
        format::check(values);
        auto const size = format::size_of(values.size());
        out.reserve(size);
        format::store(values, out.claim(size));
    }
    static dynamic_value decode(column_type const& type, byte_reader in) {
        auto const found = byte_reader(in).take_int16();
        if (found <= 0) throw malformed("a vector of {} dimensions", found);
        auto const dimensions = static_cast<std::size_t>(type.first_modifier >= 0 ? type.first_modifier : found);
        format::take_header(in, dimensions);
        std::vector<float> values(dimensions);
        format::load(in, values);
        return values;
    }
    static constexpr value_codec functions{&encode, &decode, true, false};
};

/// The ways of a type, or of an array's elements.
[[nodiscard]] value_codec const& value_codec_of(column_type const& type) noexcept;

/// Whether values of the type, or of the elements of an array, are dynamic values of a kind of their own.
[[nodiscard]] bool has_dynamic_form(column_type const& type) noexcept;

/// The type of an OID, where that is Postgres' own and has a dynamic form.
[[nodiscard]] std::optional<column_type> find_column_type(oid type) noexcept;

/// Reads a type that has a dynamic form as SQL writes it; false where it has none or isorow does not know it.
[[nodiscard]] bool parse_dynamic_type(std::string_view sql, column_type& type) noexcept;

}  // namespace detail

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/codec/detail/value_codecs_code.hpp>
#endif
