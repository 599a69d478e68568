#include <catch2/catch_test_macros.hpp>

#include <isorow/source/follow.hpp>
#include <support/connect.hpp>
#include <support/followed_copy.hpp>
#include <support/matchers.hpp>
#include <support/pooled_database.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using isorow::event_kind;

namespace {

struct Product {
    std::int64_t id;
    std::int32_t amount;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
    friend bool operator==(Product const&, Product const&) = default;
};

struct polled_shop : test::pooled_database {
    isorow::source<Product> source{pool, {.ordinal_column = "modified", .sql_filter = "amount > 0"}};

    polled_shop() {
        run("CREATE TABLE products (id bigint PRIMARY KEY, amount integer NOT NULL, modified timestamptz NOT NULL DEFAULT now());"
            "INSERT INTO products VALUES (1, 10), (2, 20), (3, 0)");
    }

    void change(std::int64_t id, std::int32_t amount) {
        isorow::execute(pool, "UPDATE products SET amount = $2, modified = clock_timestamp() WHERE id = $1", id, amount);
    }

    [[nodiscard]] std::map<std::int64_t, Product> table() const { return test::rows_by_key(source); }

    [[nodiscard]] isorow::followed<Product> follow(isorow::polling how = {.interval = 20ms, .sweep_interval = 1h}) {
        return isorow::follow(source, how, {.consumer = "poll"});
    }
};

using told_rows = std::map<std::int64_t, event_kind>;
told_rows const all{{1, event_kind::row}, {2, event_kind::row}};

/// Applies what is told until `holds()`, or until so much time has passed that it will not. Returns the last that was told of each row.
template <class Holds>
told_rows follow_until(isorow::followed<Product>& products, test::followed_copy<Product>& copy, Holds&& holds,
                       std::chrono::milliseconds time = 30s) {
    told_rows told;
    auto const limits = isorow::limits::within(time);
    while (!holds(told)) {
        auto batch = products.next(limits);
        if (!batch) break;
        for (auto const& event : *batch) {
            copy.apply(event);
            if (event.key) told.insert_or_assign(*event.key, event.kind);
        }
    }
    return told;
}

/// Waits for these to be told, and takes what comes with them.
void expect(isorow::followed<Product>& products, test::followed_copy<Product>& copy, told_rows const& expected) {
    CHECK(follow_until(products, copy, [&](told_rows const& told) { return told == expected && !copy.reads_all(); }) == expected);
}

/// Nothing else is told in the looks of a while.
void expect_nothing(isorow::followed<Product>& products, test::followed_copy<Product>& copy) {
    CHECK(follow_until(products, copy, [](told_rows const&) { return false; }, 100ms).empty());
}

}  // namespace

