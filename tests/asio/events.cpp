#include <catch2/catch_test_macros.hpp>

#include <isorow/asio.hpp>
#include <support/connect.hpp>
#include <support/followed_copy.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct Item {
    std::int64_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&Item::id>(); }
    friend bool operator==(Item const&, Item const&) = default;
};

struct shop {
    test::database database;
    isorow::pool pool{database.dsn(), {.min_size = 1}};
    isorow::source<Item> source{pool};

    shop() { database.sql("CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL); INSERT INTO items VALUES (1, 'lamp')"); }

    [[nodiscard]] auto events(asio::any_io_executor const& executor) {
        return isorow::async_events<Item>(executor, [this] {
            return isorow::follow(source, isorow::changelog{.notification = {.wakes = true}}, {.consumer = "asynchronous"});
        });
    }
};

}  // namespace

TEST_CASE_METHOD(shop, "changes come as an asynchronous generator, while the same thread does other things", "[session]") {
    asio::io_context context;
    test::followed_copy<Item> copy;
    bool ends = false;
    auto const follow = [&]() -> asio::awaitable<void> {
        auto batches = events(co_await asio::this_coro::executor);
        while (copy.rows() != std::map<std::int64_t, Item>{{1, {1, "lamp"}}, {3, {3, "three"}}}) {
            auto batch = co_await batches.async_next(asio::use_awaitable);
            copy.apply(*batch);
        }
        ends = true;
    };
    auto const write = [&]() -> asio::awaitable<void> {
        auto const executor = co_await asio::this_coro::executor;
        int id = 3;
        while (!ends) {
            id = id == 2 ? 3 : 2;
            std::string const statement = id == 2 ? "INSERT INTO items VALUES (2, 'two') ON CONFLICT DO NOTHING"
                                                  : "INSERT INTO items VALUES (3, 'three') ON CONFLICT DO NOTHING";
            co_await isorow::async_execute(executor, pool, statement, std::tuple<>{}, asio::use_awaitable);
            co_await isorow::async_execute(executor, pool, "DELETE FROM items WHERE id = 2", std::tuple<>{}, asio::use_awaitable);
            asio::steady_timer timer(executor, 10ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    };
    auto followed = asio::co_spawn(context, follow(), asio::use_future);
    auto written = asio::co_spawn(context, write(), asio::use_future);
    context.run();
    followed.get();
    written.get();
    CHECK(copy.rows().size() == 2);
}

TEST_CASE_METHOD(shop, "waiting for changes is cancelled by the token's slot, and goes on afterwards", "[session]") {
    asio::io_context context;
    auto batches = events(context.get_executor());
    auto first = batches.async_next(asio::use_future);
    context.run();
    CHECK(test::kinds(*first.get()) == "begin_rows row end_rows");

    context.restart();
    asio::cancellation_signal signal;
    auto cancelled = batches.async_next(asio::bind_cancellation_slot(signal.slot(), asio::use_future));
    asio::steady_timer timer(context, 50ms);
    timer.async_wait([&](auto) { signal.emit(asio::cancellation_type::terminal); });
    context.run();
    CHECK_THROWS_AS(cancelled.get(), isorow::stopped);

    context.restart();
    database.sql("DELETE FROM items");
    auto next = batches.async_next(asio::use_future);
    context.run();
    CHECK(test::kinds(*next.get()) == "removed");
}
