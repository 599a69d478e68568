#pragma once

/// @file
/// Strings of bits. As in Postgres, bit 0 is the first from the left.

#include <isorow/config.hpp>
#include <isorow/error/value_error.hpp>
#include <isorow/types/mapping.hpp>
#include <isorow/types/vector.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// The most bits of a `bit(n)` or `varbit(n)`. Source: varbit.c, anybit_typmodin.
inline constexpr std::size_t bit_length_limit = 83'886'080;

namespace detail {

/// How many bytes hold so many bits: the first bit is the most significant one of the first byte, and what is left of the last is zero.
[[nodiscard]] constexpr std::size_t bytes_of_bits(std::size_t count) noexcept { return count / 8 + (count % 8 == 0 ? 0 : 1); }

[[nodiscard]] constexpr std::uint8_t mask_of_bit(std::size_t place) noexcept { return static_cast<std::uint8_t>(0x80u >> (place % 8)); }

[[nodiscard]] constexpr bool bit_at(std::span<std::uint8_t const> bytes, std::size_t place) noexcept {
    return (bytes[place / 8] & mask_of_bit(place)) != 0;
}

constexpr void set_bit(std::span<std::uint8_t> bytes, std::size_t place, bool value) noexcept {
    auto const mask = mask_of_bit(place);
    bytes[place / 8] = static_cast<std::uint8_t>(value ? bytes[place / 8] | mask : bytes[place / 8] & ~mask);
}

/// Whether what is left of the last byte is zero.
[[nodiscard]] constexpr bool is_zero_padded(std::span<std::uint8_t const> bytes, std::size_t count) noexcept {
    return count % 8 == 0 || (bytes[count / 8] & (0xffu >> (count % 8))) == 0;
}

/// Sets the bits that are 1 in a text of as many characters; false where it has others than 0 and 1.
[[nodiscard]] constexpr bool read_bits(std::string_view text, std::span<std::uint8_t> bytes) noexcept {
    for (std::size_t place = 0; place < text.size(); ++place) {
        if (text[place] != '0' && text[place] != '1') return false;
        set_bit(bytes, place, text[place] == '1');
    }
    return true;
}

[[nodiscard]] std::string bits_text(std::span<std::uint8_t const> bytes, std::size_t count);

}  // namespace detail

/// Postgres' `bit(N)`: N bits, ordered as Postgres orders them. All zero at first. pgvector takes them for binary vectors.
template <std::size_t N>
    requires(N > 0 && N <= bit_length_limit)
class bit {
public:
    using byte_array = std::array<std::uint8_t, detail::bytes_of_bits(N)>;

    constexpr bit() = default;
    /// From bytes as they stand on the wire. Throws `unrepresentable` where a bit is set behind the last.
    constexpr explicit bit(byte_array const& bytes) : bytes_(bytes) {
        if (!detail::is_zero_padded(bytes_, N)) throw unrepresentable("a bit is set behind the last of {}", N);
    }

    [[nodiscard]] static constexpr std::size_t size() noexcept { return N; }
    /// The bit at a place below N.
    [[nodiscard]] constexpr bool operator[](std::size_t place) const noexcept { return detail::bit_at(bytes_, place); }
    constexpr void set(std::size_t place, bool value = true) noexcept { detail::set_bit(bytes_, place, value); }
    [[nodiscard]] constexpr byte_array const& bytes() const noexcept { return bytes_; }

    /// Reads N characters 0 and 1; nothing where they are not such.
    [[nodiscard]] static constexpr std::optional<bit> parse(std::string_view text) noexcept {
        bit result;
        if (text.size() != N || !detail::read_bits(text, result.bytes_)) return std::nullopt;
        return result;
    }

    friend constexpr auto operator<=>(bit const&, bit const&) = default;

private:
    byte_array bytes_{};
};

