#pragma once

#include <isorow/codec/codec.hpp>

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace isorow::inline v1 {

/// real and double precision: IEEE 754, bit for bit, NaN and infinities too. Source: float4send, float8send.
/// A double may be stored in a real column: rounded to nearest, as was asked; a finite value that would become infinite is an error.
template <std::floating_point Float, column_type As>
    requires((std::same_as<Float, float> || std::same_as<Float, double>) && !As.array &&
             (As.id == type_id::float4 || As.id == type_id::float8))
struct codec<Float, As> {
    using stored = std::conditional_t<As.id == type_id::float4, float, double>;
    using word = std::conditional_t<As.id == type_id::float4, std::uint32_t, std::uint64_t>;

    static constexpr std::size_t encoded_size = sizeof(stored);
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = false;  // -0.0 = 0.0, and NaN has many images
    static constexpr bool reads(type_id other) {
        return other == type_id::float4 || (other == type_id::float8 && As.id == type_id::float8);
    }

    static std::size_t size_of(Float value) {
        if constexpr (sizeof(stored) < sizeof(Float))
            if (std::isfinite(value) && !std::isfinite(static_cast<stored>(value)))
                throw unrepresentable("{} is out of the range of real", value);
        return encoded_size;
    }
    static void store(Float value, std::byte* place) noexcept {
        detail::store_word(std::bit_cast<word>(static_cast<stored>(value)), place);
    }
    static Float load(std::byte const* place) { return narrowed(std::bit_cast<stored>(detail::load_word<word>(place))); }

    static Float decode(byte_reader in) {
        switch (in.remaining()) {
            case 4:
                return static_cast<Float>(in.take_float());
            case 8:
                return narrowed(in.take_double());
            default:
                throw malformed("a floating point number has 4 or 8 bytes, not {}", in.remaining());
        }
    }

private:
    template <class Wire>
    static Float narrowed(Wire value) {
        if constexpr (sizeof(Wire) > sizeof(Float))
            if (std::isfinite(value) && static_cast<Wire>(static_cast<Float>(value)) != value)
                throw unrepresentable("{} is not exactly a float; use double", value);
        return static_cast<Float>(value);
    }
};

}  // namespace isorow::inline v1
