#include <catch2/catch_test_macros.hpp>

#include <isorow/query/stream.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <fstream>
#include <ranges>
#include <string>

#include <unistd.h>

namespace {

struct Row {
    std::int64_t id;
    std::string name;
};

struct server {
    isorow::connection connection = test::connect();
};

/// What the process holds in memory now, in KiB.
long resident_kilobytes() {
    std::ifstream statistics("/proc/self/statm");
    long total = 0;
    long resident = 0;
    statistics >> total >> resident;
    return resident * (::sysconf(_SC_PAGESIZE) / 1024);
}

}  // namespace

static_assert(std::ranges::input_range<isorow::row_range<Row>>);
static_assert(std::ranges::view<isorow::row_range<Row>>);

TEST_CASE_METHOD(server, "a stream gives all rows in order") {
    std::int64_t expected = 0;
    for (Row const& row :
         isorow::stream<Row>(connection, "SELECT g AS id, 'name ' || g AS name FROM generate_series(1, $1) g", std::int64_t{10'000})) {
        REQUIRE(row.id == ++expected);
        REQUIRE(row.name == "name " + std::to_string(expected));
    }
    CHECK(expected == 10'000);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(server, "a stream without rows ends at once, having checked the columns") {
    for ([[maybe_unused]] Row const& row : isorow::stream<Row>(connection, "SELECT 1::bigint AS id, 'x' AS name WHERE false"))
        FAIL("a row came");
    auto wrong = isorow::stream<Row>(connection, "SELECT 1::bigint AS id WHERE false");
    CHECK_THROWS_MATCHES(wrong.begin(), isorow::mismatch, test::says("Row.name"));
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(server, "a stream that is left early gives the connection back idle") {
    for (Row const& row : isorow::stream<Row>(connection, "SELECT generate_series(1::bigint, 100000000) AS id, repeat('x', 1000) AS name"))
        if (row.id == 1000) break;
    CHECK(connection.is_idle());
    CHECK(isorow::query_one<std::int32_t>(connection, "SELECT 1") == 1);
}

TEST_CASE_METHOD(server, "a stream composes with views") {
    auto names = isorow::stream<Row>(connection, "SELECT g AS id, 'n' || g AS name FROM generate_series(1::bigint, 1000) g") |
                 std::views::filter([](Row const& row) { return row.id % 2 == 0; }) |
                 std::views::transform([](Row const& row) { return row.name; }) | std::views::take(3);
    std::string all;
    for (auto const& name : names) all += name;
    CHECK(all == "n2n4n6");
}

TEST_CASE_METHOD(server, "an error in the middle of a stream is thrown with its SQLSTATE, and the connection goes on") {
    auto rows = isorow::stream<std::int64_t>(connection, "SELECT 1 / (5000 - g) FROM generate_series(1::bigint, 10000) g");
    CHECK_THROWS_AS(
        [&] {
            for ([[maybe_unused]] auto const row : rows) {
            }
        }(),
        isorow::data_exception);
    CHECK(isorow::query_one<std::int32_t>(connection, "SELECT 1") == 1);
}

TEST_CASE_METHOD(server, "another statement while a stream is under way is refused by name") {
    auto rows = isorow::stream<std::int64_t>(connection, "SELECT generate_series(1::bigint, 100000)");
    static_cast<void>(rows.begin());
    CHECK_THROWS_MATCHES(isorow::execute(connection, "SELECT 1"), isorow::usage_error, test::says("the connection is busy"));
}

TEST_CASE_METHOD(server, "memory does not grow with the rows that are read") {
    auto const read = [&](std::int64_t rows) {
        std::int64_t sum = 0;
        for (Row const& row : isorow::stream<Row>(connection, "SELECT g AS id, 'name ' || g AS name FROM generate_series(1, $1) g", rows))
            sum += row.id;
        CHECK(sum == rows * (rows + 1) / 2);
        return resident_kilobytes();
    };
    auto const few = read(10'000);
    auto const many = read(1'000'000);
    CHECK(many < few + 8 * 1024);
}

TEST_CASE("a stream on a pool keeps its connection until it is gone") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1});
    {
        auto rows = isorow::stream<std::int64_t>(pool, "SELECT generate_series(1::bigint, 100000)");
        static_cast<void>(rows.begin());
        CHECK_THROWS_MATCHES(pool.acquire(), isorow::usage_error, test::says("holds all 1 connections"));
    }
    CHECK(isorow::query_one<std::int32_t>(pool, "SELECT 1") == 1);
}