/// Postgres' `bit varying`: any number of bits, none at first. Ordered as Postgres orders them: 0 before 00 before 01 before 1.
class varbit {
public:
    varbit() = default;
    /// So many bits, all zero.
    explicit varbit(std::size_t size) : bytes_(detail::bytes_of_bits(size)), size_(size) {}
    /// From bytes as they stand on the wire. Throws `unrepresentable` where they are not as many as the bits need, or a bit is set behind
    /// the last.
    varbit(std::vector<std::uint8_t> bytes, std::size_t size) : bytes_(std::move(bytes)), size_(size) {
        if (bytes_.size() != detail::bytes_of_bits(size_)) throw unrepresentable("{} bits in {} bytes", size_, bytes_.size());
        if (!detail::is_zero_padded(bytes_, size_)) throw unrepresentable("a bit is set behind the last of {}", size_);
    }
    template <std::size_t N>
    varbit(bit<N> const& bits)  // NOLINT(google-explicit-constructor): exact
        : bytes_(bits.bytes().begin(), bits.bytes().end()), size_(N) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// The bit at a place below `size()`.
    [[nodiscard]] bool operator[](std::size_t place) const noexcept { return detail::bit_at(bytes_, place); }
    void set(std::size_t place, bool value = true) noexcept { detail::set_bit(bytes_, place, value); }
    void push_back(bool value) {
        if (size_ % 8 == 0) bytes_.push_back(0);
        detail::set_bit(bytes_, size_++, value);
    }
    [[nodiscard]] std::vector<std::uint8_t> const& bytes() const noexcept { return bytes_; }

    /// Reads characters 0 and 1, or none; nothing where they are not such.
    [[nodiscard]] static std::optional<varbit> parse(std::string_view text);

    friend bool operator==(varbit const&, varbit const&) = default;
    /// Source: varbit.c, bit_cmp.
    friend std::strong_ordering operator<=>(varbit const& a, varbit const& b) noexcept {
        auto const common = static_cast<std::ptrdiff_t>(std::min(a.bytes_.size(), b.bytes_.size()));
        auto const bits = std::lexicographical_compare_three_way(a.bytes_.begin(), a.bytes_.begin() + common, b.bytes_.begin(),
                                                                 b.bytes_.begin() + common);
        return bits != 0 ? bits : a.size_ <=> b.size_;
    }

private:
    std::vector<std::uint8_t> bytes_{};
    std::size_t size_ = 0;
};

/// `0101`.
template <std::size_t N>
[[nodiscard]] std::string to_string(bit<N> const& value) {
    return detail::bits_text(value.bytes(), N);
}
/// `0101`; empty where there are no bits.
[[nodiscard]] inline std::string to_string(varbit const& value) { return detail::bits_text(value.bytes(), value.size()); }

template <std::size_t N>
std::ostream& operator<<(std::ostream& out, bit<N> const& value) {
    return out << to_string(value);
}
inline std::ostream& operator<<(std::ostream& out, varbit const& value) { return out << to_string(value); }

/// One bit for each dimension, set where the value is positive: what pgvector's `binary_quantize` makes of the vector.
template <std::size_t N>
[[nodiscard]] constexpr bit<N> binary_quantize(vector<N> const& values) noexcept {
    bit<N> bits;
    for (std::size_t i = 0; i < N; ++i)
        if (values[i] > 0) bits.set(i);
    return bits;
}

template <std::size_t N>
struct mapping<bit<N>> {
    static constexpr column_type type{type_id::bit, false, static_cast<std::int32_t>(N)};
};
/// A string of bits may be stored as `bit(n)`, too, where it has as many.
template <>
struct mapping<varbit> : detail::maps_to<type_id::varbit> {
    static constexpr bool accepts(column_type other) { return !other.array && (other.id == type_id::varbit || other.id == type_id::bit); }
};

#if ISOROW_HAS_CODE

namespace detail {

ISOROW_DECL std::string bits_text(std::span<std::uint8_t const> bytes, std::size_t count) {
    std::string text(count, '0');
    for (std::size_t place = 0; place < count; ++place)
        if (bit_at(bytes, place)) text[place] = '1';
    return text;
}

}  // namespace detail

ISOROW_DECL std::optional<varbit> varbit::parse(std::string_view text) {
    varbit result(text.size());
    if (!detail::read_bits(text, result.bytes_)) return std::nullopt;
    return result;
}

#endif

}  // namespace isorow::inline v1
