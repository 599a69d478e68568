#include <catch2/catch_test_macros.hpp>

#include <isorow/source/source.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

using isorow::dynamic_row;
using isorow::keyed_row;

namespace {

struct Stock {
    std::string product;
    std::int32_t pieces;
    std::int32_t place;
    std::optional<std::string> note;

    static consteval auto isorow_table() { return isorow::table("stock").primary_key<&Stock::place, &Stock::product>(); }
    friend bool operator==(Stock const&, Stock const&) = default;
};

struct StockKey {
    std::int32_t place;
    std::string product;
    friend bool operator==(StockKey const&, StockKey const&) = default;
};
struct StockValue {
    std::int32_t pieces;
    friend bool operator==(StockValue const&, StockValue const&) = default;
};

struct Product {
    std::int64_t id;
    std::string name;
    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

static_assert(std::same_as<isorow::key_of<Stock>, std::tuple<std::int32_t, std::string>>);
static_assert(std::same_as<isorow::value_of<Stock>, std::tuple<std::int32_t, std::optional<std::string>>>);
static_assert(std::same_as<isorow::key_of<Product>, std::int64_t>);
static_assert(std::same_as<isorow::value_of<Product>, std::string>);

struct stores {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    stores() {
        database.sql(
            "CREATE TABLE stock (place int, product text, pieces int NOT NULL, note text, PRIMARY KEY (place, product)); INSERT INTO "
            "stock VALUES (1, 'lamp', 3, NULL); CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL); INSERT INTO "
            "products VALUES (1, 'lamp'), (2, 'desk')");
    }

    template <class Rows>
    static auto first_of(Rows rows) {
        return *rows.begin();
    }
};

}  // namespace

TEST_CASE_METHOD(stores, "rows are taken apart into key and value, as the struct says") {
    auto const one = first_of(isorow::source<Stock>(connection).keyed_rows());
    CHECK(one.key == std::tuple(1, std::string("lamp")));
    CHECK(one.value == std::tuple(3, std::optional<std::string>{}));

    std::map<std::int64_t, std::string> names;
    for (auto const& [key, value] : isorow::source<Product>(connection).keyed_rows()) names.emplace(key, value);
    CHECK(names == std::map<std::int64_t, std::string>{{1, "lamp"}, {2, "desk"}});
}

TEST_CASE_METHOD(stores, "key and value may be structs of the caller's, and the value the whole row") {
    isorow::source<Stock> const source(connection);
    CHECK(first_of(source.keyed_rows<StockKey, StockValue>()) == keyed_row<StockKey, StockValue>{{1, "lamp"}, {3}});
    CHECK(first_of(source.keyed_rows<StockKey, Stock>()) == keyed_row<StockKey, Stock>{{1, "lamp"}, {"lamp", 3, 1, std::nullopt}});
}

TEST_CASE_METHOD(stores, "dynamic rows are taken apart by the table's primary key") {
    auto const one = first_of(isorow::source<dynamic_row>(connection, {.table = "stock"}).keyed_rows());
    CHECK(one.key == dynamic_row{{"place", 1}, {"product", "lamp"}});
    CHECK(one.value == dynamic_row{{"pieces", 3}, {"note", isorow::null}});
    auto const few = first_of(isorow::source<dynamic_row>(connection, {.table = "stock", .included_columns = {"note"}}).keyed_rows());
    CHECK(few.key.size() == 2);
    CHECK(few.value == dynamic_row{{"note", isorow::null}});
    CHECK_THROWS_MATCHES(isorow::source<dynamic_row>(connection, {.table = "stock", .columns = {"note"}}).keyed_rows(), isorow::usage_error,
                         test::says("\"place\" of the primary key is not among"));
}

TEST_CASE_METHOD(stores, "a key of which a part is not read is refused") {
    CHECK_THROWS_MATCHES(isorow::source<Stock>(connection, {.columns = {"place", "pieces"}}).keyed_rows(), isorow::usage_error,
                         test::says("\"product\" of the primary key is not among"));
}

TEST_CASE_METHOD(stores, "a table without a primary key, or with another one than the struct's, is refused") {
    database.sql("ALTER TABLE stock DROP CONSTRAINT stock_pkey");
    CHECK_THROWS_MATCHES(isorow::source<Stock>(connection).keyed_rows(), isorow::usage_error,
                         test::says("\"public\".\"stock\" has no primary key"));
    CHECK_THROWS_MATCHES(isorow::source<dynamic_row>(connection, {.table = "stock"}).keyed_rows(), isorow::usage_error,
                         test::says("has no primary key"));
    CHECK_THROWS_MATCHES(isorow::source<dynamic_row>(connection, {.sql_query = "SELECT 1 AS a"}).keyed_rows(), isorow::usage_error,
                         test::says("a query has no primary key"));
    database.sql("ALTER TABLE stock ADD PRIMARY KEY (place)");
    CHECK_THROWS_MATCHES(isorow::source<Stock>(connection).keyed_rows(), isorow::mismatch,
                         test::says("a primary key of (place, product)") && test::says("(place)"));
}
