// A store's changes, as they are followed.

#include <isorow/records/store.hpp>
#include <isorow/source/changelog.hpp>
#include <isorow/source/follow.hpp>
#include <isorow/source/polling.hpp>
#include <support/server.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

using isorow::event_kind;
using isorow::record_store;
using isorow::records::record_row;
using namespace std::chrono_literals;

/// What somebody knows who only follows.
class follower {
public:
    template <class Followed>
    void follow_until(Followed& changes, auto const& done) {
        auto const end = std::chrono::steady_clock::now() + 20s;
        while (!done(names_) && std::chrono::steady_clock::now() < end)
            if (auto batch = changes.next(500ms))
                for (auto& event : *batch) apply(event);
        CHECK(done(names_));
    }

private:
    void apply(isorow::source_event<record_row> const& event) {
        if (event.kind == event_kind::begin_rows) seen_.clear();
        if (event.kind == event_kind::end_rows) std::erase_if(names_, [&](auto const& known) { return !seen_.contains(known.first); });
        if (event.kind == event_kind::removed) names_.erase(*event.key);
        if (!event.row) return;
        auto row = *event.row;
        auto const one = as_record(std::move(row));
        seen_.insert(one.id);
        names_[one.id] = one.fields.at("name").as_string();
        CHECK(holds(isorow::records::where("name").exists(), one));
    }

    std::map<isorow::uuid, std::string> names_{};
    std::set<isorow::uuid> seen_{};  ///< since all rows are told
};

}  // namespace

TEST_CASE("a store is followed: its records, and what becomes of them") {
    test::database const database;
    isorow::pool pool(database.dsn());
    record_store const store(pool, {.table = "people"});
    auto const alice = store.create({.fields = {{"name", "Alice"}}});
    auto const bob = store.create({.fields = {{"name", "Bob"}}});
    auto const watch = [&](auto& changes) {
        follower known;
        known.follow_until(changes, [](auto const& names) { return names.size() >= 2; });
        store.patch(alice, {{"name", "Alicia"}});
        store.erase(bob);
        auto const carol = store.create({.fields = {{"name", "Carol"}}});
        known.follow_until(
            changes, [&](auto const& names) { return names == std::map<isorow::uuid, std::string>{{alice, "Alicia"}, {carol, "Carol"}}; });
        store.erase(carol);
        store.upsert({.id = alice, .fields = {{"name", "Alice"}}});
        store.upsert({.id = bob, .fields = {{"name", "Bob"}}});
        known.follow_until(changes,
                           [&](auto const& names) { return names == std::map<isorow::uuid, std::string>{{alice, "Alice"}, {bob, "Bob"}}; });
    };
    auto by_changelog = isorow::follow(store.rows(), isorow::changelog{}, {.consumer = "one"});
    watch(by_changelog);
    auto by_polling = isorow::follow(store.rows(), isorow::polling{.interval = 50ms, .sweep_interval = 200ms}, {.consumer = "two"});
    watch(by_polling);
}

TEST_CASE("a table that the reference's DDL made is followed as well") {
    test::database const database;
    database.sql(
        "CREATE TABLE records (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), fields JSONB NOT NULL, metadata JSONB,"
        " created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)");
    isorow::pool pool(database.dsn());
    record_store const store(pool);
    store.create({.fields = {{"name", "Alice"}}});
    follower known;
    auto changes = isorow::follow(store.rows(), isorow::changelog{}, {.consumer = "one"});
    known.follow_until(changes, [](auto const& names) { return names.size() == 1; });
}
