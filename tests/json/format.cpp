// The form of values in JSON, with no server.

#include <catch2/catch_test_macros.hpp>

#include <json/structs.hpp>
#include <support/matchers.hpp>

#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using isorow::from_json_text;
using isorow::to_json_text;
using namespace std::chrono_literals;

namespace {

struct Renamed {
    std::int32_t code = 0;
    std::string kind;

    static consteval auto isorow_table() {
        return isorow::table("renamed").column<&Renamed::code>({.name = "postal code"}).column<&Renamed::kind>({.name = "a\"\\\n"});
    }
};

struct Open {
    std::int32_t known = 0;
    std::optional<std::int32_t> defaulted = 7;
};

struct Closed {
    std::int32_t known = 0;
    static constexpr auto isorow_unknown_members = isorow::unknown_members::refuse;
};

template <class T>
std::string refusal(std::string_view json) {
    try {
        static_cast<void>(from_json_text<T>(json));
    } catch (isorow::unrepresentable const& refused) {
        return refused.what();
    }
    return "it was read";
}

}  // namespace

TEST_CASE("a struct is an object in the order of jsonb: shorter names first, then by bytes") {
    test::Address const home{{"Main", 5}, "Berlin", true};
    CHECK(to_json_text(home) == R"({"city": "Berlin", "street": {"name": "Main", "number": 5}, "is_home": true})");
    CHECK(from_json_text<test::Address>(to_json_text(home)) == home);
}

TEST_CASE("members are read in any order and with any spaces") {
    CHECK(from_json_text<test::Street>(" { \"number\"\n:\t1 ,\r\"name\":\"a\"} ") == test::Street{"a", 1});
}

TEST_CASE("an optional is null, and may be absent when it is read") {
    CHECK(to_json_text(test::Street{"a", std::nullopt}) == R"({"name": "a", "number": null})");
    CHECK(from_json_text<test::Street>(R"({"name": "a", "number": null})") == test::Street{"a", std::nullopt});
    CHECK(from_json_text<test::Street>(R"({"name": "a"})") == test::Street{"a", std::nullopt});
}

TEST_CASE("an absent optional keeps its initialiser, and null does not") {
    CHECK(from_json_text<Open>(R"({"known": 1})").defaulted == 7);
    CHECK(from_json_text<Open>(R"({"known": 1, "defaulted": null})").defaulted == std::nullopt);
}

TEST_CASE("a missing member is refused by its path") {
    CHECK(refusal<test::Address>(R"({"city": "", "street": {}, "is_home": true})") ==
          "$.street.name: the member is missing; a field that may be is std::optional");
}

TEST_CASE("an unknown member is passed over, unless the struct refuses them") {
    CHECK(from_json_text<Open>(R"({"zip": [1, {"a": "x"}, null, true, 1e5], "known": 3})").known == 3);
    CHECK(refusal<std::vector<Closed>>(R"([{"known": 1}, {"zip": [], "known": 1}])") == "$[1].zip: Closed has no such field");
}

TEST_CASE("an unknown member is JSON all the same") {
    CHECK_THROWS_AS(from_json_text<Open>(R"({"zip": [1, {"a": x}], "known": 3})"), isorow::malformed);
}

TEST_CASE("a name that comes twice is refused") {
    CHECK(refusal<test::Street>(R"({"name": "a", "name": "b"})") == "$.name: the object has the name twice");
    CHECK(refusal<std::map<std::string, int>>(R"({"a": 1, "a": 1})") == "$.a: the object has the name twice");
    CHECK(refusal<boost::json::value>(R"({"a": 1, "\u0061": 1})") == "$.a: the object has the name twice");
}

TEST_CASE("a value of another kind is refused, and both kinds are told") {
    CHECK(refusal<test::Address>(R"({"city": "", "street": {"name": 1}})") == "$.street.name: the value is a number, not a string");
    CHECK(refusal<std::vector<test::Street>>(R"([{"name": "a"}, {"name": null}])") == "$[1].name: the value is null, not a string");
    CHECK(refusal<std::map<std::string, bool>>(R"({"not plain": []})") == "$.\"not plain\": the value is a list, not a boolean");
}

