/// @file
/// The code of docs/following.md.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>
#include <support/labelled_products.hpp>
#include <support/page_check.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <stop_token>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using test::labelled::Product;
using test::labelled::SourceProduct;

namespace {

struct following_page {
    test::database database;
    isorow::pool db{database.dsn()};
    std::stop_source stopping;
    std::stop_token stop = stopping.get_token();

    following_page() {
        database.sql(
            "CREATE TABLE source_products (id bigint PRIMARY KEY, name text NOT NULL, amount integer NOT NULL, modified_time timestamptz "
            "NOT "
            "NULL DEFAULT clock_timestamp()); INSERT INTO source_products VALUES (1, 'lamp', 10), (2, 'desk', 20)");
    }
};

}  // namespace

TEST_CASE_METHOD(following_page, "docs/following.md: events, mechanisms, positions", "[session]") {
    isorow::source<SourceProduct> const source{db,
                                               {.table = "source_products", .ordinal_column = "modified_time", .sql_filter = "amount > 0"}};
    std::map<std::int64_t, std::string> names;
    {
        auto const apply = [&](isorow::source_event<SourceProduct> const& event) {
            if (event.row) names[*event.key] = event.row->name;
            if (event.kind == isorow::event_kind::removed) names.erase(*event.key);
            if (names.size() == 3) stopping.request_stop();
        };
        std::jthread const writer([&] { database.sql("INSERT INTO source_products VALUES (3, 'chair', 5)"); });
        auto products = isorow::follow(source, isorow::changelog{}, {.consumer = "prices", .stop = stop});
        for (isorow::event_batch<SourceProduct>& batch : products)
            for (auto const& event : batch) apply(event);
        CHECK(names.size() == 3);
    }
    auto by_changelog = isorow::follow(source, isorow::changelog{}, {.consumer = "one"});
    auto by_polling = isorow::follow(source, isorow::polling{.interval = 10s, .sweep_interval = 10min}, {.consumer = "two"});
    auto by_listening = isorow::follow(source, isorow::listening{.channel = "products"}, {.consumer = "three"});
    CHECK(by_polling.next(30s)->size() == 5);
    CHECK_FALSE(by_polling.next(1ms));
    CHECK(by_listening.next(30s)->size() == 5);

    auto const apply = [&](isorow::transaction&, isorow::source_event<SourceProduct> const& event) {
        if (event.row) names[*event.key] = "applied " + event.row->name;
    };
    if (auto batch = by_changelog.next(5s))
        isorow::transact(db, [&](isorow::transaction& work) {
            for (auto const& event : *batch) apply(work, event);
            batch->save(work);
        });
    CHECK(names.at(3) == "applied chair");
    CHECK(isorow::positions(db).size() == 3);
    CHECK(isorow::forget_position(db, "two"));

    auto const channel = "prices__source_products__isorow";
    std::cout << isorow::notification_cleanup_sql("public", "source_products", channel);
    isorow::remove_notification(db, "public", "source_products", channel);
    CHECK(database.sql("SELECT count(*) FROM isorow.changelogs") == "1");
}

TEST_CASE_METHOD(following_page, "docs/following.md: apps that follow", "[session]") {
    isorow::source<SourceProduct> const source{db};
    std::jthread const user([&] {
        static_cast<void>(test::eventually(30s, [&] { return database.sql("SELECT to_regclass('products') IS NOT NULL") == "t"; }));
        database.sql("UPDATE source_products SET amount = 11 WHERE id = 1");
        static_cast<void>(test::eventually(30s, [&] { return database.sql("SELECT label FROM products WHERE id = 1") == "lamp x 11"; }));
        stopping.request_stop();
    });
    isorow::app catalogue{isorow::register_db("main_db", db), "catalogue"};
    catalogue.follow(
        [&](isorow::scope root) {
            auto products = root.target<Product>();
            root.mount_each("product", source, isorow::changelog{}, isorow::version{1},
                            [=](isorow::scope here, SourceProduct const& row) { products.row(here, to_product(row)); });
        },
        {.run = {.stop = stop}, .on_commit = [&](isorow::report const& done) { std::cout << done << '\n'; }});
    CHECK(database.sql("SELECT label FROM products WHERE id = 1") == "lamp x 11");
}

TEST_CASE("docs/following.md: what stands there stands in tests") { test::check_page("following.md", 25); }
