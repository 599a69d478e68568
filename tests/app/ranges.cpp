#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

using isorow::dynamic_row;
using isorow::other_text;
using isorow::range;

namespace {

struct hall {
    test::database database{};
    isorow::pool pool{database.dsn(), {.min_size = 1, .connection = {.timeout = std::chrono::seconds(120)}}};
    isorow::database main = isorow::register_db(database.name(), pool);
    isorow::app app{main, "hall"};

    /// What a run does that declares these rows of a table described at run time.
    std::string declared(std::vector<dynamic_row> const& rows) {
        isorow::table_schema const schema{{{"id", isorow::column{"bigint", isorow::not_null}},
                                           {"seats", isorow::column{"int4range", isorow::not_null}},
                                           {"during", isorow::column{"tstzrange"}},
                                           {"gaps", isorow::column{"datemultirange"}},
                                           {"rows", isorow::column{"int4range[]"}}},
                                          isorow::primary_key{"id"}};
        auto const done = app.run([&](isorow::scope root) { root.target(schema, {.table = "halls"}).rows(root, rows); });
        return to_string(static_cast<isorow::row_counts const&>(done));
    }
};

struct Seat {
    range<std::int32_t> numbers;
    std::string owner;
    static consteval auto isorow_table() { return isorow::table("seats").primary_key<&Seat::numbers>(); }
};

}  // namespace

TEST_CASE_METHOD(hall, "dynamic rows write ranges: as ranges, as texts, and as they were read") {
    std::vector<dynamic_row> rows{
        {{"id", 1}, {"seats", range<std::int32_t>{1, 10}}, {"during", "[2026-01-01 00:00:00+01,)"}, {"gaps", "{[2026-01-01,2026-01-05]}"}},
        {{"id", 2}, {"seats", "(0,9]"}, {"rows", std::vector<range<std::int32_t>>{{1, 2}, {}}}},
        {{"id", 3}, {"seats", other_text{"int4range", "empty"}}, {"rows", isorow::dynamic_value::array{"[1,1]", isorow::null}}}};
    CHECK(declared(rows) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    auto const stored = isorow::query<dynamic_row>(pool, "SELECT * FROM halls ORDER BY id");
    CHECK(stored.at(0)["seats"].value == isorow::dynamic_value(other_text{"int4range", "[1,10)"}));
    CHECK(stored.at(0)["during"].value == isorow::dynamic_value(other_text{"tstzrange", "[\"2025-12-31 23:00:00+00\",)"}));
    CHECK(stored.at(0)["gaps"].value == isorow::dynamic_value(other_text{"datemultirange", "{[2026-01-01,2026-01-06)}"}));
    CHECK(stored.at(1)["seats"].value == stored.at(0)["seats"].value);
    CHECK(to_string(stored.at(2)["rows"].value) == "{[1,2), NULL}");
    CHECK(declared(stored) == "0 inserted, 0 updated, 0 deleted, 3 unchanged");

    auto const refused = [&](isorow::dynamic_value value, std::string const& why) {
        CHECK_THROWS_MATCHES(declared(std::vector<dynamic_row>{{{"id", 1}, {"seats", std::move(value)}}}), isorow::unrepresentable,
                             test::says("column \"seats\": " + why));
    };
    refused("[9,1)", "the text \"[9,1)\" is no int4range");
    refused("1-9", "the text \"1-9\" is no int4range");
    refused(range<std::int64_t>{1, 2}, "a value of type int8range cannot be stored as int4range");
    refused(7, "an integer cannot be stored as int4range");
}

TEST_CASE_METHOD(hall, "a range may be the key of an app's shared table, and its audit shows it") {
    auto const run = [&](std::string const& owner) {
        return app.run([&](isorow::scope root) {
            auto seats = root.target<Seat>();
            for (int row = 0; row < 2; ++row)
                root.mount({"row", row}, isorow::version{1}, Seat{{row * 10, row * 10 + 10}, owner},
                           [=](isorow::scope here, Seat const& in) { seats.row(here, in); });
        });
    };
    static_cast<void>(run("ada"));
    CHECK(isorow::query<std::string>(pool, "SELECT numbers::text FROM seats ORDER BY 1") == std::vector<std::string>{"[0,10)", "[10,20)"});
    static_cast<void>(run("bob"));
    CHECK(isorow::query<std::string>(pool, "SELECT DISTINCT owner FROM seats") == std::vector<std::string>{"bob"});
    isorow::execute(pool, "UPDATE seats SET owner = 'eve' WHERE numbers @> 12");
    auto const found = app.audit();
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].sample_keys.size() == 1);
    CHECK(found[0].sample_keys[0].find("[10,20)") != std::string::npos);
}

TEST_CASE("a component's input that is a range is known again by its values") {
    auto const of = [](auto const& value) { return isorow::input_hasher().add(value).result(); };
    CHECK(of(range<std::int32_t>::closed(1, 9)) == of(range<std::int32_t>{1, 10}));
    CHECK(of(range<std::int32_t>{1, 9}) != of(range<std::int32_t>{1, 10}));
    CHECK(of(isorow::multirange<std::int32_t>{{1, 3}, {3, 5}}) == of(isorow::multirange<std::int32_t>{{1, 5}}));
    CHECK(of(isorow::multirange<std::int32_t>{{1, 3}}) != of(isorow::multirange<std::int32_t>{{1, 5}}));
}