TEST_CASE("the names of the overlay's columns are those of the members") {
    CHECK(to_json_text(Renamed{1, "x"}) == R"({"a\"\\\n": "x", "postal code": 1})");
    CHECK(from_json_text<Renamed>(to_json_text(Renamed{1, "x"})).kind == "x");
}

TEST_CASE("integers are exact to the last of 64 bits") {
    CHECK(to_json_text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
    CHECK(from_json_text<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    CHECK(from_json_text<std::int64_t>("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
    CHECK(from_json_text<std::int64_t>("9007199254740993") == 9007199254740993);
}

TEST_CASE("an integer out of range, or with a fraction, is refused") {
    CHECK(refusal<std::int8_t>("128") == "$: the number is not between -128 and 127");
    CHECK(refusal<std::uint32_t>("-1") == "$: the number is not between 0 and 4294967295");
    CHECK(refusal<std::int64_t>("9223372036854775808").ends_with("9223372036854775807"));
    CHECK(refusal<std::int32_t>("1.5") == "$: the number is not written as an integer");
    CHECK(refusal<std::int32_t>("5.00000000000000000001") == "$: the number is not written as an integer");
    CHECK(from_json_text<std::int32_t>("5.00") == 5);
    CHECK(from_json_text<std::uint8_t>("-0") == 0);
}

TEST_CASE("floating point numbers stand in full, without exponent") {
    CHECK(to_json_text(1e22) == "10000000000000000000000");
    CHECK(to_json_text(-1.5e-7) == "-0.00000015");
    CHECK(to_json_text(123.456) == "123.456");
    CHECK(to_json_text(0.1f) == "0.1");
    CHECK(to_json_text(-0.0) == "0");
    for (double const value :
         {std::numeric_limits<double>::max(), std::numeric_limits<double>::denorm_min(), 0.1, 1.0 / 3, 9007199254740993.0})
        CHECK(std::bit_cast<std::uint64_t>(from_json_text<double>(to_json_text(value))) == std::bit_cast<std::uint64_t>(value));
    CHECK(from_json_text<double>("1E+2") == 100);
}

TEST_CASE("a number that a double cannot hold is refused") {
    CHECK(refusal<double>("1e400") == "$: the number is beyond what a double can hold");
    CHECK(refusal<float>("1e40") == "$: the number is beyond what a float can hold");
    CHECK(refusal<double>("1e-400") == "$: the number is beyond what a double can hold");
}

TEST_CASE("the way for libraries without std::from_chars of double reads the same") {
    for (char const* const number : {"0", "-1.5", "1e22", "0.1", "2.2250738585072014e-308", "9007199254740993"}) {
        double fast = 0;
        double slow = 0;
        CHECK(isorow::detail::parse_number(number, fast));
        CHECK(isorow::detail::parse_number_by_stream(number, slow));
        CHECK(std::bit_cast<std::uint64_t>(fast) == std::bit_cast<std::uint64_t>(slow));
    }
    double overflow = 0;
    CHECK_FALSE(isorow::detail::parse_number_by_stream("1e400", overflow));
}

TEST_CASE("NaN and infinity are refused before anything is sent") {
    CHECK_THROWS_MATCHES(to_json_text(std::vector{1.0, std::nan("")}), isorow::unrepresentable,
                         test::says("$[1]: the number is nan, which JSON does not have"));
    CHECK_THROWS_MATCHES(to_json_text(test::Circle{INFINITY}), isorow::unrepresentable, test::says("$.radius: the number is inf"));
    CHECK_THROWS_AS(to_json_text(isorow::numeric::nan()), isorow::unrepresentable);
}

TEST_CASE("an exact number keeps every digit") {
    std::string const digits = "-123456789012345678901234567890.123450";
    CHECK(to_json_text(*isorow::numeric::parse(digits)) == digits);
    CHECK(to_string(from_json_text<isorow::numeric>(digits)) == digits);
}

TEST_CASE("characters that JSON escapes come back") {
    std::string const all = "\"\\/\b\f\n\r\t\x01\x1f\x7f äß€ 𝄞";
    CHECK(to_json_text(all) == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f äß€ 𝄞\"");
    CHECK(from_json_text<std::string>(to_json_text(all)) == all);
    CHECK(from_json_text<std::string>(R"("\u00e4\u20AC\ud834\udd1e\/")") == "ä€𝄞/");
}

TEST_CASE("half a surrogate pair is refused") {
    for (char const* const half : {R"("\ud834")", R"("\udd1e")", R"("\ud834\u0041")", R"("\ud834x")"})
        CHECK(refusal<std::string>(half) == "$: the text has one half of a surrogate pair, which UTF-8 does not have");
}

TEST_CASE("NUL and invalid UTF-8 are refused with the path, in names too") {
    CHECK_THROWS_MATCHES(to_json_text(test::Address{{std::string("a\0b", 3), 1}, "", false}), isorow::unrepresentable,
                         test::says("$.street.name: the text has a NUL byte at byte 1"));
    CHECK_THROWS_MATCHES(to_json_text(std::vector<std::string>{"", "\xc3"}), isorow::unrepresentable,
                         test::says("$[1]: the text is not valid UTF-8 at byte 0"));
    CHECK_THROWS_MATCHES(to_json_text(std::map<std::string, int>{{"\xff", 1}}), isorow::unrepresentable,
                         test::says("$: the text is not valid UTF-8"));
}

TEST_CASE("a map's members stand in the order of jsonb, whatever the map's is") {
    std::map<std::string, int> const map{{"aa", 1}, {"b", 2}, {"", 3}, {"ä", 4}};
    CHECK(to_json_text(map) == R"({"": 3, "b": 2, "aa": 1, "ä": 4})");
    CHECK(from_json_text<std::map<std::string, int>>(to_json_text(map)) == map);
}

TEST_CASE("an array takes a list of its size only") {
    using three = std::array<int, 3>;
    CHECK(from_json_text<three>("[1, 2, 3]") == three{1, 2, 3});
    CHECK(refusal<three>("[1, 2]") == "$: the list has 2 elements, the array has 3");
    CHECK(refusal<three>("[1, 2, 3, 4]") == "$[3]: the list has more elements than the array's 3");
}

TEST_CASE("a variant says the name of its alternative, then the value") {
    CHECK(to_json_text(test::Shape(test::Circle{1})) == R"({"type": "Circle", "value": {"radius": 1}})");
    CHECK(to_json_text(test::Shape(test::Square{2})) == R"({"type": "square", "value": {"side": 2}})");
    CHECK(to_json_text(test::Shape(test::Nowhere{})) == R"({"type": "Nowhere", "value": {}})");
    CHECK(to_json_text(test::Shape(std::monostate{})) == R"({"type": "null", "value": null})");
    CHECK(to_json_text(test::Shape("x")) == R"({"type": "string", "value": "x"})");
}

TEST_CASE("a variant comes back, whichever member stands first") {
    for (auto const& shape : {test::Shape(test::Circle{1}), test::Shape(test::Nowhere{}), test::Shape(std::monostate{}), test::Shape("x")})
        CHECK(from_json_text<test::Shape>(to_json_text(shape)) == shape);
    CHECK(from_json_text<std::vector<test::Shape>>(R"([{"value": {"side": 2}, "type": "square"}, {"type": "string", "value": ""}])") ==
          std::vector<test::Shape>{test::Square{2}, ""});
}

TEST_CASE("a variant whose alternatives have no names of their own says the index") {
    using number = std::variant<std::int32_t, std::int64_t>;
    CHECK(to_json_text(number(std::int64_t{5})) == R"({"type": 1, "value": 5})");
    CHECK(from_json_text<number>(R"({"type": 1, "value": 5})") == number(std::int64_t{5}));
    CHECK(refusal<number>(R"({"type": 2, "value": 5})") == "$.type: the variant has no such alternative");
}

TEST_CASE("what is no variant is refused with the path") {
    CHECK(refusal<test::Shape>(R"({"type": "Triangle", "value": 1})") == "$.type: the variant has no such alternative");
    CHECK(refusal<test::Shape>(R"({"type": "Circle"})") == "$: the variant has no member value");
    CHECK(refusal<test::Shape>(R"({"value": 1})") == "$: the variant has no member type");
    CHECK(refusal<test::Shape>(R"({"value": {"side": "x"}, "type": "square"})") == "$.value.side: the value is a string, not a number");
    CHECK(refusal<test::Shape>(R"({"type": "square", "type": "square"})").starts_with("$.type: a variant has one member"));
    CHECK(refusal<test::Shape>(R"({"value": 1, "value": 1})").starts_with("$.value: a variant has one member"));
    CHECK(refusal<test::Shape>(R"({"other": 1})").starts_with("$.other: a variant has one member"));
}

TEST_CASE("dates and times are ISO 8601 as the server writes it") {
    auto const day = std::chrono::sys_days(2026y / 11 / 20);
    CHECK(to_json_text(day) == R"("2026-11-20")");
    CHECK(to_json_text(std::chrono::sys_time<std::chrono::microseconds>(day + 22h + 10min + 250ms)) == R"("2026-11-20T22:10:00.25+00:00")");
    CHECK(to_json_text(std::chrono::local_time<std::chrono::microseconds>(day.time_since_epoch() + 1us)) ==
          R"("2026-11-20T00:00:00.000001")");
    using moment = std::chrono::sys_time<std::chrono::microseconds>;
    CHECK(from_json_text<moment>(R"("2026-11-21T00:10:00.25+02")") == day + 22h + 10min + 250ms);
    CHECK(from_json_text<moment>(R"("2026-11-20T16:40:00-05:30")") == day + 22h + 10min);
    CHECK(from_json_text<moment>(R"("2026-11-20 22:10Z")") == day + 22h + 10min);
    CHECK(from_json_text<std::chrono::year_month_day>(R"("2026-11-20")") == 2026y / 11 / 20);
}

TEST_CASE("a date or time that does not exist, or would be rounded, is refused") {
    using moment = std::chrono::sys_time<std::chrono::microseconds>;
    for (char const* const wrong : {"2026-02-29", "2026-13-01", "0000-01-01", "2026-1-1", "2026-11-20x", ""})
        CHECK(refusal<std::chrono::sys_days>(to_json_text(std::string(wrong))).starts_with("$: the text is not a date"));
    for (char const* const wrong :
         {"2026-11-20T22:10:00", "2026-11-20T24:00:00Z", "2026-11-20T22:10:60Z", "2026-11-20T22:10:00.1234567Z", "2026-11-20T22:10:00.Z"})
        CHECK(refusal<moment>(to_json_text(std::string(wrong))).starts_with("$: the text is not a time"));
    CHECK_THROWS_AS(to_json_text(std::chrono::sys_days(10000y / 1 / 1)), isorow::unrepresentable);
    CHECK_THROWS_AS(to_json_text(2026y / 2 / 30), isorow::unrepresentable);
}

TEST_CASE("a UUID is its text") {
    std::string const text = "\"550e8400-e29b-41d4-a716-446655440000\"";
    CHECK(to_json_text(from_json_text<isorow::uuid>(text)) == text);
    CHECK(refusal<isorow::uuid>("\"550e\"") == "$: the text is not a UUID");
}

TEST_CASE("an enumeration is its number, range-checked") {
    CHECK(to_json_text(test::Colour::green) == "2");
    CHECK(from_json_text<test::Colour>("2") == test::Colour::green);
    CHECK(refusal<test::Colour>("40000").starts_with("$: the number is not between"));
}

TEST_CASE("a tree is as deep as its limit and no deeper, to write and to read") {
    auto const nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
    CHECK(to_json_text(from_json_text<boost::json::value>(nested(256))) == nested(256));
    CHECK_THROWS_MATCHES(from_json_text<boost::json::value>(nested(258)), isorow::unrepresentable, test::says("deeper than 256 levels"));
    CHECK_THROWS_MATCHES(from_json_text<Open>("{\"x\": " + nested(1'000'000)), isorow::unrepresentable,
                         test::says("deeper than 256 levels"));
    test::Tree tree;
    for (int i = 0; i < 200; ++i) {
        test::Tree parent;
        parent.children.push_back(std::move(tree));
        tree = std::move(parent);
    }
    CHECK_THROWS_MATCHES(to_json_text(tree), isorow::unrepresentable, test::says("deeper than 256 levels"));
}

TEST_CASE("long names are cut in a path, between characters") {
    std::string const name = std::string(63, 'x') + "ä and more";
    CHECK(refusal<std::map<std::string, int>>("{\"" + name + "\": null}") ==
          "$.\"" + std::string(63, 'x') + "…\": the value is null, not a number");
}
