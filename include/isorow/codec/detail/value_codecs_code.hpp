#pragma once

#include <isorow/codec/detail/value_codecs.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

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

/// A text may be written as a range.
template <type_id Id>
    requires(is_range_type(Id) || is_multirange_type(Id))
struct stored_value<Id> : stored_as<other_text> {
    static std::optional<other_text> converted(dynamic_value const& value) { return codec<other_text, column_type{Id}>::from_text(value); }
};

template <>
struct stored_value<type_id::timestamp> : stored_as<timestamp> {
    /// A moment in a column without zone is stored in UTC.
    static std::optional<timestamp> converted(dynamic_value const& value) {
        auto const* const moment = value.get_if<timestamptz>();
        return moment == nullptr ? std::nullopt : std::optional<timestamp>(moment->count());
    }
};

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

/// The C++ type whose `parse` and `to_string` make a type's values of texts and texts of them.
template <type_id Id>
struct printed_value;
template <>
struct printed_value<type_id::inet> : stored_as<inet> {};
template <>
struct printed_value<type_id::cidr> : stored_as<cidr> {};
template <>
struct printed_value<type_id::macaddr> : stored_as<macaddr> {};
template <>
struct printed_value<type_id::macaddr8> : stored_as<macaddr8> {};
template <>
struct printed_value<type_id::bit> : stored_as<varbit> {};
template <>
struct printed_value<type_id::varbit> : stored_as<varbit> {};
template <>
struct printed_value<type_id::hstore> : stored_as<hstore> {};

/// Types whose values are held as the texts that the server prints.
template <type_id Id>
struct printed_codec {
    using value = typename printed_value<Id>::type;
    using codec = isorow::codec<value, column_type{Id}>;

    static void encode(dynamic_value const& from, column_type const& type, byte_writer& out) {
        auto const* const text = find_text(from);
        if (text == nullptr) refuse_type(from, type);
        isorow::encode<codec>(parse_printed<value>(*text, entry_of(Id).sql_name), out);
    }
    static dynamic_value decode(column_type const&, byte_reader in) {
        return other_text{std::string(entry_of(Id).sql_name), to_string(codec::decode(in))};
    }
    static constexpr value_codec functions{&encode, &decode, codec::bytewise_stable, codec::bytewise_equal};
};

/// The same of sparsevec, whose dimension is the value's.
struct sparse_codec {
    static void encode(dynamic_value const& from, column_type const& type, byte_writer& out) {
        auto const* const text = find_text(from);
        if (text == nullptr) refuse_type(from, type);
        auto const values = sparse_values::parse(*text);
        if (!values) throw unrepresentable("the text is not one of type sparsevec");
        auto const size = sparsevec_format::size_of(values->elements);
        out.reserve(size);
        sparsevec_format::store(static_cast<std::size_t>(values->size), values->elements, out.claim(size));
    }
    static dynamic_value decode(column_type const&, byte_reader in) {
        return other_text{std::string(entry_of(type_id::sparsevec).sql_name), to_string(sparsevec_format::decode(in))};
    }
    static constexpr value_codec functions{&encode, &decode, true, true};
};

/// Of types whose values are no dynamic values yet: they are read as texts, which `::text` in the query makes of them.
struct no_codec {
    [[noreturn]] static void encode(dynamic_value const& from, column_type const& type, byte_writer&) { refuse_type(from, type); }
    [[noreturn]] static dynamic_value decode(column_type const& type, byte_reader) {
        throw unrepresentable("a value of type {} can only be read as text; select it with ::text", to_sql(type));
    }
    static constexpr value_codec functions{&encode, &decode, false, false};
};

/// Enumerations of the user's are their labels. Composite types are no dynamic values.
struct user_codec {
    static void encode(dynamic_value const& from, column_type const& type, byte_writer& out) {
        auto const* const label = from.get_if<std::string>();
        if (label == nullptr || !is_enumeration(type)) refuse_type(from, type);
        for (auto const known : type.user->labels)
            if (known == *label) return out.put_bytes(known);
        throw unrepresentable("\"{}\" is no label of {}", *label, to_sql(type));
    }
    static dynamic_value decode(column_type const& type, byte_reader in) {
        if (!is_enumeration(type)) return no_codec::decode(type, in);
        return std::string(in.take_rest_as_text());
    }
    static bool is_enumeration(column_type const& type) noexcept {
        return type.user != nullptr && type.user->kind == user_type_kind::enumeration;
    }
    static constexpr value_codec functions{&encode, &decode, true, true};
};

template <type_id Id>
concept dynamic_scalar = requires { typename stored_value<Id>::type; };

template <type_id Id>
concept printed_scalar = requires { typename printed_value<Id>::type; };

template <type_id Id>
inline constexpr value_codec functions_of = [] {
    // NOLINTNEXTLINE(bugprone-branch-clone): what is left of it where neither is instantiated
    if constexpr (dynamic_scalar<Id>) return scalar_codec<Id>::functions;
    else if constexpr (printed_scalar<Id>) return printed_codec<Id>::functions;
    else return no_codec::functions;
}();
template <>
inline constexpr value_codec functions_of<type_id::vector> = vector_codec<false>::functions;
template <>
inline constexpr value_codec functions_of<type_id::halfvec> = vector_codec<true>::functions;
template <>
inline constexpr value_codec functions_of<type_id::sparsevec> = sparse_codec::functions;
template <>
inline constexpr value_codec functions_of<type_id::user> = user_codec::functions;

inline constexpr auto value_codecs = []<std::size_t... Id>(std::index_sequence<Id...>) {
    return std::array{functions_of<static_cast<type_id>(Id)>...};
}(std::make_index_sequence<type_catalog.size()>{});

[[noreturn]] ISOROW_DECL void refuse_type(dynamic_value const& value, column_type const& type) {
    throw unrepresentable("{} cannot be stored as {}", value.kind_name(), to_sql(type));
}

ISOROW_DECL value_codec const& value_codec_of(column_type const& type) noexcept { return value_codecs[static_cast<std::size_t>(type.id)]; }

ISOROW_DECL bool has_dynamic_form(column_type const& type) noexcept { return value_codec_of(type).decode != no_codec::functions.decode; }

ISOROW_DECL std::optional<column_type> find_column_type(oid type) noexcept {
    for (auto const& entry : type_catalog) {
        column_type const found{entry.id, entry.array_oid == type};
        if (entry.oid != 0 && (entry.oid == type || entry.array_oid == type) && has_dynamic_form(found)) return found;
    }
    return std::nullopt;
}

ISOROW_DECL bool parse_dynamic_type(std::string_view sql, column_type& type) noexcept {
    return parse_column_type(sql, type) && has_dynamic_form(type);
}

}  // namespace detail

}  // namespace isorow::inline v1
