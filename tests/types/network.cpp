#include <catch2/catch_test_macros.hpp>

#include <isorow/types/network.hpp>
#include <support/matchers.hpp>

#include <string>
#include <string_view>

using isorow::cidr;
using isorow::inet;
using isorow::macaddr;
using isorow::macaddr8;

namespace {

template <class Value>
std::string printed(std::string_view text) {
    auto const value = Value::parse(text);
    return value ? to_string(*value) : "nothing";
}

}  // namespace

TEST_CASE("addresses of IPv4 are read and written, with their prefix where it is not the whole") {
    CHECK(printed<inet>("10.0.0.1") == "10.0.0.1");
    CHECK(printed<inet>("10.0.0.1/32") == "10.0.0.1");
    CHECK(printed<inet>("10.0.0.1/8") == "10.0.0.1/8");
    CHECK(printed<inet>("0.0.0.0/0") == "0.0.0.0/0");
    CHECK(inet{} == *inet::parse("0.0.0.0"));
    CHECK(inet::v4({10, 0, 0, 1}, 8) == *inet::parse("10.0.0.1/8"));
    STATIC_CHECK(inet::parse("10.0.0.1/8")->address()[3] == 1);
    STATIC_CHECK(inet::parse("10.0.0.1/8")->prefix_length() == 8);
}

TEST_CASE("addresses of IPv6 are read in every form and written in the shortest") {
    CHECK(printed<inet>("2001:0DB8:0:0:0:0:0:1") == "2001:db8::1");
    CHECK(printed<inet>("::") == "::");
    CHECK(printed<inet>("::1/64") == "::1/64");
    CHECK(printed<inet>("1::") == "1::");
    CHECK(printed<inet>("1:0:0:2:0:0:0:3") == "1:0:0:2::3");
    CHECK(printed<inet>("1:0:0:2:3:0:0:4") == "1::2:3:0:0:4");
    CHECK(printed<inet>("1:0:2:3:4:5:6:7") == "1:0:2:3:4:5:6:7");
    CHECK(printed<inet>("::ffff:10.0.0.1") == "::ffff:10.0.0.1");
    CHECK(printed<inet>("::10.0.0.1") == "::10.0.0.1");
    CHECK(printed<inet>("64:ff9b::192.0.2.33") == "64:ff9b::c000:221");
    CHECK(printed<inet>("1:2:3:4:5:6:1.2.3.4") == "1:2:3:4:5:6:102:304");
    STATIC_CHECK(inet::parse("1::2")->address()[15] == 2);
    STATIC_CHECK_FALSE(inet::parse("1::2")->is_v4());
}

TEST_CASE("what is not an address is not read") {
    for (auto const* const text : {"",
                                   "10",
                                   "10.0.0",
                                   "10.0.0.0.1",
                                   "10.0.0.256",
                                   "10.0.0.01",
                                   "10.0.0.1/33",
                                   "10.0.0.1/",
                                   "10.0.0.1/-1",
                                   "10.0.0.1/08",
                                   "10.0.0.1/8/8",
                                   "10.0.0.1 ",
                                   "a.b.c.d",
                                   ":",
                                   ":::",
                                   "1:2",
                                   "1::2::3",
                                   "1:2:3:4:5:6:7:8:9",
                                   "1:2:3:4:5:6:7:8::",
                                   "::1:2:3:4:5:6:7:8",
                                   "12345::",
                                   "::g",
                                   ":1::2",
                                   "1:2:3:4:5:6:7:",
                                   "::1/129",
                                   "::1.2.3",
                                   "1.2.3.4::",
                                   "1:2:3:4:5:6:7:1.2.3.4",
                                   "::1.2.3.4:5"}) {
        INFO(text);
        CHECK_FALSE(inet::parse(text));
    }
}

TEST_CASE("a prefix that is longer than the address is refused") {
    CHECK_THROWS_MATCHES(inet::v4({10, 0, 0, 1}, 33), isorow::unrepresentable, test::says("a prefix of 33 bits in an address of 32"));
    CHECK_THROWS_AS(inet::v6({}, 129), isorow::unrepresentable);
}

TEST_CASE("a network always says its prefix, and bits behind it are refused by name") {
    CHECK(printed<cidr>("10.0.0.0/8") == "10.0.0.0/8");
    CHECK(printed<cidr>("10.0.0.1") == "10.0.0.1/32");
    CHECK(printed<cidr>("2001:db8::/32") == "2001:db8::/32");
    CHECK_FALSE(cidr::parse("10.0.0.1/8"));
    CHECK_FALSE(cidr::parse("::1/127"));
    CHECK_THROWS_MATCHES(cidr(*inet::parse("10.0.0.1/8")), isorow::unrepresentable,
                         test::says("10.0.0.1/8 is no network: the bits 0.0.0.1 are set behind its prefix of 8 bits"));
    CHECK_THROWS_MATCHES(cidr(*inet::parse("2001:db8::1/33")), isorow::unrepresentable, test::says("the bits ::1 are set"));
    CHECK(to_string(network_of(*inet::parse("10.1.2.3/13"))) == "10.0.0.0/13");
    CHECK(to_string(network_of(*inet::parse("2001:db8::ffff/120"))) == "2001:db8::ff00/120");
    CHECK(network_of(*inet::parse("::ffff:0:1/95")).to_inet() == *inet::parse("::fffe:0:0/95"));
}

TEST_CASE("hardware addresses are read with colons, hyphens or nothing between the bytes") {
    CHECK(printed<macaddr>("08:00:2b:01:02:03") == "08:00:2b:01:02:03");
    CHECK(printed<macaddr>("08-00-2B-01-02-03") == "08:00:2b:01:02:03");
    CHECK(printed<macaddr>("08002b010203") == "08:00:2b:01:02:03");
    CHECK(printed<macaddr8>("08:00:2b:01:02:03:04:05") == "08:00:2b:01:02:03:04:05");
    for (auto const* const text : {"", "08:00:2b:01:02", "08:00:2b:01:02:0g", "08:00:2b:01:02-03", "08:00:2b:01:02:03:04:05",
                                   "08.00.2b.01.02.03", "08002b01020", "8:0:2b:1:2:3"})
        CHECK_FALSE(macaddr::parse(text));
    CHECK(*macaddr::parse("08002b010203") < *macaddr::parse("f8002b010203"));
    CHECK(macaddr{}.bytes()[5] == 0);
}
