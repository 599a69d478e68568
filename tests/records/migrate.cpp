// Records moved between stores.

#include <records/backends.hpp>
#include <support/matchers.hpp>

#include <isorow/records/migrate.hpp>

#include <catch2/catch_test_macros.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

using isorow::record;
using isorow::uuid;
using isorow::records::memory_store;
using isorow::records::migrate;
using isorow::records::migrate_result;
using isorow::records::query;
using isorow::records::where;

/// Creates so many records in a store.
template <class Store>
void fill(Store& store, int count) {
    std::vector<record> many(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
        many[static_cast<std::size_t>(i)] = {.fields = {{"number", i}, {"pi", 3.25}, {"text", "é\n\""}}, .metadata = {{"from", "here"}}};
    store.create_batch(many);
}

}  // namespace

TEST_CASE("the reference's way from a file to Postgres works, and keeps ids") {
    test::folder const folder;
    isorow::records::file_store file(folder / "data.json");
    fill(file, 300);
    test::postgres_records postgres;
    auto const records = file.search(query());
    postgres.store.create_batch(records);
    auto const there = postgres.store.search(query());
    REQUIRE(there.size() == 300);
    for (std::size_t i = 0; i < there.size(); ++i) {
        CHECK(there[i].id == records[i].id);
        CHECK(there[i].fields == records[i].fields);
        CHECK(there[i].metadata == records[i].metadata);
    }
}

TEST_CASE("a migration keeps ids and times, tells its progress, and is verified") {
    test::folder const folder;
    isorow::records::file_store file(folder / "data.jsonl");
    fill(file, 2'500);
    test::postgres_records postgres;
    std::vector<std::size_t> told;
    auto const done = migrate(file, postgres.store,
                              {.on_progress = [&](migrate_result const& so_far) { told.push_back(so_far.written); }, .verify = true});
    CHECK(done.read == 2'500);
    CHECK(done.written == 2'500);
    CHECK(done.differing.empty());
    CHECK(told == std::vector<std::size_t>{1'000, 2'000, 2'500});
    CHECK(postgres.store.search(query()) == file.search(query()));
    memory_store memory;
    CHECK(migrate(postgres.store, memory).written == 2'500);
    CHECK(memory.search(query()) == file.search(query()));
    // Once more changes nothing.
    CHECK(migrate(postgres.store, memory).written == 2'500);
    CHECK(memory.count() == 2'500);
}

TEST_CASE("on their way records are chosen, changed and left out") {
    memory_store from;
    fill(from, 100);
    memory_store to;
    auto const done = migrate(from, to,
                              {.condition = where("number") < 50,
                               .transform = [](record one) -> std::optional<record> {
                                   if (one.fields.at("number").as_int64() % 2 == 1) return std::nullopt;
                                   one.fields["title"] = one.fields.at("text");
                                   one.fields.erase("text");
                                   return one;
                               },
                               .verify = true});
    CHECK(done.read == 50);
    CHECK(done.written == 25);
    CHECK(done.left_out == 25);
    CHECK(done.differing.empty());
    CHECK(to.count(where("title").exists() && !where("text").exists()) == 25);
}

TEST_CASE("a migration that broke off goes on where it ended") {
    memory_store from;
    fill(from, 100);
    memory_store to;
    migrate_result so_far;
    int count = 0;
    CHECK_THROWS_AS(migrate(from, to,
                            {.transform =
                                 [&](record one) {
                                     if (++count == 55) throw std::runtime_error("broken");
                                     return std::optional(std::move(one));
                                 },
                             .batch_size = 10,
                             .on_progress = [&](migrate_result const& told) { so_far = told; }}),
                    std::runtime_error);
    CHECK(to.count() == 50);
    CHECK(so_far.written == 50);
    auto const rest = migrate(from, to, {.after = so_far.last, .batch_size = 10});
    CHECK(rest.written == 50);
    CHECK(to.search(query()) == from.search(query()));
}

TEST_CASE("a verification finds what is not as it was written") {
    memory_store from;
    fill(from, 20);
    test::postgres_records postgres;
    postgres.database.sql(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.fields @> '{\"number\": 7}' THEN"
        " NEW.fields := '{}'; END IF; RETURN NEW; END $$");
    postgres.database.sql("CREATE TRIGGER spoil BEFORE INSERT ON records FOR EACH ROW EXECUTE FUNCTION spoil()");
    auto const done = migrate(from, postgres.store, {.verify = true});
    CHECK(done.differing == std::vector<uuid>{from.search(where("number") == 7).front().id});
}

TEST_CASE("a record without an id, and a batch of none, cannot be migrated") {
    memory_store from;
    fill(from, 1);
    memory_store to;
    CHECK_THROWS_AS(migrate(from, to, {.transform = [](record) { return std::optional(record{}); }}), isorow::usage_error);
    CHECK_THROWS_AS(migrate(from, to, {.batch_size = 0}), isorow::usage_error);
}
