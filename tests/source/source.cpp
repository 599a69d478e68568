#include <catch2/catch_test_macros.hpp>

#include <isorow/source/source.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Product {
    std::int64_t id;
    std::string name = "unnamed";
    std::optional<double> price = 7.5;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
    friend bool operator==(Product const&, Product const&) = default;
};

struct shop {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    shop() {
        isorow::execute_script(connection,
                               "CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, price float8);"
                               "INSERT INTO products VALUES (1, 'lamp', 10), (2, 'desk', NULL), (3, 'chair', 30)",
                               connection.default_limits());
    }
};

}  // namespace

TEST_CASE_METHOD(shop, "a source reads the struct's own table") {
    auto all = isorow::source<Product>(connection).fetch_all();
    std::sort(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.id < b.id; });
    CHECK(all == std::vector<Product>{{1, "lamp", 10.0}, {2, "desk", std::nullopt}, {3, "chair", 30.0}});
}

TEST_CASE_METHOD(shop, "a source reads another table of another schema") {
    isorow::execute_script(connection,
                           "CREATE SCHEMA \"old Shop\"; CREATE TABLE \"old Shop\".\"Products\" AS TABLE products; ALTER TABLE \"old "
                           "Shop\".\"Products\" ALTER id SET NOT NULL, ALTER name SET NOT NULL",
                           connection.default_limits());
    CHECK(isorow::source<Product>(connection, {.table = "Products", .schema = "old Shop"}).fetch_all().size() == 3);
}

TEST_CASE_METHOD(shop, "the schema is public whatever search_path says") {
    isorow::execute_script(connection,
                           "CREATE SCHEMA other; CREATE TABLE other.products AS TABLE products WITH NO DATA; SET search_path = other",
                           connection.default_limits());
    CHECK(isorow::source<Product>(connection).fetch_all().size() == 3);
}

TEST_CASE_METHOD(shop, "with a subset of columns the other fields keep their default initialisers") {
    auto const rows = isorow::source<Product>(connection, {.columns = {"id"}, .sql_filter = "id = 2"}).fetch_all();
    CHECK(rows == std::vector<Product>{{2, "unnamed", 7.5}});
}

TEST_CASE_METHOD(shop, "columns that the struct does not have are refused by name") {
    CHECK_THROWS_MATCHES(isorow::source<Product>(connection, {.columns = {"id", "colour"}}), isorow::usage_error,
                         test::says("Product has no column \"colour\""));
}

TEST_CASE_METHOD(shop, "a filter chooses rows, comments and alternatives inside it included") {
    auto const count = [&](std::string filter) {
        return isorow::source<Product>(connection, {.sql_filter = std::move(filter)}).fetch_all().size();
    };
    CHECK(count("price > 5") == 2);
    CHECK(count("id = 1 OR id = 2 -- two of them") == 2);
    CHECK_THROWS_AS(count("id"), isorow::syntax_error_or_access_rule_violation);
}

TEST_CASE_METHOD(shop, "a query is a source as well, but not together with a table or a filter") {
    auto const rows =
        isorow::source<Product>(connection, {.sql_query = "SELECT max(id) AS id, 'all' AS name, sum(price) AS price FROM products"})
            .fetch_all();
    CHECK(rows == std::vector<Product>{{3, "all", 40.0}});
    CHECK_THROWS_AS(isorow::source<Product>(connection, {.sql_filter = "true", .sql_query = "SELECT 1"}), isorow::usage_error);
}

TEST_CASE_METHOD(shop, "a row factory makes something else of each row") {
    isorow::source<Product> const source(connection, {.sql_filter = "price IS NOT NULL"});
    auto const raised = source.fetch_all([](Product&& product) { return std::pair(std::move(product.name), *product.price * 1.1); });
    CHECK(raised.size() == 2);
    double sum = 0;
    for (double const price : source.rows([](Product&& product) { return *product.price; })) sum += price;
    CHECK(sum == 40);
}

TEST_CASE_METHOD(shop, "all that does not fit the table is told together, before a row is read") {
    isorow::execute_script(connection,
                           "ALTER TABLE products DROP COLUMN price; ALTER TABLE products ALTER name DROP NOT NULL, ALTER id TYPE text",
                           connection.default_limits());
    try {
        static_cast<void>(isorow::source<Product>(connection).rows());
        FAIL("the table was taken");
    } catch (isorow::mismatch const& failure) {
        CHECK(failure.differences() ==
              std::vector<isorow::difference>{
                  {"Product.id", "id", "bigint", "text"},
                  {"Product.name", "name", "NOT NULL, as the field is not std::optional", "a column that may be NULL"},
                  {"Product.price", "price", "double precision", "no such column"}});
    }
}

TEST_CASE_METHOD(shop, "columns of types that the fields can read are read: narrower integers and floats, varchar") {
    isorow::execute_script(connection, "ALTER TABLE products ALTER id TYPE smallint, ALTER name TYPE varchar(20), ALTER price TYPE real",
                           connection.default_limits());
    auto const rows = isorow::source<Product>(connection, {.sql_filter = "id = 1"}).fetch_all();
    CHECK(rows == std::vector<Product>{{1, "lamp", 10.0}});
}

TEST_CASE_METHOD(shop, "a table that does not exist is told by name") {
    CHECK_THROWS_MATCHES(isorow::source<Product>(connection, {.table = "prodcuts"}).rows(), isorow::usage_error,
                         test::says("\"public\".\"prodcuts\" does not exist"));
}

TEST_CASE_METHOD(shop, "a vector of another dimension is told before a row is read") {
    struct Embedded {
        std::int64_t id;
        isorow::vector<3> embedding;
    };
    isorow::execute_script(connection, "CREATE EXTENSION vector; CREATE TABLE embedded (id bigint NOT NULL, embedding vector(2) NOT NULL)",
                           connection.default_limits());
    CHECK_THROWS_MATCHES(isorow::source<Embedded>(connection).rows(), isorow::mismatch,
                         test::says("Embedded.embedding: column \"embedding\": expected vector(3), found vector(2)"));
}

TEST_CASE_METHOD(shop, "a source that is left early leaves the connection usable") {
    isorow::execute(connection, "INSERT INTO products SELECT g, 'x', 1 FROM generate_series(10, 100000) g");
    for ([[maybe_unused]] Product const& row : isorow::source<Product>(connection).rows()) break;
    CHECK(connection.is_idle());
}
