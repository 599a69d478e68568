#include <catch2/catch_test_macros.hpp>

#include <isorow/query/notify.hpp>
#include <isorow/source/follow.hpp>
#include <support/connect.hpp>
#include <support/followed_copy.hpp>
#include <support/matchers.hpp>
#include <support/pooled_database.hpp>

#include <chrono>
#include <cstdint>
#include <string>

using namespace std::chrono_literals;
using isorow::event_kind;

namespace {

struct Product {
    std::int64_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
    friend bool operator==(Product const&, Product const&) = default;
};

struct notified_shop : test::pooled_database {
    isorow::source<Product> source{pool};

    notified_shop() { run("CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL); INSERT INTO products VALUES (1, 'lamp')"); }

    [[nodiscard]] isorow::followed<Product> follow(isorow::listening how = {.channel = "shop"}) {
        auto products = isorow::follow(source, how, {.consumer = "listener"});
        auto first = products.next(10s);
        REQUIRE(first);
        CHECK(test::kinds(*first) == "begin_rows row end_rows");
        return products;
    }
    void tell(std::string const& payload) { isorow::notify(pool, "shop", payload); }
};

}  // namespace

TEST_CASE_METHOD(notified_shop, "payloads with the key have the rows read as they are", "[session]") {
    auto products = follow();
    isorow::execute(pool, "INSERT INTO products VALUES (2, 'desk'), (3, 'chair')");
    isorow::execute(pool, "DELETE FROM products WHERE id = 1");
    tell(R"([{"id": 2}, {"id": 3, "name": "what it says of other columns is not looked at", "op": "INSERT"}, {"id": 1}])");
    auto batch = products.next(10s);
    REQUIRE(batch);
    CHECK(batch->size() == 3);
    for (auto const& event : *batch) {
        if (event.key == 1) CHECK(event.kind == event_kind::removed);
        else CHECK(event.kind == event_kind::upserted);
    }
}

TEST_CASE_METHOD(notified_shop, "the columns may be in a member of the payload", "[session]") {
    auto products = follow({.channel = "shop", .member = "fields"});
    tell(R"({"op": "UPDATE", "fields": {"id": 1, "name": "old"}})");
    auto batch = products.next(10s);
    REQUIRE(batch);
    CHECK(test::kinds(*batch) == "upserted");
    CHECK(batch->events()[0].row == Product{1, "lamp"});
}

TEST_CASE_METHOD(notified_shop, "a payload that does not tell the key has all rows be read again", "[session]") {
    auto products = follow();
    for (std::string const payload : {"", "no JSON", "{}", "[1]", "17", R"({"id": null})", R"({"id": "seven"})", R"({"op": "TRUNCATE"})"}) {
        CAPTURE(payload);
        tell(payload);
        auto batch = products.next(10s);
        REQUIRE(batch);
        CHECK(test::kinds(*batch) == "begin_rows row end_rows");
    }
}

TEST_CASE_METHOD(notified_shop, "after a lost connection all rows are read again, as notifications may be missing", "[session]") {
    auto products = follow();
    database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
    auto batch = products.next(30s);
    REQUIRE(batch);
    CHECK(test::kinds(*batch) == "begin_rows row end_rows");
}
