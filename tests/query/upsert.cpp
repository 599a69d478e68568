#include <catch2/catch_test_macros.hpp>

#include <isorow/query/upsert.hpp>
#include <isorow/schema.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace {

struct Product {
    std::int32_t id;
    std::string name;
    std::optional<double> price;

    static constexpr auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

struct Stock {
    std::string shop;
    std::int32_t product;
    std::int32_t pieces;

    static constexpr auto isorow_table() {
        return isorow::table("Stock \"of\" shops")
            .primary_key<&Stock::shop, &Stock::product>()
            .column<&Stock::pieces>({.name = "how many"});
    }
};

struct Tag {
    std::string word;

    static constexpr auto isorow_table() { return isorow::table("tags").primary_key<&Tag::word>(); }
};

/// A database with tables that are written to.
struct shop {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    shop() {
        database.sql(
            "CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, price double precision);"
            "CREATE TABLE tags (word text PRIMARY KEY);"
            "CREATE TABLE \"Stock \"\"of\"\" shops\" (shop text, product int, \"how many\" int NOT NULL, PRIMARY KEY (shop, product))");
    }

    std::string stored() {
        return database.sql("SELECT coalesce(string_agg(id || name || coalesce(price::text, '~'), ' ' ORDER BY id), '') FROM products");
    }
};

using products = std::vector<Product>;
using counts = isorow::upsert_counts;

}  // namespace

