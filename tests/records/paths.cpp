#include <catch2/catch_test_macros.hpp>

#include <isorow/records/filter.hpp>
#include <isorow/records/path.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace {

using isorow::records::part;
using isorow::records::path;
using steps = std::vector<std::string>;

}  // namespace

TEST_CASE("names with dots between are steps in the fields, behind metadata in the metadata") {
    CHECK(path("name").part() == part::fields);
    CHECK(path("name").steps() == steps{"name"});
    CHECK(path("address.city").steps() == steps{"address", "city"});
    CHECK(path("tags.0").steps() == steps{"tags", "0"});
    CHECK(path("metadata.version").part() == part::metadata);
    CHECK(path("metadata.version").steps() == steps{"version"});
    CHECK(path("metadata").part() == part::metadata);
    CHECK(path("metadata").steps().empty());
    CHECK(path("id").part() == part::id);
    CHECK(path("id.x").steps() == steps{"id", "x"});
}

TEST_CASE("what stands in quotes may be any name") {
    CHECK(path("address.\"postal.code\"").steps() == steps{"address", "postal.code"});
    CHECK(path("\"a\"\"b\".c").steps() == steps{"a\"b", "c"});
    CHECK(path("\"\"").steps() == steps{""});
    CHECK(path("\"metadata\".x").part() == part::fields);
    CHECK(path("it's -- a; \\name").steps() == steps{"it's -- a; \\name"});
}

TEST_CASE("paths as Postgres writes them are read, and with two arrows it is the text that counts") {
    CHECK(path("fields->>'name'") == path("fields ->> 'name'"));
    CHECK(path("fields->>'name'").steps() == steps{"name"});
    CHECK(path("fields->>'name'").is_text());
    CHECK_FALSE(path("fields->'name'").is_text());
    CHECK(path("fields->'address'->>'city'").steps() == steps{"address", "city"});
    CHECK(path("fields->'tags'->0").steps() == steps{"tags", "0"});
    CHECK(path("metadata->>'version'").part() == part::metadata);
    CHECK(path("metadata#>>'{a,\"b c\"}'").steps() == steps{"a", "b c"});
    CHECK(path("fields #> '{tags, 0}'").steps() == steps{"tags", "0"});
    CHECK(path("fields->'id'").steps() == steps{"id"});
    CHECK(path("fields->>'it''s'").steps() == steps{"it's"});
}

TEST_CASE("what is no path is refused with the reason") {
    for (auto const* const written :
         {"", ".", "a..b", "a.", ".a", "\"a", "\"a\"b", "fields->", "fields->>name", "fields->>'a'->'b'", "fields->>'a", "fields#>'a'",
          "fields#>>'{a,}'", "fields#>'{\"a}'", "fields->'a'x", "metadata->", "fields->99999999999"})
        CHECK_THROWS_MATCHES(path(written), isorow::usage_error, test::says("is no path of a record"));
    CHECK_THROWS_MATCHES(path(std::string("a\0b", 3)), isorow::usage_error, test::says("NUL"));
    CHECK_THROWS_MATCHES(path("a\xff"), isorow::usage_error, test::says("UTF-8"));
    std::string deep = "a";
    for (int i = 0; i < 64; ++i) deep += ".a";
    CHECK_THROWS_MATCHES(path(deep), isorow::usage_error, test::says("at most 64 steps"));
}

TEST_CASE("a filter asks of a place in a document, and of a value that a document can have") {
    using isorow::records::where;
    CHECK_THROWS_MATCHES(where("metadata").exists(), isorow::usage_error, test::says("a place in a document"));
    CHECK_THROWS_MATCHES(where(path::of(part::fields)).includes({{"a", 1}}), isorow::usage_error, test::says("a place in a document"));
    auto const now = std::chrono::system_clock::now();
    CHECK_THROWS_MATCHES(where("times").has(now), isorow::usage_error, test::says("not a moment"));
}
