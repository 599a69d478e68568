#include <catch2/catch_test_macros.hpp>

#include <isorow/asio.hpp>
#include <isorow/query/copy.hpp>
#include <isorow/query/stack.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct Item {
    std::int64_t id;
    std::string name;
};

/// Runs an awaitable to its end on a context of its own, and throws what it throws.
template <class Result>
Result run(asio::io_context& context, asio::awaitable<Result> work) {
    auto done = asio::co_spawn(context, std::move(work), asio::use_future);
    context.run();
    return done.get();
}

}  // namespace

TEST_CASE("a query is awaited in a coroutine") {
    asio::io_context context;
    isorow::pool pool(test::dsn(), {.min_size = 1});
    auto const rows = run(context, isorow::async_query<Item>(context.get_executor(), pool,
                                                             "SELECT i AS id, i::text AS name FROM generate_series(1, $1::bigint) i",
                                                             std::tuple(std::int64_t{1000}), asio::use_awaitable));
    REQUIRE(rows.size() == 1000);
    CHECK(rows.back().name == "1000");
}

TEST_CASE("any completion token will do: a future, a callback, deferred") {
    asio::io_context context;
    isorow::pool pool(test::dsn(), {.min_size = 1});
    auto future = isorow::async_execute(context.get_executor(), pool, "SELECT generate_series(1, 3)", std::tuple<>{}, asio::use_future);
    std::int64_t seen = 0;
    isorow::async_run(
        context.get_executor(), [&] { return isorow::scalar<std::int32_t>(pool, "SELECT 7"); },
        [&](std::exception_ptr failure, std::int32_t value) {
            if (!failure) seen = value;
        });
    auto later = isorow::async_acquire(context.get_executor(), pool);
    bool lent = false;
    std::move(later)([&](std::exception_ptr failure, isorow::lease lease) { lent = !failure && lease->is_idle(); });
    context.run();
    CHECK(future.get() == 3);
    CHECK(seen == 7);
    CHECK(lent);
}

TEST_CASE("connecting, transactions, COPY, streams and pipelines run as they do elsewhere, without blocking") {
    test::database const database;
    database.sql("CREATE SCHEMA async_test");
    asio::io_context context;
    auto const work = [&]() -> asio::awaitable<std::int64_t> {
        auto const executor = co_await asio::this_coro::executor;
        isorow::connection_parameters const where{.dsn = database.dsn()};  // g++ 12 breaks aggregates made within a co_await
        auto connection = co_await isorow::async_connect(executor, where, {}, asio::use_awaitable);
        co_return co_await isorow::async_run(
            executor,
            [&] {
                isorow::execute(*connection, "CREATE TABLE async_test.\"Item\" (id bigint NOT NULL, name text NOT NULL)");
                isorow::transact(*connection, [](isorow::transaction& open) {
                    isorow::copy_writer<Item> writer(open, "async_test", "Item");
                    for (std::int64_t id = 1; id <= 10'000; ++id) writer.write({id, "x"});
                    writer.finish();
                });
                std::int64_t sum = 0;
                for (Item const& item : isorow::stream<Item>(*connection, "SELECT * FROM async_test.\"Item\"")) sum += item.id;
                isorow::stack both;
                auto const count = both.query<std::int64_t>("SELECT count(*) FROM async_test.\"Item\"");
                return sum + both.run(*connection)[count].front();
            },
            asio::use_awaitable);
    };
    CHECK(run(context, work()) == 50'005'000 + 10'000);
}

TEST_CASE("operations of one thread wait at the same time") {
    asio::io_context context;
    isorow::pool pool(test::dsn(), {.min_size = 8});
    pool.wait();
    // All wait for a lock, which is given back once they have been seen to wait together.
    auto connection = test::connect();
    std::optional<isorow::transaction> locking(connection);
    isorow::execute(*locking, "SELECT pg_advisory_xact_lock(20221)");
    std::vector<std::future<std::int64_t>> all;
    for (int i = 0; i < 8; ++i)
        all.push_back(isorow::async_execute(context.get_executor(), pool, "SELECT pg_advisory_xact_lock_shared(20221)", std::tuple<>{},
                                            asio::use_future));
    std::int64_t most = 0;
    isorow::async_run(
        context.get_executor(),
        [&] {
            auto looking = test::connect();
            for (auto const end = std::chrono::steady_clock::now() + 30s; most < 8 && std::chrono::steady_clock::now() < end;) {
                isorow::pause_for(20ms, looking.default_limits(), "looking");
                most = std::max(most,
                                isorow::scalar<std::int64_t>(looking,
                                                             "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 20221"
                                                             " AND mode = 'ShareLock' AND NOT granted"));
            }
            locking->commit();
        },
        asio::detached);
    context.run();
    for (auto& one : all) CHECK(one.get() == 1);
    CHECK(most == 8);
}

TEST_CASE("those who wait for a connection of a pool do not block the thread, and nobody is forgotten") {
    asio::io_context context;
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 2});
    std::atomic<int> served{0};
    for (int i = 0; i < 100; ++i)
        isorow::async_run(
            context.get_executor(), [&] { served += isorow::scalar<std::int32_t>(pool, "SELECT 1 FROM pg_sleep(0.001)"); }, asio::detached);
    context.run();
    CHECK(served == 100);
}

