#pragma once

/// @file
/// Addresses of networks and of network cards, written and ordered as Postgres does it.

#include <isorow/error/value_error.hpp>
#include <isorow/types/mapping.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// An address of IPv4 or IPv6 with the length of its network's prefix: 10.0.0.1/8 is a host in a network. 0.0.0.0/32 at first. IPv4
/// comes before IPv6, then the network decides, then the length of its prefix, then the host.
class inet {
public:
    constexpr inet() = default;

    /// Throws `unrepresentable` where the prefix is longer than the address.
    [[nodiscard]] static constexpr inet v4(std::array<std::uint8_t, 4> const& address, std::size_t prefix_length = 32) {
        inet result;
        std::copy(address.begin(), address.end(), result.bytes_.begin());
        result.set_prefix_length(prefix_length);
        return result;
    }
    /// Throws `unrepresentable` where the prefix is longer than the address.
    [[nodiscard]] static constexpr inet v6(std::array<std::uint8_t, 16> const& address, std::size_t prefix_length = 128) {
        inet result;
        result.is_v4_ = false;
        result.bytes_ = address;
        result.set_prefix_length(prefix_length);
        return result;
    }

    /// Reads four decimal numbers, `10.0.0.1`, or the groups of RFC 4291, `2001:db8::1`, `::ffff:10.0.0.1`, with `/` and the prefix's
    /// length or without; nothing where they are not such. Postgres' abbreviations, such as `10/8`, and zeros in front are not read.
    [[nodiscard]] static constexpr std::optional<inet> parse(std::string_view text) noexcept;

    [[nodiscard]] constexpr bool is_v4() const noexcept { return is_v4_; }
    /// The 4 or 16 bytes of the address, in the order in which they are written.
    [[nodiscard]] constexpr std::span<std::uint8_t const> address() const noexcept { return {bytes_.data(), is_v4_ ? 4u : 16u}; }
    /// The number of the address' bits.
    [[nodiscard]] constexpr std::size_t address_length() const noexcept { return is_v4_ ? 32 : 128; }
    [[nodiscard]] constexpr std::size_t prefix_length() const noexcept { return prefix_length_; }

    friend constexpr bool operator==(inet const&, inet const&) = default;
    friend constexpr std::strong_ordering operator<=>(inet const& a, inet const& b) noexcept;

private:
    constexpr void set_prefix_length(std::size_t length) {
        if (length > address_length()) throw unrepresentable("a prefix of {} bits in an address of {}", length, address_length());
        prefix_length_ = static_cast<std::uint8_t>(length);
    }

    std::array<std::uint8_t, 16> bytes_{};
    std::uint8_t prefix_length_ = 32;
    bool is_v4_ = true;
};

/// A network of IPv4 or IPv6: an address whose bits behind the prefix are zero. 0.0.0.0/32 at first. Ordered as `inet`.
class cidr {
public:
    constexpr cidr() = default;
    /// Throws `unrepresentable`, naming them, where bits behind the prefix are set.
    constexpr explicit cidr(inet const& network);

    /// Reads what `inet::parse` reads; nothing where it is no address, or bits behind the prefix are set.
    [[nodiscard]] static constexpr std::optional<cidr> parse(std::string_view text) noexcept;

    [[nodiscard]] constexpr bool is_v4() const noexcept { return network_.is_v4(); }
    [[nodiscard]] constexpr std::span<std::uint8_t const> address() const noexcept { return network_.address(); }
    [[nodiscard]] constexpr std::size_t prefix_length() const noexcept { return network_.prefix_length(); }
    /// The same as an address.
    [[nodiscard]] constexpr inet const& to_inet() const noexcept { return network_; }

    friend constexpr auto operator<=>(cidr const&, cidr const&) = default;

private:
    inet network_{};
};

/// The hardware address of a network card, ordered by its bytes. All zero at first.
template <std::size_t Size>
class basic_macaddr {
public:
    constexpr basic_macaddr() = default;
    constexpr explicit basic_macaddr(std::array<std::uint8_t, Size> const& bytes) noexcept : bytes_(bytes) {}

    [[nodiscard]] constexpr std::array<std::uint8_t, Size> const& bytes() const noexcept { return bytes_; }

