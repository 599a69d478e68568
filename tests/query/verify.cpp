#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>
#include <support/server.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Product {
    std::string category;
    std::string name;
    std::optional<double> price;
    isorow::vector<3> embedding;

    static consteval auto isorow_table() {
        return isorow::table("products")
            .primary_key<&Product::category, &Product::name>()
            .column<&Product::price>({.default_value = "0", .unique = true})
            .index<&Product::embedding>(isorow::hnsw{.metric = isorow::cosine})
            .index<&Product::name>(isorow::btree{.name = "by_name"});
    }
};

using list = std::vector<std::string>;

[[nodiscard]] list texts(std::vector<isorow::difference> const& differences) {
    list found;
    for (auto const& one : differences) found.push_back(isorow::to_string(one));
    return found;
}

/// A database with the struct's table.
struct shop : test::database {
    shop() {
        sql("CREATE EXTENSION vector");
        sql(isorow::ddl<Product>());
    }
};

}  // namespace

TEST_CASE("a table that the struct's own DDL made has no differences") {
    shop const database;
    isorow::connection connection(database.dsn());
    CHECK(texts(isorow::verify<Product>(connection)).empty());
    isorow::pool pool(database.dsn());
    auto const differences = isorow::verify<Product>(pool);
    CHECK(differences.empty());
    CHECK(texts(isorow::verify(pool, isorow::table_schema::of<Product>())).empty());
}

TEST_CASE("all differences of a live table are listed in the words of struct and field, key and indexes included") {
    shop const database;
    test::sql(
        database.dsn(),
        "ALTER TABLE products DROP COLUMN category, ALTER price TYPE numeric(10,2), ALTER price SET NOT NULL, ALTER price DROP DEFAULT,"
        " ALTER name DROP NOT NULL, ADD colour text, ADD weight int NOT NULL, ADD PRIMARY KEY (weight);"
        "DROP INDEX by_name; CREATE INDEX by_name ON products USING hash (name)");
    isorow::connection connection(database.dsn());
    list const expected{
        "Product.category: column \"category\": expected text, found no such column",
        "Product.name: column \"name\": expected NOT NULL, as the field is not std::optional, found a column that may be NULL",
        "Product.price: column \"price\": expected double precision, found numeric(10,2)",
        "Product.price: column \"price\": expected a column that may be NULL, as the field is std::optional, found NOT NULL",
        "Product.price: column \"price\": expected DEFAULT 0, found no default",
        "Product: column \"colour\": expected a field for it, or no such column, found text",
        "Product: column \"weight\": expected a field for it, or a default, found NOT NULL without a default",
        "Product: expected PRIMARY KEY (category, name), found PRIMARY KEY (weight)",
        "Product.name: column \"name\": expected INDEX by_name USING btree (name), found CREATE INDEX by_name ON public.products USING "
        "hash "
        "(name)",
    };
    CHECK(texts(isorow::verify<Product>(connection)) == expected);
}

TEST_CASE("an index that CREATE INDEX CONCURRENTLY left unfinished is not the one that is declared") {
    shop const database;
    database.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_name'::regclass");
    isorow::connection connection(database.dsn());
    CHECK(texts(isorow::verify<Product>(connection)) ==
          list{"Product.name: column \"name\": expected INDEX by_name USING btree (name), found by_name, which is not valid"});
}

TEST_CASE("a table that is only read may have more columns, narrower ones, and another key") {
    shop const database;
    test::sql(
        database.dsn(),
        "ALTER TABLE products DROP CONSTRAINT products_pkey, ALTER price TYPE real, ALTER name TYPE varchar(20), ADD weight int NOT NULL");
    isorow::connection connection(database.dsn());
    CHECK(texts(isorow::verify<Product>(connection, isorow::table_use::reading)).empty());
    CHECK(texts(isorow::verify<Product>(connection, isorow::table_use::writing)).size() == 3);
}

TEST_CASE("a table that does not exist is one difference") {
    test::database const database;
    isorow::connection connection(database.dsn());
    CHECK(texts(isorow::verify<Product>(connection)) == list{"Product: expected the table public.products, found no such table"});
}

TEST_CASE("a table described at run time is verified under its own name, and has to have one") {
    shop const database;
    isorow::connection connection(database.dsn());
    isorow::table_schema const described{{{"category", isorow::column{"text", isorow::not_null}}}, isorow::primary_key{"category"}};
    auto const differences = texts(isorow::verify(connection, described.named("public", "products")));
    CHECK(differences.size() == 4);
    CHECK_THROWS_MATCHES(isorow::verify(connection, described), isorow::usage_error, test::says("does not say its table's name"));
}

TEST_CASE("what the catalogue says of a table is what the reader of DDL makes of pg_get_indexdef's words") {
    shop const database;
    isorow::connection connection(database.dsn());
    auto const live = isorow::read_table(connection, "public", "products");
    auto const read = isorow::read_ddl(isorow::ddl<Product>(), "public", "products");
    REQUIRE(live);
    REQUIRE(read);
    REQUIRE(live->columns.size() == read->columns.size());
    for (std::size_t i = 0; i < live->columns.size(); ++i) {
        CHECK(live->columns[i].name == read->columns[i].name);
        CHECK(live->columns[i].type == read->columns[i].type);
        CHECK(live->columns[i].not_null == read->columns[i].not_null);
    }
    CHECK(live->indexes.size() == read->indexes.size());
}
