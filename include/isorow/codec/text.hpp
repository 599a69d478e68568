#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/codec/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// text, varchar(n), character(n), name, citext, xml and json: the characters themselves, in UTF-8. Source: textsend, textrecv.
/// NUL bytes and invalid UTF-8 are refused with their place before anything is sent; so are more characters than varchar(n) and
/// character(n) have room for.
template <column_type As>
struct text_codec {
    static constexpr bool bytewise_stable = As.id != type_id::bpchar;
    static constexpr bool bytewise_equal = As.id != type_id::bpchar && As.id != type_id::citext;
    static constexpr bool reads(type_id other) { return detail::is_character_type(other); }

    static std::size_t size_of(std::string_view value) {
        if (auto const bad = detail::find_unstorable(value); bad != value.size()) [[unlikely]]
            refuse(value, bad);
        if constexpr ((As.id == type_id::varchar || As.id == type_id::bpchar) && As.first_modifier >= 0) check_length(value);
        return value.size();
    }
    static void store(std::string_view value, std::byte* place) noexcept { detail::copy_text(value, place); }

protected:
    [[noreturn]] static void refuse(std::string_view value, std::size_t place) {
        if (value[place] == '\0') throw unrepresentable("the text has a NUL byte at byte {}, which Postgres cannot store", place);
        throw unrepresentable("the text is not valid UTF-8 at byte {}", place);
    }

    static void check_length(std::string_view value) {
        auto const limit = static_cast<std::size_t>(As.first_modifier);
        if (value.size() <= limit) return;
        std::size_t characters = 0;
        for (char const byte : value) characters += (static_cast<unsigned char>(byte) & 0xc0) != 0x80 ? 1 : 0;
        if (characters > limit) throw unrepresentable("the text has {} characters, the column takes {}", characters, limit);
    }
};

template <column_type As>
    requires(!As.array && detail::is_character_type(As.id))
struct codec<std::string, As> : text_codec<As> {
    static void decode_into(byte_reader in, std::string& value) {
        auto const text = in.take_rest_as_text();
        value.assign(text.data(), text.size());
    }
    static std::string decode(byte_reader in) { return std::string(in.take_rest_as_text()); }
};

/// A view that was read refers to the bytes that it was decoded from.
template <column_type As>
    requires(!As.array && detail::is_character_type(As.id))
struct codec<std::string_view, As> : text_codec<As> {
    static std::string_view decode(byte_reader in) noexcept { return in.take_rest_as_text(); }
};

}  // namespace isorow::inline v1