TEST_CASE_METHOD(shop, "rows that are new are inserted, those that differ updated, those that are the same left as they are") {
    CHECK(isorow::upsert(connection, products{{1, "pen", 1.5}, {2, "ink", {}}, {3, "pad", 3.0}}) == counts{.inserted = 3});
    auto const before = database.sql("SELECT xmin FROM products WHERE id = 1");
    CHECK(isorow::upsert(connection, products{{1, "pen", 1.5}, {2, "ink", 2.5}, {4, "cap", {}}}) ==
          counts{.inserted = 1, .updated = 1, .unchanged = 1});
    CHECK(stored() == "1pen1.5 2ink2.5 3pad3 4cap~");
    CHECK(database.sql("SELECT xmin FROM products WHERE id = 1") == before);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(shop, "a value becomes NULL and NULL a value") {
    isorow::upsert(connection, products{{1, "pen", 1.5}, {2, "ink", {}}});
    CHECK(isorow::upsert(connection, products{{1, "pen", {}}, {2, "ink", 2.5}}) == counts{.updated = 2});
    CHECK(stored() == "1pen~ 2ink2.5");
    CHECK(isorow::upsert(connection, products{{1, "pen", {}}}) == counts{.unchanged = 1});
}

TEST_CASE_METHOD(shop, "no rows change nothing") {
    CHECK(isorow::upsert(connection, products{}) == counts{});
    CHECK(stored().empty());
}

TEST_CASE_METHOD(shop, "a key of several columns and names of all kinds are taken as they are") {
    CHECK(isorow::upsert(connection, std::vector<Stock>{{"north", 1, 10}, {"south", 1, 20}}) == counts{.inserted = 2});
    CHECK(isorow::upsert(connection, std::vector<Stock>{{"north", 1, 11}, {"north", 2, 5}}) == counts{.inserted = 1, .updated = 1});
    CHECK(database.sql("SELECT string_agg(\"how many\"::text, ' ' ORDER BY shop, product) FROM \"Stock \"\"of\"\" shops\"") == "11 5 20");
}

TEST_CASE_METHOD(shop, "rows of a key alone that are there count as unchanged") {
    CHECK(isorow::upsert(connection, std::vector<Tag>{{"a"}, {"b"}}) == counts{.inserted = 2});
    CHECK(isorow::upsert(connection, std::vector<Tag>{{"b"}, {"c"}}) == counts{.inserted = 1, .unchanged = 1});
}

TEST_CASE_METHOD(shop, "a key that occurs twice in the range is an error, and nothing is written") {
    CHECK_THROWS_AS(isorow::upsert(connection, products{{1, "pen", {}}, {2, "ink", {}}, {1, "nib", {}}}), isorow::cardinality_violation);
    CHECK(stored().empty());
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(shop, "a key alone that occurs twice in the range is an error too") {
    CHECK_THROWS_AS(isorow::upsert(connection, std::vector<Tag>{{"a"}, {"a"}}), isorow::cardinality_violation);
}

TEST_CASE_METHOD(shop, "a value that cannot be sent is told with its row, and nothing is written") {
    CHECK_THROWS_MATCHES(isorow::upsert(connection, products{{1, "pen", {}}, {2, std::string("a\0b", 3), {}}}), isorow::unrepresentable,
                         test::says("row 2"));
    CHECK(stored().empty());
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(shop, "a row that the table refuses undoes them all") {
    database.sql("ALTER TABLE products ADD CHECK (price < 100)");
    CHECK_THROWS_AS(isorow::upsert(connection, products{{1, "pen", 1.5}, {2, "car", 9999.0}}), isorow::integrity_constraint_violation);
    CHECK(stored().empty());
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(shop, "a table without the struct's columns is a mismatch before anything is written") {
    database.sql("ALTER TABLE products DROP COLUMN price");
    CHECK_THROWS_MATCHES(isorow::upsert(connection, products{{1, "pen", {}}}), isorow::mismatch, test::says("price"));
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(shop, "a table without the key is an error of the server") {
    database.sql("ALTER TABLE products DROP CONSTRAINT products_pkey");
    CHECK_THROWS_AS(isorow::upsert(connection, products{{1, "pen", {}}}), isorow::syntax_error_or_access_rule_violation);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(shop, "columns that the struct does not have keep their values, and get their defaults") {
    database.sql("ALTER TABLE products ADD COLUMN made text DEFAULT 'here'; INSERT INTO products VALUES (1, 'pen', 1, 'there')");
    isorow::upsert(connection, products{{1, "pen", 2.0}, {2, "ink", {}}});
    CHECK(database.sql("SELECT string_agg(made, ' ' ORDER BY id) FROM products") == "there here");
}

TEST_CASE_METHOD(shop, "in a transaction it happens with the transaction, as often as one likes") {
    {
        isorow::transaction work(connection);
        isorow::upsert(work, products{{1, "pen", {}}});
        isorow::upsert(work, products{{1, "pen", 2.0}, {2, "ink", {}}});
        CHECK(stored().empty());
        work.commit();
    }
    CHECK(stored() == "1pen2 2ink~");
    {
        isorow::transaction work(connection);
        isorow::upsert(work, products{{3, "lost", {}}});
    }
    CHECK(stored() == "1pen2 2ink~");
}

TEST_CASE_METHOD(shop, "an upsert that fails in a transaction leaves the transaction usable") {
    isorow::transaction work(connection);
    isorow::upsert(work, products{{1, "pen", {}}});
    CHECK_THROWS_AS(isorow::upsert(work, products{{2, "ink", {}}, {2, "ink", {}}}), isorow::cardinality_violation);
    isorow::upsert(work, products{{3, "pad", {}}});
    work.commit();
    CHECK(stored() == "1pen~ 3pad~");
}

TEST_CASE_METHOD(shop, "it runs on a pool and in a session") {
    isorow::pool pool(database.dsn(), {.min_size = 1, .max_size = 1});
    CHECK(isorow::upsert(pool, products{{1, "pen", {}}}) == counts{.inserted = 1});
    CHECK(stored() == "1pen~");
    isorow::session work(pool);
    CHECK(isorow::upsert(work, products{{2, "ink", {}}}) == counts{.inserted = 1});
    CHECK(stored() == "1pen~");
    work.commit();
    CHECK(stored() == "1pen~ 2ink~");
}

TEST_CASE_METHOD(shop, "a hundred thousand rows are written, and a part of them changed") {
    products rows;
    for (std::int32_t i = 0; i < 100'000; ++i) rows.push_back({i, "product " + std::to_string(i), 0.5 * i});
    CHECK(isorow::upsert(connection, rows) == counts{.inserted = 100'000});
    for (std::size_t i = 0; i < rows.size(); i += 1000) rows[i].name += " new";
    CHECK(isorow::upsert(connection, rows) == counts{.updated = 100, .unchanged = 99'900});
}

TEST_CASE_METHOD(shop, "what another transaction inserted meanwhile is updated") {
    auto other = test::connect(database.dsn());
    isorow::upsert(other, products{{1, "theirs", {}}});
    CHECK(isorow::upsert(connection, products{{1, "mine", {}}}) == counts{.updated = 1});
    CHECK(stored() == "1mine~");
}
