// What SQLite's store does beside what all stores do: its file, other processes, failures.

#include <isorow/sqlite.hpp>
#include <records/backends.hpp>
#include <support/matchers.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using isorow::record;
using isorow::sqlite_error;
using isorow::records::outcome;
using isorow::records::sqlite_store;
using isorow::records::where;
using namespace std::chrono_literals;

}  // namespace

TEST_CASE("records are in the file when a call returns, and another store of it finds them") {
    test::folder const folder;
    auto const path = folder / "records.sqlite";
    isorow::uuid id{};
    {
        sqlite_store store(path);
        id = store.create({.fields = {{"name", "Alice"}}, .metadata = {{"m", 1}}});
        sqlite_store other(path);
        CHECK(other.read(id)->fields.at("name") == "Alice");
        CHECK(other.patch(id, {{"age", 30}}) == outcome::updated);
        CHECK(store.read(id)->fields.at("age") == 30);
    }
    sqlite_store const again(path);
    auto const found = again.read(id);
    REQUIRE(found);
    CHECK(found->metadata.at("m") == 1);
    CHECK(found->updated_at > found->created_at);
}

TEST_CASE("a table of another name is another store, and the name may be any") {
    test::folder const folder;
    auto const path = folder / "records.sqlite";
    sqlite_store first(path);
    sqlite_store second(path, {.table = "or\"ders; DROP TABLE records"});
    second.create({});
    CHECK(first.count() == 0);
    CHECK(second.count() == 1);
    CHECK_THROWS_AS(sqlite_store(path, {.table = ""}), isorow::usage_error);
}

TEST_CASE("a store of SQLite in memory is its own") {
    sqlite_store first(":memory:");
    sqlite_store second(":memory:");
    first.create({});
    CHECK(first.count() == 1);
    CHECK(second.count() == 0);
}

TEST_CASE("what is no file of SQLite, or no table of records, is refused and stays as it was") {
    test::folder const folder;
    auto const path = folder / "text.sqlite";
    std::ofstream(path) << "no database at all, but some text that is long enough to be looked at";
    CHECK_THROWS_AS(sqlite_store(path), sqlite_error);
    std::string line;
    std::getline(std::ifstream(path) >> std::ws, line);
    CHECK(line.starts_with("no database"));
    CHECK_THROWS_MATCHES(sqlite_store(folder / "nowhere" / "x.sqlite"), sqlite_error, test::says("x.sqlite"));
    auto const other = folder / "other.sqlite";
    isorow::detail::sqlite_database(other, 1s).execute("CREATE TABLE records (id integer PRIMARY KEY, name text)");
    CHECK_THROWS_MATCHES(sqlite_store(other), sqlite_error, test::says("the table \"records\" is none of records"));
    auto const without_key = folder / "without_key.sqlite";
    isorow::detail::sqlite_database(without_key, 1s)
        .execute("CREATE TABLE records (id text, fields text NOT NULL, metadata text, created_at integer, updated_at integer)");
    CHECK_THROWS_MATCHES(sqlite_store(without_key), sqlite_error, test::says("primary key id"));
    CHECK_THROWS_MATCHES(sqlite_store(""), isorow::usage_error, test::says("has a path"));
}

TEST_CASE("a unique index that somebody adds refuses a record, and no other record goes for it") {
    test::folder const folder;
    auto const path = folder / "records.sqlite";
    sqlite_store store(path);
    isorow::detail::sqlite_database(path, 1s).execute("CREATE UNIQUE INDEX emails ON records (json_extract(fields, '$.email'))");
    auto const first = store.create({.fields = {{"email", "a@x"}}});
    CHECK_THROWS_AS(store.create({.fields = {{"email", "a@x"}}}), sqlite_error);
    auto const second = store.create({.fields = {{"email", "b@x"}}});
    CHECK_THROWS_AS(store.patch(second, {{"email", "a@x"}}), sqlite_error);
    CHECK(store.count() == 2);
    REQUIRE(store.exists(first));
    CHECK(store.read(first)->fields.at("email") == "a@x");
    CHECK(store.read(second)->fields.at("email") == "b@x");
}

