#pragma once

/// @file
/// How a field of a C++ type that the compiler knows goes into a column whose type is known at run time only: one function for each type
/// that its values can be stored as, chosen once per column.

#include <isorow/codec/codec.hpp>
#include <isorow/codec/detail/modifiers.hpp>
#include <isorow/codec/detail/value_codecs.hpp>
#include <isorow/types/field.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <type_traits>
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
concept storable_as = accepts<Value>(As) && requires { codec<Value, As>::bytewise_stable; };

/// The types without modifiers by number: the catalogue's, then arrays of them.
inline constexpr std::size_t base_type_count = 2 * type_catalog.size();
[[nodiscard]] constexpr column_type base_type(std::size_t number) noexcept {
    return {static_cast<type_id>(number % type_catalog.size()), number >= type_catalog.size()};
}

/// The numbers of the types that values of Value may be stored as.
template <class Value>
struct accepted_types {
    static constexpr std::size_t count = [] {
        std::size_t found = 0;
        for (std::size_t number = 0; number < base_type_count; ++number) found += accepts<Value>(base_type(number)) ? 1 : 0;
        return found;
    }();
    static constexpr std::array<std::size_t, count> numbers = [] {
        std::array<std::size_t, count> found{};
        std::size_t place = 0;
        for (std::size_t number = 0; number < base_type_count; ++number)
            if (accepts<Value>(base_type(number))) found[place++] = number;
        return found;
    }();
};

/// The writer of the type among those that Field can be stored as.
template <class Field, std::size_t... Place>
[[nodiscard]] std::optional<field_writer> find_writer(column_type const& base, std::index_sequence<Place...>) {
    using value = typename field_traits<Field>::value;
    std::optional<field_writer> found;
    [[maybe_unused]] auto const consider = [&]<column_type As>(std::integral_constant<column_type, As>) {
        if constexpr (storable_as<value, As>)
            if (base == As) found = writer_as<Field, As>();
    };
    (consider(std::integral_constant<column_type, base_type(accepted_types<value>::numbers[Place])>{}), ...);
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
        if constexpr ((own.first_modifier >= 0 || own.user != nullptr) && storable_as<value, own>)
            if (type == own) return writer_as<Field, own>();
    }
    return find_writer<Field>(type.base(), std::make_index_sequence<accepted_types<value>::count>{});
}

}  // namespace isorow::inline v1::detail
