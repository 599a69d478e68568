#include <catch2/catch_test_macros.hpp>

#include <replication/followed.hpp>
#include <support/connect.hpp>
#include <support/followed_copy.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

using namespace std::chrono_literals;
using isorow::event_kind;

namespace {

struct Product {
    std::string category;
    std::string name;
    std::string note;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::category, &Product::name>(); }
    friend bool operator==(Product const&, Product const&) = default;
};
using product_key = std::tuple<std::string, std::string>;

struct logged_shop {
    test::database database;
    isorow::pool pool{database.dsn(), {.min_size = 1}};
    isorow::source<Product> source{pool, {.sql_filter = "note <> 'hidden'"}};
    std::string slot = database.name();
    test::slot_guard guard{slot};

    logged_shop() {
        run("CREATE TABLE products (category text, name text, note text NOT NULL, PRIMARY KEY (category, name));"
            "INSERT INTO products VALUES ('lamps', 'desk lamp', 'old'), ('desks', 'oak', 'new'), ('desks', 'pine', 'hidden')");
    }

    // On connections of their own: those of the pool are terminated.
    void run(std::string const& script) const { database.sql(script); }
    [[nodiscard]] std::map<product_key, Product> table() const {
        auto connection = test::connect(database.dsn());
        return test::rows_by_key(isorow::source<Product>(connection, {.sql_filter = "note <> 'hidden'"}));
    }

    [[nodiscard]] isorow::followed<Product> follow(bool streaming = false) {
        return isorow::follow(source, isorow::replication{.slot = slot, .streaming = streaming}, {.consumer = "copy"});
    }

    /// Applies what comes until the copy is equal to the table, or never will be.
    void catch_up(isorow::followed<Product>& products, test::followed_copy<Product>& copy) {
        auto const limits = isorow::limits::within(30s);
        while (copy.reads_all() || copy.rows() != table()) {
            auto batch = products.next(limits);
            if (!batch) break;
            copy.apply(*batch);
        }
        CHECK(copy.rows() == table());
    }
};

}  // namespace

TEST_CASE_METHOD(logged_shop, "a source is followed by the log: all rows first, then what is inserted, updated, deleted and truncated") {
    auto products = follow();
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    CHECK(copy.rows().size() == 2);
    run("INSERT INTO products VALUES ('chairs', 'stool', 'round')");
    auto batch = products.next(30s);
    REQUIRE(batch);
    CHECK(test::kinds(*batch) == "upserted");
    CHECK(batch->events()[0].row == Product{"chairs", "stool", "round"});
    copy.apply(*batch);

    run("UPDATE products SET note = 'changed' WHERE name = 'oak'; UPDATE products SET name = 'tall stool' WHERE name = 'stool'");
    catch_up(products, copy);
    run("UPDATE products SET note = 'hidden' WHERE name = 'oak'; UPDATE products SET note = 'shown' WHERE name = 'pine'");
    catch_up(products, copy);
    CHECK_FALSE(copy.rows().contains({"desks", "oak"}));
    run("BEGIN; DELETE FROM products WHERE name = 'pine'; TRUNCATE products; INSERT INTO products VALUES ('a', 'b', 'c'); COMMIT");
    catch_up(products, copy);
    CHECK(copy.rows() == std::map<product_key, Product>{{{"a", "b"}, {"a", "b", "c"}}});
}

TEST_CASE_METHOD(logged_shop, "a consumer of the log goes on from its position, and what was saved does not come again") {
    test::followed_copy<Product> copy;
    {
        auto products = follow();
        catch_up(products, copy);
        run("INSERT INTO products VALUES ('chairs', 'stool', 'round')");
        auto batch = products.next(30s);
        REQUIRE(batch);
        copy.apply(*batch);
        batch->save(pool);
    }
    run("INSERT INTO products VALUES ('chairs', 'arm chair', 'soft')");
    auto products = follow();
    auto batch = products.next(30s);
    REQUIRE(batch);
    CHECK(test::kinds(*batch) == "upserted");
    CHECK(batch->events()[0].key == product_key("chairs", "arm chair"));
    CHECK(isorow::positions(pool).at(0).mechanism == "replication");
}

TEST_CASE_METHOD(logged_shop, "a lost connection is made again, and nothing is missing") {
    auto products = follow();
    test::followed_copy<Product> copy;
    catch_up(products, copy);
    for (int i = 0; i < 5; ++i) {
        run("INSERT INTO products VALUES ('chairs', 'stool " + std::to_string(i) + "', 'round')");
        database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        catch_up(products, copy);
    }
}

TEST_CASE_METHOD(logged_shop, "a slot that is gone has all rows be read again") {
    test::followed_copy<Product> copy;
    {
        auto products = follow();
        catch_up(products, copy);
    }
    isorow::drop_slot(pool, slot);
    run("DELETE FROM products WHERE name = 'oak'; INSERT INTO products VALUES ('chairs', 'stool', 'round')");
    auto products = follow();
    auto batch = products.next(30s);
    REQUIRE(batch);
    CHECK(batch->events().front().kind == event_kind::begin_rows);
    copy.apply(*batch);
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(logged_shop, "a consumer that was interrupted before it had all rows of a new slot reads all of them again") {
    {
        auto products = isorow::follow(source, isorow::replication{.slot = slot}, {.consumer = "copy", .batch = 1});
        auto batch = products.next(30s);
        REQUIRE(batch);
        CHECK(test::kinds(*batch) == "begin_rows row");
    }
    run("DELETE FROM products WHERE name = 'oak'");
    auto products = follow();
    auto batch = products.next(30s);
    REQUIRE(batch);
    CHECK(test::kinds(*batch) == "begin_rows row end_rows");
}

TEST_CASE_METHOD(logged_shop, "a consumer of the log may begin with what changes from now on, also when it comes back") {
    auto const begin = [&] {
        return isorow::follow(source, isorow::replication{.slot = slot}, {.consumer = "copy", .begin = isorow::begin_with::changes});
    };
    static_cast<void>(begin());
    run("DELETE FROM products WHERE name = 'oak'");
    auto products = begin();
    auto batch = products.next(30s);
    REQUIRE(batch);
    CHECK(test::kinds(*batch) == "removed");
}

TEST_CASE_METHOD(logged_shop, "a transaction of many rows comes in batches, sent while it is under way or after it") {
    for (bool const streaming : {false, true}) {
        run("TRUNCATE products");
        auto products =
            isorow::follow(source, isorow::replication{.slot = slot, .streaming = streaming}, {.consumer = "copy", .batch = 500});
        test::followed_copy<Product> copy;
        catch_up(products, copy);
        run("INSERT INTO products SELECT 'many', g::text, repeat('x', 100) FROM generate_series(1, 20000) g");
        catch_up(products, copy);
        CHECK(copy.rows().size() == 20000);
    }
}
