#pragma once

#include <isorow/codec/codec.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace isorow::inline v1 {

namespace detail {

/// The integers that have a column type, or may be given one.
template <class Integer>
concept stored_integer = std::signed_integral<Integer> || std::same_as<Integer, std::uint8_t> || std::same_as<Integer, std::uint16_t> ||
                         std::same_as<Integer, std::uint32_t> || std::same_as<Integer, std::uint64_t>;

template <type_id Id>
using integer_of =
    std::conditional_t<Id == type_id::int2, std::int16_t, std::conditional_t<Id == type_id::int4, std::int32_t, std::int64_t>>;

}  // namespace detail

/// smallint, integer and bigint: a two's complement of 2, 4 or 8 bytes. Source: int2send, int4send, int8send.
/// A C++ integer may be stored in a narrower column, each value's range being checked, and reads any that is not wider than itself, or than
/// the column that an unsigned one has by default.
template <class Integer, column_type As>
    requires(detail::stored_integer<Integer> && !As.array && (As.id == type_id::int2 || As.id == type_id::int4 || As.id == type_id::int8))
struct codec<Integer, As> {
    using stored = detail::integer_of<As.id>;
    using word = std::make_unsigned_t<stored>;

    static constexpr std::size_t encoded_size = sizeof(stored);
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;
    static constexpr bool reads(type_id other) {
        constexpr auto size = std::signed_integral<Integer> ? sizeof(Integer) : 2 * sizeof(Integer);
        return (other == type_id::int2) || (other == type_id::int4 && size >= 4) || (other == type_id::int8 && size >= 8);
    }

    static std::size_t size_of(Integer value) {
        if constexpr (std::numeric_limits<stored>::digits < std::numeric_limits<Integer>::digits) {
            if (!std::in_range<stored>(value)) [[unlikely]]
                throw unrepresentable("{} is out of the range of {}", value, entry_of(As.id).sql_name);
        }
        return encoded_size;
    }
    static void store(Integer value, std::byte* place) noexcept {
        detail::store_word(static_cast<word>(static_cast<stored>(value)), place);
    }
    static Integer load(std::byte const* place) { return narrowed(static_cast<stored>(detail::load_word<word>(place))); }

    static Integer decode(byte_reader in) {
        switch (in.remaining()) {
            case 2:
                return narrowed(in.take_int16());
            case 4:
                return narrowed(in.take_int32());
            case 8:
                return narrowed(in.take_int64());
            default:
                throw malformed("an integer has 2, 4 or 8 bytes, not {}", in.remaining());
        }
    }

private:
    template <class Wire>
    static Integer narrowed(Wire value) {
        if constexpr (std::unsigned_integral<Integer>) {
            if (!std::in_range<Integer>(value)) [[unlikely]]
                throw unrepresentable("{} is out of the range of the field's unsigned integer of {} bytes", value, sizeof(Integer));
        } else if constexpr (sizeof(Wire) > sizeof(Integer)) {
            if (!std::in_range<Integer>(value)) [[unlikely]]
                throw unrepresentable("{} is out of the range of the field's integer of {} bytes", value, sizeof(Integer));
        }
        return static_cast<Integer>(value);
    }
};

}  // namespace isorow::inline v1
