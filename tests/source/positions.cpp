#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/transact.hpp>
#include <source/followed_items.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using isorow::event_kind;
using test::Item;

namespace {

struct followed_store : test::followed_items {
    followed_store() { run("CREATE TABLE applied (id bigint, amount int)"); }

    void insert(int first, int last) { run(isorow::text("INSERT INTO items SELECT i, 1 FROM generate_series({}, {}) i", first, last)); }

    /// The keys that a batch tells of.
    [[nodiscard]] static std::vector<std::int64_t> keys(isorow::event_batch<Item>& batch) {
        std::vector<std::int64_t> all;
        for (auto const& event : batch)
            if (event.key) all.push_back(*event.key);
        std::ranges::sort(all);
        return all;
    }
    static std::vector<std::int64_t> all_keys(isorow::followed<Item>& items) {
        std::vector<std::int64_t> all;
        while (auto batch = items.next(0ms)) std::ranges::copy(keys(*batch), std::back_inserter(all));
        std::ranges::sort(all);
        return all;
    }
    static void apply(isorow::transaction& work, isorow::event_batch<Item>& batch) {
        for (auto const& event : batch)
            if (event.row) isorow::execute(work, "INSERT INTO applied VALUES ($1, $2)", event.row->id, event.row->amount);
    }
    [[nodiscard]] std::string applied() const { return database.sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM applied"); }
    /// Has all of them follow until the changelog has no entries any more: none is done with it while a transaction of another database
    /// runs that began before its last pass.
    [[nodiscard]] bool becomes_empty(auto&... followers) {
        return test::eventually(60s, [&] {
            (static_cast<void>(followers.next(30ms)), ...);
            return changelog_size() == "0";
        });
    }
};

using keys_of = std::vector<std::int64_t>;

}  // namespace

TEST_CASE_METHOD(followed_store, "who follows again under the same name goes on where it was") {
    insert(1, 2);
    {
        auto items = follow();
        CHECK(all_keys(items) == keys_of{1, 2});
        insert(3, 4);
        CHECK(all_keys(items) == keys_of{3, 4});
    }
    insert(5, 6);
    run("DELETE FROM items WHERE id = 3");
    auto items = follow();
    CHECK(all_keys(items) == keys_of{3, 5, 6});
    CHECK(all_keys(items).empty());
    auto again = follow();
    CHECK(all_keys(again).empty());
}

TEST_CASE_METHOD(followed_store, "it goes on in the midst of a pass, too, of which each entry is told once") {
    auto first = follow({.batch = 2});
    CHECK(all_keys(first).empty());
    insert(1, 7);
    auto late = test::connect(database.dsn());
    keys_of told;
    for (int i = 0; i < 20 && told.size() < 10; ++i) {
        auto items = follow({.batch = 2});
        if (auto batch = items.next(0ms)) {
            std::ranges::copy(keys(*batch), std::back_inserter(told));
            // The position is that of the batch.
            isorow::transact(pool, [&](isorow::transaction& work) { batch->save(work); });
        }
        if (i == 1) insert(101, 103);
    }
    CHECK(std::set(told.begin(), told.end()).size() == 10);
    CHECK(told.size() == 10);
}

TEST_CASE_METHOD(followed_store, "a batch is saved with what was done with it, or neither is") {
    insert(1, 2);
    auto items = follow();
    auto batch = items.next(10s);
    REQUIRE(batch);
    {
        isorow::transaction work(pool);
        apply(work, *batch);
        batch->save(work);
        // Nobody commits.
    }
    CHECK(applied().empty());
    isorow::transact(pool, [&](isorow::transaction& work) {
        apply(work, *batch);
        batch->save(work);
    });
    CHECK(applied() == "1 2");
    insert(3, 3);
    batch = items.next(10s);
    REQUIRE(batch);
    CHECK(keys(*batch) == keys_of{3});
    SECTION("committed") {
        isorow::transact(pool, [&](isorow::transaction& work) {
            apply(work, *batch);
            batch->save(work);
        });
    }
    SECTION("not committed, so that another process has it again") {
        isorow::transaction work(pool);
        apply(work, *batch);
        batch->save(work);
        work.rollback();
        auto others = follow();
        isorow::transact(pool, [&](isorow::transaction& again) {
            auto repeated = others.next(10s);
            REQUIRE(repeated);
            apply(again, *repeated);
            repeated->save(again);
        });
    }
    CHECK(applied() == "1 2 3");
}

TEST_CASE_METHOD(followed_store, "several batches are saved in one transaction") {
    auto items = follow({.batch = 2});
    CHECK(all_keys(items).empty());
    insert(1, 9);
    isorow::transact(pool, [&](isorow::transaction& work) {
        while (auto batch = items.next(0ms)) {
            apply(work, *batch);
            batch->save(work);
        }
    });
    CHECK(applied() == "1 2 3 4 5 6 7 8 9");
    auto again = follow();
    CHECK(all_keys(again).empty());
}

TEST_CASE_METHOD(followed_store, "a batch that nobody saves is saved when the next one is asked for, not before") {
    insert(1, 1);
    {
        auto items = follow();
        REQUIRE(items.next(10s));
    }
    auto items = follow();
    CHECK(all_keys(items) == keys_of{1});
    insert(2, 2);
    REQUIRE(items.next(10s));
    auto repeated = follow();
    CHECK(all_keys(repeated) == keys_of{2});
    auto last = follow();
    CHECK(all_keys(last).empty());
}

TEST_CASE_METHOD(followed_store, "of two that follow under one name the slower one is told, and nothing is done twice") {
    insert(1, 2);
    auto one = follow();
    all_keys(one);
    auto other = follow();
    insert(3, 3);
    auto of_one = one.next(10s);
    auto of_other = other.next(10s);
    REQUIRE(of_one);
    REQUIRE(of_other);
    CHECK(keys(*of_one) == keys_of{3});
    CHECK(keys(*of_other) == keys_of{3});
    auto const apply_one = [&](isorow::event_batch<Item>& batch) {
        isorow::transact(pool, [&](isorow::transaction& work) {
            apply(work, batch);
            batch.save(work);
        });
    };
    apply_one(*of_one);
    CHECK_THROWS_MATCHES(apply_one(*of_other), isorow::position_moved, test::says("as the consumer \"store\""));
    CHECK(applied() == "3");
    // Nor is it saved when the next is asked for; and that is told again, as nothing has changed.
    CHECK_THROWS_AS(other.next(0ms), isorow::position_moved);
    CHECK_THROWS_AS(other.next(0ms), isorow::position_moved);
    auto third = follow();
    CHECK(all_keys(third).empty());
}

TEST_CASE_METHOD(followed_store, "many that follow under one name at a time apply each row once") {
    auto const begin = follow({.begin = isorow::begin_with::changes});
    std::vector<std::jthread> threads;
    std::atomic<bool> ended = false;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            isorow::pool own(database.dsn(), {.min_size = 1});
            isorow::source<Item> const from(own);
            for (bool is_last = false; !is_last;) {
                is_last = ended;
                try {
                    auto items = isorow::follow(from, isorow::changelog{.notification = {.channel = "items"}, .interval = 5ms},
                                                {.consumer = "store", .batch = static_cast<std::size_t>(2 + i)});
                    while (auto batch = items.next(is_last ? 0ms : 20ms))
                        isorow::transact(own, [&](isorow::transaction& work) {
                            apply(work, *batch);
                            batch->save(work);
                        });
                } catch (isorow::position_moved const&) {
                    is_last = false;
                }
            }
        });
    for (int i = 0; i < 30; ++i) insert(1 + 5 * i, 5 + 5 * i);
    ended = true;
    threads.clear();
    CHECK(database.sql("SELECT count(*) FROM applied") == "150");
    CHECK(database.sql("SELECT count(DISTINCT id) FROM applied") == "150");
}