    /// Reads pairs of hexadecimal digits, `08:00:2b:01:02:03`, with hyphens instead of the colons, or with nothing between them; nothing
    /// where they are not such.
    [[nodiscard]] static constexpr std::optional<basic_macaddr> parse(std::string_view text) noexcept;

    friend constexpr auto operator<=>(basic_macaddr const&, basic_macaddr const&) = default;

private:
    std::array<std::uint8_t, Size> bytes_{};
};

using macaddr = basic_macaddr<6>;
using macaddr8 = basic_macaddr<8>;

namespace detail {

[[nodiscard]] constexpr int hex_digit(char character) noexcept {
    if (character >= '0' && character <= '9') return character - '0';
    if (character >= 'a' && character <= 'f') return character - 'a' + 10;
    if (character >= 'A' && character <= 'F') return character - 'A' + 10;
    return -1;
}

/// A decimal number without zeros in front that is at most `most`; -1 where the text is not one.
[[nodiscard]] constexpr int read_small_number(std::string_view text, int most) noexcept {
    if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return -1;
    int number = 0;
    for (char const character : text) {
        if (character < '0' || character > '9') return -1;
        number = number * 10 + (character - '0');
    }
    return number <= most ? number : -1;
}

/// The text before the separator, which is taken from `text` with it; all where there is none.
[[nodiscard]] constexpr std::string_view take_part(std::string_view& text, char separator, bool& is_last) noexcept {
    auto const end = text.find(separator);
    is_last = end == std::string_view::npos;
    auto const part = text.substr(0, end);
    text.remove_prefix(is_last ? text.size() : end + 1);
    return part;
}

/// Writes the four bytes of `10.0.0.1` to `bytes`; false where the text is not such.
[[nodiscard]] constexpr bool read_ipv4(std::string_view text, std::uint8_t* bytes) noexcept {
    bool is_last = false;
    for (int i = 0; i < 4; ++i) {
        auto const number = read_small_number(take_part(text, '.', is_last), 255);
        if (number < 0 || is_last != (i == 3)) return false;
        bytes[i] = static_cast<std::uint8_t>(number);
    }
    return true;
}

/// Writes the two bytes of a group of one to four hexadecimal digits; false where the text is not such.
[[nodiscard]] constexpr bool read_ipv6_group(std::string_view text, std::uint8_t* bytes) noexcept {
    if (text.empty() || text.size() > 4) return false;
    int group = 0;
    for (char const character : text) {
        auto const digit = hex_digit(character);
        if (digit < 0) return false;
        group = group * 16 + digit;
    }
    bytes[0] = static_cast<std::uint8_t>(group >> 8);
    bytes[1] = static_cast<std::uint8_t>(group & 255);
    return true;
}

/// Writes the sixteen bytes of an address in the forms of RFC 4291, section 2.2; false where the text is not such.
[[nodiscard]] constexpr bool read_ipv6(std::string_view text, std::array<std::uint8_t, 16>& bytes) noexcept {
    std::size_t count = 0;
    std::optional<std::size_t> gap;  // before which byte `::` stands
    if (text.starts_with("::")) {
        gap = 0;
        text.remove_prefix(2);
    }
    while (!text.empty()) {
        bool is_last = false;
        auto const part = take_part(text, ':', is_last);
        if (is_last && part.find('.') != std::string_view::npos) {
            if (count > 12 || !read_ipv4(part, &bytes[count])) return false;
            count += 4;
            break;
        }
        if (count > 14 || !read_ipv6_group(part, &bytes[count])) return false;
        count += 2;
        if (is_last) break;
        if (text.starts_with(':')) {
            if (gap) return false;
            gap = count;
            text.remove_prefix(1);
        } else if (text.empty()) {
            return false;
        }
    }
    if (!gap) return count == bytes.size();
    if (count == bytes.size()) return false;
    auto const behind = bytes.begin() + static_cast<std::ptrdiff_t>(*gap);
    auto const end = bytes.begin() + static_cast<std::ptrdiff_t>(count);
    auto const moved = std::copy_backward(behind, end, bytes.end());
    std::fill(behind, moved, std::uint8_t{0});
    return true;
}

/// Compares the first `bits` bits.
[[nodiscard]] constexpr std::strong_ordering compare_bits(std::span<std::uint8_t const> a, std::span<std::uint8_t const> b,
                                                          std::size_t bits) noexcept {
    for (std::size_t i = 0; i < bits / 8; ++i)
        if (a[i] != b[i]) return a[i] <=> b[i];
    if (bits % 8 == 0) return std::strong_ordering::equal;
    auto const shift = 8 - bits % 8;
    return (a[bits / 8] >> shift) <=> (b[bits / 8] >> shift);
}

/// Only the bits behind the prefix, the others being zero.
[[nodiscard]] constexpr std::array<std::uint8_t, 16> host_bits(inet const& address) noexcept {
    std::array<std::uint8_t, 16> bits{};
    auto const bytes = address.address();
    for (std::size_t place = address.prefix_length(); place < address.address_length(); ++place)
        bits[place / 8] = static_cast<std::uint8_t>(bits[place / 8] | (bytes[place / 8] & (0x80u >> (place % 8))));
    return bits;
}

[[nodiscard]] constexpr bool has_host_bits(inet const& address) noexcept { return host_bits(address) != std::array<std::uint8_t, 16>{}; }

/// An address of the same family that has these bytes.
[[nodiscard]] constexpr inet with_address(inet const& like, std::array<std::uint8_t, 16> const& bytes, std::size_t prefix_length) {
    return like.is_v4() ? inet::v4({bytes[0], bytes[1], bytes[2], bytes[3]}, prefix_length) : inet::v6(bytes, prefix_length);
}

[[nodiscard]] inline std::string ipv4_text(std::span<std::uint8_t const> bytes) {
    return text("{}.{}.{}.{}", unsigned{bytes[0]}, unsigned{bytes[1]}, unsigned{bytes[2]}, unsigned{bytes[3]});
}

/// The groups of an IPv6 address, and the longest run of zeros among them, the first of several; it has at least two groups, or none.
struct ipv6_groups {
    std::array<unsigned, 8> groups{};
    std::size_t run = 0;
    std::size_t run_length = 0;

