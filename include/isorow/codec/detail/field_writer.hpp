#pragma once

/// @file
/// How a field of a C++ type that the compiler knows goes into a column whose type is known at run time only: one function for each type
/// that its values can be stored as, chosen once per column.

#include <isorow/codec/codec.hpp>
#include <isorow/codec/detail/modifiers.hpp>
#include <isorow/codec/detail/value_codecs.hpp>
#include <isorow/types/field.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// A way into a column, and what its codec says of the bytes.
struct field_writer {
    void (*append)(void const* field, byte_writer& out);  ///< appends the field behind its length
    bool stable;
    bool equal;
};

/// Appends a field of type Field behind its length, NULL as -1, its value by `Write`.
template <class Field, auto Write>
void append_field_as(void const* field, byte_writer& out) {
    using traits = field_traits<Field>;
    auto const& stored = *static_cast<Field const*>(field);
    if constexpr (traits::nullable)
        if (!traits::has_value(stored)) return encode_null(out);
    Write(traits::get(stored), out);
}

/// Appends a vector, whose dimension is its own, behind its length.
template <bool Half>
void encode_floats_with_length(std::vector<float> const& values, byte_writer& out) {
    auto const place = out.size();
    out.put_int32(0);
    vector_codec<Half>::encode_floats(values, out);
    out.overwrite_int32(place, static_cast<std::int32_t>(out.size() - place - sizeof(std::int32_t)));
}

template <class Field, column_type As>
[[nodiscard]] constexpr field_writer writer_as() noexcept {
    using value = typename field_traits<Field>::value;
    using codec = isorow::codec<value, As>;
    return {&append_field_as<Field, &encode_with_length<codec, value>>, codec::bytewise_stable, codec::bytewise_equal};
}

/// Whether values of the type can be stored as `As`, and there is a codec that does it.
template <class Value, column_type As>
concept storable_as = accepts<Value>(As) && (!As.array || entry_of(As.id).oid != 0) && requires { codec<Value, As>::bytewise_stable; };

/// The types without modifiers by number: the catalogue's, then arrays of them.
inline constexpr std::size_t base_type_count = 2 * type_catalog.size();
[[nodiscard]] constexpr column_type base_type(std::size_t number) noexcept {
    return {static_cast<type_id>(number % type_catalog.size()), number >= type_catalog.size()};
}

/// Calls `found` with the writer of the type among those that Field can be stored as.
template <class Field, std::size_t... Number>
[[nodiscard]] std::optional<field_writer> find_writer(column_type const& base, std::index_sequence<Number...>) {
    std::optional<field_writer> found;
    auto const consider = [&]<std::size_t N>(std::integral_constant<std::size_t, N>) {
        if constexpr (storable_as<typename field_traits<Field>::value, base_type(N)>)
            if (base == base_type(N)) found = writer_as<Field, base_type(N)>();
    };
    (consider(std::integral_constant<std::size_t, Number>{}), ...);
    return found;
}

/// The writer for a column of type `type`, modifiers aside, which `check_bounds` asks of what was written; nothing where values of the
/// field cannot be stored in it.
template <class Field>
[[nodiscard]] std::optional<field_writer> writer_for(column_type const& type) {
    using value = typename field_traits<Field>::value;
    if (!accepts<value>(type)) return std::nullopt;
    if constexpr (std::same_as<value, std::vector<float>>) {
        if (type.id == type_id::vector) return field_writer{&append_field_as<Field, &encode_floats_with_length<false>>, true, false};
        if (type.id == type_id::halfvec) return field_writer{&append_field_as<Field, &encode_floats_with_length<true>>, true, false};
    }
    if constexpr (mapped<value>) {
        constexpr column_type own = mapping<value>::type;
        if constexpr (own.first_modifier >= 0 && storable_as<value, own>)
            if (type == own) return writer_as<Field, own>();
    }
    return find_writer<Field>(type.base(), std::make_index_sequence<base_type_count>{});
}

}  // namespace isorow::inline v1::detail