TEST_CASE_METHOD(polled_shop, "a poll tells all rows first, then by the ordinal what was written, once") {
    auto products = follow();
    test::followed_copy<Product> copy;
    expect(products, copy, {{1, event_kind::row}, {2, event_kind::row}});
    change(1, 11);
    expect(products, copy, {{1, event_kind::upserted}});
    expect_nothing(products, copy);
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(polled_shop, "a row that leaves the filter is removed, and one that comes into it is told") {
    auto products = follow();
    test::followed_copy<Product> copy;
    expect(products, copy, all);
    change(2, 0);
    change(3, 5);
    expect(products, copy, {{2, event_kind::removed}, {3, event_kind::upserted}});
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(polled_shop, "a row whose transaction began before others and commits after them is not missed") {
    auto products = follow();
    test::followed_copy<Product> copy;
    expect(products, copy, all);
    auto late = test::connect(database.dsn());
    // Its ordinal is the time at which the transaction began, though the row is written at its end, and it has no number until then.
    isorow::execute_script(late, "BEGIN; SELECT now()", late.default_limits());
    for (int i = 0; i < 5; ++i) {
        change(1, 20 + i);
        expect(products, copy, {{1, event_kind::upserted}});
        expect_nothing(products, copy);
    }
    isorow::execute_script(late, "UPDATE products SET amount = 77, modified = now() WHERE id = 2; COMMIT", late.default_limits());
    expect(products, copy, {{2, event_kind::upserted}});
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(polled_shop, "rows are not missed that were being written when the consumer began") {
    auto late = test::connect(database.dsn());
    isorow::execute_script(late, "BEGIN; UPDATE products SET amount = 33, modified = now() WHERE id = 1", late.default_limits());
    change(2, 21);
    auto products = follow();
    test::followed_copy<Product> copy;
    expect(products, copy, all);
    CHECK(copy.rows().at(1).amount == 10);
    isorow::execute_script(late, "COMMIT", late.default_limits());
    follow_until(products, copy, [&](told_rows const&) { return copy.rows() == table(); });
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(polled_shop, "deleted rows, and rows whose ordinal did not move, are found when all rows are read again") {
    auto products = follow({.interval = 20ms, .sweep_interval = 100ms});
    test::followed_copy<Product> copy;
    expect(products, copy, all);
    run("DELETE FROM products WHERE id = 1; UPDATE products SET amount = 99 WHERE id = 2");
    follow_until(products, copy, [&](told_rows const&) { return copy.rows() == table(); });
    CHECK(copy.rows() == table());
    CHECK(copy.rows().size() == 1);
}

TEST_CASE_METHOD(polled_shop, "without an ordinal each look reads all rows") {
    isorow::source<Product> const plain(pool);
    auto products = isorow::follow(plain, isorow::polling{.interval = 20ms}, {.consumer = "plain"});
    test::followed_copy<Product> copy;
    expect(products, copy, {{1, event_kind::row}, {2, event_kind::row}, {3, event_kind::row}});
    run("DELETE FROM products WHERE id = 1; UPDATE products SET amount = 99 WHERE id = 2");
    std::map<std::int64_t, Product> const expected{{2, {2, 99}}, {3, {3, 0}}};
    follow_until(products, copy, [&](told_rows const&) { return copy.rows() == expected; });
    CHECK(copy.rows() == expected);
    CHECK_THROWS_MATCHES(isorow::follow(plain, isorow::polling{}, {.consumer = "new", .begin = isorow::begin_with::changes}),
                         isorow::usage_error, test::says("without an ordinal column each look tells all rows"));
}

TEST_CASE_METHOD(polled_shop, "a consumer goes on from its ordinal in another process") {
    test::followed_copy<Product> copy;
    {
        auto products = follow();
        expect(products, copy, all);
        change(1, 40);
        expect(products, copy, {{1, event_kind::upserted}});
        expect_nothing(products, copy);
    }
    change(2, 50);
    auto products = follow();
    auto const told = follow_until(products, copy, [&](told_rows const& so_far) { return so_far.contains(2); });
    CHECK(told.at(2) == event_kind::upserted);  // that of a row, were all read
    CHECK(copy.rows() == table());
    CHECK(isorow::positions(pool).at(0).mechanism == "polling");
}

TEST_CASE_METHOD(polled_shop, "many rows with one ordinal are read in batches, by their keys behind it") {
    run("INSERT INTO products SELECT g, g FROM generate_series(10, 2009) g");
    auto products = isorow::follow(source, isorow::polling{.interval = 20ms, .sweep_interval = 1h}, {.consumer = "many", .batch = 300});
    test::followed_copy<Product> copy;
    follow_until(products, copy, [&](told_rows const&) { return copy.rows() == table() && !copy.reads_all(); });
    run("UPDATE products SET amount = amount + 1, modified = now()");
    std::size_t largest = 0;
    std::size_t events = 0;
    while (events < 2003) {
        auto batch = products.next(30s);
        REQUIRE(batch);
        largest = std::max(largest, batch->size());
        events += batch->size();
        copy.apply(*batch);
    }
    expect_nothing(products, copy);
    CHECK(largest == 300);
    CHECK(events == 2003);
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(polled_shop, "integers are ordinals, too, negative ones included; other columns are refused by name") {
    run("ALTER TABLE products ADD version bigint NOT NULL DEFAULT -5, ADD note text");
    isorow::source<Product> const versioned(pool, {.ordinal_column = "version"});
    auto products = isorow::follow(versioned, isorow::polling{.interval = 20ms, .sweep_interval = 1h}, {.consumer = "versions"});
    test::followed_copy<Product> copy;
    expect(products, copy, {{1, event_kind::row}, {2, event_kind::row}, {3, event_kind::row}});
    for (int const version : {-4, -1, 0, 1, 300}) {
        isorow::execute(pool, "UPDATE products SET amount = amount + 1, version = $1 WHERE id = 1", version);
        expect(products, copy, {{1, event_kind::upserted}});
    }
    auto const refused = [&](std::string const& column, std::string const& why) {
        CHECK_THROWS_MATCHES(
            isorow::follow(isorow::source<Product>(pool, {.ordinal_column = column}), isorow::polling{}, {.consumer = "x"}),
            isorow::usage_error, test::says(why));
    };
    refused("note", "it is text, and an ordinal is an integer, timestamp or timestamptz");
    refused("id", "it is of the primary key");
    refused("nothing", "has no column \"nothing\"");
}

TEST_CASE_METHOD(polled_shop, "a consumer may begin with what changes from now on") {
    auto products = isorow::follow(source, isorow::polling{.interval = 20ms, .sweep_interval = 1h},
                                   {.consumer = "new", .begin = isorow::begin_with::changes});
    test::followed_copy<Product> copy;
    expect_nothing(products, copy);
    change(1, 12);
    expect(products, copy, {{1, event_kind::upserted}});
}
