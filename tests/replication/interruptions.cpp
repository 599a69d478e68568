// What goes wrong on the way, and how a stream goes on: nothing is lost, nothing comes twice that was confirmed.

#include <catch2/catch_test_macros.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <isorow/asio.hpp>
#include <replication/followed.hpp>
#include <support/matchers.hpp>
#include <support/own_server.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using isorow::change_kind;
using test::followed;
using test::inserted_ids;
using test::Item;
using test::soon;
using test::take;

namespace {

std::string insert(int id) { return "INSERT INTO items VALUES (" + std::to_string(id) + ", NULL, 0)"; }

}  // namespace

TEST_CASE("the server is answered while the consumer is busy longer than wal_sender_timeout") {
    followed<> const items("busy_consumer");
    auto stream = items.changes();
    items.sql(insert(1));
    REQUIRE(stream.next(soon()) != nullptr);
    // Much waits to be read meanwhile, so that the server has its hands full, too.
    items.sql("INSERT INTO items SELECT i, repeat('x', 1000), 0 FROM generate_series(2, 30000) i");
    std::this_thread::sleep_for(12s);  // the server's timeout is 5 s
    CHECK(inserted_ids(take(stream, 2)).size() == 30'000);
}

TEST_CASE("without anybody who reads, a stream that is idle stays") {
    followed<> const items("idle_consumer");
    auto stream = items.changes();
    std::this_thread::sleep_for(12s);
    items.sql(insert(1));
    CHECK(inserted_ids(take(stream)) == std::vector<std::int64_t>{1});
}

TEST_CASE("what was not confirmed comes again, what was confirmed does not") {
    followed<> const items("confirmed");
    {
        auto stream = items.changes();
        items.sql(insert(1));
        items.sql(insert(2));
        items.sql(insert(3));
        auto const first = take(stream);
        stream.confirm(first.back().transaction.end);
        CHECK(stream.confirmed() == first.back().transaction.end);
        CHECK(inserted_ids(take(stream, 2)) == std::vector<std::int64_t>{2, 3});
    }
    auto again = items.changes();
    CHECK(inserted_ids(take(again, 2)) == std::vector<std::int64_t>{2, 3});
    again.confirm_delivered();
    again.resume();
    items.sql(insert(4));
    CHECK(inserted_ids(take(again)) == std::vector<std::int64_t>{4});
}

TEST_CASE("where it is asked for, a transaction is confirmed when the next event is asked for") {
    followed<> const items("confirmed_on_next");
    auto const open = [&] { return items.changes([](auto& options) { options.confirmation = isorow::confirmation::on_next; }); };
    {
        auto stream = open();
        items.sql(insert(1));
        items.sql(insert(2));
        take(stream, 2);  // the second is not dealt with, as nobody has asked for more
    }
    {
        auto stream = open();
        CHECK(inserted_ids(take(stream)) == std::vector<std::int64_t>{2});
        CHECK(stream.next(0s) == nullptr);
    }
    items.sql(insert(3));
    auto stream = open();
    CHECK(inserted_ids(take(stream)) == std::vector<std::int64_t>{3});
}

TEST_CASE("what was not delivered cannot be confirmed") {
    followed<> const items("confirm_too_much");
    auto stream = items.changes();
    items.sql(insert(1));
    auto const end = take(stream).back().transaction.end;
    CHECK_THROWS_MATCHES(stream.confirm({end.value + 1000}), isorow::usage_error, test::says("nothing behind"));
    stream.confirm(end);
    stream.confirm({end.value - 1});  // never goes back
    CHECK(stream.confirmed() == end);
}

TEST_CASE("a reader that keeps its own place goes on from there, whatever the slot was told") {
    followed<> const items("own_place");
    isorow::lsn kept;
    {
        auto stream = items.changes();
        for (int id = 1; id <= 3; ++id) items.sql(insert(id));
        kept = take(stream, 2).back().transaction.end;  // nothing is confirmed
    }
    auto stream = items.changes([&](auto& options) { options.resume_from = kept; });
    CHECK(inserted_ids(take(stream)) == std::vector<std::int64_t>{3});
}

TEST_CASE("an idle slot goes on, so that it does not hold WAL of what it does not publish") {
    followed<> const items("idle_slot", std::string(test::items_ddl) + "; CREATE TABLE unpublished (t text)");
    auto stream = items.changes();
    items.sql(insert(1));
    auto const end = take(stream).back().transaction.end;
    items.sql("INSERT INTO unpublished SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
    // What was delivered is not confirmed by itself …
    for (int i = 0; i < 20; ++i) CHECK(stream.next(100ms) == nullptr);
    CHECK(stream.confirmed() < end);
    // … and when it is, what comes behind is.
    stream.confirm(end);
    CHECK(test::eventually(60s, [&] {
        static_cast<void>(stream.next(100ms));
        return stream.confirmed() > end && items.status().confirmed > end;
    }));
}

TEST_CASE("a walsender that is terminated is told by its SQLSTATE, and the stream goes on with nothing lost or doubled") {
    followed<> const items("terminated");
    auto stream = items.changes();
    std::jthread const writer([&] {
        isorow::connection db(items.dsn);
        for (int id = 1; id <= 400; ++id) test::run(db, insert(id));
    });
    std::jthread const assassin([&](std::stop_token const& stop) {
        while (!stop.stop_requested()) {
            std::this_thread::sleep_for(150ms);
            test::sql(test::dsn(), "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'terminated'");
        }
    });
    std::map<std::int64_t, int> seen;
    std::vector<std::int64_t> open;
    int failures = 0;
    for (bool broken = false; seen.size() < 400 || failures == 0;) {
        auto const how = test::outcome_of([&] {
            if (broken) {
                open.clear();  // its transaction comes again
                stream.resume();
                broken = false;
            }
            auto const* const event = stream.next(200ms);
            if (event == nullptr) return;
            if (event->kind == change_kind::insert) open.push_back(event->row.id);
            if (event->kind != change_kind::commit) return;
            for (auto const id : open) ++seen[id];
            open.clear();
            stream.confirm(event->transaction.end);
        });
        if (how.well()) continue;
        INFO(how);
        REQUIRE((how.lost_or("57P01") || how.how == test::ended::by_refusal));
        ++failures;
        broken = true;
    }
    CHECK(failures > 0);
    CHECK(seen.size() == 400);
    for (auto const& [id, times] : seen) {
        CAPTURE(id);
        CHECK(times == 1);
    }
}

TEST_CASE("a walsender that is terminated in a large transaction: the transaction comes again, whole") {
    followed<> const items("terminated_within");
    auto stream = items.changes();
    items.sql("INSERT INTO items SELECT i, repeat('x', 1000), 0 FROM generate_series(1, 20000) i");
    for (int i = 0; i < 5'000; ++i) REQUIRE(stream.next(soon()) != nullptr);
    test::terminate(items.status().process);
    auto const how = test::outcome_of([&] { take(stream); });
    INFO(how);
    CHECK(how.lost_or("57P01"));
    stream.resume();
    CHECK(inserted_ids(take(stream)).size() == 20'000);
}

TEST_CASE("a restart of the server loses nothing") {
    test::own_server const server({"wal_level=logical"});
    server.sql(test::items_ddl);
    isorow::connection db(server.dsn());
    isorow::create_publication<Item>(db, "p");
    static_cast<void>(isorow::create_slot(server.dsn(), "restarted"));
    isorow::changes<Item> stream(server.dsn(), {.slot = "restarted", .publication = "p"});
    server.sql(insert(1));
    stream.confirm(take(stream).back().transaction.end);
    server.sql(insert(2));
    server.restart("immediate");
    auto const how = test::outcome_of([&] {
        for (;;) take(stream);
    });
    INFO(how);
    CHECK((how.how == test::ended::by_loss || how.how == test::ended::by_server));
    stream.resume();
    server.sql(insert(3));
    CHECK(inserted_ids(take(stream, 2)) == std::vector<std::int64_t>{2, 3});
}

TEST_CASE("a stop ends the wait, and the stream goes on") {
    followed<> const items("stopped");
    auto stream = items.changes();
    std::stop_source stop;
    std::jthread const later([&] {
        std::this_thread::sleep_for(200ms);
        stop.request_stop();
    });
    CHECK_THROWS_AS(static_cast<void>(stream.next(isorow::limits::until_stopped(stop.get_token()))), isorow::stopped);
    items.sql(insert(1));
    CHECK(inserted_ids(take(stream)) == std::vector<std::int64_t>{1});
}

TEST_CASE("delay and lag are told, and go when everything was confirmed") {
    followed<> const items("lagging");
    auto stream = items.changes();
    CHECK(stream.delay() == 0us);
    items.sql(insert(1));
    take(stream);
    std::this_thread::sleep_for(10ms);
    CHECK(stream.delay() >= 10ms);
    auto const slot = stream.slot().value();
    CHECK(slot.active);
    CHECK(slot.process > 0);
    CHECK(slot.lag_bytes.value() > 0);
    CHECK(slot.retained_bytes.value() >= slot.lag_bytes.value());
    CHECK(slot.wal_status == "reserved");
    CHECK_FALSE(slot.is_lost());
    stream.confirm_delivered();
    CHECK(stream.delay() == 0us);
}

TEST_CASE("a stream may be moved while its keeper is at work") {
    followed<> const items("moved");
    auto first = items.changes();
    auto second = std::move(first);
    items.sql(insert(1));
    CHECK(inserted_ids(take(second)) == std::vector<std::int64_t>{1});
}

TEST_CASE("the same calls are asynchronous within a coroutine") {
    followed<> const items("asynchronous");
    boost::asio::io_context context;
    std::vector<std::int64_t> seen;
    int ticks = 0;
    auto done = isorow::async_run(
        context.get_executor(),
        [&] {
            auto stream = items.changes();
            seen = inserted_ids(take(stream));
        },
        boost::asio::use_future);
    boost::asio::steady_timer timer(context);
    std::function<void()> tick = [&] {
        timer.expires_after(50ms);
        timer.async_wait([&](boost::system::error_code) {
            if (++ticks == 5) items.sql(insert(1));
            if (seen.empty() && ticks < 2000) tick();
        });
    };
    tick();
    context.run();
    done.get();
    CHECK(ticks >= 5);
    CHECK(seen == std::vector<std::int64_t>{1});
}
