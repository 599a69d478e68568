#include <catch2/catch_test_macros.hpp>

#include <isorow/query/filter.hpp>
#include <isorow/query/stream.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using isorow::where;

namespace {

struct Item {
    std::int32_t id;
    std::string name;
    std::optional<double> price;
    std::vector<std::string> tags;

    static consteval auto isorow_table() {
        return isorow::table("items").primary_key<&Item::id>().column<&Item::name>({.name = "item name"});
    }
};

struct items {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    items() {
        database.sql(
            "CREATE TABLE items (id integer PRIMARY KEY, \"item name\" text NOT NULL, price float8, tags text[] NOT NULL);"
            "INSERT INTO items VALUES (1, 'lamp', 10, '{}'), (2, 'desk', NULL, '{}'), (3, 'it''s', 30, '{a}'), (4, 'dear lamp', 400, "
            "'{a,b}')");
    }

    /// The ids of the rows for which a filter holds.
    std::string ids(isorow::filter const& filter) {
        auto const sql = isorow::text("SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), 'none') FROM items WHERE {}", filter.sql());
        isorow::parameters bound;
        filter.bind(bound, connection, connection.default_limits());
        auto const answer = isorow::execute_statement(connection, sql, bound, connection.default_limits());
        return std::string(isorow::byte_reader(answer.value(0, 0)).take_rest_as_text());
    }
};

}  // namespace

TEST_CASE_METHOD(items, "a filter compares columns with bound values") {
    CHECK(ids(where<&Item::id>() == 2) == "2");
    CHECK(ids(where<&Item::id>() != 2) == "1 3 4");
    CHECK(ids(where<&Item::price>() < 30) == "1");
    CHECK(ids(where<&Item::price>() <= 30) == "1 3");
    CHECK(ids(where<&Item::price>() > 10) == "3 4");
    CHECK(ids(where<&Item::price>() >= 10.0) == "1 3 4");
    CHECK(ids(where<&Item::price>().between(10, 30)) == "1 3");
    CHECK(ids(where<&Item::name>() == "it's") == "3");
    CHECK(ids(where<&Item::name>().like("%lamp")) == "1 4");
    CHECK(ids(where<&Item::id>().in({1, 4, 9})) == "1 4");
    CHECK(ids(where<&Item::name>().in({"lamp", "desk"})) == "1 2");
    CHECK(ids(where<&Item::price>().is_null()) == "2");
    CHECK(ids(where<&Item::price>().is_not_null()) == "1 3 4");
}

TEST_CASE_METHOD(items, "columns may be named, and values are what they are then") {
    CHECK(ids(where("item name") == "lamp") == "1");
    CHECK(ids(where("id") == std::int32_t{3}) == "3");
    CHECK(ids(where("price") > 10.0) == "3 4");
    CHECK(ids(where("tags") == std::vector<std::string>{"a"}) == "3");
    CHECK_THROWS_AS(ids(where("id\"; DROP TABLE items; --") == 1), isorow::syntax_error_or_access_rule_violation);
    CHECK(ids(where("item name") == "'; DROP TABLE items; --") == "none");
}

TEST_CASE_METHOD(items, "conditions are joined, each as it was meant") {
    auto const cheap = where<&Item::price>() < 20;
    auto const first = where<&Item::id>() == 1;
    auto const second = where<&Item::id>() == 2;
    CHECK(ids(first || (second && cheap)) == "1");
    CHECK(ids((first || second) && cheap) == "1");
    CHECK(ids(!(first || second) && where("price") > 100.0) == "4");
    CHECK(ids(!first && !second) == "3 4");
    CHECK((first && second).sql(5) == "(\"id\" = $5 AND \"id\" = $6)");
}

TEST_CASE("an empty filter holds for all rows and changes nothing that it is joined with") {
    isorow::filter const none;
    auto const first = where("id") == 1;
    CHECK(none.empty());
    CHECK((none && first).sql() == first.sql());
    CHECK((first && none).sql() == first.sql());
    CHECK((none || first).empty());
    CHECK_THROWS_AS(!none, isorow::usage_error);
}
