// Who has a store for himself: a thread, or a coroutine on whatever thread.

#include <isorow/asio.hpp>
#include <isorow/records/file_store.hpp>
#include <isorow/records/memory_store.hpp>
#include <isorow/sqlite.hpp>
#include <records/backends.hpp>
#include <support/server.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using isorow::async_run;
using isorow::records::memory_store;
using isorow::records::outcome;
using isorow::records::where;

/// Waits as a coroutine does, and leaves the thread to others meanwhile.
void pause(std::chrono::milliseconds time) { isorow::pause_for(time, isorow::limits::until_stopped({}), "testing"); }

}  // namespace

#define STORES_OF_A_PROCESS test::memory_records, test::file_records, test::sqlite_records

TEST_CASE("a coroutine whose transaction waits for Postgres keeps others out of it, also those of its thread") {
    test::database const database;
    isorow::pool pool(database.dsn());
    memory_store store;
    asio::io_context context;
    auto failing = async_run(
        context.get_executor(),
        [&] {
            store.transact([&](memory_store& inside) {
                inside.create({.fields = {{"by", "a"}}});
                static_cast<void>(isorow::scalar<std::int64_t>(pool, "SELECT 7::bigint FROM pg_sleep(0.1)"));
                throw std::runtime_error("no");
            });
            return 0;
        },
        asio::use_future);
    std::size_t seen = 1;
    auto waiting = async_run(
        context.get_executor(),
        [&] {
            auto const id = store.create({.fields = {{"by", "b"}}});
            seen = store.count(where("by") == "a");
            return id;
        },
        asio::use_future);
    context.run();
    CHECK_THROWS_AS(failing.get(), std::runtime_error);
    CHECK(seen == 0);
    CHECK(store.exists(waiting.get()));
    CHECK(store.count() == 1);
}

TEMPLATE_TEST_CASE("coroutines on few threads take turns in a store", "[concurrency]", STORES_OF_A_PROCESS) {
    TestType backend;
    auto& store = backend.store;
    auto const id = store.create({.fields = {{"n", 0}}});
    asio::thread_pool threads(2);
    std::vector<std::future<int>> all;
    for (int i = 0; i < 20; ++i)
        all.push_back(async_run(
            threads.get_executor(),
            [&] {
                store.transact([&](auto& inside) {
                    auto const before = inside.read(id)->fields.at("n").as_int64();
                    pause(1ms);
                    inside.transact([&](auto& inner) { inner.patch(id, {{"n", before + 1}}); });
                });
                return 0;
            },
            asio::use_future));
    for (auto& one : all) one.get();
    CHECK(store.read(id)->fields.at("n") == 20);
}

TEST_CASE("a store is free when the coroutine that had it has ended on another thread") {
    memory_store store;
    asio::io_context context;
    auto done = async_run(
        context.get_executor(),
        [&] {
            // Asked of the system: compilers take it for granted that a function stays on its thread.
            auto const begun_on = ::gettid();
            store.transact([&](memory_store& inside) {
                inside.create({});
                pause(1ms);
                inside.create({});
            });
            return ::gettid() != begun_on;
        },
        asio::use_future);
    context.poll();
    std::thread([&] { context.run(); }).join();
    CHECK(done.get());
    std::thread([&] { store.create({}); }).join();
    CHECK(store.count() == 3);
}

TEST_CASE("a coroutine that is cancelled while it waits for a store gives up, and the store goes on") {
    memory_store store;
    asio::io_context context;
    asio::cancellation_signal cancel;
    auto first = async_run(
        context.get_executor(),
        [&] {
            store.transact([&](memory_store& inside) {
                inside.create({});
                pause(20ms);
                cancel.emit(asio::cancellation_type::total);
                pause(20ms);
            });
            return 0;
        },
        asio::use_future);
    auto second =
        async_run(context.get_executor(), [&] { return store.clear(); }, asio::bind_cancellation_slot(cancel.slot(), asio::use_future));
    context.run();
    first.get();
    CHECK_THROWS_AS(second.get(), isorow::stopped);
    CHECK(store.count() == 1);
}

TEMPLATE_TEST_CASE("threads and a coroutine keep each other out of a store", "[concurrency]", STORES_OF_A_PROCESS) {
    TestType backend;
    auto& store = backend.store;
    auto const id = store.create({.fields = {{"n", 0}}});
    auto const count = [&] {
        for (int i = 0; i < 10; ++i)
            store.transact([&](auto& inside) {
                auto const before = inside.read(id)->fields.at("n").as_int64();
                pause(1ms);
                inside.patch(id, {{"n", before + 1}});
            });
        return 0;
    };
    asio::io_context context;
    auto done = async_run(context.get_executor(), count, asio::use_future);
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back(count);
    context.run();
    for (auto& thread : threads) thread.join();
    done.get();
    CHECK(store.read(id)->fields.at("n") == 40);
}
