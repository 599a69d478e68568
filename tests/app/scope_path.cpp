#include <catch2/catch_test_macros.hpp>

#include <isorow/app/scope_path.hpp>
#include <isorow/types/date_time.hpp>
#include <isorow/types/uuid.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <set>
#include <sstream>
#include <string>

using isorow::scope_path;

TEST_CASE("a path is its names from the root down") {
    CHECK(scope_path{}.text().empty());
    CHECK(scope_path{"product", 17}.text() == "/product/17");
    CHECK(scope_path("setup").text() == "/setup");
    std::string const name = "lamps";
    CHECK(scope_path{name, std::string_view("desk"), -3, std::uint64_t{18446744073709551615U}}.text() ==
          "/lamps/desk/-3/18446744073709551615");
    CHECK(scope_path{'x'}.text() == "/x");
}

TEST_CASE("the root is shown as a slash") {
    CHECK(to_string(scope_path{}) == "/");
    std::ostringstream out;
    out << scope_path{} << " " << scope_path{"a"};
    CHECK(out.str() == "/ /a");
}

TEST_CASE("what has a to_string may be in a path") {
    isorow::uuid const id{};
    CHECK(scope_path{"order", id}.text() == "/order/00000000-0000-0000-0000-000000000000");
    CHECK(scope_path{isorow::date(std::chrono::year{2026} / 11 / 21)}.text() == "/2026-11-21");
}

TEST_CASE("an integer and the text of its digits are different names") {
    CHECK(scope_path{17}.text() == "/17");
    CHECK(scope_path{"17"}.text() == "/\"17\"");
    CHECK(scope_path{"-17"} != scope_path{-17});
    CHECK(scope_path{"17a"}.text() == "/17a");
    CHECK(scope_path{"-"}.text() == "/-");
}

TEST_CASE("a name with slashes, tildes, quotes or bytes that are no text stays one name and tells itself from others") {
    CHECK(scope_path{"a/b"}.text() == "/a~1b");
    CHECK(scope_path{"a~1b"}.text() == "/a~01b");
    CHECK(scope_path{""}.text() == "/\"\"");
    CHECK(scope_path{"\"17\""}.text() == "/~217\"");
    CHECK(scope_path{"a\"b"}.text() == "/a\"b");
    CHECK(scope_path{std::string("a\0b\n\x7f", 5)}.text() == "/a~x00b~x0a~x7f");
    CHECK(scope_path{"\xC3\xA9"}.text() == "/\xC3\xA9");
    CHECK(scope_path{"\xC3"}.text() == "/~xc3");
    std::set<scope_path> all{scope_path{},       scope_path{""},        scope_path{"", ""},   scope_path{"a/b"},    scope_path{"a", "b"},
                             scope_path{"a~1b"}, scope_path{"17"},      scope_path{17},       scope_path{"\"17\""}, scope_path{"~217\""},
                             scope_path{"/"},    scope_path{"~"},       scope_path{"~1"},     scope_path{"\"\""},   scope_path{"\xC3"},
                             scope_path{"~xc3"}, scope_path{"a/", "b"}, scope_path{"a", "/b"}};
    CHECK(all.size() == 18);
}

TEST_CASE("paths are joined") {
    scope_path const shop{"shop", 1};
    CHECK((shop / "row" / 17).text() == "/shop/1/row/17");
    CHECK((shop / scope_path{"row", 17}) == (shop / "row" / 17));
    CHECK((scope_path{} / shop) == shop);
}

TEST_CASE("a path is under itself and what stands before it, name by name") {
    scope_path const shops{"shops"};
    CHECK(scope_path{"shops", "berlin"}.is_under(shops));
    CHECK(shops.is_under(shops));
    CHECK(shops.is_under({}));
    CHECK_FALSE(scope_path{"shops2"}.is_under(shops));
    CHECK_FALSE(shops.is_under(scope_path{"shops", "berlin"}));
}

TEST_CASE("the text of a path is read back") {
    scope_path const path{"a/b", 17, "17", ""};
    CHECK(scope_path::parse(path.text()) == path);
    CHECK(scope_path::parse("").is_root());
    CHECK_THROWS_MATCHES(scope_path::parse("a"), isorow::usage_error, test::says("does not begin with /"));
    CHECK_THROWS_AS(scope_path::parse("/a//b"), isorow::usage_error);
    CHECK_THROWS_AS(scope_path::parse("/"), isorow::usage_error);
}
