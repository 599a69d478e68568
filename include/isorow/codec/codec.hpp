#pragma once

/// @file
/// What a codec is, and how the floors above call one.

#include <isorow/codec/bytes.hpp>
#include <isorow/types/mapping.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace isorow::inline v1 {

/// Postgres' binary format of a T in a column of type `As`. Lengths and NULLs are not a codec's: whoever calls it writes and reads them.
///
/// A codec decodes with
/// - `static T decode(byte_reader in)`: reads exactly the bytes of `in`; throws `malformed` where they are not a value of `As`, and
///   `unrepresentable` where they are one that T does not have. No count from the wire is used before it is compared with what `in` holds.
///
/// and encodes in one of two ways, both throwing `unrepresentable` for a value that `As` does not have:
/// - sized, where the size is known before a byte is written: `static std::size_t size_of(T const&)`, which also checks the value, and
///   `static void store(T const&, std::byte* place)`, which then writes exactly so many bytes and never throws. Where the size is the
///   same for all values, it is `static constexpr std::size_t encoded_size`, and then `static T load(std::byte const*)` reads it back;
/// - streamed: `static void encode(T const&, byte_writer& out)` appends the value.
///
/// Every codec says
/// - `static constexpr bool bytewise_stable`: the server gives back the bytes it was given (not so for jsonb, or numeric(p,s));
/// - `static constexpr bool bytewise_equal`: two values are equal for the server's `=` exactly where their bytes are (not so for floats,
///   numeric and interval), so that keys may be compared as bytes.
/// It may say `static constexpr bool reads(type_id)`: other types whose values `decode` understands, such as integer for an int64.
template <class T, column_type As = default_type<T>>
struct codec;

/// A codec whose values have one size.
template <class Codec>
concept fixed_size_codec = requires {
    { Codec::encoded_size } -> std::convertible_to<std::size_t>;
};

/// A codec that knows a value's size before it writes.
template <class Codec, class T>
concept sized_codec = fixed_size_codec<Codec> || requires(T const& value) {
    { Codec::size_of(value) } -> std::convertible_to<std::size_t>;
};

/// A C++ type that has a codec for its default column type, or for the one given.
template <class T, column_type As>
concept encodable_as = requires(byte_reader in) {
    { codec<T, As>::decode(in) } -> std::convertible_to<T>;
};

/// The bytes that a value of a sized codec takes, the value being checked.
template <class Codec, class T>
[[nodiscard]] constexpr std::size_t encoded_size_of(T const& value) {
    if constexpr (requires { Codec::size_of(value); }) return Codec::size_of(value);
    else return Codec::encoded_size;
}

/// Appends a value without its length.
template <class Codec, class T>
void encode(T const& value, byte_writer& out) {
    if constexpr (sized_codec<Codec, T>) {
        auto const size = encoded_size_of<Codec>(value);
        out.reserve(size);
        Codec::store(value, out.claim(size));
    } else {
        Codec::encode(value, out);
    }
}

/// Appends a value behind its length, as rows, parameters and arrays hold it. Throws `unrepresentable` where it is longer than the
/// protocol can say.
template <class Codec, class T>
void encode_with_length(T const& value, byte_writer& out) {
    auto const place = out.size();
    out.put_int32(0);
    isorow::encode<Codec>(value, out);
    auto const size = out.size() - place - sizeof(std::int32_t);
    if (size > longest_value) throw unrepresentable("the value takes {} bytes, which is more than a Postgres value can have", size);
    out.overwrite_int32(place, static_cast<std::int32_t>(size));
}

/// Appends NULL: the length -1.
inline void encode_null(byte_writer& out) { out.put_int32(-1); }

namespace detail {

/// `decode` of codecs of fixed size: the size is checked, then `load` does the rest.
template <class Codec>
[[nodiscard]] auto decode_fixed(byte_reader in, char const* type) {
    if (in.remaining() != Codec::encoded_size) [[unlikely]]
        throw malformed("a {} has {} bytes, not {}", type, Codec::encoded_size, in.remaining());
    return Codec::load(in.rest().data());
}

/// Stores and loads a word in the order of the wire.
template <std::unsigned_integral Word>
void store_word(Word word, std::byte* place) noexcept {
    word = big_endian(word);
    std::memcpy(place, &word, sizeof word);
}
template <std::unsigned_integral Word>
[[nodiscard]] Word load_word(std::byte const* place) noexcept {
    Word word;
    std::memcpy(&word, place, sizeof word);
    return big_endian(word);
}

}  // namespace detail

}  // namespace isorow::inline v1
