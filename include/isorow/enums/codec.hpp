#pragma once

#include <isorow/codec/integer.hpp>
#include <isorow/codec/text.hpp>
#include <isorow/enums/mapping.hpp>
#include <isorow/reflect/type_name.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace isorow::inline v1 {

namespace detail {

[[nodiscard]] inline std::string listed_labels(std::span<std::string_view const> labels) {
    std::string list;
    for (auto const label : labels) list.append(list.empty() ? "" : ", ").append(label);
    return list;
}

[[noreturn]] inline void refuse_label(std::string_view found, std::string_view enumeration, std::span<std::string_view const> labels) {
    throw unrepresentable("the text \"{}\" is no value of {}, which has: {}", found, enumeration, listed_labels(labels));
}

/// A value that has no name, known by its number.
template <class Enum>
[[noreturn]] void refuse_enum_value(std::underlying_type_t<Enum> number) {
    throw unrepresentable("{} is the number of no value of {} that has a name; it has: {}", +number, type_name<Enum>(),
                          listed_labels(labels_of_enum<Enum>));
}

/// The place of a value among the named ones. Throws `unrepresentable` where it has no name.
template <class Enum>
[[nodiscard]] std::size_t place_of_value(Enum value) {
    auto const& named = enum_names<Enum>;
    for (std::size_t place = 0; place < named.size(); ++place)
        if (named[place].value == value) return place;
    refuse_enum_value<Enum>(static_cast<std::underlying_type_t<Enum>>(value));
}

}  // namespace detail

/// text, varchar(n) and native enum types: the value's name. Source: textsend, textrecv, enum_send, enum_recv. A value without a name is
/// refused, and so is a text that is no name.
template <detail::named_enum Enum, column_type As>
    requires(!As.array && (As.id == type_id::text || As.id == type_id::varchar || As.id == type_id::user))
struct codec<Enum, As> {
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;
    static constexpr bool reads(type_id other) { return detail::is_character_type(other); }

    static std::size_t size_of(Enum value) { return enum_names<Enum>[detail::place_of_value(value)].name.size(); }
    /// The value has a name, as `size_of` has made sure of that.
    static void store(Enum value, std::byte* place) noexcept {
        for (auto const& one : enum_names<Enum>)
            if (one.value == value) return detail::copy_text(one.name, place);
    }
    static Enum decode(byte_reader in) {
        auto const text = in.take_rest_as_text();
        for (auto const& one : enum_names<Enum>)
            if (one.name == text) return one.value;
        detail::refuse_label(text, type_name<Enum>(), detail::labels_of_enum<Enum>);
    }
};

/// smallint, integer and bigint: the value's number, as that of an integer. A number without a named value is refused in both ways.
template <detail::named_enum Enum, column_type As>
    requires(!As.array && (As.id == type_id::int2 || As.id == type_id::int4 || As.id == type_id::int8))
struct codec<Enum, As> {
    using number = detail::integer_of<As.id>;
    using number_codec = codec<number, As>;

    static constexpr std::size_t encoded_size = number_codec::encoded_size;
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;
    static constexpr bool reads(type_id other) { return number_codec::reads(other); }

    static std::size_t size_of(Enum value) {
        static_cast<void>(detail::place_of_value(value));
        return encoded_size;
    }
    static void store(Enum value, std::byte* place) noexcept { number_codec::store(static_cast<number>(value), place); }
    static Enum load(std::byte const* place) { return value_of(number_codec::load(place)); }
    static Enum decode(byte_reader in) { return value_of(number_codec::decode(in)); }

private:
    static Enum value_of(number found) {
        for (auto const& one : enum_names<Enum>)
            if (static_cast<number>(one.value) == found) return one.value;
        throw unrepresentable("{} is the number of no value of {}, which has: {}", found, type_name<Enum>(),
                              detail::listed_labels(detail::labels_of_enum<Enum>));
    }
};

}  // namespace isorow::inline v1
