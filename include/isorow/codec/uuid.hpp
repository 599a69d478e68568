#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/types/uuid.hpp>

#include <cstring>

namespace isorow::inline v1 {

/// uuid: its sixteen bytes. Source: uuid_send.
template <column_type As>
    requires(As == column_type{type_id::uuid})
struct codec<uuid, As> {
    static constexpr std::size_t encoded_size = 16;
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;

    static void store(uuid const& value, std::byte* place) noexcept { std::memcpy(place, value.bytes().data(), encoded_size); }
    static uuid load(std::byte const* place) noexcept {
        std::array<std::uint8_t, 16> bytes;
        std::memcpy(bytes.data(), place, encoded_size);
        return uuid(bytes);
    }
    static uuid decode(byte_reader in) { return detail::decode_fixed<codec>(in, "uuid"); }
};

}  // namespace isorow::inline v1
