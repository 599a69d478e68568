#pragma once

/// @file
/// For each of Postgres' types, how dynamic values are written and read: the typed codecs, found by the type's id.

#include <isorow/codec/dynamic_value.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/types/column_type.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
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

/// How a dynamic value holds the values of a type: `type`, and in `converted`, where there is one, what else may be stored, as that type.
template <type_id Id>
struct stored_value;

template <class T>
struct stored_as {
    using type = T;
};

template <>
struct stored_value<type_id::boolean> : stored_as<bool> {};
template <>
struct stored_value<type_id::int2> : stored_as<std::int64_t> {};
template <>
struct stored_value<type_id::int4> : stored_as<std::int64_t> {};
template <>
struct stored_value<type_id::int8> : stored_as<std::int64_t> {};
template <>
struct stored_value<type_id::bytea> : stored_as<std::vector<std::byte>> {};
template <>
struct stored_value<type_id::uuid> : stored_as<uuid> {};
template <>
struct stored_value<type_id::date> : stored_as<date> {};
template <>
struct stored_value<type_id::time> : stored_as<time> {};
template <>
struct stored_value<type_id::timetz> : stored_as<timetz> {};
template <>
struct stored_value<type_id::timestamptz> : stored_as<timestamptz> {};
template <>
struct stored_value<type_id::interval> : stored_as<interval> {};
template <>
struct stored_value<type_id::jsonb> : stored_as<json_text> {};

template <class Float>
struct stored_as_float : stored_as<double> {
    static std::optional<double> converted(dynamic_value const& value) {
        auto const* const whole = value.get_if<std::int64_t>();
        if (whole == nullptr) return std::nullopt;
        auto const exact = exact_float<Float>(*whole);
        if (!exact) throw unrepresentable("{} is not exactly a {}", *whole, sizeof(Float) == sizeof(float) ? "real" : "double precision");
        return static_cast<double>(*exact);
    }
};
template <>
struct stored_value<type_id::float4> : stored_as_float<float> {};
template <>
struct stored_value<type_id::float8> : stored_as_float<double> {};

template <>
struct stored_value<type_id::numeric> : stored_as<numeric> {
    static std::optional<numeric> converted(dynamic_value const& value) {
        auto const* const whole = value.get_if<std::int64_t>();
        return whole == nullptr ? std::nullopt : std::optional<numeric>(*whole);
    }
};

template <type_id Id>
    requires(is_character_type(Id))
struct stored_value<Id> : stored_as<std::string> {};
/// What is read from json is a document; a text may be written as one, as a field of `std::string` may.
template <>
struct stored_value<type_id::json> : stored_as<json_text> {
    static std::optional<json_text> converted(dynamic_value const& value) {
        auto const* const characters = value.get_if<std::string>();
        return characters == nullptr ? std::nullopt : std::optional(json_text{*characters});
    }
};

template <>
struct stored_value<type_id::timestamp> : stored_as<timestamp> {
    /// A moment in a column without zone is stored in UTC.
    static std::optional<timestamp> converted(dynamic_value const& value) {
        auto const* const moment = value.get_if<timestamptz>();
        return moment == nullptr ? std::nullopt : std::optional<timestamp>(moment->count());
    }
};

/// One type's ways in and out.
struct value_codec {
    void (*encode)(dynamic_value const&, column_type const&, byte_writer&);
    dynamic_value (*decode)(column_type const&, byte_reader);
    bool stable;
    bool equal;
};

[[noreturn]] inline void refuse_type(dynamic_value const& value, column_type const& type) {
    throw unrepresentable("{} cannot be stored as {}", value.kind_name(), to_sql(type));
}

template <type_id Id>
struct scalar_codec {
    using stored = stored_value<Id>;
    using value = typename stored::type;
    using codec = isorow::codec<value, column_type{Id}>;

    static void encode(dynamic_value const& from, column_type const& type, byte_writer& out) {
        if (auto const* const held = from.get_if<value>()) return isorow::encode<codec>(*held, out);
        if constexpr (requires { stored::converted(from); })
            if (auto const converted = stored::converted(from)) return isorow::encode<codec>(*converted, out);
        refuse_type(from, type);
    }
    static dynamic_value decode(column_type const&, byte_reader in) {
        if constexpr (fixed_size_codec<codec>) return decode_fixed<codec>(in, entry_of(Id).sql_name.data());
        else return codec::decode(in);
    }
    static constexpr value_codec functions{&encode, &decode, codec::bytewise_stable, codec::bytewise_equal};
};

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

template <type_id Id>
inline constexpr value_codec functions_of = scalar_codec<Id>::functions;
template <>
inline constexpr value_codec functions_of<type_id::vector> = vector_codec<false>::functions;
template <>
inline constexpr value_codec functions_of<type_id::halfvec> = vector_codec<true>::functions;

inline constexpr auto value_codecs = []<std::size_t... Id>(std::index_sequence<Id...>) {
    return std::array{functions_of<static_cast<type_id>(Id)>...};
}(std::make_index_sequence<type_catalog.size()>{});

/// The ways of a type, or of an array's elements.
[[nodiscard]] inline value_codec const& value_codec_of(column_type const& type) noexcept {
    return value_codecs[static_cast<std::size_t>(type.id)];
}

/// The type of an OID, where that is Postgres' own.
[[nodiscard]] inline std::optional<column_type> find_column_type(oid type) noexcept {
    for (auto const& entry : type_catalog)
        if (entry.oid != 0 && (entry.oid == type || entry.array_oid == type)) return column_type{entry.id, entry.array_oid == type};
    return std::nullopt;
}

}  // namespace detail

}  // namespace isorow::inline v1