    explicit ipv6_groups(std::span<std::uint8_t const> bytes) {
        for (std::size_t i = 0; i < 8; ++i) groups[i] = bytes[2 * i] * 256u + bytes[2 * i + 1];
        for (std::size_t begin = 0; begin < 8; ++begin) {
            auto end = begin;
            while (end < 8 && groups[end] == 0) ++end;
            if (end - begin >= 2 && end - begin > run_length) {
                run = begin;
                run_length = end - begin;
            }
        }
    }

    /// Whether the last four bytes are written as IPv4: behind six groups of zeros, or five and ffff.
    [[nodiscard]] bool embeds_ipv4() const noexcept { return run == 0 && (run_length == 6 || (run_length == 5 && groups[5] == 0xffff)); }
};

/// Source: src/port/inet_net_ntop.c, inet_net_ntop_ipv6.
[[nodiscard]] inline std::string ipv6_text(std::span<std::uint8_t const> bytes) {
    ipv6_groups const address(bytes);
    std::string text;
    for (std::size_t i = 0; i < 8; ++i) {
        if (address.run_length > 0 && i == address.run) {
            text += "::";
            i += address.run_length - 1;
            continue;
        }
        if (!text.empty() && !text.ends_with(':')) text += ':';
        if (i == 6 && address.embeds_ipv4()) return text + ipv4_text(bytes.subspan(12));
        char digits[8];
        text.append(digits, std::to_chars(digits, digits + sizeof digits, address.groups[i], 16).ptr);
    }
    return text;
}

[[nodiscard]] inline std::string address_text(inet const& value) {
    return value.is_v4() ? ipv4_text(value.address()) : ipv6_text(value.address());
}

}  // namespace detail

