#pragma once

#include <isorow/codec/codec.hpp>

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

namespace isorow::inline v1 {

/// bytea: the bytes themselves. Source: byteasend.
struct bytea_codec {
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;

    static std::size_t size_of(std::span<std::byte const> value) noexcept { return value.size(); }
    static void store(std::span<std::byte const> value, std::byte* place) noexcept {
        if (!value.empty()) std::memcpy(place, value.data(), value.size());
    }
};

template <column_type As>
    requires(As == column_type{type_id::bytea})
struct codec<std::vector<std::byte>, As> : bytea_codec {
    static std::vector<std::byte> decode(byte_reader in) {
        auto const bytes = in.rest();
        return {bytes.begin(), bytes.end()};
    }
};

/// A view that was read refers to the bytes that it was decoded from.
template <column_type As>
    requires(As == column_type{type_id::bytea})
struct codec<std::span<std::byte const>, As> : bytea_codec {
    static std::span<std::byte const> decode(byte_reader in) noexcept { return in.rest(); }
};

}  // namespace isorow::inline v1
