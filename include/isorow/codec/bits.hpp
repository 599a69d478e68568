#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/types/bits.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// bit and varbit on the wire: int32 number of bits, then the bytes that hold them, the first bit the most significant one of the first
/// byte, and what is left of the last byte zero. Source: varbit_send, varbit_recv.
struct bit_format {
    static constexpr std::size_t header_size = sizeof(std::int32_t);
    /// The most bits of a value whose column sets no limit. Source: varbit.h, VARBITMAXLEN.
    static constexpr std::size_t longest = std::numeric_limits<std::int32_t>::max() - 7;

    static void store(std::span<std::uint8_t const> bytes, std::size_t count, std::byte* place) noexcept {
        store_word(static_cast<std::uint32_t>(count), place);
        if (!bytes.empty()) std::memcpy(place + header_size, bytes.data(), bytes.size());
    }

    /// The bytes of a value, checked; `count` is set to the number of its bits.
    [[nodiscard]] static std::span<std::uint8_t const> take(byte_reader in, std::size_t& count) {
        auto const found = in.take_int32();
        if (found < 0) throw malformed("a string of {} bits", found);
        count = static_cast<std::size_t>(found);
        auto const bytes = in.rest();
        if (bytes.size() != bytes_of_bits(count)) throw malformed("a string of {} bits in {} bytes", found, bytes.size());
        std::span const bits(reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size());
        if (!is_zero_padded(bits, count)) throw malformed("a string of {} bits has more of them set", found);
        return bits;
    }
};

}  // namespace detail

/// bit(N): exactly N bits.
template <std::size_t N, column_type As>
    requires(As == mapping<bit<N>>::type)
struct codec<bit<N>, As> {
    using format = detail::bit_format;
    using byte_array = typename bit<N>::byte_array;
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;

    static std::size_t size_of(bit<N> const&) noexcept { return format::header_size + byte_array{}.size(); }
    static void store(bit<N> const& value, std::byte* place) noexcept { format::store(value.bytes(), N, place); }
    static bit<N> decode(byte_reader in) {
        std::size_t count = 0;
        auto const bits = format::take(in, count);
        if (count != N) throw malformed("the string has {} bits, the field has {}", count, N);
        byte_array bytes;
        std::copy(bits.begin(), bits.end(), bytes.begin());
        return bit<N>(bytes);
    }
};

/// varbit and bit, with or without a length, which is checked before anything is sent. Reads both.
template <column_type As>
    requires(!As.array && (As.id == type_id::varbit || As.id == type_id::bit))
struct codec<varbit, As> {
    using format = detail::bit_format;
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;
    static constexpr bool reads(type_id other) { return other == type_id::varbit || other == type_id::bit; }

    static std::size_t size_of(varbit const& value) {
        if (value.size() > format::longest)
            throw unrepresentable("the string has {} bits, which is more than Postgres takes", value.size());
        if constexpr (As.first_modifier >= 0) {
            constexpr auto limit = static_cast<std::size_t>(As.first_modifier);
            if (As.id == type_id::bit ? value.size() != limit : value.size() > limit)
                throw unrepresentable("the string has {} bits, the column takes {}", value.size(), limit);
        }
        return format::header_size + value.bytes().size();
    }
    static void store(varbit const& value, std::byte* place) noexcept { format::store(value.bytes(), value.size(), place); }
    static varbit decode(byte_reader in) {
        std::size_t count = 0;
        auto const bits = format::take(in, count);
        return {std::vector<std::uint8_t>(bits.begin(), bits.end()), count};
    }
};

}  // namespace isorow::inline v1
