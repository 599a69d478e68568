// A store's operations as asynchronous ones.

#include <isorow/asio.hpp>
#include <isorow/records/store.hpp>
#include <support/server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
using isorow::async_run;
using isorow::record;
using isorow::record_store;
using isorow::records::outcome;
using isorow::records::where;

}  // namespace

TEST_CASE("each operation of a store is awaited by async_run, while the thread does other things") {
    test::database const database;
    isorow::pool pool(database.dsn());
    record_store const store(pool);
    asio::io_context context;
    std::atomic<int> ticks{0};
    std::atomic<bool> is_done{false};
    auto const ticking = [&]() -> asio::awaitable<void> {
        asio::steady_timer timer(context);
        while (!is_done) {
            timer.expires_after(std::chrono::milliseconds(1));
            co_await timer.async_wait(asio::use_awaitable);
            ++ticks;
        }
    };
    auto const work = [&]() -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        auto const run = [&](auto operation) { return async_run(executor, std::move(operation), asio::use_awaitable); };
        auto const id = co_await run([&] { return store.create({.fields = {{"name", "Alice"}}}); });
        auto const many = co_await run([&] { return store.create_batch(std::vector<record>(300)); });
        auto const found = co_await run([&] { return store.search(where("name") == "Alice"); });
        auto const updated = co_await run([&] { return store.patch(id, {{"age", 30}}); });
        std::size_t scanned = 0;
        co_await run([&] { store.scan({}, [&](record&&) { ++scanned; }); });
        auto const inside = co_await run([&] {
            return store.transact([&](record_store<>& open) {
                open.erase(id);
                // The server waits, and the thread does not.
                return isorow::scalar<std::int64_t>(pool, "SELECT 7::bigint FROM pg_sleep(0.1)");
            });
        });
        bool is_refused = false;
        try {
            co_await run([&] { return store.create({.id = many[0]}); });
        } catch (isorow::record_exists const&) {
            is_refused = true;
        }
        CHECK(found.size() == 1);
        CHECK(updated == outcome::updated);
        CHECK(scanned == 301);
        CHECK(inside == 7);
        CHECK(is_refused);
        is_done = true;
    };
    asio::co_spawn(context, ticking(), asio::use_future);
    auto done = asio::co_spawn(context, work(), asio::use_future);
    context.run();
    done.get();
    CHECK(ticks > 5);
    CHECK(store.count() == 300);
}

TEST_CASE("many operations are under way at once on few threads", "[concurrency]") {
    test::database const database;
    isorow::pool pool(database.dsn(), {.min_size = 4, .max_size = 4});
    record_store const store(pool);
    auto const id = store.create({.fields = {{"n", 0}}});
    asio::thread_pool threads(2);
    std::vector<std::future<outcome>> all;
    for (int i = 0; i < 40; ++i)
        all.push_back(async_run(
            threads.get_executor(),
            [&] {
                while (true) {
                    auto const seen = store.read(id).value();
                    auto const written = store.patch(id, {{"n", seen.fields.at("n").as_int64() + 1}}, seen.updated_at);
                    if (written != outcome::conflict) return written;
                }
            },
            asio::use_future));
    for (auto& one : all) CHECK(one.get() == outcome::updated);
    CHECK(store.read(id)->fields.at("n") == 40);
}
