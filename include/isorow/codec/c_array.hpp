#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/codec/text.hpp>
#include <isorow/types/c_array.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <type_traits>
#include <vector>

namespace isorow::inline v1 {

/// Characters in place, as `mapping<char[Size]>` says.
template <std::size_t Size, column_type As>
    requires(!As.array && detail::is_character_type(As.id))
struct codec<char[Size], As> : text_codec<As> {
    static std::size_t size_of(char const (&value)[Size]) { return text_codec<As>::size_of(detail::text_in(value)); }
    static void store(char const (&value)[Size], std::byte* place) noexcept { text_codec<As>::store(detail::text_in(value), place); }

    static void decode_into(byte_reader in, char (&value)[Size]) {
        auto const text = in.take_rest_as_text();
        if (text.size() > Size) throw unrepresentable("the text has {} bytes, the field has room for {}", text.size(), Size);
        std::fill(std::copy(text.begin(), text.end(), value), value + Size, '\0');
    }
};

/// Elements in place: the format of a std::vector of them, and exactly as many as the field has.
template <class Element, std::size_t Size, column_type As>
    requires(!std::is_array_v<Element> && requires { codec<std::vector<Element>, As>::bytewise_stable; })
struct codec<Element[Size], As> {
    using list = std::vector<Element>;
    using list_codec = codec<list, As>;
    static constexpr bool bytewise_stable = list_codec::bytewise_stable;
    static constexpr bool bytewise_equal = list_codec::bytewise_equal;

    static void encode(Element const (&values)[Size], byte_writer& out) {
        isorow::encode<list_codec>(list(std::begin(values), std::end(values)), out);
    }
    static void decode_into(byte_reader in, Element (&values)[Size]) {
        auto list = list_codec::decode(in);
        if (list.size() != Size) throw unrepresentable("the value has {} elements, the field has {}", list.size(), Size);
        std::move(list.begin(), list.end(), std::begin(values));
    }
};

}  // namespace isorow::inline v1
