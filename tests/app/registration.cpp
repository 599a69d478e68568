#include <catch2/catch_test_macros.hpp>

#include <isorow/app/app.hpp>
#include <isorow/app/registration.hpp>
#include <support/matchers.hpp>
#include <support/server.hpp>

#include <optional>
#include <string>
#include <utility>

namespace {

struct house {
    isorow::pool pool{test::dsn(), {.min_size = 1}};
};

}  // namespace

TEST_CASE_METHOD(house, "a database's key is unique while its handle lives") {
    {
        auto const main = isorow::register_db("registered", pool);
        CHECK(main.key() == "registered");
        CHECK(&main.pool() == &pool);
        CHECK_THROWS_MATCHES(isorow::register_db("registered", pool), isorow::usage_error,
                             test::says("registered as \"registered\" already"));
        auto const other = isorow::register_db("other", pool);
    }
    CHECK_NOTHROW(isorow::register_db("registered", pool));
}

TEST_CASE_METHOD(house, "a handle that was moved from frees nothing") {
    std::optional<isorow::database> kept;
    {
        auto first = isorow::register_db("moved", pool);
        kept = std::move(first);
    }
    CHECK_THROWS_AS(isorow::register_db("moved", pool), isorow::usage_error);
    kept.reset();
    CHECK_NOTHROW(isorow::register_db("moved", pool));
}

TEST_CASE_METHOD(house, "a database stays registered for as long as an app of it lives") {
    std::optional<isorow::app> app;
    app.emplace(isorow::register_db("of an app", pool), "catalogue");
    CHECK_THROWS_AS(isorow::register_db("of an app", pool), isorow::usage_error);
    app.reset();
    CHECK_NOTHROW(isorow::register_db("of an app", pool));
}

TEST_CASE_METHOD(house, "a registered database is a place where statements run") {
    auto const main = isorow::register_db("place", pool);
    CHECK(isorow::query_one<std::int32_t>(main, "SELECT 1") == 1);
}

TEST_CASE_METHOD(house, "names that cannot be stable are refused") {
    CHECK_THROWS_MATCHES(isorow::register_db("", pool), isorow::usage_error, test::says("has a name"));
    CHECK_THROWS_AS(isorow::register_db(std::string("a\0b", 3), pool), isorow::usage_error);
    CHECK_THROWS_AS(isorow::register_db("\xff", pool), isorow::usage_error);
    CHECK_THROWS_AS(isorow::register_db(std::string(501, 'x'), pool), isorow::usage_error);
    auto const main = isorow::register_db("names", pool);
    CHECK_THROWS_MATCHES(isorow::app(main, ""), isorow::usage_error, test::says("an app has a name"));
}