TEST_CASE("a cancelled operation ends as stopped, and is cancelled on the server too; the connection goes on") {
    asio::io_context context;
    auto connection = test::connect();
    asio::cancellation_signal signal;
    std::exception_ptr seen;
    isorow::async_run(
        context.get_executor(), [&] { return isorow::execute(connection, "SELECT pg_sleep(60)"); },
        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr failure, std::int64_t) { seen = failure; }));
    asio::steady_timer timer(context, 50ms);
    timer.async_wait([&](auto) { signal.emit(asio::cancellation_type::total); });
    context.run();
    REQUIRE(seen);
    CHECK_THROWS_AS(std::rethrow_exception(seen), isorow::stopped);
    CHECK(connection.is_idle());
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT 1") == 1);
}

TEST_CASE("the first of two operations cancels the other by the operators of coroutines") {
    using namespace asio::experimental::awaitable_operators;
    asio::io_context context;
    isorow::pool pool(test::dsn(), {.min_size = 2});
    auto const work = [&]() -> asio::awaitable<std::size_t> {
        auto const executor = co_await asio::this_coro::executor;
        auto const outcome = co_await (isorow::async_execute(executor, pool, "SELECT pg_sleep(60)", std::tuple<>{}, asio::use_awaitable) ||
                                       isorow::async_execute(executor, pool, "SELECT 1", std::tuple<>{}, asio::use_awaitable));
        co_return outcome.index();
    };
    CHECK(run(context, work()) == 1);
}

TEST_CASE("a deadline and a stop token end an operation as they do elsewhere") {
    asio::io_context context;
    auto connection = test::connect();
    std::stop_source source;
    auto late = isorow::async_run(
        context.get_executor(), [&] { return isorow::execute(isorow::within(connection, 50ms), "SELECT pg_sleep(60)"); }, asio::use_future);
    context.run();
    CHECK_THROWS_AS(late.get(), isorow::timed_out);
    context.restart();
    auto ended = isorow::async_run(
        context.get_executor(), [&] { return isorow::execute(isorow::within(connection, 60s, source.get_token()), "SELECT pg_sleep(60)"); },
        asio::use_future);
    std::jthread const stopper([&] {
        std::this_thread::sleep_for(50ms);
        source.request_stop();
    });
    context.run();
    CHECK_THROWS_AS(ended.get(), isorow::stopped);
}

TEST_CASE("coroutines that fail and clean up at the same time keep their exceptions apart", "[concurrency]") {
    asio::thread_pool threads(2);
    isorow::pool pool(test::dsn(), {.min_size = 4, .max_size = 4});
    std::atomic<int> right{0};
    std::vector<std::future<void>> all;
    for (int i = 0; i < 40; ++i)
        all.push_back(isorow::async_run(
            threads.get_executor(),
            [&, i] {
                try {
                    // The transaction rolls back, over the network, while the exception is on its way.
                    isorow::transaction open(pool);
                    isorow::execute(open, "SELECT 1 / ($1::int4 - $1::int4), pg_sleep(0.001)", i);
                } catch (isorow::data_exception const& failure) {
                    auto const before = std::string(failure.what());
                    isorow::pause_for(1ms, isorow::limits::within(10s), "resting in a handler");
                    if (before == failure.what() && failure.sqlstate() == "22012") ++right;
                }
            },
            asio::use_future));
    for (auto& one : all) one.get();
    CHECK(right == 40);
}

