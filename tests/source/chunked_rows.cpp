#include <catch2/catch_test_macros.hpp>

#include <isorow/source/source.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace {

struct Stock {
    std::string product;
    std::int32_t place;
    std::int32_t pieces = 0;

    static consteval auto isorow_table() { return isorow::table("stock").primary_key<&Stock::place, &Stock::product>(); }
};

struct store {
    test::database database;
    isorow::pool pool{database.dsn(), {.min_size = 1, .max_size = 1}};

    store() {
        database.sql(
            "CREATE TABLE stock (place int, product text, pieces int NOT NULL, PRIMARY KEY (place, product)); INSERT INTO stock "
            "SELECT g % 7, 'p' || g, g FROM generate_series(1, 100) g");
    }
};

}  // namespace

TEST_CASE_METHOD(store, "chunks of any size have all rows once, in the order of the key") {
    for (std::size_t const size : {1U, 3U, 10U, 50U, 99U, 100U, 101U, 1000U}) {
        CAPTURE(size);
        std::int64_t sum = 0;
        std::vector<std::pair<std::int32_t, std::string>> keys;
        for (Stock& row : isorow::source<Stock>(pool).rows_in_chunks(size)) {
            sum += row.pieces;
            keys.emplace_back(row.place, std::move(row.product));  // what is moved from is not needed for the next chunk
        }
        CHECK(sum == 5050);
        CHECK(keys.size() == 100);
        CHECK(std::ranges::is_sorted(keys));
    }
}

TEST_CASE_METHOD(store, "filters and columns hold for each chunk") {
    auto const count = [&](isorow::source_options options) {
        std::size_t rows = 0;
        for (auto const& row : isorow::source<Stock>(pool, std::move(options)).rows_in_chunks(4)) rows += row.place >= 0 ? 1 : 0;
        return rows;
    };
    CHECK(count({.filter = isorow::where<&Stock::place>() == 3}) == 14);
    CHECK(count({.sql_filter = "pieces > 50 OR pieces = 1", .filter = isorow::where<&Stock::pieces>() <= 60}) == 11);
    CHECK(count({.included_columns = {"pieces"}}) == 100);
    CHECK(count({.filter = isorow::where<&Stock::pieces>() > 1000}) == 0);
}

TEST_CASE_METHOD(store, "between two chunks no connection is held") {
    auto rows = isorow::source<Stock>(pool).rows_in_chunks(10);
    auto row = rows.begin();
    for (int i = 0; i < 5; ++i) ++row;
    CHECK(isorow::scalar<std::int64_t>(pool, "SELECT count(*) FROM stock") == 100);
    isorow::execute(pool, "DELETE FROM stock WHERE place = 6");
    std::size_t left = 5;
    for (; row != rows.end(); ++row) ++left;
    CHECK(left == 86);
}

TEST_CASE_METHOD(store, "what cannot be read in chunks is refused") {
    using stock = isorow::source<Stock>;
    CHECK_THROWS_MATCHES(stock(pool, {.sql_query = "SELECT * FROM stock"}).rows_in_chunks(), isorow::usage_error, test::says("a query"));
    CHECK_THROWS_AS(stock(pool).rows_in_chunks(0), isorow::usage_error);
    CHECK_THROWS_MATCHES(stock(pool, {.columns = {"pieces"}}).rows_in_chunks(), isorow::usage_error,
                         test::says("\"place\" of the primary key"));
    database.sql("ALTER TABLE stock DROP CONSTRAINT stock_pkey, ADD PRIMARY KEY (product)");
    CHECK_THROWS_AS(stock(pool).rows_in_chunks(), isorow::mismatch);
}
