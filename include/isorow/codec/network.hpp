#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/types/network.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace isorow::inline v1 {

namespace detail {

/// inet and cidr on the wire: a byte each for the family (2 is IPv4, 3 IPv6), the prefix's length, whether it is a cidr, and the number of
/// the address' bytes, then these. Source: network_send, network_recv.
struct network_format {
    static constexpr std::size_t header_size = 4;

    [[nodiscard]] static std::size_t size_of(inet const& value) noexcept { return header_size + value.address().size(); }

    static void store(inet const& value, bool is_cidr, std::byte* place) noexcept {
        auto const address = value.address();
        place[0] = std::byte{value.is_v4() ? ipv4 : ipv6};
        place[1] = static_cast<std::byte>(value.prefix_length());
        place[2] = std::byte{is_cidr};
        place[3] = static_cast<std::byte>(address.size());
        std::memcpy(place + header_size, address.data(), address.size());
    }

    /// `is_cidr`: what the value says of itself.
    [[nodiscard]] static inet decode(byte_reader in, bool& is_cidr) {
        auto const family = take_byte(in);
        auto const prefix = take_byte(in);
        auto const kind = take_byte(in);
        auto const size = take_byte(in);
        if (family != ipv4 && family != ipv6) throw malformed("an address of the family {}", unsigned{family});
        std::size_t const wanted = family == ipv4 ? 4 : 16;
        if (kind > 1) throw malformed("an address that says {} of whether it is a network", unsigned{kind});
        if (size != wanted || in.remaining() != wanted)
            throw malformed("an address of {} bytes in {} bytes, not {}", unsigned{size}, in.remaining(), wanted);
        if (prefix > 8 * wanted) throw malformed("a prefix of {} bits in an address of {}", unsigned{prefix}, 8 * wanted);
        is_cidr = kind == 1;
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), in.rest().data(), wanted);
        return family == ipv4 ? inet::v4({bytes[0], bytes[1], bytes[2], bytes[3]}, prefix) : inet::v6(bytes, prefix);
    }

private:
    static constexpr std::uint8_t ipv4 = 2;
    static constexpr std::uint8_t ipv6 = 3;

    [[nodiscard]] static std::uint8_t take_byte(byte_reader& in) { return static_cast<std::uint8_t>(in.take_int8()); }
};

}  // namespace detail

/// inet: an address with its prefix. Reads cidr, too.
template <column_type As>
    requires(As == column_type{type_id::inet})
struct codec<inet, As> {
    using format = detail::network_format;
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;
    static constexpr bool reads(type_id other) { return other == type_id::inet || other == type_id::cidr; }

    static std::size_t size_of(inet const& value) noexcept { return format::size_of(value); }
    static void store(inet const& value, std::byte* place) noexcept { format::store(value, false, place); }
    static inet decode(byte_reader in) {
        bool is_cidr = false;
        return format::decode(in, is_cidr);
    }
};

/// cidr: the same, with no bits set behind the prefix.
template <column_type As>
    requires(As == column_type{type_id::cidr})
struct codec<cidr, As> {
    using format = detail::network_format;
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;

    static std::size_t size_of(cidr const& value) noexcept { return format::size_of(value.to_inet()); }
    static void store(cidr const& value, std::byte* place) noexcept { format::store(value.to_inet(), true, place); }
    static cidr decode(byte_reader in) {
        bool is_cidr = false;
        auto const network = format::decode(in, is_cidr);
        if (!is_cidr) throw malformed("a cidr that says that it is an inet");
        if (detail::has_host_bits(network)) throw malformed("a cidr with bits set behind its prefix: {}", to_string(network));
        return cidr(network);
    }
};

/// macaddr and macaddr8: their six or eight bytes. Source: macaddr_send, macaddr8_send.
template <std::size_t Size, column_type As>
    requires(As == mapping<basic_macaddr<Size>>::type)
struct codec<basic_macaddr<Size>, As> {
    static constexpr std::size_t encoded_size = Size;
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;

    static void store(basic_macaddr<Size> const& value, std::byte* place) noexcept { std::memcpy(place, value.bytes().data(), Size); }
    static basic_macaddr<Size> load(std::byte const* place) noexcept {
        std::array<std::uint8_t, Size> bytes;
        std::memcpy(bytes.data(), place, Size);
        return basic_macaddr<Size>(bytes);
    }
    static basic_macaddr<Size> decode(byte_reader in) { return detail::decode_fixed<codec>(in, entry_of(As.id).catalog_name.data()); }
};

}  // namespace isorow::inline v1
