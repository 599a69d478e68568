#include <catch2/catch_test_macros.hpp>

#include <isorow/source/source.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <string>
#include <vector>

using isorow::dynamic_row;

namespace {

struct warehouse {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    /// The first row of a query as `name: value` pairs.
    std::string read(std::string query) {
        auto const rows = isorow::source<dynamic_row>(connection, {.sql_query = std::move(query)}).fetch_all();
        std::string shown;
        for (auto const& [name, value] : rows.at(0)) shown += isorow::text("{}{}: {}", shown.empty() ? "" : ", ", name, to_string(value));
        return shown;
    }
};

}  // namespace

TEST_CASE_METHOD(warehouse, "a source without a struct reads all columns of a table by their names") {
    database.sql(
        "CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, price float8); INSERT INTO products VALUES (1, 'lamp', "
        "39.5), (2, 'desk', NULL)");
    isorow::source<dynamic_row> const products(connection, {.table = "products", .sql_filter = "id > 0"});
    std::vector<dynamic_row> all;
    for (auto& row : products.rows()) all.push_back(std::move(row));
    CHECK(all ==
          std::vector<dynamic_row>{{{"id", 1}, {"name", "lamp"}, {"price", 39.5}}, {{"id", 2}, {"name", "desk"}, {"price", isorow::null}}});
    CHECK(products.fetch_all([](dynamic_row const& row) { return row["name"].as<std::string>() + "!"; }) ==
          std::vector<std::string>{"lamp!", "desk!"});
    CHECK_THROWS_MATCHES(all[0]["prise"], isorow::usage_error, test::says("did you mean \"price\"?"));
}

TEST_CASE_METHOD(warehouse, "every type of Postgres can be read, those that isorow does not know as text") {
    database.sql(
        "CREATE EXTENSION vector; CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE TYPE mood AS ENUM ('glad'); CREATE TYPE "
        "pair AS (a int, b text); CREATE DOMAIN price AS numeric CHECK (VALUE > 0); CREATE DOMAIN label AS text");
    CHECK(read("SELECT true AS a, 1::smallint AS b, 2::int AS c, 3::bigint AS d, 0.5::real AS e, 0.25::float8 AS f, 1.50::numeric AS g") ==
          "a: true, b: 1, c: 2, d: 3, e: 0.5, f: 0.25, g: 1.50");
    CHECK(read("SELECT 't'::text AS a, 'v'::varchar(9) AS b, 'c'::char(2) AS c, 'n'::name AS d, 'C'::citext AS e, '<x/>'::xml AS f, "
               "'{\"k\":1}'::json AS g, '{\"k\": 1}'::jsonb AS h, '\\x00ff'::bytea AS i") ==
          "a: t, b: v, c: c , d: n, e: C, f: <x/>, g: {\"k\":1}, h: {\"k\": 1}, i: \\x00ff");
    CHECK(
        read("SELECT '2026-11-21'::date AS a, '10:20:30'::time AS b, '10:20:30+01'::timetz AS c, '2026-11-21 10:20:30'::timestamp(0) AS d, "
             "'2026-11-21 10:20:30+00'::timestamptz(3) AS e, '1 day'::interval AS f") ==
        read("SELECT '2026-11-21'::date AS a, '10:20:30'::time AS b, '10:20:30+01'::timetz AS c, '2026-11-21 10:20:30'::timestamp AS d, "
             "'2026-11-21 10:20:30+00'::timestamptz AS e, '24 hours'::interval * 0 + '1 day' AS f"));
    CHECK(read("SELECT '[1,2]'::vector AS a, '[1,2]'::halfvec(2) AS b, '{1:1}/3'::sparsevec AS c, '{1,NULL}'::int[] AS d, "
               "'{a,b}'::varchar(3)[] AS e, 'a=>1'::hstore AS f") ==
          "a: [1, 2], b: [1, 2], c: {1:1}/3, d: {1, NULL}, e: {a, b}, f: \"a\"=>\"1\"");
    CHECK(read("SELECT 'glad'::mood AS a, '(1,x)'::pair AS b, 2.5::price AS c, 'l'::label AS d, '{glad}'::mood[] AS e") ==
          "a: glad, b: (1,x), c: 2.5, d: l, e: {glad}");
    CHECK(
        read("SELECT '10.0.0.1/8'::inet AS a, '10.0.0.0/8'::cidr AS b, '08:00:2b:01:02:03'::macaddr AS c, B'101' AS d, '[1,3)'::int4range "
             "AS e, '{[1,3)}'::int4multirange AS f, '(1,2)'::point AS g, 'a b'::tsvector AS h, '1.50'::money AS i, '{10.0.0.1}'::inet[] AS "
             "j") ==
        "a: 10.0.0.1/8, b: 10.0.0.0/8, c: 08:00:2b:01:02:03, d: 101, e: [1,3), f: {[1,3)}, g: (1,2), h: 'a' 'b', i: $1.50, j: {10.0.0.1}");
    auto const row =
        isorow::source<dynamic_row>(connection, {.sql_query = "SELECT '10.0.0.1/8'::inet AS host, NULL::inet AS none"}).fetch_all().at(0);
    CHECK(row["host"].value == isorow::dynamic_value(isorow::other_text{"inet", "10.0.0.1/8"}));
    CHECK(row["none"].is_null());
}