TEST_CASE("a column that somebody adds keeps its value when a record is written") {
    test::folder const folder;
    auto const path = folder / "records.sqlite";
    sqlite_store store(path);
    auto const id = store.create({});
    isorow::detail::sqlite_database const outside(path, 1s);
    outside.execute("ALTER TABLE records ADD COLUMN note text");
    outside.execute("UPDATE records SET note = 'kept'");
    CHECK(store.patch(id, {{"a", 1}}) == outcome::updated);
    CHECK(store.upsert({.id = id, .fields = {{"a", 2}}}) == outcome::updated);
    auto notes = outside.prepare("SELECT note FROM records");
    isorow::detail::sqlite_statement::run note(notes);
    REQUIRE(note.next());
    CHECK(note.text(0) == "kept");
}

TEST_CASE("a transaction that SQLite itself has rolled back fails as a whole, whatever is caught in it") {
    test::folder const folder;
    auto const path = folder / "records.sqlite";
    sqlite_store store(path);
    isorow::detail::sqlite_database(path, 1s).execute(
        "CREATE TRIGGER full_disk BEFORE INSERT ON records WHEN new.fields LIKE '%bad%' BEGIN SELECT RAISE(ROLLBACK, 'full'); END");
    auto const fails_in = [](sqlite_store& inside) {
        inside.create({.fields = {{"name", "before"}}});
        CHECK_THROWS_AS(inside.create({.fields = {{"name", "bad"}}}), sqlite_error);
    };
    CHECK_THROWS_MATCHES(store.transact(fails_in), sqlite_error, test::says("rolled the transaction back"));
    CHECK_THROWS_AS(store.transact([&](sqlite_store& inside) {
        fails_in(inside);
        CHECK_THROWS_AS(inside.create({.fields = {{"name", "behind"}}}), sqlite_error);
        CHECK_THROWS_AS(inside.search({}), sqlite_error);
        CHECK_THROWS_AS(inside.transact([](sqlite_store& inner) { inner.create({}); }), sqlite_error);
    }),
                    sqlite_error);
    CHECK_THROWS_AS(store.transact([&](sqlite_store& outer) { CHECK_THROWS_AS(outer.transact(fails_in), sqlite_error); }), sqlite_error);
    CHECK(store.count() == 0);
    store.create({});
    CHECK(store.count() == 1);
}

