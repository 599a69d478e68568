// Addresses go to the server in binary, are printed there, and come back in binary.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/dynamic_codec.hpp>
#include <support/codec_bytes.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

using isorow::cidr;
using isorow::inet;
using isorow::macaddr;
using isorow::macaddr8;

namespace {

/// Addresses with runs of zeros, and some that are like others: what text and order are difficult for.
class addresses {
public:
    [[nodiscard]] inet next() {
        if (last_ && random_() % 4 == 0) return *last_ = changed(*last_);
        std::array<std::uint8_t, 16> bytes{};
        for (auto& byte : bytes) byte = random_() % 2 == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(random_());
        if (random_() % 4 == 0) std::fill(bytes.begin(), bytes.begin() + 10, std::uint8_t{0});
        if (random_() % 4 == 0) bytes[10] = bytes[11] = 255;
        last_ = random_() % 2 == 0 ? inet::v4({bytes[12], bytes[13], bytes[14], bytes[15]}, random_() % 33)
                                   : inet::v6(bytes, random_() % 3 == 0 ? 128 : random_() % 129);
        return *last_;
    }
    template <std::size_t Size>
    [[nodiscard]] isorow::basic_macaddr<Size> next_mac() {
        std::array<std::uint8_t, Size> bytes{};
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
        return isorow::basic_macaddr<Size>(bytes);
    }

private:
    [[nodiscard]] inet changed(inet const& address) {
        std::array<std::uint8_t, 16> bytes{};
        std::copy(address.address().begin(), address.address().end(), bytes.begin());
        auto const bit = random_() % address.address_length();
        if (random_() % 2 == 0) bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (0x80u >> (bit % 8)));
        return isorow::detail::with_address(address, bytes, random_() % (address.address_length() + 1));
    }

    std::mt19937 random_{20261127};
    std::optional<inet> last_{};
};

struct network_server : test::value_server {};

}  // namespace

TEST_CASE_METHOD(network_server, "addresses go to the server and back, and print as the server prints them") {
    for (auto const* const text :
         {"10.0.0.1", "10.0.0.1/8", "0.0.0.0/0", "255.255.255.255", "::", "::1", "1::", "2001:db8::1/64", "::/0", "::ffff:10.0.0.1",
          "::10.0.0.1", "::0.1.0.2", "::ffff:0:1:2", "1:0:0:2::3", "1::2:3:0:0:4", "0:2:3:4:5:6:7:8"}) {
        REQUIRE(inet::parse(text));
        check(*inet::parse(text), text, "inet", "inet");
    }
    for (auto const* const text : {"10.0.0.0/8", "10.0.0.1/32", "0.0.0.0/0", "2001:db8::/32", "::/0", "::1/128"}) {
        REQUIRE(cidr::parse(text));
        check(*cidr::parse(text), text, "cidr", "cidr");
    }
    check(*macaddr::parse("08:00:2b:01:02:03"), "08:00:2b:01:02:03", "macaddr", "macaddr");
    check(*macaddr8::parse("08:00:2b:01:02:03:04:05"), "08:00:2b:01:02:03:04:05", "macaddr8", "macaddr8");
}

TEST_CASE_METHOD(network_server, "random addresses go to the server and back, and print as the server prints them") {
    addresses random;
    for (std::size_t i = 0; i < test::random_count(); ++i) {
        auto const address = random.next();
        check(address, "inet", "inet");
        check(network_of(address), "cidr", "cidr");
        CHECK(isorow::query_one<cidr>(connection, "SELECT network($1)::cidr", address) == network_of(address));
        check(random.next_mac<6>(), "macaddr", "macaddr");
        check(random.next_mac<8>(), "macaddr8", "macaddr8");
    }
}

TEST_CASE_METHOD(network_server, "addresses are ordered as the server orders them") {
    addresses random;
    auto previous = random.next();
    auto mac = random.next_mac<6>();
    for (std::size_t i = 0; i < test::random_count(); ++i) {
        auto const address = random.next();
        check_order(previous, address);
        check_order(network_of(previous), network_of(address));
        check_order(address, address);
        auto const other = random.next_mac<6>();
        check_order(mac, other);
        previous = address;
        mac = other;
    }
}