/// `10.0.0.1/8`; without the prefix where it is as long as the address.
[[nodiscard]] inline std::string to_string(inet const& value) {
    auto const address = detail::address_text(value);
    return value.prefix_length() == value.address_length() ? address : text("{}/{}", address, value.prefix_length());
}
/// `10.0.0.0/8`, always with the prefix.
[[nodiscard]] inline std::string to_string(cidr const& value) {
    return text("{}/{}", detail::address_text(value.to_inet()), value.prefix_length());
}
/// `08:00:2b:01:02:03`.
template <std::size_t Size>
[[nodiscard]] std::string to_string(basic_macaddr<Size> const& value) {
    std::string text;
    for (auto const byte : value.bytes()) {
        if (!text.empty()) text += ':';
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

inline std::ostream& operator<<(std::ostream& out, inet const& value) { return out << to_string(value); }
inline std::ostream& operator<<(std::ostream& out, cidr const& value) { return out << to_string(value); }
template <std::size_t Size>
std::ostream& operator<<(std::ostream& out, basic_macaddr<Size> const& value) {
    return out << to_string(value);
}

/// The network that an address is in: the address without the bits behind its prefix.
[[nodiscard]] constexpr cidr network_of(inet const& address) {
    auto bytes = detail::host_bits(address);
    for (std::size_t i = 0; i < address.address().size(); ++i) bytes[i] = static_cast<std::uint8_t>(address.address()[i] ^ bytes[i]);
    return cidr(detail::with_address(address, bytes, address.prefix_length()));
}

constexpr std::optional<inet> inet::parse(std::string_view text) noexcept {
    bool is_last = false;
    auto const address = detail::take_part(text, '/', is_last);
    inet result;
    result.is_v4_ = address.find(':') == std::string_view::npos;
    if (result.is_v4_ ? !detail::read_ipv4(address, result.bytes_.data()) : !detail::read_ipv6(address, result.bytes_)) return std::nullopt;
    auto const length = static_cast<int>(result.address_length());
    auto const prefix = is_last ? length : detail::read_small_number(text, length);
    if (prefix < 0) return std::nullopt;
    result.prefix_length_ = static_cast<std::uint8_t>(prefix);
    return result;
}

/// Source: network.c, network_cmp_internal.
constexpr std::strong_ordering operator<=>(inet const& a, inet const& b) noexcept {
    if (a.is_v4_ != b.is_v4_) return a.is_v4_ ? std::strong_ordering::less : std::strong_ordering::greater;
    auto const network = detail::compare_bits(a.bytes_, b.bytes_, std::min(a.prefix_length_, b.prefix_length_));
    if (network != 0) return network;
    if (a.prefix_length_ != b.prefix_length_) return a.prefix_length_ <=> b.prefix_length_;
    return detail::compare_bits(a.bytes_, b.bytes_, a.address_length());
}

constexpr cidr::cidr(inet const& network) : network_(network) {
    if (detail::has_host_bits(network))
        throw unrepresentable("{} is no network: the bits {} are set behind its prefix of {} bits", to_string(network),
                              to_string(detail::with_address(network, detail::host_bits(network), network.address_length())),
                              network.prefix_length());
}

constexpr std::optional<cidr> cidr::parse(std::string_view text) noexcept {
    auto const address = inet::parse(text);
    if (!address || detail::has_host_bits(*address)) return std::nullopt;
    cidr result;
    result.network_ = *address;
    return result;
}

template <std::size_t Size>
constexpr std::optional<basic_macaddr<Size>> basic_macaddr<Size>::parse(std::string_view text) noexcept {
    bool const is_parted = text.size() == 3 * Size - 1;
    if (!is_parted && text.size() != 2 * Size) return std::nullopt;
    if (is_parted && text[2] != ':' && text[2] != '-') return std::nullopt;
    basic_macaddr result;
    for (std::size_t i = 0; i < Size; ++i) {
        auto const pair = text.substr(i * (is_parted ? 3 : 2));
        auto const high = detail::hex_digit(pair[0]);
        auto const low = detail::hex_digit(pair[1]);
        if (high < 0 || low < 0 || (is_parted && i + 1 < Size && pair[2] != text[2])) return std::nullopt;
        result.bytes_[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return result;
}

template <>
struct mapping<inet> : detail::maps_to<type_id::inet> {};
template <>
struct mapping<cidr> : detail::maps_to<type_id::cidr> {};
template <>
struct mapping<macaddr> : detail::maps_to<type_id::macaddr> {};
template <>
struct mapping<macaddr8> : detail::maps_to<type_id::macaddr8> {};

}  // namespace isorow::inline v1
