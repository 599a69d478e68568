#include <catch2/catch_test_macros.hpp>

#include <isorow/query/statement.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

using isorow::statement;

namespace {

struct Product {
    std::int32_t id;
    std::string name;
    std::optional<double> price;
};

/// A database with products.
struct shop {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    shop() {
        database.sql(
            "CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, price double precision);"
            "INSERT INTO products VALUES (1, 'pen', 1.5), (2, 'ink', 2.5), (3, 'pad', NULL)");
    }
};

}  // namespace

TEST_CASE_METHOD(shop, "a statement gives all rows, the first or exactly one") {
    statement<Product(double)> const cheap{"SELECT * FROM products WHERE price < $1 ORDER BY id"};
    CHECK(cheap.all(connection, 10.0).size() == 2);
    CHECK(cheap.first(connection, 10.0)->name == "pen");
    CHECK_FALSE(cheap.first(connection, 0.0));
    CHECK(cheap.one(connection, 2.0).id == 1);
    CHECK_THROWS_AS(cheap.one(connection, 10.0), isorow::row_count_error);
}

TEST_CASE_METHOD(shop, "rows are structs, tuples or single values") {
    statement<std::tuple<std::int32_t, std::string>()> const pairs{"SELECT id, name FROM products ORDER BY id"};
    CHECK(pairs.all(connection).back() == std::tuple<std::int32_t, std::string>{3, "pad"});
    statement<std::int64_t()> const count{"SELECT count(*) FROM products"};
    CHECK(count.one(connection) == 3);
    statement<std::optional<double>(std::int32_t)> const price{"SELECT price FROM products WHERE id = %s"};
    CHECK(price.one(connection, 3) == std::nullopt);
}

TEST_CASE_METHOD(shop, "a statement without rows is executed and gives their number") {
    statement<void(std::string, std::int32_t)> const rename{"UPDATE products SET name = %s WHERE id >= %s"};
    CHECK(rename.execute(connection, "new", 2) == 2);
    CHECK(database.sql("SELECT string_agg(name, ' ' ORDER BY id) FROM products") == "pen new new");
}

TEST_CASE_METHOD(shop, "arguments are converted to the types of the signature") {
    statement<double(double)> const twice{"SELECT $1 * 2"};
    CHECK(twice.one(connection, 2) == 4.0);
    statement<std::string(std::string)> const echo{"SELECT $1"};
    CHECK(echo.one(connection, "word") == "word");
    statement<bool(std::optional<std::int32_t>)> const is_null{"SELECT $1 IS NULL"};
    CHECK(is_null.one(connection, std::nullopt));
}

