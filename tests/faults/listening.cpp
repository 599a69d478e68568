#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/listener.hpp>
#include <support/fault_proxy.hpp>
#include <support/faults.hpp>
#include <support/own_server.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// Whether the next that a listener tells is a gap, and what is sent then comes.
void check_gap(isorow::listener& listener, std::string const& address, std::string const& payload) {
    std::optional<isorow::listener_event> event;
    auto const told = test::outcome_of([&] { event = listener.next(5s); });
    INFO(told);
    REQUIRE(told.well());
    CHECK(told.took < 5s + test::grace);
    REQUIRE(event.has_value());
    CHECK(event->gap);
    test::sql(address, "NOTIFY news, '" + payload + "'");
    event = listener.next(5s);
    REQUIRE(event.has_value());
    CHECK_FALSE(event->gap);
    CHECK(event->received.payload == payload);
}

}  // namespace

TEST_CASE("a listener whose backend is terminated hands out a gap, and listens again") {
    test::database const database;
    isorow::listener listener(database.dsn(), {"news"});
    auto const before = test::open_descriptors();
    for (int i = 0; i < test::rounds(3, 200); ++i) {
        std::jthread const terminating([&, pid = listener.connection().backend_pid()] {
            if (i % 2 == 0) std::this_thread::sleep_for(50ms);
            test::terminate(pid, database.dsn());
        });
        check_gap(listener, database.dsn(), "after loss " + std::to_string(i));
    }
    CHECK(test::no_leak(before));
}

TEST_CASE("a listener whose connection is cut hands out a gap, and listens again") {
    test::database const database;
    test::fault_proxy proxy(database.dsn());
    isorow::listener listener(proxy.dsn(), {"news"});
    for (int i = 0; i < test::rounds(3, 100); ++i) {
        // The next connection is cut at the first notification, the one after that is whole.
        test::terminate(listener.connection().backend_pid(), database.dsn());
        proxy.next({.trigger = "LISTEN", .answer_bytes = 30, .reset = i % 2 == 1});
        auto event = listener.next(5s);
        REQUIRE(event.has_value());
        CHECK(event->gap);
        test::sql(database.dsn(), "NOTIFY news, 'never arrives whole'");
        check_gap(listener, database.dsn(), "after cut " + std::to_string(i));
    }
}

TEST_CASE("a listener outlives restarts of its server, with a gap for each") {
    test::own_server const server;
    isorow::listener listener(server.dsn(), {"news"}, {.longest_pause = 200ms});
    for (int i = 0; i < test::rounds(2, 20); ++i) {
        server.restart(i % 2 == 0 ? "immediate" : "fast");
        check_gap(listener, server.dsn(), "after restart " + std::to_string(i));
    }
}

TEST_CASE("a listener whose server is away ends its wait at the deadline, and finds the server when it is back") {
    test::database const database;
    test::fault_proxy proxy(database.dsn());
    isorow::listener listener(proxy.dsn(), {"news"}, {.longest_pause = 100ms});
    proxy.refuse(true);
    test::terminate(listener.connection().backend_pid(), database.dsn());
    for (int i = 0; i < test::rounds(2, 20); ++i) {
        std::optional<isorow::listener_event> event;
        auto const told = test::outcome_of([&] { event = listener.next(300ms); });
        INFO(told);
        CHECK(told.well());
        CHECK_FALSE(event.has_value());
        CHECK(told.took < 300ms + test::grace);
    }
    proxy.refuse(false);
    check_gap(listener, database.dsn(), "back");
}

TEST_CASE("a frozen server does not hold a listener beyond the deadline of its wait") {
    test::own_server const server;
    isorow::listener listener(server.dsn(), {"news"});
    test::outcome told;
    {
        test::frozen const backend(listener.connection().backend_pid());
        test::frozen const postmaster(server.postmaster());
        told = test::outcome_of([&] { static_cast<void>(listener.next(300ms)); });
    }
    INFO(told);
    CHECK(told.well());
    CHECK(told.took < 300ms + test::grace);
    server.sql("NOTIFY news, 'thawed'");
    auto const event = listener.next(5s);
    REQUIRE(event.has_value());
    CHECK(event->received.payload == "thawed");
}
