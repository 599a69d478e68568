#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/transact.hpp>
#include <isorow/source/follow.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>
#include <support/followed_copy.hpp>
#include <support/matchers.hpp>
#include <support/pooled_database.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using isorow::event_kind;

namespace {

struct Product {
    std::string category;
    std::string name;
    std::optional<double> price;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::category, &Product::name>(); }
    friend bool operator==(Product const&, Product const&) = default;
};

using product_key = std::tuple<std::string, std::string>;

struct followed_shop : test::pooled_database {
    isorow::source<Product> source{pool};

    followed_shop() {
        run("CREATE TABLE products (category text, name text, price float8, PRIMARY KEY (category, name));"
            "INSERT INTO products VALUES ('lamps', 'desk lamp', 10), ('desks', 'oak', NULL)");
    }

    [[nodiscard]] std::map<product_key, Product> table() const { return test::rows_by_key(source); }

    [[nodiscard]] isorow::followed<Product> follow(isorow::follow_options options = {}) {
        if (options.consumer.empty()) options.consumer = "copy";
        return isorow::follow(source, isorow::changelog{.notification = {.wakes = true}, .interval = 50ms}, options);
    }

    /// The rows of a table as text, by which also those can be compared that hold NaN; and those of a copy.
    [[nodiscard]] static std::multiset<std::string> rows_of(isorow::source<isorow::dynamic_row> const& source) {
        std::multiset<std::string> rows;
        for (auto const& row : source.rows()) rows.insert(test::shown(row));
        return rows;
    }
    [[nodiscard]] static std::multiset<std::string> rows_of(test::followed_copy<isorow::dynamic_row> const& copy) {
        std::multiset<std::string> rows;
        for (auto const& [key, row] : copy.rows()) rows.insert(test::shown(row));
        return rows;
    }
};

/// Keeps a copy while others write.
void keep_copy(isorow::followed<Product> products, std::atomic<bool> const& ended, test::followed_copy<Product>& copy) {
    for (;;) {
        bool const is_last = ended;
        while (auto batch = products.next(5ms)) copy.apply(*batch);
        if (is_last) return;
    }
}

}  // namespace

TEST_CASE_METHOD(followed_shop, "all rows are told first, then what is inserted, updated and deleted", "[session]") {
    auto products = follow();
    auto first = products.next(10s);
    REQUIRE(first);
    CHECK(test::kinds(*first) == "begin_rows row row end_rows");
    CHECK(first->events()[1].key == product_key("desks", "oak"));
    CHECK(first->events()[1].row == Product{"desks", "oak", std::nullopt});

    run("INSERT INTO products VALUES ('chairs', 'stool', 30)");
    auto second = products.next(10s);
    REQUIRE(second);
    CHECK(test::kinds(*second) == "upserted");
    CHECK(second->events()[0].row == Product{"chairs", "stool", 30.0});

    run("UPDATE products SET price = price + 1 WHERE price IS NOT NULL");
    auto third = products.next(10s);
    REQUIRE(third);
    CHECK(test::kinds(*third) == "upserted upserted");

    run("DELETE FROM products WHERE category = 'lamps'");
    auto fourth = products.next(10s);
    REQUIRE(fourth);
    CHECK(test::kinds(*fourth) == "removed");
    CHECK(fourth->events()[0].key == product_key("lamps", "desk lamp"));
    CHECK_FALSE(fourth->events()[0].row);

    CHECK_FALSE(products.next(10ms));
}

