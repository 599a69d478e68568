// Large transactions: sent while they are under way, or kept by the server; the client's memory stays bounded either way.

#include <catch2/catch_test_macros.hpp>

#include <replication/followed.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using isorow::change_kind;
using test::followed;
using test::inserted_ids;
using test::Item;
using test::kinds;
using test::soon;
using test::take;

namespace {

/// A stream to which the server sends each change at once.
template <class Set>
isorow::changes<Item> immediate(followed<> const& items, Set&& set) {
    auto options = items.options();
    options.streaming = true;
    set(options);
    return isorow::changes<Item>(isorow::replication_endpoint(isorow::connection_parameters{
                                     .dsn = items.dsn, .options = "-c debug_logical_replication_streaming=immediate"}),
                                 options);
}
isorow::changes<Item> immediate(followed<> const& items) {
    return immediate(items, [](auto&) {});
}

}  // namespace

TEST_CASE("a streamed transaction is delivered when it is committed, whole and not before") {
    followed<> const items("streamed_whole");
    auto stream = immediate(items);
    isorow::connection writer(items.dsn);
    test::run(writer, "BEGIN; INSERT INTO items VALUES (1, 'lamp', 1); UPDATE items SET id = 2; DELETE FROM items");
    CHECK(stream.next(300ms) == nullptr);
    test::run(writer, "INSERT INTO items VALUES (3, 'desk', 3); TRUNCATE items; COMMIT");
    auto const events = take(stream);
    using enum change_kind;
    CHECK(kinds(events) == std::vector{begin, insert, update, remove, insert, truncate, commit});
    for (auto const& event : events) {
        CHECK(event.transaction.streamed);
        CHECK(event.transaction.commit == events.front().transaction.commit);
        CHECK(event.transaction.end > event.transaction.commit);
    }
    CHECK(events[2].key() == 1);
    CHECK(events[2].row.id == 2);
}

TEST_CASE("streamed transactions that are interleaved come one after another, in the order of their commits") {
    followed<> const items("streamed_interleaved");
    auto stream = immediate(items);
    isorow::connection first(items.dsn);
    isorow::connection second(items.dsn);
    test::run(first, "BEGIN; INSERT INTO items VALUES (1, NULL, 0)");
    test::run(second, "BEGIN; INSERT INTO items VALUES (2, NULL, 0)");
    test::run(first, "INSERT INTO items VALUES (3, NULL, 0)");
    test::run(second, "INSERT INTO items VALUES (4, NULL, 0); COMMIT");
    test::run(first, "INSERT INTO items VALUES (5, NULL, 0); COMMIT");
    CHECK(inserted_ids(take(stream, 2)) == std::vector<std::int64_t>{2, 4, 1, 3, 5});
}

TEST_CASE("a streamed transaction that is rolled back is never delivered") {
    followed<> const items("streamed_rolled_back");
    auto stream = immediate(items);
    isorow::connection writer(items.dsn);
    test::run(writer, "BEGIN; INSERT INTO items VALUES (1, NULL, 0), (2, NULL, 0)");
    CHECK(stream.next(300ms) == nullptr);
    test::run(writer, "ROLLBACK");
    items.sql("INSERT INTO items VALUES (3, NULL, 0)");
    CHECK(inserted_ids(take(stream)) == std::vector<std::int64_t>{3});
}

TEST_CASE("streamed subtransactions that are rolled back are left out, those within them too") {
    followed<> const items("streamed_savepoints");
    auto stream = immediate(items);
    isorow::connection writer(items.dsn);
    test::run(writer,
              "BEGIN; INSERT INTO items VALUES (1, NULL, 0); SAVEPOINT a; INSERT INTO items VALUES (2, NULL, 0);"
              "SAVEPOINT b; INSERT INTO items VALUES (3, NULL, 0); RELEASE SAVEPOINT b; INSERT INTO items VALUES (4, NULL, 0);"
              "ROLLBACK TO SAVEPOINT a; INSERT INTO items VALUES (5, NULL, 0); SAVEPOINT c; INSERT INTO items VALUES (6, NULL, 0);"
              "RELEASE SAVEPOINT c; COMMIT");
    CHECK(inserted_ids(take(stream)) == std::vector<std::int64_t>{1, 5, 6});
}

TEST_CASE("what a table looks like is known also where it was said in a subtransaction that was rolled back") {
    followed<> const items("streamed_description");
    auto stream = immediate(items);
    isorow::connection writer(items.dsn);
    test::run(writer,
              "BEGIN; SAVEPOINT a; INSERT INTO items VALUES (1, NULL, 0); ROLLBACK TO SAVEPOINT a;"
              "INSERT INTO items VALUES (2, 'kept', 0); COMMIT");
    test::run(writer,
              "BEGIN; SAVEPOINT a; ALTER TABLE items ADD COLUMN note text; INSERT INTO items VALUES (3, NULL, 0, 'gone');"
              "ROLLBACK TO SAVEPOINT a; INSERT INTO items VALUES (4, 'kept', 0); COMMIT");
    test::run(writer,
              "BEGIN; ALTER TABLE items DROP COLUMN name; ALTER TABLE items ADD COLUMN name text; INSERT INTO items VALUES (5, 1, "
              "'moved'); COMMIT");
    auto const rows = test::inserted(take(stream, 3));
    REQUIRE(rows.size() == 3);
    CHECK(rows[0] == Item{2, "kept", 0});
    CHECK(rows[1] == Item{4, "kept", 0});
    CHECK(rows[2] == Item{5, "moved", 1});
}

