#pragma once

/// @file
/// XXH3-128: what isorow remembers of rows and inputs that it has seen.

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace isorow::inline v1::detail {

/// 128 bits that stand for some bytes.
struct fingerprint {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend bool operator==(fingerprint const&, fingerprint const&) = default;

    /// The sum with carry: fingerprints of parts are summed where their order must not matter.
    fingerprint& operator+=(fingerprint const& other) noexcept {
        low += other.low;
        high += other.high + (low < other.low ? 1 : 0);
        return *this;
    }
};

[[nodiscard]] inline fingerprint fingerprint_of(std::span<std::byte const> bytes, std::uint64_t seed = 0) noexcept {
    auto const hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
    return {hash.high64, hash.low64};
}

/// 64 bits of a text, as a seed for fingerprints.
[[nodiscard]] inline std::uint64_t seed_of(std::string_view text) noexcept { return XXH3_64bits(text.data(), text.size()); }

}  // namespace isorow::inline v1::detail
