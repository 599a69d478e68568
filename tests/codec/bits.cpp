// Strings of bits go to the server in binary, are printed there, and come back in binary.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/bits.hpp>
#include <isorow/types/annotated.hpp>
#include <support/codec_bytes.hpp>
#include <support/matchers.hpp>

#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

using isorow::bit;
using isorow::varbit;

namespace {

struct bit_server : test::value_server {};

/// In a database that has pgvector.
struct binary_vector_server : test::database, test::value_server {
    binary_vector_server() : value_server(dsn()) { isorow::execute(connection, "CREATE EXTENSION vector"); }
};

std::string random_bits(std::mt19937& random, std::size_t count) {
    std::string text(count, '0');
    for (auto& character : text) character = random() % 2 == 0 ? '0' : '1';
    return text;
}

}  // namespace

TEST_CASE("bits are counted from the left, and written as they are read") {
    auto bits = *bit<10>::parse("0100000001");
    CHECK(bits[1]);
    CHECK(bits[9]);
    CHECK_FALSE(bits[0]);
    bits.set(0);
    bits.set(9, false);
    CHECK(to_string(bits) == "1100000000");
    CHECK(bits.bytes() == bit<10>::byte_array{0xc0, 0});
    CHECK_FALSE(bit<3>::parse("01"));
    CHECK_FALSE(bit<3>::parse("012"));
    CHECK_FALSE(varbit::parse("01 "));
    CHECK(to_string(bit<3>{}) == "000");
    CHECK_THROWS_MATCHES(bit<3>(bit<3>::byte_array{0x10}), isorow::unrepresentable, test::says("a bit is set behind the last of 3"));
    STATIC_CHECK(bit<3>::parse("010")->operator[](1));
}

TEST_CASE("a string of any length grows bit by bit") {
    varbit bits;
    CHECK(bits.empty());
    for (int i = 0; i < 9; ++i) bits.push_back(i % 2 == 0);
    CHECK(to_string(bits) == "101010101");
    bits.set(8, false);
    CHECK(to_string(bits) == "101010100");
    CHECK(bits.size() == 9);
    CHECK(to_string(varbit(3)) == "000");
    CHECK(varbit(*bit<3>::parse("010")) == *varbit::parse("010"));
    CHECK_THROWS_AS(varbit({0x80, 0}, 3), isorow::unrepresentable);
    CHECK_THROWS_AS(varbit({0x81}, 3), isorow::unrepresentable);
}

TEST_CASE_METHOD(bit_server, "bits go to the server and back, and print as the server prints them") {
    check(*bit<1>::parse("1"), "bit(1)", "bit");
    check(*bit<8>::parse("10000001"), "bit(8)", "bit");
    check(*bit<11>::parse("10000001011"), "bit(11)", "bit");
    check(varbit{}, "varbit", "varbit");
    std::mt19937 random(7);
    for (std::size_t i = 0; i < test::random_count(); ++i) {
        check(*bit<131>::parse(random_bits(random, 131)), "bit(131)", "bit");
        check(*varbit::parse(random_bits(random, random() % 70)), "varbit", "varbit");
    }
}

TEST_CASE_METHOD(bit_server, "bits are ordered as the server orders them") {
    std::mt19937 random(8);
    for (std::size_t i = 0; i < test::random_count(); ++i) {
        check_order(*varbit::parse(random_bits(random, random() % 12)), *varbit::parse(random_bits(random, random() % 12)));
        check_order(*bit<5>::parse(random_bits(random, 5)), *bit<5>::parse(random_bits(random, 5)));
    }
    check_order(*varbit::parse("01"), *varbit::parse("010"));
}

TEST_CASE_METHOD(bit_server, "arrays of bits go to the server and back") {
    std::vector<bit<3>> const flags{*bit<3>::parse("010"), *bit<3>::parse("111")};
    STATIC_CHECK(isorow::default_type<std::vector<bit<3>>> == isorow::column_type{isorow::type_id::bit, true, 3});
    CHECK(isorow::query_one<std::vector<bit<3>>>(connection, "SELECT $1", flags) == flags);
    CHECK(isorow::query_one<std::string>(connection, "SELECT $1::text", flags) == "{010,111}");
    std::vector<std::optional<varbit>> const strings{std::nullopt, varbit{}, *varbit::parse("01")};
    CHECK(isorow::query_one<std::vector<std::optional<varbit>>>(connection, "SELECT $1", strings) == strings);
}

