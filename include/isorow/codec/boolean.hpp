#pragma once

#include <isorow/codec/codec.hpp>

namespace isorow::inline v1 {

/// boolean: one byte, 0 or 1. Source: boolsend.
template <column_type As>
    requires(As == column_type{type_id::boolean})
struct codec<bool, As> {
    static constexpr std::size_t encoded_size = 1;
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;

    static void store(bool value, std::byte* place) noexcept { *place = std::byte{value}; }
    static bool load(std::byte const* place) noexcept { return *place != std::byte{0}; }
    static bool decode(byte_reader in) { return detail::decode_fixed<codec>(in, "boolean"); }
};

}  // namespace isorow::inline v1