TEST_CASE_METHOD(shop, "columns that do not fit are all told, before anything is run") {
    database.sql("CREATE TABLE log (id serial, word text)");
    struct Wrong {
        std::string id;
        std::int32_t word;
        bool missing;
    };
    statement<Wrong(std::string)> const add{"INSERT INTO log (word) VALUES ($1) RETURNING *"};
    try {
        static_cast<void>(add.all(connection, "x"));
        FAIL("no mismatch");
    } catch (isorow::mismatch const& failure) {
        std::string const said = failure.what();
        CHECK(said.find("id") != std::string::npos);
        CHECK(said.find("word") != std::string::npos);
        CHECK(said.find("missing") != std::string::npos);
    }
    CHECK(database.sql("SELECT count(*) FROM log") == "0");
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(shop, "a single value and a tuple that do not fit are told, before anything is run") {
    database.sql("CREATE TABLE log (id serial, word text)");
    statement<std::int32_t()> const value{"INSERT INTO log (word) VALUES ('x') RETURNING word"};
    CHECK_THROWS_AS(value.one(connection), isorow::mismatch);
    statement<std::tuple<std::int32_t, std::int32_t>()> const pair{"INSERT INTO log (word) VALUES ('x') RETURNING id, word"};
    CHECK_THROWS_AS(pair.one(connection), isorow::mismatch);
    CHECK(database.sql("SELECT count(*) FROM log") == "0");
}

TEST_CASE_METHOD(shop, "check asks the server without running the statement") {
    statement<Product()> const remove{"DELETE FROM products RETURNING *"};
    remove.check(connection);
    CHECK(database.sql("SELECT count(*) FROM products") == "3");
}

TEST_CASE_METHOD(shop, "check throws the server's error about a statement that it does not take") {
    statement<Product()> const wrong{"SELECT * FROM prodcuts"};
    CHECK_THROWS_MATCHES(wrong.check(connection), isorow::syntax_error_or_access_rule_violation, test::says("prodcuts"));
    CHECK(connection.is_idle());
    statement<void(std::string)> const wrong_argument{"DELETE FROM products WHERE id = $1"};
    CHECK_THROWS_AS(wrong_argument.execute(connection, "1"), isorow::syntax_error_or_access_rule_violation);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(shop, "a check that failed is done again") {
    statement<std::int64_t()> const count{"SELECT count(*) FROM later"};
    CHECK_THROWS_AS(count.one(connection), isorow::syntax_error_or_access_rule_violation);
    database.sql("CREATE TABLE later ()");
    CHECK(count.one(connection) == 0);
}

TEST_CASE("a statement that can never run is not made") {
    CHECK_THROWS_MATCHES(statement<int(int)>{"SELECT $1 + $2"}, isorow::usage_error, test::says("takes 2 parameters"));
    CHECK_THROWS_MATCHES((statement<int(int, int)>{"SELECT %s + $1"}), isorow::usage_error, test::says("mixes"));
    CHECK_THROWS_MATCHES(statement<int(int)>{"SELECT :a"}, isorow::usage_error, test::says("names"));
}

TEST_CASE_METHOD(shop, "a statement without arguments that has parameters is refused before it is run") {
    auto const refused = [&] {
        statement<std::int32_t()> const one{"SELECT $1::int"};
        static_cast<void>(one.one(connection));
    };
    CHECK_THROWS_AS(refused(), isorow::usage_error);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(shop, "a doubled percent sign is one modulo sign, whatever stands behind it") {
    statement<std::int32_t(std::int32_t)> const modulo{"SELECT 7 %% %s"};
    CHECK(modulo.one(connection, 4) == 3);
    statement<std::int32_t(std::int32_t)> const column{"SELECT 7 %%s.n FROM (VALUES (4)) s(n) WHERE s.n = %s"};
    CHECK(column.one(connection, 4) == 3);
}

TEST_CASE_METHOD(shop, "a text that is gone afterwards is no matter") {
    auto text = std::make_unique<std::string>("SELECT count(*) FROM products WHERE id < $1");
    statement<std::int64_t(std::int32_t)> const count{*text};
    text->assign(text->size(), 'x');
    text.reset();
    CHECK(count.one(connection, 3) == 2);
}

TEST_CASE_METHOD(shop, "several threads use one statement on one pool", "[concurrency]") {
    isorow::pool pool(database.dsn(), {.min_size = 2, .max_size = 3});
    statement<Product(std::int32_t)> const by_id{"SELECT * FROM products WHERE id = %s"};
    std::atomic<int> right{0};
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 6; ++thread)
            threads.emplace_back([&] {
                for (int i = 0; i < 50; ++i)
                    if (by_id.one(pool, i % 3 + 1).id == i % 3 + 1) ++right;
            });
    }
    CHECK(right == 300);
}

TEST_CASE_METHOD(shop, "a statement runs in a transaction and in a session") {
    statement<void(std::int32_t)> const remove{"DELETE FROM products WHERE id = $1"};
    {
        isorow::transaction work(connection);
        remove.execute(work, 1);
    }
    {
        isorow::session work(connection);
        remove.execute(work, 2);
        work.commit();
    }
    CHECK(database.sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM products") == "1 3");
}

TEST_CASE_METHOD(shop, "each database is held against the statement, also where one comes after the other") {
    test::database const other;
    other.sql("CREATE TABLE products (id int, name text); CREATE TABLE log (word text)");
    database.sql("CREATE TABLE log (word int)");
    statement<std::int32_t()> const add{"INSERT INTO log VALUES (DEFAULT) RETURNING coalesce(word, NULL)"};
    for (int i = 0; i < 20; ++i) {
        {
            auto const first = std::make_unique<isorow::connection>(test::connect(database.dsn()));
            add.check(*first);
        }
        auto const second = std::make_unique<isorow::connection>(test::connect(other.dsn()));
        REQUIRE_THROWS_AS(add.check(*second), isorow::mismatch);
    }
    CHECK(other.sql("SELECT count(*) FROM log") == "0");
}
