#include <catch2/catch_test_macros.hpp>

#include <isorow/schema/identifier.hpp>
#include <support/matchers.hpp>

#include <string>

TEST_CASE("an identifier is quoted, and quotes inside it are doubled") {
    CHECK(isorow::quote_identifier("products") == "\"products\"");
    CHECK(isorow::quote_identifier("a\"b") == "\"a\"\"b\"");
    CHECK(isorow::quote_identifier("Größe") == "\"Größe\"");
    CHECK(isorow::quote_identifier("public", "t") == "\"public\".\"t\"");
}

TEST_CASE("a name of 63 bytes is an identifier, a longer one is refused with its length") {
    CHECK_NOTHROW(isorow::quote_identifier(std::string(63, 'x')));
    CHECK_THROWS_MATCHES(isorow::quote_identifier(std::string(64, 'x')), isorow::usage_error,
                         test::says("has 64 bytes, an SQL identifier at most 63"));
}

TEST_CASE("names that Postgres cannot take are refused") {
    CHECK_THROWS_MATCHES(isorow::quote_identifier(""), isorow::usage_error, test::says("an empty name"));
    CHECK_THROWS_MATCHES(isorow::quote_identifier(std::string("a\0b", 3)), isorow::usage_error, test::says("NUL byte"));
    CHECK_THROWS_MATCHES(isorow::quote_identifier("\xc3\x28"), isorow::usage_error, test::says("not valid UTF-8"));
    CHECK_THROWS_MATCHES(isorow::quote_identifier("\xed\xa0\x80"), isorow::usage_error, test::says("not valid UTF-8"));
}

// Source of the values: the test suite of FNV, http://www.isthe.com/chongo/tech/comp/fnv.
TEST_CASE("long names are told apart by FNV-1a, as databases have names that end with it") {
    using isorow::detail::hash_digits;
    CHECK(hash_digits("") == "cbf29ce484222325");
    CHECK(hash_digits("a") == "af63dc4c8601ec8c");
    CHECK(hash_digits("foobar") == "85944171f73967e8");
    CHECK(hash_digits("foobar", 10) == "71f73967e8");
}
