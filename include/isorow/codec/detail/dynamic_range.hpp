#pragma once

/// @file
/// Ranges and multiranges in dynamic values: `other_text` with the name of the type, as Postgres prints them, moments in UTC.

#include <isorow/codec/date_time.hpp>
#include <isorow/codec/dynamic_value.hpp>
#include <isorow/codec/integer.hpp>
#include <isorow/codec/numeric.hpp>
#include <isorow/codec/range.hpp>
#include <isorow/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace isorow::inline v1 {

namespace detail {

/// How a range or multirange is made of its text and becomes one.
struct range_text_codec {
    void (*encode)(std::string_view text, byte_writer& out);  ///< throws `unrepresentable` where the text is none of the type
    std::string (*decode)(byte_reader in);
};

/// The ways of a type that is a range or a multirange.
// NOLINTNEXTLINE(readability-redundant-declaration): the code may stand before it
range_text_codec range_text_codec_of(type_id type);

#if ISOROW_HAS_CODE

template <class Range>
void encode_range_text(std::string_view text, byte_writer& out) {
    auto const read = Range::parse(text);
    if (!read) throw unrepresentable("the text \"{}\" is no {}", text, entry_of(default_type<Range>.id).sql_name);
    isorow::encode<codec<Range>>(*read, out);
}
template <class Range>
[[nodiscard]] std::string decode_range_text(byte_reader in) {
    return to_string(codec<Range>::decode(in));
}

template <class... Bound>
[[nodiscard]] range_text_codec find_range_text_codec(type_id type) {
    range_text_codec found{};
    auto const consider = [&]<class Range>(std::type_identity<Range>) {
        if (default_type<Range>.id == type) found = {&encode_range_text<Range>, &decode_range_text<Range>};
    };
    (consider(std::type_identity<range<Bound>>{}), ...);
    (consider(std::type_identity<multirange<Bound>>{}), ...);
    return found;
}

ISOROW_DECL range_text_codec range_text_codec_of(type_id type) {
    return find_range_text_codec<std::int32_t, std::int64_t, numeric, date, timestamp, timestamptz>(type);
}

#endif

}  // namespace detail

/// Ranges and multiranges as texts of their values.
template <column_type As>
    requires(!As.array && (detail::is_range_type(As.id) || detail::is_multirange_type(As.id)))
struct codec<other_text, As> {
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = As.id != type_id::numrange && As.id != type_id::nummultirange;  // 1.0 = 1.00

    static void encode(other_text const& from, byte_writer& out) {
        if (from.type != type) throw unrepresentable("a value of type {} cannot be stored as {}", from.type, type);
        detail::range_text_codec_of(As.id).encode(from.text, out);
    }
    static other_text decode(byte_reader in) { return {std::string(type), detail::range_text_codec_of(As.id).decode(in)}; }

    /// A text that is to be stored as a value of the type.
    [[nodiscard]] static std::optional<other_text> from_text(dynamic_value const& from) {
        auto const* const characters = from.get_if<std::string>();
        return characters == nullptr ? std::nullopt : std::optional(other_text{std::string(type), *characters});
    }

private:
    static constexpr std::string_view type = entry_of(As.id).sql_name;
};

namespace detail {

template <class Range>
struct dynamic_range_form {
    static other_text hold(Range const& value) { return {std::string(type), to_string(value)}; }
    static Range read(dynamic_value const& value) {
        auto const& held = held_as<other_text>(value, text("a value of type {}", type));
        column_type found;
        if (!parse_column_type(held.type, found) || !accepts<Range>(found)) refuse_kind(value, text("a value of type {}", type));
        auto const read = Range::parse(held.text);
        if (!read) throw unrepresentable("{} has bounds that the range's type does not have", held.text);
        return *read;
    }

private:
    static constexpr std::string_view type = entry_of(mapping<Range>::type.id).sql_name;
};

template <parsable_bound T>
struct dynamic_form<range<T>> : dynamic_range_form<range<T>> {};
template <parsable_bound T>
struct dynamic_form<multirange<T>> : dynamic_range_form<multirange<T>> {};

}  // namespace detail

}  // namespace isorow::inline v1
