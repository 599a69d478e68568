// Boost.JSON's values as fields and as what structs become.

#include <catch2/catch_test_macros.hpp>

#include <isorow/schema.hpp>
#include <json/structs.hpp>
#include <support/matchers.hpp>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

using isorow::from_json;
using isorow::from_json_text;
using isorow::to_json;
using isorow::to_json_text;

namespace {

constexpr isorow::column_type jsonb_type{isorow::type_id::jsonb};

template <class T>
constexpr bool is_jsonb = isorow::default_type<T> == jsonb_type;

struct Row {
    std::int64_t id = 0;
    test::Address address{};
    isorow::jsonb<std::vector<std::string>> words{};
    std::optional<boost::json::value> anything{};
};

}  // namespace

TEST_CASE("documents are jsonb columns, and vectors of scalars stay arrays") {
    STATIC_CHECK(is_jsonb<test::Address>);
    STATIC_CHECK(is_jsonb<std::vector<test::Address>>);
    STATIC_CHECK(is_jsonb<std::vector<std::optional<test::Address>>>);
    STATIC_CHECK(is_jsonb<std::array<test::Address, 2>>);
    STATIC_CHECK(is_jsonb<std::map<std::string, int>>);
    STATIC_CHECK(is_jsonb<std::unordered_map<std::string, test::Address>>);
    STATIC_CHECK(is_jsonb<test::Shape>);
    STATIC_CHECK(is_jsonb<isorow::jsonb<std::vector<int>>>);
    STATIC_CHECK(is_jsonb<std::vector<isorow::jsonb<int>>>);
    STATIC_CHECK(is_jsonb<boost::json::value>);
    STATIC_CHECK(isorow::default_type<std::vector<int>> == isorow::column_type{isorow::type_id::int4, true});
    STATIC_CHECK(isorow::default_type<isorow::uuid> == isorow::column_type{isorow::type_id::uuid});
    STATIC_CHECK_FALSE(isorow::mapped<std::map<int, int>>);
    STATIC_CHECK(isorow::default_type<std::array<int, 3>> == isorow::column_type{isorow::type_id::int4, true});
    STATIC_CHECK(isorow::default_type<std::vector<std::vector<int>>> == isorow::column_type{isorow::type_id::int4, true});
}

TEST_CASE("a struct with documents is a table") {
    STATIC_CHECK(isorow::mappable<Row>);
    STATIC_CHECK(isorow::columns_of<Row>[1].type == jsonb_type);
    STATIC_CHECK(isorow::columns_of<Row>[3].nullable);
}

TEST_CASE("a document may be stored as json, and as nothing else") {
    STATIC_CHECK(isorow::accepts<test::Address>(isorow::column_type{isorow::type_id::json}));
    STATIC_CHECK_FALSE(isorow::accepts<test::Address>(isorow::column_type{isorow::type_id::text}));
    STATIC_CHECK_FALSE(isorow::accepts<test::Address>(isorow::column_type{isorow::type_id::jsonb, true}));
}

TEST_CASE("jsonb<T> is a T in all that a user does with it") {
    isorow::jsonb<std::vector<int>> list = std::vector{1, 2};
    list->push_back(3);
    (*list)[0] = 7;
    CHECK(list.value == std::vector{7, 2, 3});
    CHECK(list == isorow::jsonb(std::vector{7, 2, 3}));
    CHECK(isorow::jsonb<int>() == 0);
}

TEST_CASE("an optional whose value has null itself has no form, as the two nulls would be one") {
    STATIC_CHECK(isorow::json_formattable<std::optional<int>>);
    STATIC_CHECK_FALSE(isorow::json_formattable<std::optional<std::optional<int>>>);
    STATIC_CHECK_FALSE(isorow::json_formattable<std::optional<boost::json::value>>);
    STATIC_CHECK_FALSE(isorow::json_formattable<std::optional<isorow::jsonb<std::optional<int>>>>);
    STATIC_CHECK_FALSE(isorow::json_formattable<std::vector<std::byte>>);
    STATIC_CHECK_FALSE(isorow::json_formattable<char>);
}

TEST_CASE("a struct becomes Boost.JSON's value and comes back") {
    test::Address const home{{"Main", 5}, "Berlin", true};
    auto const value = to_json(home);
    CHECK(value.at("street").at("name") == "Main");
    CHECK(value.at("street").at("number").as_int64() == 5);
    CHECK(from_json<test::Address>(value) == home);
}

TEST_CASE("what a struct does not have is refused on the way from Boost.JSON's value, with the path") {
    CHECK_THROWS_MATCHES(from_json<test::Street>(boost::json::value{{"name", 1}}), isorow::unrepresentable,
                         test::says("$.name: the value is a number, not a string"));
    CHECK_THROWS_AS(from_json<double>(boost::json::value(std::nan(""))), isorow::unrepresentable);
    CHECK(from_json<std::int32_t>(boost::json::value(5.0)) == 5);
}

TEST_CASE("numbers become the smallest kind that holds them exactly") {
    CHECK(from_json_text<boost::json::value>("-5").is_int64());
    CHECK(from_json_text<boost::json::value>("9223372036854775808").is_uint64());
    CHECK(from_json_text<boost::json::value>("0.5").get_double() == 0.5);
    CHECK(from_json_text<boost::json::value>("1e2").get_double() == 100);
    CHECK(from_json_text<boost::json::value>("10000000000000000000000").get_double() == 1e22);
}

TEST_CASE("an integer whose last digits would be lost is refused") {
    CHECK_THROWS_MATCHES(from_json_text<boost::json::value>("[12345678901234567890123]"), isorow::unrepresentable,
                         test::says("$[0]: the integer has more digits"));
    CHECK_THROWS_AS(from_json_text<boost::json::value>("1e400"), isorow::unrepresentable);
}

TEST_CASE("Boost.JSON's values stand in the form of jsonb") {
    boost::json::value const value{{"bb", {1, 2.5, nullptr}}, {"a", {{"x", "\n"}}}, {"ccc", true}, {"u", UINT64_MAX}};
    CHECK(to_json_text(value) == R"({"a": {"x": "\n"}, "u": 18446744073709551615, "bb": [1, 2.5, null], "ccc": true})");
    CHECK(from_json_text<boost::json::value>(to_json_text(value)) == value);
}