TEST_CASE_METHOD(warehouse, "included columns come beside those of the primary key") {
    database.sql(
        "CREATE TABLE stock (shelf text, place int, product text, pieces int, PRIMARY KEY (place, shelf)); INSERT INTO stock VALUES "
        "('a', 1, 'lamp', 3)");
    auto const read = [&](isorow::source_options options) {
        options.table = "stock";
        return isorow::source<dynamic_row>(connection, std::move(options)).fetch_all();
    };
    CHECK(read({.included_columns = {"pieces"}}) == std::vector<dynamic_row>{{{"place", 1}, {"shelf", "a"}, {"pieces", 3}}});
    CHECK(read({.columns = {"product"}}) == std::vector<dynamic_row>{{{"product", "lamp"}}});
    CHECK_THROWS_AS(read({.included_columns = {"price"}}), isorow::syntax_error_or_access_rule_violation);
    CHECK_THROWS_AS(read({.columns = {"product"}, .included_columns = {"pieces"}}), isorow::usage_error);

    struct Stock {
        std::int32_t place;
        std::string shelf;
        std::optional<std::string> product = "not read";
        std::optional<std::int32_t> pieces{};
        static consteval auto isorow_table() { return isorow::table("stock").primary_key<&Stock::place, &Stock::shelf>(); }
    };
    auto const rows = isorow::source<Stock>(connection, {.included_columns = {"pieces"}}).fetch_all();
    CHECK(rows.at(0).shelf == "a");
    CHECK(rows.at(0).pieces == 3);
    CHECK(rows.at(0).product == "not read");
    CHECK_THROWS_MATCHES(isorow::source<Stock>(connection, {.included_columns = {"price"}}), isorow::usage_error,
                         test::says("no column \"price\""));

    database.sql("ALTER TABLE stock DROP CONSTRAINT stock_pkey");
    CHECK_THROWS_MATCHES(read({.included_columns = {"pieces"}}), isorow::usage_error, test::says("has no primary key"));
}

TEST_CASE_METHOD(warehouse, "a filter with bound values chooses rows, beside one in SQL") {
    database.sql(
        "CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL); INSERT INTO products SELECT g, 'p' || g FROM "
        "generate_series(1, 100) g");
    auto const count = [&](isorow::source_options options) {
        options.table = "products";
        return isorow::source<dynamic_row>(connection, std::move(options)).fetch_all().size();
    };
    CHECK(count({.filter = isorow::where("id") > 90}) == 10);
    CHECK(count({.sql_filter = "name LIKE '%1' -- those", .filter = isorow::where("id") > 50 && isorow::where("name") != "p91"}) == 4);

    struct Product {
        std::int64_t id;
        std::string name;
        static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
    };
    CHECK(isorow::source<Product>(connection, {.filter = isorow::where<&Product::name>() == "p7"}).fetch_all().at(0).id == 7);
}

TEST_CASE_METHOD(warehouse, "a source of dynamic rows is told what to read") {
    CHECK_THROWS_MATCHES(isorow::source<dynamic_row>(connection), isorow::usage_error, test::says("which table to read"));
    CHECK_THROWS_AS(isorow::source<dynamic_row>(connection, {.table = "nowhere"}).rows(), isorow::syntax_error_or_access_rule_violation);
    CHECK_THROWS_MATCHES(isorow::source<dynamic_row>(connection, {.sql_query = "SELECT 1 AS a, 2 AS a"}).rows(), isorow::usage_error,
                         test::says("named \"a\""));
}

TEST_CASE_METHOD(warehouse, "a source that is not given a database reads from that which an environment variable names") {
    database.sql("CREATE TABLE products (id bigint PRIMARY KEY); INSERT INTO products VALUES (7)");
    ::setenv("SHOP_DATABASE", database.dsn().c_str(), 1);
    ::setenv("ISOROW_DATABASE_URL", database.dsn().c_str(), 1);
    isorow::source<dynamic_row> const named({.table = "products", .database_variable = "SHOP_DATABASE"});
    isorow::source<dynamic_row> const usual({.table = "products"});
    ::unsetenv("SHOP_DATABASE");
    ::unsetenv("ISOROW_DATABASE_URL");
    auto const copy = named;
    CHECK(copy.fetch_all().at(0)["id"].as<int>() == 7);
    CHECK(usual.fetch_all().size() == 1);
    CHECK_THROWS_MATCHES(isorow::source<dynamic_row>({.table = "products", .database_variable = "SHOP_DATABASE"}), isorow::usage_error,
                         test::says("the environment variable SHOP_DATABASE"));
}

TEST_CASE_METHOD(warehouse, "queries and streams return dynamic rows, too") {
    CHECK(isorow::query<dynamic_row>(connection, "SELECT $1::int AS a, 'x' AS b", 3) == std::vector<dynamic_row>{{{"a", 3}, {"b", "x"}}});
    CHECK(isorow::query_one<dynamic_row>(connection, "SELECT 1.5::numeric AS n")["n"].as<double>() == 1.5);
    std::int64_t sum = 0;
    for (auto const& row : isorow::stream<dynamic_row>(connection, "SELECT generate_series(1, 1000) AS n"))
        sum += row["n"].as<std::int64_t>();
    CHECK(sum == 500500);
    CHECK_THROWS_MATCHES(isorow::query<dynamic_row>(connection, "SELECT '(1,2)'::point AS place"), isorow::mismatch,
                         test::says("place::text"));
    CHECK_THROWS_MATCHES(isorow::query<dynamic_row>(connection, "SELECT 1 AS a, 2 AS a"), isorow::usage_error, test::says("named \"a\""));
}
