#pragma once

#include <isorow/codec/codec.hpp>

#include <cstddef>
#include <cstring>
#include <vector>

namespace isorow::inline v1 {

/// bytea: the bytes themselves. Source: byteasend.
template <column_type As>
    requires(As == column_type{type_id::bytea})
struct codec<std::vector<std::byte>, As> {
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;

    static std::size_t size_of(std::vector<std::byte> const& value) noexcept { return value.size(); }
    static void store(std::vector<std::byte> const& value, std::byte* place) noexcept {
        if (!value.empty()) std::memcpy(place, value.data(), value.size());
    }
    static std::vector<std::byte> decode(byte_reader in) {
        auto const bytes = in.rest();
        return {bytes.begin(), bytes.end()};
    }
};

}  // namespace isorow::inline v1
