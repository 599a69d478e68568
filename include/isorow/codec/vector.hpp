#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/types/vector.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// A float as IEEE 754 binary16, rounded to nearest, ties to even; infinite where it is too large.
[[nodiscard]] constexpr std::uint16_t to_half(float value) noexcept {
    auto const bits = std::bit_cast<std::uint32_t>(value);
    auto const sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    auto const magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
    if (magnitude >= 0x47800000u) return static_cast<std::uint16_t>(sign | 0x7c00u);
    if (magnitude < 0x33000000u) return sign;
    std::uint32_t mantissa = magnitude & 0x7fffffu;
    std::uint32_t half = 0;
    std::uint32_t shift = 13;
    if (magnitude < 0x38800000u) {  // a subnormal half
        shift = 126u - (magnitude >> 23);
        mantissa |= 0x800000u;
        half = mantissa >> shift;
    } else {
        half = (((magnitude >> 23) - 112u) << 10) | (mantissa >> 13);
    }
    auto const rest = mantissa & ((1u << shift) - 1u);
    auto const middle = 1u << (shift - 1u);
    if (rest > middle || (rest == middle && (half & 1u) != 0)) ++half;  // may carry into the exponent, which is right
    return static_cast<std::uint16_t>(sign | half);
}

/// An IEEE 754 binary16 as a float, exactly.
[[nodiscard]] constexpr float from_half(std::uint16_t half) noexcept {
    auto const sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
    auto const exponent = static_cast<std::uint32_t>(half >> 10) & 31u;
    auto mantissa = static_cast<std::uint32_t>(half) & 0x3ffu;
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
    if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (mantissa << 13));
    if (mantissa == 0) return std::bit_cast<float>(sign);
    auto const shift = static_cast<std::uint32_t>(std::countl_zero(mantissa)) - 21u;
    mantissa = (mantissa << shift) & 0x3ffu;
    return std::bit_cast<float>(sign | ((113u - shift) << 23) | (mantissa << 13));
}

/// pgvector's `vector` and `halfvec` on the wire: int16 dimensions, int16 0, then big-endian IEEE 754 numbers of 32 or 16 bits.
/// Source: pgvector 0.8, vector.c and halfvec.c, the functions vector_send, vector_recv, halfvec_send, halfvec_recv.
template <bool Half>
struct pgvector_format {
    static constexpr std::size_t header_size = 2 * sizeof(std::int16_t);
    static constexpr std::size_t element_size = Half ? 2 : 4;

    [[nodiscard]] static constexpr std::size_t size_of(std::size_t dimensions) noexcept { return header_size + dimensions * element_size; }

    /// pgvector refuses NaN and infinity; here the error names the element.
    static void check(std::span<float const> values) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!std::isfinite(values[i])) throw unrepresentable("vector element {} is {}", i, values[i]);
            if constexpr (Half)
                if ((to_half(values[i]) & 0x7c00u) == 0x7c00u)
                    throw unrepresentable("vector element {} is {}, which halfvec cannot hold", i, values[i]);
        }
    }

    static void store(std::span<float const> values, std::byte* place) noexcept {
        store_word(static_cast<std::uint16_t>(values.size()), place);
        store_word(std::uint16_t{0}, place + sizeof(std::uint16_t));
        place += header_size;
        for (float const value : values) {
            if constexpr (Half) store_word(to_half(value), place);
            else store_word(std::bit_cast<std::uint32_t>(value), place);
            place += element_size;
        }
    }

    /// Reads the header. Throws `malformed` where the dimension is not the field's, or the bytes are not as many as it says.
    static void take_header(byte_reader& in, std::size_t dimensions) {
        auto const found = in.take_int16();
        if (found < 0 || static_cast<std::size_t>(found) != dimensions)
            throw malformed("vector has {} dimensions, the field has {}", found, dimensions);
        static_cast<void>(in.take_int16());  // unused in pgvector, always 0
        auto const wanted = dimensions * element_size;
        if (in.remaining() != wanted) throw malformed("a vector of {} dimensions has {} bytes, not {}", dimensions, wanted, in.remaining());
    }

    static void load(byte_reader& in, std::span<float> values) {
        if constexpr (Half) {
            for (float& value : values) value = from_half(static_cast<std::uint16_t>(in.take_int16()));
        } else {
            in.take_floats(values);
        }
    }
};

template <class Vector, std::size_t N, bool Half>
struct fixed_vector_codec {
    using format = pgvector_format<Half>;
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = false;  // -0.0 = 0.0

    static std::size_t size_of(Vector const& value) {
        format::check({value.data(), N});
        return format::size_of(N);
    }
    static void store(Vector const& value, std::byte* place) noexcept { format::store({value.data(), N}, place); }
    static Vector decode(byte_reader in) {
        format::take_header(in, N);
        Vector value;
        format::load(in, {value.data(), N});
        return value;
    }
};

}  // namespace detail

template <std::size_t N, column_type As>
    requires(As == mapping<vector<N>>::type)
struct codec<vector<N>, As> : detail::fixed_vector_codec<vector<N>, N, false> {};

template <std::size_t N, column_type As>
    requires(As == mapping<halfvec<N>>::type)
struct codec<halfvec<N>, As> : detail::fixed_vector_codec<halfvec<N>, N, true> {};

/// A vector whose dimension is the column's: a value of another one is refused.
template <column_type As>
    requires(!As.array && (As.id == type_id::vector || As.id == type_id::halfvec))
struct codec<std::vector<float>, As> {
    using format = detail::pgvector_format<As.id == type_id::halfvec>;
    static constexpr auto dimensions = static_cast<std::size_t>(As.first_modifier);
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = false;

    static std::size_t size_of(std::vector<float> const& value) {
        if (value.size() != dimensions) throw unrepresentable("vector has {} dimensions, the column has {}", value.size(), dimensions);
        format::check(value);
        return format::size_of(dimensions);
    }
    static void store(std::vector<float> const& value, std::byte* place) noexcept { format::store(value, place); }
    static std::vector<float> decode(byte_reader in) {
        format::take_header(in, dimensions);
        std::vector<float> value(dimensions);
        format::load(in, value);
        return value;
    }
};

}  // namespace isorow::inline v1
