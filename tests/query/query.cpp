#include <catch2/catch_test_macros.hpp>

#include <isorow/query/query.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace {

struct Product {
    std::int64_t id;
    std::string name;
    std::optional<double> price;
    std::int32_t stock = -1;

    friend bool operator==(Product const&, Product const&) = default;
};

struct Renamed {
    std::int64_t id;
    isorow::annotated<std::int64_t, isorow::pg_type<"integer">> amount;

    static consteval auto isorow_table() { return isorow::table("r").column<&Renamed::id>({.name = "number"}); }
};

struct server {
    isorow::connection connection = test::connect();
};

}  // namespace

TEST_CASE_METHOD(server, "a struct's fields are matched with columns by name, whatever their order") {
    auto const rows =
        isorow::query<Product>(connection, "SELECT 5 AS stock, 'lamp' AS name, NULL::float8 AS price, 1::bigint AS id, 'more' AS ignored");
    CHECK(rows == std::vector<Product>{{1, "lamp", std::nullopt, 5}});
}

TEST_CASE_METHOD(server, "renamed columns and annotated types are honoured") {
    auto const row = isorow::query_one<Renamed>(connection, "SELECT 7::bigint AS number, 8::integer AS amount");
    CHECK(row.id == 7);
    CHECK(row.amount == 8);
}

TEST_CASE_METHOD(server, "every column that does not fit is reported, in one error") {
    try {
        static_cast<void>(isorow::query<Product>(connection, "SELECT 'x'::text AS id, 'lamp' AS name, '{}'::jsonb AS price"));
        FAIL("the result was taken");
    } catch (isorow::mismatch const& failure) {
        CHECK(failure.differences() == std::vector<isorow::difference>{{"Product.id", "id", "bigint", "text"},
                                                                       {"Product.price", "price", "double precision", "jsonb"},
                                                                       {"Product.stock", "stock", "integer", "no such column"}});
        CHECK(std::string(failure.what()) ==
              "Product does not fit the query's result:\n"
              "  Product.id: column \"id\": expected bigint, found text\n"
              "  Product.price: column \"price\": expected double precision, found jsonb\n"
              "  Product.stock: column \"stock\": expected integer, found no such column");
    }
    CHECK(isorow::query_one<std::int32_t>(connection, "SELECT 1") == 1);
}

TEST_CASE_METHOD(server, "a type that only this database knows is named in the report") {
    isorow::execute(connection, "CREATE TYPE pg_temp.colour AS ENUM ('red')");
    CHECK_THROWS_MATCHES(isorow::query<std::int32_t>(connection, "SELECT 'red'::pg_temp.colour"), isorow::mismatch,
                         test::says("found colour"));
}

TEST_CASE_METHOD(server, "a mismatch is told even where there are no rows") {
    CHECK_THROWS_AS(isorow::query<Product>(connection, "SELECT 1 AS id WHERE false"), isorow::mismatch);
}

TEST_CASE_METHOD(server, "NULL in a field that is not optional is refused with struct and field") {
    CHECK_THROWS_MATCHES(isorow::query<Product>(connection, "SELECT 1::bigint AS id, NULL::text AS name, 1::float8 AS price, 1 AS stock"),
                         isorow::unrepresentable, test::says("Product.name: the column is NULL, and the field is not std::optional"));
}

TEST_CASE_METHOD(server, "tuples are matched by position, single values by the first column") {
    CHECK(isorow::query_one<std::tuple<std::int32_t, std::string>>(connection, "SELECT 1, 'a'") == std::tuple(1, std::string("a")));
    CHECK(isorow::query<std::int32_t>(connection, "SELECT generate_series(1, 3)") == std::vector{1, 2, 3});
    CHECK_THROWS_MATCHES((isorow::query<std::tuple<std::int32_t, std::string>>(connection, "SELECT 1")), isorow::mismatch,
                         test::says("no such column"));
}

TEST_CASE_METHOD(server, "arguments are bound in order, and an injection stays a value") {
    std::string const hostile = "'; DROP TABLE x; --";
    CHECK(isorow::query_one<std::string>(connection, "SELECT $2 || $1", "b", hostile) == hostile + "b");
}

TEST_CASE_METHOD(server, "one row is asked for and one comes, or an error says how many") {
    CHECK_THROWS_MATCHES(isorow::query_one<std::int32_t>(connection, "SELECT 1 WHERE false"), isorow::row_count_error,
                         test::says("0 rows where one was asked for"));
    CHECK_THROWS_MATCHES(isorow::query_optional<std::int32_t>(connection, "SELECT generate_series(1, 2)"), isorow::row_count_error,
                         test::says("2 rows where at most one"));
    CHECK(isorow::query_optional<std::int32_t>(connection, "SELECT 1 WHERE false") == std::nullopt);
}

TEST_CASE_METHOD(server, "execute tells how many rows were changed") {
    isorow::execute(connection, "CREATE TEMP TABLE t (id int)");
    CHECK(isorow::execute(connection, "INSERT INTO t SELECT generate_series(1, 5)") == 5);
    CHECK(isorow::execute(connection, "DELETE FROM t WHERE id > $1", 3) == 2);
}

TEST_CASE("statements run on a pool, a connection and a transaction alike") {
    isorow::pool pool(test::dsn());
    auto connection = test::connect();
    isorow::transaction transaction(connection);
    CHECK(isorow::query_one<std::int32_t>(pool, "SELECT 1") == 1);
    CHECK(isorow::query_one<std::int32_t>(transaction, "SELECT 1") == 1);
    CHECK(pool.available() > 0);
}

TEST_CASE("a session's own deadline holds for its statements") {
    auto connection = test::connect();
    CHECK_THROWS_AS(
        isorow::execute(isorow::database_ref(connection, isorow::limits::within(std::chrono::milliseconds(50))), "SELECT pg_sleep(20)"),
        isorow::timed_out);
    CHECK(isorow::query_one<std::int32_t>(connection, "SELECT 1") == 1);
}

TEST_CASE("types of an extension are found wherever it is installed, and asked for again after CREATE EXTENSION") {
    test::database const database;
    auto connection = test::connect(database.dsn());
    isorow::vector<2> const value{1, 2};
    CHECK_THROWS_MATCHES(isorow::query<isorow::vector<2>>(connection, "SELECT $1", value), isorow::usage_error,
                         test::says("CREATE EXTENSION vector"));
    database.sql("CREATE SCHEMA elsewhere; CREATE EXTENSION vector SCHEMA elsewhere");
    CHECK(isorow::query_one<isorow::vector<2>>(connection, "SELECT $1", value) == value);
}