TEST_CASE_METHOD(followed_store, "positions may be kept in the database that is written to") {
    test::database const elsewhere;
    isorow::pool target(elsewhere.dsn(), {.min_size = 1});
    elsewhere.sql("CREATE TABLE applied (id bigint, amount int)");
    insert(1, 2);
    auto const apply_next = [&](isorow::followed<Item>& items, bool commits) {
        auto batch = items.next(10s);
        REQUIRE(batch);
        isorow::transaction work(target);
        apply(work, *batch);
        batch->save(work);
        if (commits) work.commit();
        else work.rollback();
    };
    {
        auto items = follow({.positions = target});
        apply_next(items, true);
        insert(3, 4);
        apply_next(items, true);
        CHECK(isorow::positions(target).at(0).consumer == "store");
        CHECK(becomes_empty(items));
        insert(5, 5);
        apply_next(items, false);
        // What was not committed there is not deleted here, however far this one goes on.
        insert(6, 6);
        CHECK_THROWS_AS((apply_next(items, true)), isorow::position_moved);
    }
    CHECK(elsewhere.sql("SELECT count(*) FROM applied") == "4");
    CHECK(changelog_size() == "2");
    auto items = follow({.positions = target});
    apply_next(items, true);
    CHECK(elsewhere.sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM applied") == "1 2 3 4 5 6");
    SECTION("where they are lost, all rows are told again") {
        isorow::forget_position(target, "store");
        auto again = follow({.positions = target});
        CHECK(all_keys(again) == keys_of{1, 2, 3, 4, 5, 6});
    }
    SECTION("where the source's own record is lost, it goes on") {
        isorow::forget_position(pool, "store");
        insert(7, 7);
        auto again = follow({.positions = target});
        CHECK(all_keys(again) == keys_of{7});
    }
}

TEST_CASE_METHOD(followed_store, "who is interrupted in the midst of all rows begins with them anew") {
    insert(1, 5);
    {
        auto items = follow({.batch = 2});
        auto batch = items.next(10s);
        REQUIRE(batch);
        CHECK(test::kinds(*batch) == "begin_rows row row");
        CHECK(batch->position().empty());
        isorow::transact(pool, [&](isorow::transaction& work) { batch->save(work); });
        REQUIRE(items.next(10s));
    }
    insert(6, 6);
    auto items = follow({.batch = 100});
    auto batch = items.next(10s);
    REQUIRE(batch);
    CHECK(test::kinds(*batch) == "begin_rows row row row row row row end_rows");
    CHECK_FALSE(batch->position().empty());
}

TEST_CASE_METHOD(followed_store, "an empty table is told as such") {
    auto items = follow();
    auto batch = items.next(10s);
    REQUIRE(batch);
    CHECK(test::kinds(*batch) == "begin_rows end_rows");
}

TEST_CASE_METHOD(followed_store, "rows that change while all of them are read are told as they are in the end") {
    insert(1, 9);
    auto items = follow({.batch = 2});
    test::followed_copy<Item> copy;
    for (int i = 0; auto batch = items.next(0ms); ++i) {
        copy.apply(*batch);
        if (i == 1)
            run("UPDATE items SET id = 0 WHERE id = 8; UPDATE items SET id = 20 WHERE id = 1; DELETE FROM items WHERE id = 2; UPDATE items "
                "SET "
                "amount = 5 WHERE id IN (3, 9)");
    }
    CHECK(copy.rows() == table());
}

TEST_CASE_METHOD(followed_store, "a name under which another mechanism has followed is refused, until it is forgotten") {
    static_cast<void>(follow());
    run("UPDATE isorow.positions SET mechanism = 'polling'");
    CHECK_THROWS_MATCHES(follow(), isorow::usage_error, test::says("the consumer \"store\" has followed by another mechanism, polling"));
    CHECK(isorow::forget_position(pool, "store"));
    CHECK_FALSE(isorow::forget_position(pool, "store"));
    static_cast<void>(follow());
    CHECK(isorow::positions(pool).at(0).mechanism == "changelog");
}

TEST_CASE_METHOD(followed_store, "who begins with changes is not told what is there already, nor after it is interrupted") {
    insert(1, 3);
    {
        auto items = follow({.begin = isorow::begin_with::changes});
        CHECK(all_keys(items).empty());
    }
    insert(4, 4);
    auto items = follow({.begin = isorow::begin_with::changes});
    CHECK(all_keys(items) == keys_of{4});
}

TEST_CASE_METHOD(followed_store, "where there is no schema isorow there are no positions") {
    CHECK(isorow::positions(pool).empty());
    CHECK_FALSE(isorow::forget_position(pool, "store"));
    isorow::remove_notification(pool, "public", "items", "items");
}

TEST_CASE_METHOD(followed_store, "a consumer without a name, and a batch without rows, are refused") {
    CHECK_THROWS_MATCHES(isorow::follow(source, isorow::changelog{}, {}), isorow::usage_error, test::says("follow_options::consumer"));
    CHECK_THROWS_MATCHES(follow({.batch = 0}), isorow::usage_error, test::says("at least one row"));
    auto connection = test::connect(database.dsn());
    CHECK_THROWS_MATCHES(isorow::follow(isorow::source<Item>(connection), isorow::changelog{}, {.consumer = "store"}), isorow::usage_error,
                         test::says("make it with a pool"));
    CHECK_THROWS_MATCHES(
        isorow::follow(isorow::source<Item>(pool, {.sql_query = "SELECT * FROM items"}), isorow::changelog{}, {.consumer = "store"}),
        isorow::usage_error, test::says("a query cannot be followed"));
}

TEST_CASE_METHOD(followed_store, "the range ends when its stop token says so, with all saved that was done") {
    insert(1, 3);
    std::stop_source stop;
    keys_of told;
    {
        auto items = follow({.stop = stop.get_token()});
        std::jthread stopping;
        for (auto& batch : items) {
            std::ranges::copy(keys(batch), std::back_inserter(told));
            if (told.size() == 3) insert(4, 4);
            if (told.size() == 4) {
                // One that stops it while it waits for the next batch.
                if (stopping.joinable()) continue;
                stopping = std::jthread([&] {
                    std::this_thread::sleep_for(100ms);
                    stop.request_stop();
                });
            }
        }
    }
    CHECK(told == keys_of{1, 2, 3, 4});
    auto items = follow();
    CHECK(all_keys(items).empty());
}

TEST_CASE_METHOD(followed_store, "the range that is stopped from within ends, with its last batch saved") {
    insert(1, 3);
    std::stop_source stop;
    auto items = follow({.stop = stop.get_token()});
    for (auto& batch : items) {
        CHECK(keys(batch) == keys_of{1, 2, 3});
        stop.request_stop();
    }
    auto again = follow();
    CHECK(all_keys(again).empty());
}

TEST_CASE_METHOD(followed_store, "nothing is read ahead of who is slow") {
    auto items = follow({.batch = 10});
    all_keys(items);
    insert(1, 100);
    auto batch = items.next(10s);
    REQUIRE(batch);
    run("UPDATE items SET amount = 2");
    batch = items.next(10s);
    REQUIRE(batch);
    // What is read now is as it is now.
    for (auto const& event : *batch) CHECK(event.row->amount == 2);
}

TEST_CASE_METHOD(followed_store, "the changelog is kept for the slowest consumer, and shrinks as that goes on or is forgotten") {
    auto fast = follow({.consumer = "fast"});
    auto slow = follow({.consumer = "slow"});
    all_keys(fast);
    all_keys(slow);
    insert(1, 50);
    CHECK(all_keys(fast).size() == 50);
    for (int i = 0; i < 60; ++i) static_cast<void>(fast.next(30ms));
    CHECK(changelog_size() == "50");
    SECTION("it goes on") {
        CHECK(all_keys(slow).size() == 50);
        CHECK(becomes_empty(fast, slow));
    }
    SECTION("it is forgotten") {
        CHECK(isorow::forget_position(pool, "slow"));
        insert(51, 51);
        CHECK(all_keys(fast).size() == 1);
        CHECK(becomes_empty(fast));
    }
}

TEST_CASE_METHOD(followed_store, "the changelog does not stay large after bursts, even where somebody wrote all the while") {
    auto items = follow({.batch = 10});
    all_keys(items);
    auto late = test::connect(database.dsn());
    test::run(late, "BEGIN; INSERT INTO items VALUES (-1, 1)");
    for (int i = 0; i < 5; ++i) {
        insert(1 + 100 * i, 100 + 100 * i);
        CHECK(all_keys(items).size() == 100);
    }
    for (int i = 0; i < 60; ++i) static_cast<void>(items.next(30ms));
    // Those of the transaction that is not done may come before any of the others.
    CHECK(changelog_size() == "500");
    test::run(late, "COMMIT");
    CHECK(all_keys(items) == keys_of{-1});
    CHECK(becomes_empty(items));
}

TEST_CASE_METHOD(followed_store, "a position that the database has not come to yet is that of another history: all rows are told again") {
    insert(1, 2);
    {
        auto items = follow();
        all_keys(items);
    }
    run("UPDATE isorow.positions SET position = regexp_replace(position, '\\d+:\\d+:', '99999999:99999999:')");
    auto items = follow();
    CHECK(all_keys(items) == keys_of{1, 2});
}

TEST_CASE_METHOD(followed_store, "a position of another changelog, or none that can be read, begins anew") {
    insert(1, 2);
    {
        auto items = follow();
        all_keys(items);
    }
    SECTION("the changelog came with a restore") { run("UPDATE isorow.changelogs SET catalog = 1"); }
    SECTION("the changelog was made anew") { isorow::remove_notification(pool, "public", "items", "items"); }
    SECTION("the position is that of another changelog") {
        run("UPDATE isorow.positions SET position = '1 ' || substr(position, strpos(position, ' ') + 1)");
    }
    SECTION("no position") { run("UPDATE isorow.positions SET position = 'x'"); }
    SECTION("no snapshot") { run("UPDATE isorow.positions SET position = regexp_replace(position, '\\d+:\\d+:', 'a:b:')"); }
    auto items = follow();
    auto batch = items.next(10s);
    REQUIRE(batch);
    CHECK(test::kinds(*batch) == "begin_rows row row end_rows");
    insert(3, 3);
    CHECK(all_keys(items) == keys_of{3});
}

TEST_CASE_METHOD(followed_store, "who is told all rows again says so to the others of the changelog: they are, too") {
    auto one = follow({.consumer = "one"});
    auto other = follow({.consumer = "other"});
    test::followed_copy<Item> copy;
    insert(1, 20);
    catch_up(other, copy);
    all_keys(one);
    run("ALTER TABLE items ALTER id TYPE numeric; ALTER TABLE items ALTER id TYPE bigint; DROP TABLE isorow.items_log");
    insert(21, 22);
    CHECK(all_keys(one).size() == 22);
    insert(23, 24);
    run("DELETE FROM items WHERE id < 5");
    catch_up(other, copy);
    CHECK(copy.rows() == table());
}
