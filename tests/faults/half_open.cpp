#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/copy.hpp>
#include <isorow/pq/row_stream.hpp>
#include <support/connect.hpp>
#include <support/fault_proxy.hpp>
#include <support/faults.hpp>
#include <support/network.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include <unistd.h>

using namespace std::chrono_literals;

namespace {

std::span<std::byte const> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A client on another network, whose link to the server is cut without a word while `call` is under way.
struct other_network {
    test::database database;
    std::optional<test::network> network{};
    std::optional<test::fault_proxy> proxy{};

    other_network() {
        if (::geteuid() != 0) SKIP("only root makes network namespaces");
        try {
            network.emplace();
            proxy.emplace(database.dsn(), network->near());
        } catch (std::exception const& failure) {
            FAIL("no second network could be made, although this is root (is iproute2 installed?): " << failure.what());
        }
    }

    [[nodiscard]] std::string dsn(std::string const& settings) const { return proxy->dsn() + "?gssencmode=disable&" + settings; }

    /// `call` is given a connection from the other network and a function that pulls the cable.
    test::outcome lose(std::string const& settings, std::chrono::milliseconds timeout,
                       std::function<void(isorow::connection&, std::function<void()> const&)> const& call) {
        test::outcome told{.how = test::ended::otherwise, .text = "the thread did not enter the other network"};
        bool open = true;
        {
            auto const client = network->inside([&] {
                std::optional<isorow::connection> connection;
                told = test::outcome_of([&] { connection.emplace(dsn(settings), isorow::connection_options{.timeout = timeout}); });
                if (!told.well()) return;
                std::chrono::steady_clock::time_point pulled;
                told = test::outcome_of([&] {
                    call(*connection, [&] {
                        network->pull();
                        pulled = std::chrono::steady_clock::now();
                    });
                });
                told.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - pulled);
                open = connection->is_open();
            });
        }
        network->plug();
        CHECK_FALSE(open);
        return told;
    }
};

constexpr auto keepalives = "keepalives_idle=1&keepalives_interval=1&keepalives_count=3";

}  // namespace

TEST_CASE_METHOD(other_network, "a connection that went half open while a statement runs is lost within ten seconds by keepalives") {
    auto const told = lose(keepalives, 60s, [](isorow::connection& connection, auto const& pull) {
        std::jthread const pulling([&] {
            std::this_thread::sleep_for(300ms);
            pull();
        });
        test::run(connection, "SELECT pg_sleep(40)");
    });
    INFO(told);
    CHECK(told.how == test::ended::by_loss);
    CHECK(told.took < 10s + test::grace);
}

TEST_CASE_METHOD(other_network,
                 "a connection that went half open between statements is lost within ten seconds by keepalives and tcp_user_timeout") {
    auto const told = lose(std::string(keepalives) + "&tcp_user_timeout=3000", 60s, [](isorow::connection& connection, auto const& pull) {
        test::run(connection, "SELECT 1");
        pull();
        test::run(connection, "SELECT 1");
    });
    INFO(told);
    CHECK(told.how == test::ended::by_loss);
    CHECK(told.took < 10s + test::grace);
}

TEST_CASE_METHOD(other_network,
                 "a COPY IN over a connection that went half open is lost within ten seconds by tcp_user_timeout, and leaves no row") {
    database.sql("CREATE TABLE t (body text)");
    std::string const row = std::string(1000, 'x') + "\n";
    auto const told = lose(std::string(keepalives) + "&tcp_user_timeout=3000", 60s, [&](isorow::connection& connection, auto const& pull) {
        isorow::copy_in copy(connection, "COPY t FROM STDIN");
        for (int i = 0; i < 10'000; ++i) copy.write(bytes(row));
        pull();
        for (int i = 0; i < 1'000'000; ++i) copy.write(bytes(row));
        copy.finish();
    });
    INFO(told);
    CHECK(told.how == test::ended::by_loss);
    CHECK(told.took < 10s + test::grace);
    proxy.reset();
    CHECK(test::eventually(10s, [&] { return database.sql("SELECT count(*) FROM pg_stat_progress_copy") == "0"; }));
    CHECK(database.sql("SELECT count(*) FROM t") == "0");
}

TEST_CASE_METHOD(other_network,
                 "a stream of rows over a connection that went half open is lost within ten seconds, not taken for its end") {
    auto const told = lose(keepalives, 60s, [](isorow::connection& connection, auto const& pull) {
        isorow::row_stream rows(connection, "SELECT generate_series(1, 100000000), repeat('x', 1000)", {});
        static_cast<void>(rows.next());
        pull();
        while (rows.next()) {
        }
    });
    INFO(told);
    CHECK(told.how == test::ended::by_loss);
    CHECK(told.took < 10s + test::grace);
}

TEST_CASE_METHOD(other_network, "without keepalives the client's own deadline ends a wait on a half-open connection") {
    auto const told = lose("keepalives=0", 1s, [](isorow::connection& connection, auto const& pull) {
        test::run(connection, "SELECT 1");
        pull();
        test::run(connection, "SELECT 1");
    });
    INFO(told);
    CHECK(told.how == test::ended::by_deadline);
    CHECK(told.took < 1s + test::grace);
}

TEST_CASE_METHOD(other_network, "connecting over a dead link ends at the deadline, and works when the link is back") {
    test::outcome dead{.how = test::ended::otherwise, .text = "the thread did not enter the other network"};
    test::outcome alive{.how = test::ended::otherwise, .text = "the thread did not enter the other network"};
    network->pull();
    {
        auto const client =
            network->inside([&] { dead = test::outcome_of([&] { isorow::connection const late(dsn(""), {.connect_timeout = 700ms}); }); });
    }
    network->plug();
    {
        auto const client = network->inside([&] {
            alive = test::outcome_of([&] {
                test::eventually(10s, [&] {
                    return test::outcome_of([&] { isorow::connection const early(dsn(""), {.connect_timeout = 1s}); }).well();
                });
                isorow::connection const connection(dsn(""), {.connect_timeout = 5s});
            });
        });
    }
    INFO(dead << "\n" << alive);
    CHECK((dead.how == test::ended::by_deadline || dead.how == test::ended::by_refusal));
    CHECK(dead.took < 700ms + test::grace);
    CHECK(alive.well());
}