TEST_CASE("rows come as an asynchronous generator") {
    asio::io_context context;
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1});
    auto const work = [&]() -> asio::awaitable<std::int64_t> {
        isorow::async_rows<Item> rows(co_await asio::this_coro::executor, pool,
                                      "SELECT i AS id, 'x' AS name FROM generate_series(1, $1::bigint) i", std::tuple(std::int64_t{1000}));
        std::int64_t sum = 0;
        while (auto const item = co_await rows.async_next(asio::use_awaitable)) sum += item->id;
        co_return sum;
    };
    CHECK(run(context, work()) == 500'500);
    CHECK(pool.available() == 1);
}

TEST_CASE("a generator that is closed early gives its connection back") {
    asio::io_context context;
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1});
    auto const work = [&]() -> asio::awaitable<std::int64_t> {
        auto const executor = co_await asio::this_coro::executor;
        isorow::async_rows<std::int64_t> rows(executor, pool, "SELECT generate_series(1::bigint, 100000000)");
        auto const first = co_await rows.async_next(asio::use_awaitable);
        co_await rows.async_close(asio::use_awaitable);
        co_return *first + co_await isorow::async_run(
                               executor, [&] { return isorow::scalar<std::int64_t>(pool, "SELECT 1::bigint"); }, asio::use_awaitable);
    };
    CHECK(run(context, work()) == 2);
}

TEST_CASE("a source's rows come as an asynchronous generator") {
    struct Number {
        std::int64_t id;
        static consteval auto isorow_table() { return isorow::table("numbers"); }
    };
    test::database const database;
    database.sql("CREATE TABLE numbers (id bigint NOT NULL); INSERT INTO numbers SELECT generate_series(1, 1000)");
    asio::io_context context;
    isorow::pool pool(database.dsn(), {.min_size = 1, .max_size = 1});
    auto const work = [&]() -> asio::awaitable<std::int64_t> {
        isorow::source<Number> const numbers(pool, {.sql_filter = "id <= 100"});
        isorow::async_rows<Number> rows(co_await asio::this_coro::executor, numbers);
        std::int64_t sum = 0;
        while (auto const row = co_await rows.async_next(asio::use_awaitable)) sum += row->id;
        co_return sum;
    };
    CHECK(run(context, work()) == 5050);
    CHECK(pool.available() == 1);
}

TEST_CASE("a source's batches come as an asynchronous generator, read by one connection or several") {
    struct Note {
        std::int64_t id;
        std::string_view body;
        static consteval auto isorow_table() { return isorow::table("notes"); }
    };
    test::database const database;
    database.sql(
        "CREATE TABLE notes (id bigint NOT NULL, body text NOT NULL); INSERT INTO notes SELECT g, repeat('x', 100) || g FROM "
        "generate_series(1, 20000) g");
    isorow::pool pool(database.dsn(), {.min_size = 1, .max_size = 4});
    isorow::source<Note> const notes(pool);
    for (std::size_t const connections : {1U, 3U}) {
        asio::io_context context;
        auto const work = [&]() -> asio::awaitable<std::int64_t> {
            isorow::async_batches<Note> batches(co_await asio::this_coro::executor, notes, {.rows = 500, .connections = connections});
            std::int64_t right = 0;
            while (auto const batch = co_await batches.async_next(asio::use_awaitable))
                for (auto const& note : *batch) right += note.body.substr(100) == std::to_string(note.id) ? 1 : 0;
            co_return right;
        };
        CHECK(run(context, work()) == 20'000);
        context.restart();
        auto const left_early = [&]() -> asio::awaitable<std::size_t> {
            isorow::async_batches<Note> batches(co_await asio::this_coro::executor, notes, {.rows = 10, .connections = connections});
            auto const first = co_await batches.async_next(asio::use_awaitable);
            co_await batches.async_close(asio::use_awaitable);
            co_return first->size();
        };
        CHECK(run(context, left_early()) == 10);
    }
}

TEST_CASE("errors come as they are thrown elsewhere") {
    asio::io_context context;
    auto connection = test::connect();
    auto future = isorow::async_execute(context.get_executor(), connection, "SELECT nonsense", std::tuple<>{}, asio::use_future);
    context.run();
    CHECK_THROWS_AS(future.get(), isorow::syntax_error_or_access_rule_violation);
}
