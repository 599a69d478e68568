// What docs/records.md shows.

#include <isorow/asio.hpp>
#include <isorow/records.hpp>
#include <records/backends.hpp>
#include <support/page_check.hpp>
#include <support/server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace {

using isorow::records::configuration;
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
    people.transact([&](isorow::record_store<>& inside) {
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

TEST_CASE("docs/records.md: records of a struct") {
    test::database const database;
    isorow::pool db{database.dsn()};
    isorow::record_store<Person> typed{db, {.table = "people"}};
    auto const alice = typed.create(Person{.name = "Alice", .age = 30});
    typed.change(alice, [](Person& one) { ++one.age; });
    for (auto const& one : typed.search(where<&Person::age>() > 18)) std::cout << one.value.name << '\n';
    CHECK(typed.read(alice)->value.age == 31);
}

TEST_CASE("docs/records.md: search by words and by vectors") {
    test::database const database;
    isorow::pool db{database.dsn()};
    // clang-format off
    isorow::record_store articles{db, {.table = "articles", .texts = {{.places = {"title", "body"}}}, .vector = {{.dimension = 3}}}};
    // clang-format on
    articles.create({.fields = {{"title", "Foxes"}, {"body", "quick and brown"}, {"embedding", {1.0, 0.0, 0.0}}}});
    std::vector<float> const embedding{0.9F, 0.1F, 0};
    auto const said = articles.search_text("quick -lazy");
    auto const near = articles.search_nearest(embedding, query(where("title") != "Dogs").limit(5));
    auto const both = articles.search_hybrid("brown", embedding, {}, {.text_weight = 1, .vector_weight = 2});
    CHECK(said.size() == 1);
    CHECK(near.size() == 1);
    CHECK(both.size() == 1);
}

TEST_CASE("docs/records.md: following a store") {
    using namespace std::chrono_literals;
    test::database const database;
    isorow::pool db{database.dsn()};
    isorow::record_store people{db};
    people.create({.fields = {{"name", "Alice"}}});
    std::size_t rows = 0;
    auto const apply = [&](auto const& event) { rows += event.row ? 1U : 0U; };
    auto changes = isorow::follow(people.rows(), isorow::changelog{}, {.consumer = "search"});
    if (auto batch = changes.next(5s))
        for (auto const& event : *batch) apply(event);
    CHECK(rows == 1);
}

TEST_CASE("docs/records.md: asynchronously") {
    namespace asio = boost::asio;
    using isorow::async_run;
    test::database const database;
    isorow::pool db{database.dsn()};
    isorow::record_store people{db};
    people.create({.fields = {{"age", 30}}});
    asio::io_context context;
    std::size_t count = 0;
    auto const work = [&]() -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        // clang-format off
        auto const found = co_await async_run(executor, [&] { return people.search(where("age") > 18); }, asio::use_awaitable);
        // clang-format on
        count = found.size();
    };
    asio::co_spawn(context, work(), asio::detached);
    context.run();
    CHECK(count == 1);
}

TEST_CASE("docs/records.md: configuration, ranges and migrations") {
    test::database const database;
    test::folder const folder;
    // clang-format off
    isorow::record_store configured{configuration::read({{"url", database.dsn()}, {"pool_size", 10}, {"max_overflow", 20}, {"table", "people"}})};
    // clang-format on
    auto& people = configured;
    std::vector<isorow::record> const given{{.fields = {{"name", "Alice"}}}, {.fields = {{"name", std::string("a\0b", 3)}}}};
    // clang-format off
    auto const written = isorow::records::write(people, given, {
        .on_conflict = isorow::records::on_conflict::skip,
        .on_error = [](isorow::record const& one, isorow::error const& why) { std::cerr << one.id << ": " << why.what() << '\n'; return true; },
    });
    // clang-format on
    CHECK(written.created == 1);
    CHECK(written.failed == 1);

    isorow::records::file_store file{folder / "data.json"};
    file.create({.fields = {{"name", "Bob"}}});
    auto const moved = isorow::records::migrate(file, people, {.verify = true});
    CHECK(moved.written == 1);
    CHECK(people.count() == 2);
}

TEST_CASE("docs/records.md shows no line of code that is not compiled, and names no test that is not there") {
    test::check_page("records.md", 70);
}
