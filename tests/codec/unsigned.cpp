// Integers without sign go to the server in binary, are printed there, and come back in binary.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/dynamic_row.hpp>
#include <isorow/schema/overlay.hpp>
#include <support/codec_bytes.hpp>
#include <support/matchers.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

struct number_server : test::value_server {
    template <class Integer>
    void check(Integer value) {
        CHECK(isorow::query_one<Integer>(connection, "SELECT $1", value) == value);
        CHECK(isorow::query_one<std::string>(connection, "SELECT $1::text", value) == std::to_string(value));
    }
    void check_wide(u64 value) {
        using wide = isorow::annotated<u64, isorow::pg_type<"numeric(20,0)">>;
        auto const text = std::to_string(value);
        CAPTURE(text);
        CHECK(isorow::query_one<wide>(connection, "SELECT $1", wide(value)) == value);
        CHECK(isorow::query_one<std::string>(connection, "SELECT $1::text", wide(value)) == text);
        auto const image = test::encoded<u64, wide_type>(value);
        CHECK(isorow::query_one<bool>(connection, "SELECT numeric_send($1::text::numeric(20,0)) = $2", text, image));
    }
    static constexpr isorow::column_type wide_type{isorow::type_id::numeric, false, 20, 0};
};

}  // namespace

TEST_CASE_METHOD(number_server, "integers without sign go to the server and back, from the least to the greatest") {
    STATIC_CHECK(isorow::default_type<u16>.id == isorow::type_id::int4);
    STATIC_CHECK(isorow::default_type<u32>.id == isorow::type_id::int8);
    STATIC_CHECK_FALSE(isorow::mapped<u64>);
    STATIC_CHECK_FALSE(isorow::mapped<std::uint8_t>);
    STATIC_CHECK_FALSE(isorow::mapped<char>);
    for (u16 const value : {u16{0}, u16{40'000}, std::numeric_limits<u16>::max()}) check(value);
    for (u32 const value : {u32{0}, u32{3'000'000'000}, std::numeric_limits<u32>::max()}) check(value);
    std::vector<u32> const list{0, 4'000'000'000};
    CHECK(isorow::query_one<std::vector<u32>>(connection, "SELECT $1", list) == list);
    CHECK(isorow::query_one<std::optional<u16>>(connection, "SELECT NULL::int") == std::nullopt);
}

TEST_CASE_METHOD(number_server, "an integer without sign reads narrower columns, and refuses what it does not have") {
    CHECK(isorow::query_one<u32>(connection, "SELECT 7::smallint") == 7);
    CHECK(isorow::query_one<u16>(connection, "SELECT 7::smallint") == 7);
    CHECK(isorow::query_one<u32>(connection, "SELECT 7::int") == 7);
    CHECK_THROWS_AS(isorow::query_one<u16>(connection, "SELECT 7::bigint"), isorow::mismatch);
    CHECK_THROWS_MATCHES(isorow::query_one<u16>(connection, "SELECT 65536"), isorow::unrepresentable,
                         test::says("65536 is out of the range of the field's unsigned integer of 2 bytes"));
    CHECK_THROWS_MATCHES(isorow::query_one<u16>(connection, "SELECT -1"), isorow::unrepresentable, test::says("-1 is out of the range"));
    CHECK_THROWS_AS(isorow::query_one<u32>(connection, "SELECT 4294967296"), isorow::unrepresentable);
    CHECK_THROWS_AS(isorow::query_one<u32>(connection, "SELECT (-7)::smallint"), isorow::unrepresentable);
}

TEST_CASE("an integer without sign is stored in the column that was said, and its range is checked") {
    constexpr isorow::column_type small{isorow::type_id::int2};
    constexpr isorow::column_type integer{isorow::type_id::int4};
    constexpr isorow::column_type big{isorow::type_id::int8};
    CHECK(test::encoded<u16, small>(32'767).size() == 2);
    CHECK_THROWS_MATCHES((test::encoded<u16, small>(32'768)), isorow::unrepresentable, test::says("32768 is out of the range of smallint"));
    CHECK(test::encoded<u32, integer>(2'147'483'647).size() == 4);
    CHECK_THROWS_AS((test::encoded<u32, integer>(2'147'483'648)), isorow::unrepresentable);
    CHECK(test::encoded<u64, big>(9'223'372'036'854'775'807u).size() == 8);
    CHECK_THROWS_MATCHES((test::encoded<u64, big>(9'223'372'036'854'775'808u)), isorow::unrepresentable,
                         test::says("9223372036854775808 is out of the range of bigint"));
    CHECK_THROWS_MATCHES((test::decoded<u64, big>(test::words({-1, -1}))), isorow::unrepresentable, test::says("-1 is out of the range"));
}

TEST_CASE("a byte is stored as the integer that was said") {
    constexpr isorow::column_type small{isorow::type_id::int2};
    CHECK(test::decoded<std::uint8_t, small>(test::encoded<std::uint8_t, small>(255)) == 255);
    CHECK(test::decoded<std::int8_t, small>(test::encoded<std::int8_t, small>(-128)) == -128);
    CHECK_THROWS_AS((test::decoded<std::uint8_t, small>(test::bytes({1, 0}))), isorow::unrepresentable);
    CHECK_THROWS_AS((test::decoded<std::int8_t, small>(test::bytes({0, 128}))), isorow::unrepresentable);
    STATIC_CHECK(isorow::accepts<std::uint8_t>(small));
    STATIC_CHECK_FALSE(isorow::accepts<std::uint8_t>(isorow::column_type{isorow::type_id::text}));
}

TEST_CASE_METHOD(number_server, "numeric(20,0) holds every integer of 64 bits without sign exactly") {
    check_wide(0);
    check_wide(std::numeric_limits<u64>::max());
    for (u64 power = 1; power < 10'000'000'000'000'000'000u; power *= 10) {
        check_wide(power);
        check_wide(power - 1);
        check_wide(7 * (power / 5));
    }
    std::mt19937_64 random(17);
    for (std::size_t i = 0; i < test::random_count(); ++i) check_wide(random() >> (random() % 64));
}

TEST_CASE_METHOD(number_server, "a numeric that is no integer of 64 bits without sign is refused when it is read") {
    using wide = isorow::annotated<u64, isorow::pg_type<"numeric(20,0)">>;
    CHECK(isorow::query_one<wide>(connection, "SELECT 5.000") == 5u);
    CHECK(isorow::query_one<wide>(connection, "SELECT 18446744073709551615::numeric") == std::numeric_limits<u64>::max());
    for (auto const* const text :
         {"18446744073709551616", "99999999999999999999", "1e30", "-1", "0.5", "5.5", "'NaN'", "'Infinity'", "'-Infinity'"}) {
        INFO(text);
        CHECK_THROWS_MATCHES(isorow::query_one<wide>(connection, isorow::text("SELECT {}::numeric", text)), isorow::unrepresentable,
                             test::says("is out of the range of the field's unsigned integer of 8 bytes"));
    }
    constexpr isorow::column_type three{isorow::type_id::numeric, false, 3, 0};
    CHECK(test::encoded<u64, three>(999).size() == 10);
    CHECK_THROWS_MATCHES((test::encoded<u64, three>(1000)), isorow::unrepresentable,
                         test::says("1000 is out of the range of numeric(3,0)"));
    test::refuse_cut_and_longer<u64, wide_type>(12'345'678'901'234'567'890u);
}

TEST_CASE("an integer of 64 bits without sign says which columns take it") {
    using isorow::accepts;
    using isorow::column_type;
    using isorow::type_id;
    STATIC_CHECK(accepts<u64>(column_type{type_id::int8}));
    STATIC_CHECK(accepts<u64>(column_type{type_id::numeric, false, 20, 0}));
    STATIC_CHECK(accepts<u64>(column_type{type_id::numeric}));
    STATIC_CHECK_FALSE(accepts<u64>(column_type{type_id::numeric, false, 22, 2}));
    STATIC_CHECK_FALSE(accepts<u64>(column_type{type_id::float8}));
}

TEST_CASE("a dynamic value gives back an integer of 64 bits without sign") {
    auto const greatest = std::numeric_limits<u64>::max();
    CHECK(isorow::dynamic_value(greatest).as<u64>() == greatest);
    CHECK(isorow::dynamic_value(u64{5}).as<u64>() == 5);
    CHECK_THROWS_AS(isorow::dynamic_value(*isorow::numeric::parse("0.5")).as<u64>(), isorow::unrepresentable);
    CHECK_THROWS_AS(isorow::dynamic_value(-1).as<u64>(), isorow::unrepresentable);
}