TEST_CASE("a search, and a batch that is read, see the file of one moment while another store writes") {
    test::folder const folder;
    auto const path = folder / "records.sqlite";
    sqlite_store store(path, {.patience = 30s});
    auto const id_of = [](int number) {
        std::array<std::uint8_t, 16> bytes{};
        bytes[14] = static_cast<std::uint8_t>(number / 256);
        bytes[15] = static_cast<std::uint8_t>(number % 256);
        return isorow::uuid(bytes);
    };
    // One record goes to and fro between the first place and the last.
    auto here = id_of(1);
    auto there = id_of(1'300);
    std::vector<record> given(1'200);
    for (std::size_t i = 0; i < given.size(); ++i) given[i].id = id_of(static_cast<int>(i) + 1);
    store.create_batch(given);
    std::atomic<bool> is_done{false};
    std::thread writer([&] {
        sqlite_store other(path, {.patience = 30s});
        for (; !is_done; std::swap(here, there)) {
            other.transact([&](sqlite_store& inside) {
                inside.erase(here);
                inside.create({.id = there});
            });
            std::this_thread::sleep_for(2ms);  // SQLite's locks are not fair
        }
    });
    int torn = 0;
    std::vector<isorow::uuid> const both{id_of(1), id_of(1'300)};
    for (int i = 0; i < 10; ++i) {
        torn += store.search({}).size() != given.size() ? 1 : 0;
        torn += store.search(isorow::records::query().order_by("x")).size() != given.size() ? 1 : 0;
        for (int k = 0; k < 20; ++k) {
            auto const found = store.read_batch(both);
            torn += found[0].has_value() == found[1].has_value() ? 1 : 0;
        }
    }
    is_done = true;
    writer.join();
    CHECK(torn == 0);
}

TEST_CASE("a patience of months is one") {
    test::folder const folder;
    auto const path = folder / "records.sqlite";
    sqlite_store store(path, {.patience = std::chrono::days(30)});
    isorow::detail::sqlite_database const other(path, 1s);
    other.execute("BEGIN IMMEDIATE");
    std::thread ending([&] {
        std::this_thread::sleep_for(50ms);
        other.execute("ROLLBACK");
    });
    CHECK_NOTHROW(store.create({}));
    ending.join();
}

TEST_CASE("a document that somebody else has spoilt is refused with the record's id") {
    test::folder const folder;
    auto const path = folder / "records.sqlite";
    sqlite_store store(path);
    auto const id = store.create({});
    store.create({.fields = {{"name", "Bob"}}});
    isorow::detail::sqlite_database const outside(path, 1s);
    outside.execute("UPDATE records SET fields = '{\"name\": ' WHERE id = '" + to_string(id) + "'");
    CHECK_THROWS_MATCHES(store.read(id), isorow::value_error, test::says(to_string(id)));
    CHECK_THROWS_AS(store.count(where("name") == "Bob"), isorow::value_error);
    CHECK(store.erase(id, {}) == outcome::erased);
    CHECK(store.count(where("name") == "Bob") == 1);
}

TEST_CASE("a call waits for another process' lock, and then fails as one that may be done again, with nothing lost") {
    test::folder const folder;
    auto const path = folder / "records.sqlite";
    sqlite_store store(path, {.patience = 50ms});
    store.create({});
    isorow::detail::sqlite_database const other(path, 1s);
    other.execute("BEGIN IMMEDIATE");
    try {
        store.create({});
        FAIL("the lock did not count");
    } catch (sqlite_error const& failure) {
        CHECK(failure.retryable());
    }
    other.execute("ROLLBACK");
    store.create({});
    CHECK(store.count() == 2);
    CHECK(store.transact([](sqlite_store& inside) { return inside.count(); }) == 2);
}

TEST_CASE("threads share a store of SQLite, and stores share a file") {
    test::folder const folder;
    auto const path = folder / "records.sqlite";
    sqlite_store shared(path);
    auto const id = shared.create({.fields = {{"n", 0}}});
    std::atomic<int> won{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            sqlite_store own(path, {.patience = 30s});
            auto& store = i % 2 == 0 ? shared : own;
            for (int k = 0; k < 5; ++k) {
                auto const before = *store.read(id);
                auto const number = before.fields.at("n").as_int64();
                if (store.update({.id = id, .fields = {{"n", number + 1}}}, before.updated_at) == outcome::updated) ++won;
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(shared.read(id)->fields.at("n") == won.load());
}

TEST_CASE("a transaction of SQLite is whole, and so is each in it") {
    test::folder const folder;
    sqlite_store store(folder / "records.sqlite");
    auto const id = store.create({.fields = {{"n", 1}}});
    store.transact([&](sqlite_store& outer) {
        outer.patch(id, {{"n", 2}});
        CHECK_THROWS_AS(outer.transact([&](sqlite_store& inner) {
            inner.erase(id);
            throw isorow::usage_error("no");
        }),
                        isorow::usage_error);
        CHECK(outer.exists(id));
    });
    CHECK(store.read(id)->fields.at("n") == 2);
    CHECK_THROWS_AS(store.transact([&](sqlite_store& inside) {
        inside.clear();
        throw isorow::usage_error("no");
    }),
                    isorow::usage_error);
    CHECK(store.count() == 1);
}

TEST_CASE("many records go through a file of SQLite, and come in order") {
    sqlite_store store(":memory:");
    std::vector<record> given(3000);
    for (std::size_t i = 0; i < given.size(); ++i) given[i].fields = {{"n", static_cast<std::int64_t>((i * 7919) % given.size())}};
    CHECK(store.create_batch(given).size() == given.size());
    std::int64_t last = -1;
    std::size_t seen = 0;
    store.scan(isorow::records::query(where("n") >= 10).order_by("n"), [&](record&& one) {
        auto const number = one.fields.at("n").as_int64();
        CHECK(number > last);
        last = number;
        ++seen;
    });
    CHECK(seen == given.size() - 10);
    // A caller may write to what it scans.
    store.scan({}, [&](record&& one) { store.erase(one.id); });
    CHECK(store.count() == 0);
}