TEST_CASE("streamed transactions of other tables do not come, and do not hold the slot") {
    followed<> const items("streamed_other", std::string(test::items_ddl) + "; CREATE TABLE other (id bigint PRIMARY KEY)");
    items.sql("ALTER PUBLICATION p ADD TABLE other");
    auto stream = immediate(items);
    items.sql("INSERT INTO other SELECT generate_series(1, 10)");
    items.sql("INSERT INTO items VALUES (1, NULL, 0)");
    CHECK(stream.next(soon())->kind == change_kind::begin);
    CHECK(stream.confirmed().value > 0);
}

TEST_CASE("what does not fit into the memory of a streamed transaction goes to a file without a name") {
    followed<> const items("spooled");
    auto const folder = std::filesystem::temp_directory_path() / ("isorow-spool-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    {
        auto stream = immediate(items, [&](auto& options) {
            options.memory = 2000;
            options.temporary_folder = folder;
        });
        isorow::connection writer(items.dsn);
        isorow::connection other(items.dsn);
        test::run(writer, "BEGIN; INSERT INTO items SELECT i, repeat('x', 100), 0 FROM generate_series(1, 1000) i");
        test::run(other, "BEGIN; INSERT INTO items SELECT i, repeat('x', 100), 0 FROM generate_series(1001, 1100) i");
        test::run(
            writer,
            "SAVEPOINT a; INSERT INTO items SELECT i, repeat('y', 100000), 0 FROM generate_series(2001, 2010) i; ROLLBACK TO SAVEPOINT a;"
            "INSERT INTO items SELECT i, repeat('z', 200000), 0 FROM generate_series(3001, 3010) i");
        test::run(other, "COMMIT");
        test::run(writer, "COMMIT");
        auto const of_other = inserted_ids(take(stream));
        CHECK(of_other.size() == 100);
        CHECK(of_other.front() == 1001);
        CHECK(std::filesystem::is_empty(folder));
        auto const rows = test::inserted(take(stream));
        REQUIRE(rows.size() == 1010);
        CHECK(rows.front().id == 1);
        CHECK(rows.back().id == 3010);
        CHECK(rows.back().name->size() == 200'000);
    }
    std::filesystem::remove_all(folder);
}

TEST_CASE("a spool that grows too large, or cannot be written, is told, and nothing is lost") {
    followed<> const items("spool_limit");
    auto const write = [&] { items.sql("INSERT INTO items SELECT i, repeat('x', 100), 0 FROM generate_series(1, 1000) i"); };
    {
        auto stream = immediate(items, [](auto& options) {
            options.memory = 1000;
            options.largest_spool = 20'000;
        });
        write();
        CHECK_THROWS_MATCHES(take(stream), isorow::spool_error, test::says("raise largest_spool, or turn streaming off"));
    }
    {
        auto stream = immediate(items, [](auto& options) {
            options.memory = 1000;
            options.temporary_folder = "/no such folder";
        });
        CHECK_THROWS_MATCHES(take(stream), isorow::spool_error, test::says("could not be made: No such file or directory"));
    }
    auto stream = items.changes();
    CHECK(take(stream).size() == 1002);
}

namespace {

/// What the process may grow by meanwhile, and what it may hold in all where no sanitizer holds more, in KiB.
constexpr long growth = 64 * 1024 + test::sanitizer_kilobytes;
constexpr long whole = 128 * 1024;

void check_memory(long before) {
    auto const peak = test::peak_kilobytes();
    INFO(before << " KiB before, " << peak << " KiB at most");
    CHECK(peak - before < growth);
    CHECK((test::sanitizer_kilobytes > 0 || peak < whole));
}

/// Writes a transaction of a million rows, and delivers it.
void deliver_a_million(followed<> const& items, isorow::changes<Item>& stream) {
    test::forget_peak();
    auto const before = test::peak_kilobytes();
    items.sql("INSERT INTO items SELECT i, 'the name of item ' || i, i FROM generate_series(1, 1000000) i");
    std::int64_t count = 0;
    double sum = 0;
    for (bool ended = false; !ended;) {
        auto* const event = stream.next(soon());
        REQUIRE(event != nullptr);
        ended = event->kind == change_kind::commit;
        if (event->kind != change_kind::insert) continue;
        ++count;
        sum += event->row.price;
    }
    CHECK(count == 1'000'000);
    CHECK(sum == 500'000'500'000.0);
    stream.confirm_delivered();
    check_memory(before);
}

}  // namespace

TEST_CASE("a transaction of a million rows is delivered in bounded memory where the server keeps it") {
    followed<> const items("million_kept");
    auto stream = items.changes();
    deliver_a_million(items, stream);
}

TEST_CASE("a transaction of a million rows is delivered in bounded memory where it is streamed") {
    followed<> const items("million_streamed");
    auto stream = items.changes([](auto& options) { options.streaming = true; });
    deliver_a_million(items, stream);
}

TEST_CASE("a transaction of a million rows that is rolled back leaves nothing, streamed or not") {
    followed<> const items("million_rolled_back");
    auto stream = items.changes([](auto& options) { options.streaming = true; });
    isorow::connection writer(items.dsn);
    test::run(writer, "BEGIN; INSERT INTO items SELECT i, 'the name of item ' || i, i FROM generate_series(1, 1000000) i");
    test::forget_peak();
    auto const before = test::peak_kilobytes();
    while (stream.next(2s) != nullptr) FAIL("something of a transaction under way was delivered");
    test::run(writer, "ROLLBACK");
    items.sql("INSERT INTO items VALUES (0, 'after', 0)");
    CHECK(inserted_ids(take(stream)) == std::vector<std::int64_t>{0});
    check_memory(before);
}