TEST_CASE_METHOD(bit_server, "a varbit reads bits of any number, a bit only its own") {
    CHECK(isorow::query_one<varbit>(connection, "SELECT B'0101'") == *varbit::parse("0101"));
    CHECK_THROWS_AS(isorow::query_one<bit<4>>(connection, "SELECT B'0101'::varbit"), isorow::mismatch);
    CHECK_THROWS_MATCHES(isorow::query_one<bit<4>>(connection, "SELECT B'01010'"), isorow::malformed,
                         test::says("the string has 5 bits, the field has 4"));
}

TEST_CASE("bits that are cut, too long, fewer than none or set behind the last are malformed") {
    test::refuse_cut_and_longer(*bit<11>::parse("10000001011"));
    test::refuse_cut_and_longer(*varbit::parse("10000001011"));
    auto const behind = [](std::int32_t count, std::initializer_list<int> bits) {
        auto made = test::words({count});
        for (auto const byte : test::bytes(bits)) made.push_back(byte);
        return made;
    };
    CHECK_THROWS_MATCHES(test::decoded<varbit>(behind(-1, {})), isorow::malformed, test::says("a string of -1 bits"));
    CHECK_THROWS_MATCHES(test::decoded<varbit>(behind(2'147'483'647, {0})), isorow::malformed,
                         test::says("a string of 2147483647 bits in 1 bytes"));
    CHECK_THROWS_MATCHES(test::decoded<varbit>(behind(3, {0x10})), isorow::malformed, test::says("3 bits has more of them set"));
    CHECK_THROWS_AS(test::decoded<bit<3>>(behind(3, {0x01})), isorow::malformed);
    CHECK_THROWS_MATCHES(test::decoded<bit<3>>(behind(4, {0x10})), isorow::malformed, test::says("4 bits, the field has 3"));
}

TEST_CASE("more bits than the column takes are refused before they are sent") {
    constexpr isorow::column_type three{isorow::type_id::varbit, false, 3};
    constexpr isorow::column_type fixed{isorow::type_id::bit, false, 3};
    CHECK_NOTHROW(test::encoded<varbit, three>(*varbit::parse("01")));
    CHECK_THROWS_MATCHES((test::encoded<varbit, three>(*varbit::parse("0101"))), isorow::unrepresentable,
                         test::says("the string has 4 bits, the column takes 3"));
    CHECK_NOTHROW(test::encoded<varbit, fixed>(*varbit::parse("010")));
    CHECK_THROWS_AS((test::encoded<varbit, fixed>(*varbit::parse("01"))), isorow::unrepresentable);
}

TEST_CASE_METHOD(binary_vector_server, "pgvector orders binary vectors by the metrics hamming and jaccard, with a bound one") {
    isorow::execute(connection, "CREATE TABLE codes (id int, b bit(8))");
    isorow::execute(connection, "INSERT INTO codes VALUES (1, B'11110000'), (2, B'11111111'), (3, B'00000001'), (4, B'11100000')");
    auto const wanted = *bit<8>::parse("11100000");
    CHECK(isorow::query<std::int32_t>(connection, "SELECT id FROM codes ORDER BY b <~> $1, id", wanted) ==
          std::vector<std::int32_t>{4, 1, 3, 2});
    CHECK(isorow::query<std::int32_t>(connection, "SELECT id FROM codes ORDER BY b <%> $1, id", wanted) ==
          std::vector<std::int32_t>{4, 1, 2, 3});
    CHECK(isorow::query_one<double>(connection, "SELECT b <~> $1 FROM codes WHERE id = 2", wanted) == 5);
}

TEST_CASE_METHOD(binary_vector_server, "vectors are quantised as pgvector does it") {
    std::mt19937 random(9);
    std::normal_distribution<float> normal;
    for (int i = 0; i < 50; ++i) {
        isorow::vector<77> values;
        for (auto& value : values) value = random() % 8 == 0 ? 0.0f : random() % 8 == 0 ? -0.0f : normal(random);
        CHECK(isorow::query_one<bit<77>>(connection, "SELECT binary_quantize($1)::bit(77)", values) == binary_quantize(values));
    }
}
