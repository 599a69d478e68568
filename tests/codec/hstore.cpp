// Values of hstore go to the server in binary, are printed there, and come back in binary.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/hstore.hpp>
#include <isorow/codec/text_policy.hpp>
#include <support/codec_bytes.hpp>
#include <support/matchers.hpp>

#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

using isorow::hstore;

namespace {

/// In a database that has hstore.
struct hstore_server : test::database, test::value_server {
    hstore_server() : value_server(dsn()) { isorow::execute(connection, "CREATE EXTENSION hstore"); }
};

struct Labelled {
    int id;
    hstore labels;

    static consteval auto isorow_table() { return isorow::table("labelled").primary_key<&Labelled::id>(); }
};

std::vector<std::byte> pairs(std::int32_t count, std::initializer_list<std::pair<std::int32_t, std::string>> texts) {
    isorow::byte_writer out;
    out.put_int32(count);
    for (auto const& [length, text] : texts) {
        out.put_int32(length);
        out.put_bytes(text);
    }
    return {out.bytes().begin(), out.bytes().end()};
}

}  // namespace

TEST_CASE("an hstore is a map whose order is the server's") {
    hstore values{{"long", "1"}, {"b", std::nullopt}, {"a", "x"}};
    CHECK(to_string(values) == "\"a\"=>\"x\", \"b\"=>NULL, \"long\"=>\"1\"");
    CHECK(values.at("b") == std::nullopt);
    CHECK(values.find(std::string_view("long"))->second == "1");
    values["c"] = "y";
    CHECK(values.size() == 4);
    CHECK(to_string(hstore{{"q\"", "\\"}}) == "\"q\\\"\"=>\"\\\\\"");
}

TEST_CASE("texts of hstore are read with and without quotes, and what is not one is not") {
    CHECK(hstore::parse("") == hstore{});
    CHECK(hstore::parse("  ") == hstore{});
    CHECK(hstore::parse("a=>1,b => NULL , \"c d\"=>\"null\", e=>nUlL") ==
          hstore{{"a", "1"}, {"b", std::nullopt}, {"c d", "null"}, {"e", std::nullopt}});
    CHECK(hstore::parse("\"\"=>\"\"") == hstore{{"", ""}});
    CHECK(hstore::parse("\"a\\\"\\b\"=>\"\\\\\"") == hstore{{"a\"b", "\\"}});
    for (auto const* const text : {"a", "a=>", "=>1", "a=1", "a=>1,", ",a=>1", "a=>1 b=>2", "\"a=>1", "a=>\"1", "a=>1, a=>2", "a=>\"1\\"}) {
        INFO(text);
        CHECK_FALSE(hstore::parse(text));
    }
}

TEST_CASE_METHOD(hstore_server, "values of hstore go to the server and back, and print as the server prints them") {
    check(hstore{}, "", "hstore", "hstore");
    check(hstore{{"long", "1"}, {"b", std::nullopt}, {"a", ""}}, "hstore", "hstore");
    std::mt19937 random(13);
    auto const word = [&] {
        std::string text;
        for (auto count = random() % 6; count > 0; --count)
            text += std::vector<std::string>{"a", "b", "\"", "\\", " ", "ä", "🙂", ",", "=>", "\n"}[random() % 10];
        return text;
    };
    for (std::size_t i = 0; i < test::random_count(); ++i) {
        hstore values;
        for (auto count = random() % 6; count > 0; --count) {
            auto key = word();
            values[std::move(key)] = random() % 4 == 0 ? std::nullopt : std::optional(word());
        }
        check(values, "hstore", "hstore");
    }
}

TEST_CASE_METHOD(hstore_server, "a database without hstore says what to create") {
    test::database const bare;
    auto other = test::connect(bare.dsn());
    CHECK_THROWS_MATCHES(isorow::query_one<hstore>(other, "SELECT $1", hstore{}), isorow::usage_error,
                         test::says("CREATE EXTENSION hstore"));
}

TEST_CASE("texts that Postgres cannot store are refused in keys and values, and cleaned in values") {
    CHECK_THROWS_MATCHES(test::encoded(hstore{{std::string("k\0", 2), "v"}}), isorow::unrepresentable, test::says("a NUL byte at byte 1"));
    CHECK_THROWS_MATCHES(test::encoded(hstore{{"key", "v\xff"}}), isorow::unrepresentable,
                         test::says("key \"key\": the text is not valid UTF-8 at byte 1"));
    auto const row = cleaned_row(Labelled{1, hstore{{"k\xff", "v\xff"}, {"n", std::nullopt}}}, isorow::text_policy::strip);
    CHECK(row.labels == hstore{{"k\xff", "v"}, {"n", std::nullopt}});
}

TEST_CASE("values of hstore that are cut, too long or claim what cannot be are malformed") {
    using test::decoded;
    test::refuse_cut_and_longer(hstore{{"a", "1"}, {"bc", std::nullopt}});
    CHECK(decoded<hstore>(pairs(1, {{1, "a"}, {-1, ""}})) == hstore{{"a", std::nullopt}});
    CHECK_THROWS_MATCHES(decoded<hstore>(pairs(-1, {})), isorow::malformed, test::says("an hstore of -1 pairs"));
    CHECK_THROWS_MATCHES(decoded<hstore>(pairs(2'147'483'647, {{1, "a"}, {1, "b"}})), isorow::malformed,
                         test::says("an hstore of 2147483647 pairs in 10 bytes"));
    CHECK_THROWS_MATCHES(decoded<hstore>(pairs(1, {{-1, ""}, {1, "b"}})), isorow::malformed, test::says("a length of -1"));
    CHECK_THROWS_MATCHES(decoded<hstore>(pairs(1, {{1, "a"}, {-2, ""}})), isorow::malformed, test::says("a length of -2"));
    CHECK_THROWS_AS(decoded<hstore>(pairs(1, {{1, "a"}, {2'000'000, "b"}})), isorow::malformed);
    CHECK_THROWS_MATCHES(decoded<hstore>(pairs(2, {{1, "a"}, {1, "b"}, {1, "a"}, {1, "c"}})), isorow::malformed, test::says("a key twice"));
}
