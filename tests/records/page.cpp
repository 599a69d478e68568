// What docs/records.md shows.

#include <isorow/records.hpp>
#include <support/page_check.hpp>
#include <support/server.hpp>

#include <catch2/catch_test_macros.hpp>

#include <iostream>
#include <string>

namespace {

using isorow::records::filter;
using isorow::records::operation;
using isorow::records::outcome;
using isorow::records::query;
using isorow::records::where;

struct Person {
    std::string name;
    int age;
};

}  // namespace

TEST_CASE("docs/records.md: a store") {
    test::database const database;
    isorow::pool db{database.dsn()};
    isorow::record_store people{db};
    auto const id = people.create({.fields = {{"name", "Alice"}, {"age", 30}}, .metadata = {{"version", "2.1"}}});
    auto const adults = people.search(query(where("age") >= 18).order_by("name").limit(20));
    CHECK(adults.size() == 1);

    auto const seen = people.read(id).value();
    auto const done = people.update({.id = id, .fields = {{"name", "Alice"}, {"age", 31}}}, seen.updated_at);
    if (done == outcome::conflict) std::cout << "somebody else has written the record\n";
    CHECK(done == outcome::updated);

    // clang-format off
    people.transact([&](isorow::record_store& inside) {
        inside.create({.fields = {{"name", "Bob"}}});
        inside.patch(id, {{"friend", "Bob"}});
    });
    // clang-format on
    CHECK(people.count() == 2);
    CHECK(people.count(where("friend") == "Bob") == 1);
}

TEST_CASE("docs/records.md: conditions, order and pages") {
    test::database const database;
    isorow::pool db{database.dsn()};
    isorow::record_store people{db};
    people.create({.fields = {{"name", "Alice"}, {"age", 30}}, .metadata = {{"version", "2.1"}}});
    people.create({.fields = {{"name", "Bob"}, {"age", 40}, {"address", {{"city", "Rome"}}}}});
    // clang-format off
    auto const found = people.search(query(filter("fields->>'name'", operation::eq, "Alice")).where(filter("metadata->>'version'", operation::gt, "2.0")));
    // clang-format on
    auto const count = people.count(where<&Person::age>() > 18 && !where("address.city").in({"Rome", "Paris"}));
    CHECK(found.size() == 1);
    CHECK(count == 1);
    auto page = people.search(query().order_by("age").limit(100));
    CHECK(page.size() == 2);
    while (!page.empty()) page = people.search(query().order_by("age").limit(100).after(page.back()));

    // clang-format off
    isorow::record_store orders{db, {.table = "orders", .fields = isorow::records::document_index::path_keys, .indexes = {"total"}}};
    // clang-format on
    CHECK(orders.count() == 0);
}

TEST_CASE("docs/records.md shows no line of code that is not compiled, and names no test that is not there") {
    test::check_page("records.md", 16);
}