TEST_CASE_METHOD(followed_shop, "a key that changes is told as one that is gone and one that came") {
    auto products = follow();
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    run("UPDATE products SET name = 'pine' WHERE name = 'oak'");
    auto batch = products.next(10s);
    REQUIRE(batch);
    std::map<product_key, event_kind> told;
    for (auto const& event : *batch) told.emplace(*event.key, event.kind);
    CHECK(told == std::map<product_key, event_kind>{{{"desks", "oak"}, event_kind::removed}, {{"desks", "pine"}, event_kind::upserted}});
    copy.apply(*batch);
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(followed_shop, "TRUNCATE is told, and what was inserted after it in the same transaction") {
    auto products = follow();
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    run("BEGIN; INSERT INTO products VALUES ('a', 'b', 1); TRUNCATE products; INSERT INTO products VALUES ('c', 'd', 2); COMMIT");
    auto batch = products.next(10s);
    REQUIRE(batch);
    CHECK(test::kinds(*batch) == "begin_rows row end_rows");
    copy.apply(*batch);
    CHECK(copy.rows() == table());
    CHECK(copy.rows().size() == 1);
    CHECK_FALSE(products.next(10ms));
}

TEST_CASE_METHOD(followed_shop, "a transaction that commits late is told then, though later ones were told before") {
    auto products = follow();
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    auto late = test::connect(database.dsn());
    isorow::execute_script(late, "BEGIN; INSERT INTO products VALUES ('late', 'one', 1)", late.default_limits());
    for (int i = 0; i < 5; ++i) {
        run("INSERT INTO products VALUES ('soon', '" + std::to_string(i) + "', 1)");
        auto batch = products.next(10s);
        REQUIRE(batch);
        CHECK(test::kinds(*batch) == "upserted");
        copy.apply(*batch);
    }
    isorow::execute_script(late, "COMMIT", late.default_limits());
    auto batch = products.next(10s);
    REQUIRE(batch);
    CHECK(test::kinds(*batch) == "upserted");
    CHECK(batch->events()[0].key == product_key("late", "one"));
    copy.apply(*batch);
    CHECK(copy.rows() == table());
    CHECK_FALSE(products.next(10ms));
}

TEST_CASE_METHOD(followed_shop, "a transaction that began later than one that was told, but wrote before it, is told when it commits") {
    auto products = follow();
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    auto first = test::connect(database.dsn());
    auto second = test::connect(database.dsn());
    test::run(first, "BEGIN; SELECT pg_current_xact_id()");
    test::run(second, "BEGIN; INSERT INTO products VALUES ('late', 'one', 1)");
    test::run(first, "INSERT INTO products VALUES ('soon', 'one', 1); COMMIT");
    for (int i = 0; i < 5; ++i) catch_up(products, copy);
    CHECK(copy.rows().size() == 3);
    test::run(second, "COMMIT");
    catch_up(products, copy);
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(followed_shop, "a transaction that commits between two chunks of one pass is told") {
    auto products = follow({.batch = 2});
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    auto late = test::connect(database.dsn());
    test::run(late, "BEGIN; INSERT INTO products VALUES ('late', 'one', 1)");
    run("INSERT INTO products VALUES ('soon', 'one', 1)");
    catch_up(products, copy);
    run("INSERT INTO products SELECT 'many', i::text, 1 FROM generate_series(1, 5) i");
    auto batch = products.next(10s);
    REQUIRE(batch);
    CHECK(batch->size() == 2);
    copy.apply(*batch);
    test::run(late, "COMMIT");
    catch_up(products, copy);
    CHECK(copy.rows() == table());
    CHECK(copy.rows().size() == 9);
}

TEST_CASE_METHOD(followed_shop, "a transaction that is larger than a batch comes in several, with what has become of it meanwhile") {
    auto products = follow({.batch = 10});
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    run("INSERT INTO products SELECT 'many', i::text, i FROM generate_series(1, 35) i");
    for (int i = 0; i < 2; ++i) {
        auto batch = products.next(10s);
        REQUIRE(batch);
        CHECK(batch->size() == 10);
        copy.apply(*batch);
    }
    SECTION("nothing") {}
    SECTION("rows that were told are gone") { run("DELETE FROM products WHERE price < 5"); }
    SECTION("all rows are gone") { run("TRUNCATE products"); }
    SECTION("all rows are gone, and some are there again") {
        run("TRUNCATE products; INSERT INTO products SELECT 'many', i::text, -i FROM generate_series(1, 25) i");
    }
    catch_up(products, copy);
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(followed_shop, "what a transaction with an older number inserts after a TRUNCATE is there") {
    auto products = follow({.batch = 3});
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    auto older = test::connect(database.dsn());
    test::run(older, "BEGIN; SELECT pg_current_xact_id()");
    run("BEGIN; INSERT INTO products SELECT 'many', i::text, i FROM generate_series(1, 4) i; TRUNCATE products; INSERT INTO products "
        "SELECT "
        "'new', i::text, i FROM generate_series(1, 4) i; COMMIT");
    SECTION("told before") {
        catch_up(products, copy);
        test::run(older, "INSERT INTO products VALUES ('older', 'one', 1); COMMIT");
    }
    SECTION("told together") { test::run(older, "INSERT INTO products VALUES ('older', 'one', 1); COMMIT"); }
    SECTION("truncated again") { test::run(older, "TRUNCATE products; INSERT INTO products VALUES ('older', 'one', 1); COMMIT"); }
    catch_up(products, copy);
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(followed_shop, "whatever statement writes to a table, it is told") {
    run("CREATE TABLE shelves (place text PRIMARY KEY); INSERT INTO shelves VALUES ('a'), ('b');"
        "ALTER TABLE products ADD place text DEFAULT 'a' REFERENCES shelves ON DELETE CASCADE ON UPDATE CASCADE;"
        "CREATE FUNCTION put(text, text) RETURNS void LANGUAGE sql AS $$INSERT INTO products VALUES ($1, $2, 1)$$");
    auto products = follow({.batch = 4});
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    for (std::string_view const script : {
             "INSERT INTO products VALUES ('a', '1', 1) ON CONFLICT DO NOTHING",
             "INSERT INTO products VALUES ('a', '1', 2), ('a', '2', 3) ON CONFLICT (category, name) DO UPDATE SET price = excluded.price",
             "INSERT INTO products VALUES ('a', '1', 4) ON CONFLICT (category, name) DO UPDATE SET name = 'other'",
             "MERGE INTO products p USING (VALUES ('a', '2'), ('a', 'other'), ('m', 'new')) v(c, n) ON p.category = v.c AND p.name = v.n "
             "WHEN MATCHED AND v.n = '2' THEN DELETE WHEN MATCHED THEN UPDATE SET price = 7, name = 'moved' WHEN NOT MATCHED THEN INSERT "
             "VALUES (v.c, v.n, 8)",
             "WITH gone AS (DELETE FROM products WHERE category = 'm' RETURNING *) INSERT INTO products SELECT 'n', name, 9 FROM gone",
             "SELECT put('f', '1')",
             "BEGIN; SAVEPOINT s; INSERT INTO products VALUES ('s', '1', 1); ROLLBACK TO s; INSERT INTO products VALUES ('s', '2', 1); "
             "RELEASE s; COMMIT",
             "BEGIN; INSERT INTO products VALUES ('r', '1', 1); DELETE FROM products WHERE category = 's'; ROLLBACK",
             "BEGIN; SAVEPOINT s; TRUNCATE products; ROLLBACK TO s; INSERT INTO products VALUES ('s', '3', 1); COMMIT",
             "UPDATE products SET place = 'b' WHERE category = 'f'; UPDATE shelves SET place = 'c' WHERE place = 'b'",
             "DELETE FROM shelves WHERE place = 'c'",
             "UPDATE products SET name = name || '!'",
             "BEGIN; SET LOCAL session_replication_role = replica; UPDATE products SET price = 11; COMMIT",
             "DELETE FROM products WHERE false",
             "TRUNCATE shelves CASCADE",
         }) {
        INFO(script);
        run(std::string(script));
        catch_up(products, copy);
        CHECK(copy.rows() == table());
    }
    CHECK(copy.rows().empty());
}

TEST_CASE_METHOD(followed_shop, "rows that come by COPY are told") {
    auto products = follow();
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    isorow::execute(pool, "COPY products FROM PROGRAM 'printf \"c\\t1\\t1\\nc\\t2\\t2\\n\"'");
    catch_up(products, copy);
    CHECK(copy.rows().size() == 4);
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(followed_shop, "a transaction that is prepared is told when it is committed") {
    auto products = isorow::follow(source, isorow::changelog{}, {.consumer = "copy"});
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    run("BEGIN; INSERT INTO products VALUES ('p', '1', 1); PREPARE TRANSACTION 'one'");
    run("INSERT INTO products VALUES ('p', '2', 1)");
    catch_up(products, copy);
    CHECK(copy.rows().size() == 3);
    catch_up(products, copy);
    run("COMMIT PREPARED 'one'");
    catch_up(products, copy);
    CHECK(copy.rows().size() == 4);
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(followed_shop, "whoever commits when, in the end a copy is what the table is") {
    int const transactions = test::rounds(80, 2000);
    unsigned const seed = std::random_device{}();
    INFO("seed " << seed);
    std::atomic<bool> ended = false;
    std::vector<test::followed_copy<Product>> copies(3);
    isorow::pool own(database.dsn(), {.min_size = 1});
    isorow::source<Product> const again(own);
    auto const follow_as = [&](std::string const& consumer, std::size_t batch) {
        return isorow::follow(again, isorow::changelog{.notification = {.channel = "shop", .wakes = true}, .interval = 50ms},
                              {.consumer = consumer, .batch = batch});
    };
    std::vector<std::jthread> followers;
    followers.emplace_back([&] { keep_copy(follow_as("small", 3), ended, copies[0]); });
    followers.emplace_back([&] { keep_copy(follow_as("large", 1000), ended, copies[1]); });
    followers.emplace_back([&] {
        // One that ends again and again.
        for (bool is_last = false; !is_last;) {
            is_last = ended;
            auto products = follow_as("restless", 20);
            for (int i = 0; i < 10 || is_last; ++i) {
                auto batch = products.next(is_last ? 0ms : 5ms);
                if (!batch) break;
                copies[2].apply(*batch);
            }
            // What was applied is saved when the next is asked for.
            if (auto batch = products.next(0ms)) copies[2].apply(*batch);
        }
    });
    {
        std::vector<std::jthread> writers;
        for (unsigned thread = 0; thread < 6; ++thread)
            writers.emplace_back([&, thread] {
                auto connection = test::connect(database.dsn());
                std::mt19937 random(seed + thread);
                auto const pick = [&](int count) { return std::uniform_int_distribution<int>(0, count - 1)(random); };
                auto const key = [&] { return isorow::text("category = '{}' AND name = '{}'", pick(3), pick(12)); };
                auto const statement = [&]() -> std::string {
                    switch (pick(12)) {
                        case 0:
                        case 1:
                        case 2:
                        case 3:
                            return isorow::text(
                                "INSERT INTO products VALUES ('{}', '{}', {}) ON CONFLICT (category, name) DO UPDATE SET price = "
                                "excluded.price",
                                pick(3), pick(12), pick(1000));
                        case 4:
                        case 5:
                            return isorow::text("UPDATE products SET price = {} WHERE {}", pick(1000), key());
                        case 6:
                        case 7:
                            return isorow::text("DELETE FROM products WHERE {}", key());
                        case 8:
                            return isorow::text("UPDATE products SET name = '{}' WHERE {}", pick(12), key());
                        case 9:
                            return isorow::text(
                                "SAVEPOINT s; DELETE FROM products WHERE {}; INSERT INTO products VALUES ('x', gen_random_uuid(), "
                                "1); ROLLBACK TO s",
                                key());
                        case 10:
                            return isorow::text(
                                "INSERT INTO products SELECT 'series {}', i::text, 1 FROM generate_series(1, {}) i ON CONFLICT DO "
                                "NOTHING",
                                pick(3), pick(9));
                        default:
                            return pick(20) == 0 ? "TRUNCATE products"
                                                 : isorow::text("DELETE FROM products WHERE category LIKE 'series {}'", pick(3));
                    }
                };
                for (int i = 0; i < transactions; ++i) {
                    auto const result = test::outcome_of([&] {
                        test::run(connection, "BEGIN");
                        for (int statements = pick(4); statements >= 0; --statements) {
                            test::run(connection, statement());
                            if (pick(4) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(pick(8)));
                        }
                        test::run(connection, pick(5) == 0 ? "ROLLBACK" : "COMMIT");
                    });
                    // Two that insert one key, or wait for each other.
                    if (!result.well()) test::run(connection, "ROLLBACK");
                }
            });
    }
    ended = true;
    followers.clear();
    for (auto const& copy : copies) CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(followed_shop, "keys of any type are followed") {
    struct kind {
        std::string type;
        std::vector<std::string> values;  // the first two are there from the beginning
    };
    std::string odd;
    for (int i = 1; i < 2600; ++i) odd += "\x01'\"\\\t\n\r\x7f$1;--{},"[i % 15];
    auto const literal = isorow::detail::quote_literal(odd);
    run("CREATE TYPE mood AS ENUM ('glad', 'sad', 'so', '?'); CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0); CREATE DOMAIN few AS even "
        "CHECK "
        "(VALUE < 10); CREATE EXTENSION citext; CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = "
        "false)");
    for (auto const& [type, values] : std::vector<kind>{
             {"text", {literal, "''", "'ä'", literal + " || 'x'"}},
             {"uuid",
              {"'00000000-0000-0000-0000-000000000001'", "'f0000000-0000-0000-0000-000000000001'", "'ffffffff-0000-0000-0000-000000000001'",
               "'00000000-ffff-0000-0000-000000000001'"}},
             {"numeric", {"1.0", "'NaN'", "12345678901234567890.123", "1.00"}},
             {"numeric(6,2)", {"1.0", "2", "-3.25", "1.00"}},
             {"timestamptz", {"'2026-11-21 10:20:30.123456+02'", "'infinity'", "'-infinity'", "'1900-01-01'"}},
             {"timestamp(0)", {"'2026-11-21 10:20:30'", "'infinity'", "'2026-11-21 10:20:31'", "'1900-01-01'"}},
             {"bytea", {"'\\x00ff'", "''", "'\\x'::bytea || '\\x01'", "'\\x275c'"}},
             {"char(5)", {"'a'", "'b '", "' a'", "'abcde'"}},
             {"bpchar", {"'a'", "'b '", "'c'", "'a '"}},
             {"varchar(3)", {"'a'", "'b '", "'äöü'", "'a '"}},
             {"mood", {"'glad'", "'sad'", "'so'", "'?'"}},
             {"few", {"2", "4", "0", "-2"}},
             {"citext", {"'a'", "'B'", "'c'", "'A'"}},
             {"text COLLATE folded", {"'a'", "'B'", "'c'", "'A'"}},
             {"text COLLATE \"C\"", {"'a'", "'B'", "'c'", "'A'"}},
             {"float8", {"0.1", "'NaN'", "'-Infinity'", "1e-300"}},
             {"float8", {"0", "'Infinity'", "5", "'-0'"}},
             {"interval", {"'1 day'", "'1 month'", "'1 second'", "'24 hours'"}},
             {"inet", {"'10.0.0.1/8'", "'::1'", "'10.0.0.1'", "'10.0.0.0/8'"}},
             {"jsonb", {"'1.0'", "'{\"a\": \"\"}'", "'null'", "'1.00'"}},
             {"int[]", {"'{1,2}'", "'{}'", "'{NULL}'", "'{3}'"}},
             {"int4range", {"'[1,2)'", "'empty'", "'(,)'", "'[5,6]'"}},
             {"bigint", {"1", "-9223372036854775808", "9223372036854775807", "0"}},
         }) {
        INFO(type);
        run(isorow::text("CREATE TABLE keyed (k {} PRIMARY KEY, v int); INSERT INTO keyed VALUES ({}, 1), ({}, 1)", type, values[0],
                         values[1]));
        isorow::source<isorow::dynamic_row> const keyed(pool, {.table = "keyed"});
        {
            auto rows = isorow::follow(keyed, isorow::changelog{}, {.consumer = "copy", .batch = 1});
            test::followed_copy<isorow::dynamic_row> copy;
            auto const check = [&](std::string_view after) {
                INFO(after);
                catch_up(rows, copy);
                CHECK(rows_of(copy) == rows_of(keyed));
            };
            check("all rows");
            CHECK(copy.rows().size() == 2);
            run(isorow::text("INSERT INTO keyed VALUES ({}, 2)", values[2]));
            check("INSERT");
            run("UPDATE keyed SET v = v + 1");
            check("UPDATE");
            run(isorow::text("UPDATE keyed SET k = {} WHERE k = {}", values[3], values[0]));
            check("another key");
            run(isorow::text("UPDATE keyed SET v = 7, k = {} WHERE k = {}", values[0], values[3]));
            check("the first key again");
            run(isorow::text("DELETE FROM keyed WHERE k = {}", values[1]));
            check("DELETE");
            run(isorow::text("DELETE FROM keyed WHERE k = {}; INSERT INTO keyed VALUES ({}, 9)", values[0], values[3]));
            check("DELETE and INSERT");
            CHECK(copy.rows().size() == 2);
        }
        isorow::remove_notification(pool, "public", "keyed", "copy__keyed__isorow");
        run("DROP TABLE keyed");
    }
}

TEST_CASE_METHOD(followed_shop, "a key that changes to an equal one of another form is told as gone before the other is told") {
    run("CREATE TABLE prices (price numeric PRIMARY KEY); INSERT INTO prices VALUES (1.0)");
    isorow::source<isorow::dynamic_row> const prices(pool, {.table = "prices"});
    auto rows = isorow::follow(prices, isorow::changelog{}, {.consumer = "copy"});
    while (rows.next(0ms)) {
    }
    run("UPDATE prices SET price = 1.00");
    auto batch = rows.next(10s);
    REQUIRE(batch);
    REQUIRE(test::kinds(*batch) == "removed upserted");
    CHECK(to_string((*batch->events()[0].key)["price"].value) == "1.0");
    CHECK(to_string((*batch->events()[1].key)["price"].value) == "1.00");
}

TEST_CASE_METHOD(followed_shop, "what the filter does not hold for is gone, and what it begins to hold for comes") {
    auto const follow_by = [&](isorow::source_options options) {
        return isorow::follow(isorow::source<Product>(pool, std::move(options)), isorow::changelog{}, {.consumer = "cheap", .batch = 2});
    };
    auto const check = [&](isorow::source_options const& options) {
        auto products = follow_by(options);
        isorow::source<Product> const filtered(pool, options);
        test::followed_copy<Product> copy;
        for (std::string_view const script : {
                 "SELECT 1",
                 "INSERT INTO products VALUES ('a', '1', 5), ('a', '2', 50), ('a', '3', 500)",
                 "UPDATE products SET price = 500 WHERE price = 5",
                 "UPDATE products SET price = 6 WHERE name = '3'",
                 "UPDATE products SET name = name || '!'",
                 "UPDATE products SET price = NULL WHERE name LIKE '3%'",
                 "DELETE FROM products WHERE category = 'a'",
             }) {
            INFO(script);
            run(std::string(script));
            catch_up(products, copy);
            CHECK(copy.rows() == test::rows_by_key(filtered));
        }
    };
    SECTION("SQL with OR, quotes and a comment") { check({.sql_filter = "price < 20 OR name = '--' -- cheap ones"}); }
    SECTION("a comment alone before the condition") { check({.sql_filter = "/* ) */ price < 20 OR price IS NULL"}); }
    SECTION("bound values") {
        check({.filter = isorow::where<&Product::price>() < 20.0 && isorow::where<&Product::category>() != "lamps"});
    }
    SECTION("either of two bound values") {
        check({.filter = isorow::where<&Product::price>() < 20.0 || isorow::where<&Product::name>() == "2"});
    }
    SECTION("both kinds") { check({.sql_filter = "price > 5 OR price < 1", .filter = isorow::where<&Product::price>() < 100.0}); }
    SECTION("a subquery") { check({.sql_filter = "category IN (SELECT max(category) FROM products)"}); }
}

TEST_CASE_METHOD(followed_shop, "only the columns that are asked for are read, and those of the key") {
    run("ALTER TABLE products ADD secret text NOT NULL DEFAULT 'x'");
    isorow::source<isorow::dynamic_row> const names(pool, {.table = "products", .included_columns = {"price"}});
    auto rows = isorow::follow(names, isorow::changelog{}, {.consumer = "copy"});
    test::followed_copy<isorow::dynamic_row> copy;
    catch_up(rows, copy);
    run("UPDATE products SET price = 11 WHERE name = 'oak'");
    catch_up(rows, copy);
    CHECK(copy.rows().at("{category: desks, name: oak}") == isorow::dynamic_row{{"category", "desks"}, {"name", "oak"}, {"price", 11.0}});
    CHECK_THROWS_MATCHES(
        isorow::follow(isorow::source<Product>(pool, {.columns = {"name", "price"}}), isorow::changelog{}, {.consumer = "copy"}),
        isorow::usage_error, test::says("category"));
}

TEST_CASE_METHOD(followed_shop, "columns that a source of structs does not read keep their defaults") {
    isorow::source<Product> const names(pool, {.columns = {"category", "name"}});
    auto rows = isorow::follow(names, isorow::changelog{}, {.consumer = "copy"});
    test::followed_copy<Product> copy;
    catch_up(rows, copy);
    run("UPDATE products SET price = 11");
    catch_up(rows, copy);
    CHECK(copy.rows().at({"desks", "oak"}) == Product{"desks", "oak", std::nullopt});
}

TEST_CASE_METHOD(followed_shop, "names that need quotes are followed") {
    run("CREATE SCHEMA \"a \"\"b\"\"; --\"; CREATE TABLE \"a \"\"b\"\"; --\".\"k'%s {} $1\" (\"a'b\" int, \"text\" numeric, \"SELECT\" "
        "int, \"%I\" text, "
        "PRIMARY KEY (\"text\", \"a'b\"))");
    isorow::source<isorow::dynamic_row> const odd(pool, {.table = "k'%s {} $1", .schema = "a \"b\"; --"});
    auto const how = isorow::changelog{.notification = {.channel = "It's \"$1\"; {} --", .wakes = true}};
    auto rows = isorow::follow(odd, how, {.consumer = "odd ' \" one"});
    test::followed_copy<isorow::dynamic_row> copy;
    for (std::string_view const script : {"INSERT INTO {} VALUES (1, 1.0, 2, 'x'), (2, 2, 2, 'y')",
                                          "UPDATE {} SET \"SELECT\" = 3, text = 1.00 WHERE "
                                          "\"a'b\" = 1",
                                          "DELETE FROM {} WHERE \"%I\" = 'y'"}) {
        INFO(script);
        auto sql = std::string(script);
        sql.replace(sql.find("{}"), 2, "\"a \"\"b\"\"; --\".\"k'%s {} $1\"");
        run(sql);
        catch_up(rows, copy);
        CHECK(rows_of(copy) == rows_of(odd));
    }
    CHECK(copy.rows().size() == 1);
    isorow::remove_notification(pool, "a \"b\"; --", "k'%s {} $1", "It's \"$1\"; {} --");
    CHECK(database.sql("SELECT count(*) FROM pg_proc WHERE pronamespace = 'isorow'::regnamespace") == "0");
}

TEST_CASE_METHOD(followed_shop, "a table may have any of the names that the statement itself uses") {
    for (std::string_view const name : {"k", "e", "n", "s", "isorow_t", "isorow_some", "isorow_new"}) {
        INFO(name);
        run(isorow::text(
            "CREATE TABLE {} (number int PRIMARY KEY, kind text, transaction int, count int, last int, reading text, \"reading \" text)",
            name));
        isorow::source<isorow::dynamic_row> const odd(pool, {.table = std::string(name), .sql_filter = "number > 0 AND kind IS NOT NULL"});
        auto rows = isorow::follow(odd, isorow::changelog{}, {.consumer = "copy of " + std::string(name)});
        test::followed_copy<isorow::dynamic_row> copy;
        catch_up(rows, copy);
        run(isorow::text("INSERT INTO {} VALUES (1, 'a', 2), (2, NULL, 3)", name));
        catch_up(rows, copy);
        CHECK(rows_of(copy) == rows_of(odd));
        CHECK(copy.rows().size() == 1);
    }
}

TEST_CASE_METHOD(followed_shop, "a source that finds its database by the environment keeps its pool for as long as it is followed") {
    ::setenv("ISOROW_TEST_FOLLOWED_URL", database.dsn().c_str(), 1);
    auto products = [] {
        isorow::source<Product> const own({.database_variable = "ISOROW_TEST_FOLLOWED_URL"});
        return isorow::follow(own, isorow::changelog{}, {.consumer = "copy"});
    }();
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    run("INSERT INTO products VALUES ('a', 'b', 1)");
    catch_up(products, copy);
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(followed_shop, "a pool of one connection is enough") {
    isorow::pool one(database.dsn(), {.min_size = 1, .max_size = 1, .timeout = 10s});
    auto products = isorow::follow(isorow::source<Product>(one), isorow::changelog{.interval = 20ms}, {.consumer = "copy"});
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    run("INSERT INTO products VALUES ('a', 'b', 1)");
    catch_up(products, copy);
    CHECK(copy.rows() == table());
    CHECK(test::eventually(60s, [&] {
        static_cast<void>(products.next(50ms));
        return database.sql("SELECT count(*) FROM isorow.copy__products__isorow_log") == "0";
    }));
    run("DROP TABLE isorow.copy__products__isorow_log");
    run("INSERT INTO products VALUES ('a', 'c', 1)");
    catch_up(products, copy);
    CHECK(copy.rows() == table());
}

namespace {

struct partitioned_shop : followed_shop {
    isorow::source<isorow::dynamic_row> const sales{pool, {.table = "sales"}};
    isorow::followed<isorow::dynamic_row> rows = start();
    test::followed_copy<isorow::dynamic_row> copy;

    [[nodiscard]] isorow::followed<isorow::dynamic_row> start() {
        if (database.sql("SELECT to_regclass('sales')").empty())
            run("CREATE TABLE sales (year int, id int, amount int, PRIMARY KEY (year, id)) PARTITION BY RANGE (year);"
                "CREATE TABLE old PARTITION OF sales FOR VALUES FROM (0) TO (2000);"
                "CREATE TABLE odd (amount int, gone int, id int NOT NULL, year int NOT NULL, PRIMARY KEY (year, id)); ALTER TABLE odd DROP "
                "gone;"
                "ALTER TABLE sales ATTACH PARTITION odd FOR VALUES FROM (2000) TO (2010);"
                "CREATE TABLE new PARTITION OF sales FOR VALUES FROM (2010) TO (2030) PARTITION BY LIST (year);"
                "CREATE TABLE new_rest PARTITION OF new DEFAULT;"
                "INSERT INTO sales VALUES (1990, 1, 1), (2005, 1, 1), (2020, 1, 1)");
        return isorow::follow(sales, isorow::changelog{.interval = 20ms}, {.consumer = "copy", .batch = 2});
    }
    void check(std::string const& script) {
        INFO(script);
        run(script);
        catch_up(rows, copy);
        CHECK(rows_of(copy) == rows_of(sales));
    }
};

}  // namespace

TEST_CASE_METHOD(partitioned_shop, "a partitioned table is followed, whether it is written to or its partitions are") {
    check("SELECT 1");
    check("INSERT INTO sales SELECT year, 2, 2 FROM generate_series(1995, 2025) year");
    check("UPDATE sales SET amount = amount + 1");
    check("UPDATE sales SET year = 2021, id = 6 WHERE year = 1996");
    check("UPDATE sales SET year = 2022, id = 7 WHERE year = 2006");
    check("INSERT INTO new_rest VALUES (2029, 1, 1)");
    check("INSERT INTO new VALUES (2028, 1, 1)");
    check("UPDATE old SET amount = 3");
    check("UPDATE odd SET id = 30 WHERE year = 2003");
    check("DELETE FROM odd WHERE year > 2004");
    check("TRUNCATE new");
    CHECK(copy.rows().size() > 5);
    check("INSERT INTO sales VALUES (2020, 1, 1)");
    check("TRUNCATE sales");
    CHECK(copy.rows().empty());
}

TEST_CASE_METHOD(partitioned_shop, "partitions that come and go are noticed") {
    check("SELECT 1");
    check("CREATE TABLE later PARTITION OF sales FOR VALUES FROM (2030) TO (2040)");
    check("INSERT INTO later VALUES (2031, 1, 1)");
    check("INSERT INTO sales VALUES (2032, 1, 1)");
    check(
        "CREATE TABLE last (LIKE sales INCLUDING ALL); INSERT INTO last VALUES (2041, 1, 1); ALTER TABLE sales ATTACH PARTITION last FOR "
        "VALUES "
        "FROM (2040) TO (2050)");
    CHECK(copy.rows().size() == 6);
    check("ALTER TABLE sales DETACH PARTITION odd");
    check("DROP TABLE last");
    check("INSERT INTO later VALUES (2033, 1, 1)");
    CHECK(copy.rows().size() == 5);
}

TEST_CASE_METHOD(partitioned_shop, "partitions that came and went while nobody followed are noticed") {
    check("SELECT 1");
    check("INSERT INTO sales VALUES (2020, 3, 1)");
    static_cast<void>(rows.next(0ms));
    SECTION("gone") { run("DROP TABLE old"); }
    SECTION("come") {
        run("CREATE TABLE later PARTITION OF sales FOR VALUES FROM (2030) TO (2040); INSERT INTO later VALUES (2031, 1, 1)");
    }
    SECTION("nothing") {}
    rows = start();
    check("INSERT INTO sales VALUES (2020, 4, 1)");
}

TEST_CASE_METHOD(followed_shop, "a table that others inherit from is followed with their rows") {
    run("CREATE TABLE special (colour text, PRIMARY KEY (category, name)) INHERITS (products); INSERT INTO special VALUES ('s', '1', 1, "
        "'red')");
    auto products = follow();
    test::followed_copy<Product> copy;
    for (std::string_view const script :
         {"SELECT 1", "INSERT INTO special VALUES ('s', '2', 2, 'blue')", "UPDATE products SET price = 3",
          "UPDATE special SET name = name || 'x'", "DELETE FROM special WHERE colour = 'red'", "TRUNCATE ONLY products"}) {
        INFO(script);
        run(std::string(script));
        catch_up(products, copy);
        CHECK(copy.rows() == table());
    }
}