TEST_CASE_METHOD(network_server, "arrays of addresses go to the server and back, with NULLs where elements are optional") {
    std::vector<inet> const hosts{*inet::parse("10.0.0.1/8"), *inet::parse("::1")};
    CHECK(isorow::query_one<std::vector<inet>>(connection, "SELECT $1", hosts) == hosts);
    CHECK(isorow::query_one<std::string>(connection, "SELECT $1::inet[]::text", hosts) == "{10.0.0.1/8,::1}");
    std::vector<std::optional<macaddr>> const cards{std::nullopt, *macaddr::parse("08002b010203")};
    CHECK(isorow::query_one<std::vector<std::optional<macaddr>>>(connection, "SELECT $1", cards) == cards);
    CHECK(isorow::query_one<std::string>(connection, "SELECT $1::macaddr[]::text", cards) == "{NULL,08:00:2b:01:02:03}");
    CHECK(isorow::query_one<std::vector<cidr>>(connection, "SELECT '{10/8,::/0}'::cidr[]") ==
          std::vector<cidr>{*cidr::parse("10.0.0.0/8"), *cidr::parse("::/0")});
    CHECK(isorow::query_one<std::vector<macaddr8>>(connection, "SELECT ARRAY[]::macaddr8[]").empty());
}

TEST_CASE_METHOD(network_server, "an inet reads a cidr, and not the other way round") {
    CHECK(isorow::query_one<inet>(connection, "SELECT '10.0.0.0/8'::cidr") == *inet::parse("10.0.0.0/8"));
    CHECK_THROWS_AS(isorow::query_one<cidr>(connection, "SELECT '10.0.0.0/8'::inet"), isorow::mismatch);
}

TEST_CASE("addresses that are cut or too long are malformed") {
    test::refuse_cut_and_longer(*inet::parse("10.0.0.1/8"));
    test::refuse_cut_and_longer(*inet::parse("2001:db8::1/32"));
    test::refuse_cut_and_longer(*cidr::parse("10.0.0.0/8"));
    test::refuse_cut_and_longer(*macaddr::parse("08002b010203"));
    test::refuse_cut_and_longer(*macaddr8::parse("08002b0102030405"));
}

TEST_CASE("addresses of another family, size or prefix are malformed") {
    using test::bytes;
    using test::decoded;
    CHECK(decoded<inet>(bytes({2, 8, 0, 4, 10, 0, 0, 1})) == *inet::parse("10.0.0.1/8"));
    CHECK_THROWS_MATCHES(decoded<inet>(bytes({1, 8, 0, 4, 10, 0, 0, 1})), isorow::malformed, test::says("an address of the family 1"));
    CHECK_THROWS_MATCHES(decoded<inet>(bytes({255, 8, 0, 4, 10, 0, 0, 1})), isorow::malformed, test::says("an address of the family 255"));
    CHECK_THROWS_MATCHES(decoded<inet>(bytes({2, 33, 0, 4, 10, 0, 0, 1})), isorow::malformed, test::says("a prefix of 33 bits"));
    CHECK_THROWS_AS(decoded<inet>(bytes({2, 255, 0, 4, 10, 0, 0, 1})), isorow::malformed);
    CHECK_THROWS_MATCHES(decoded<inet>(bytes({2, 8, 2, 4, 10, 0, 0, 1})), isorow::malformed, test::says("says 2 of whether"));
    CHECK_THROWS_MATCHES(decoded<inet>(bytes({3, 8, 0, 4, 10, 0, 0, 1})), isorow::malformed, test::says("an address of 4 bytes"));
    CHECK_THROWS_AS(decoded<inet>(bytes({2, 8, 0, 255, 10, 0, 0, 1})), isorow::malformed);
    CHECK_THROWS_AS(decoded<inet>(bytes({2, 8, 0, 0})), isorow::malformed);
    CHECK_THROWS_MATCHES(decoded<cidr>(bytes({2, 8, 1, 4, 10, 0, 0, 1})), isorow::malformed,
                         test::says("a cidr with bits set behind its prefix: 10.0.0.1/8"));
    CHECK_THROWS_MATCHES(decoded<cidr>(bytes({2, 8, 0, 4, 10, 0, 0, 0})), isorow::malformed, test::says("says that it is an inet"));
}
