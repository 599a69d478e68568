#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/copy.hpp>
#include <isorow/pq/row_stream.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>
#include <support/own_server.hpp>

#include <chrono>
#include <csignal>
#include <functional>
#include <span>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// What a client may be told of its backend's end: the server's own word, or, where that was lost on the way, that the connection is gone.
constexpr auto terminated = isorow::sqlstate::admin_shutdown;

struct server {
    test::database database;

    server() { database.sql("CREATE TABLE t (id int, name text)"); }

    [[nodiscard]] isorow::connection connect() const { return isorow::connection(database.dsn(), {.timeout = 20s}); }
    [[nodiscard]] std::string count() const { return database.sql("SELECT count(*) FROM t"); }

    /// Ends the backend once it is in the state that the condition on pg_stat_activity describes.
    [[nodiscard]] std::jthread terminate_when(int pid, std::string const& condition) const {
        return std::jthread([address = database.dsn(), pid, condition] {
            auto const of_pid = " FROM pg_stat_activity WHERE pid = " + std::to_string(pid);
            test::eventually(10s, [&] { return test::sql(address, "SELECT " + condition + of_pid) == "t"; });
            test::terminate(pid, address);
        });
    }
};

/// Repeats a fault and looks that no descriptor stays behind.
void repeatedly(std::function<void()> const& fault) {
    fault();
    auto const before = test::open_descriptors();
    for (int i = 0; i < test::rounds(3, 200); ++i) fault();
    CHECK(test::no_leak(before));
}

std::span<std::byte const> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

TEST_CASE_METHOD(server, "a backend terminated while idle is told by the next statement, with its SQLSTATE or as a loss") {
    repeatedly([&] {
        auto connection = connect();
        test::terminate(connection.backend_pid(), database.dsn());
        auto const told = test::outcome_of([&] { test::run(connection, "SELECT 1"); });
        INFO(told);
        CHECK(told.lost_or(terminated));
        CHECK(told.took < test::grace);
        CHECK_FALSE(connection.is_open());
    });
}

TEST_CASE_METHOD(server, "a backend terminated in a statement is told as operator_intervention 57P01") {
    repeatedly([&] {
        auto connection = connect();
        auto const killer = terminate_when(connection.backend_pid(), "state = 'active' AND wait_event = 'PgSleep'");
        auto const told = test::outcome_of([&] { test::run(connection, "INSERT INTO t SELECT 1 FROM pg_sleep(60)"); });
        INFO(told);
        CHECK(told.lost_or(terminated));
        CHECK(told.took < 10s + test::grace);
        CHECK_FALSE(connection.is_open());
        CHECK(count() == "0");
    });
}

TEST_CASE_METHOD(server, "57P01 comes as its class, with the statement that was under way") {
    auto connection = connect();
    auto const killer = terminate_when(connection.backend_pid(), "state = 'active' AND wait_event = 'PgSleep'");
    try {
        test::run(connection, "SELECT pg_sleep(60)");
        FAIL("the statement ended well");
    } catch (isorow::operator_intervention const& failure) {
        CHECK(failure.sqlstate() == terminated);
        CHECK(failure.sql() == "SELECT pg_sleep(60)");
        CHECK(failure.retryable());
    }
}

TEST_CASE_METHOD(server, "a backend terminated in COPY IN leaves no row, and the COPY tells it") {
    std::string const row = "1\t" + std::string(1000, 'x') + "\n";
    repeatedly([&] {
        auto connection = connect();
        auto const told = test::outcome_of([&] {
            isorow::copy_in copy(connection, "COPY t FROM STDIN");
            for (int i = 0; i < 1000; ++i) copy.write(bytes(row));
            test::terminate(connection.backend_pid(), database.dsn());
            for (int i = 0; i < 1'000'000; ++i) copy.write(bytes(row));
            copy.finish();
        });
        INFO(told);
        CHECK(told.lost_or(terminated));
        CHECK(told.took < 10s);
        CHECK_FALSE(connection.is_open());
        CHECK(count() == "0");
    });
}

TEST_CASE_METHOD(server, "a backend terminated before a COPY IN is finished leaves no row") {
    repeatedly([&] {
        auto connection = connect();
        isorow::copy_in copy(connection, "COPY t FROM STDIN");
        copy.write(bytes("1\ta\n"));
        copy.flush();
        test::terminate(connection.backend_pid(), database.dsn());
        auto const told = test::outcome_of([&] { copy.finish(); });
        INFO(told);
        CHECK(told.lost_or(terminated));
        CHECK(told.took < test::grace);
        CHECK(count() == "0");
    });
}

TEST_CASE_METHOD(server, "a backend terminated in COPY OUT is not taken for the end of the rows") {
    repeatedly([&] {
        auto connection = connect();
        isorow::copy_out copy(connection, "COPY (SELECT generate_series(1, 100000000), repeat('x', 1000)) TO STDOUT");
        CHECK(copy.next().data() != nullptr);
        test::terminate(connection.backend_pid(), database.dsn());
        auto const told = test::outcome_of([&] {
            while (copy.next().data() != nullptr) {
            }
        });
        INFO(told);
        CHECK(told.lost_or(terminated));
        CHECK(told.took < 10s);
        CHECK_FALSE(connection.is_open());
    });
}

TEST_CASE_METHOD(server, "a backend terminated in a stream of rows is not taken for its end") {
    repeatedly([&] {
        auto connection = connect();
        isorow::row_stream rows(connection, "SELECT generate_series(1, 100000000), repeat('x', 1000)", {});
        CHECK(rows.next().has_value());
        test::terminate(connection.backend_pid(), database.dsn());
        auto const told = test::outcome_of([&] {
            while (rows.next()) {
            }
        });
        INFO(told);
        CHECK(told.lost_or(terminated));
        CHECK(told.took < 10s);
        CHECK_FALSE(connection.is_open());
    });
}

TEST_CASE_METHOD(server, "a backend terminated while its client waits for a notification ends the wait") {
    repeatedly([&] {
        auto connection = connect();
        test::run(connection, "LISTEN news");
        auto const killer = terminate_when(connection.backend_pid(), "state = 'idle'");
        bool lost = false;
        bool waited = false;
        auto const told = test::outcome_of([&] {
            connection.wait(
                [&] {
                    if (std::exchange(waited, true) && PQconsumeInput(connection.native_handle()) == 0) {
                        lost = true;
                        return isorow::interest::none;
                    }
                    auto* const notification = PQnotifies(connection.native_handle());
                    PQfreemem(notification);
                    return notification == nullptr ? isorow::interest::read : isorow::interest::none;
                },
                isorow::limits::within(20s), "waiting for a notification");
        });
        INFO(told);
        CHECK(told.well());
        CHECK(lost);
        CHECK(told.took < 10s + test::grace);
        CHECK_FALSE(connection.is_open());
    });
}

TEST_CASE_METHOD(server, "a pool whose backends were all terminated serves again within five seconds") {
    constexpr std::size_t size = 4;
    isorow::pool pool(database.dsn(), test::pool_of(size));
    REQUIRE(test::recovers(pool, size));
    auto const before = test::open_descriptors();
    for (int i = 0; i < test::rounds(3, 200); ++i) {
        test::sql(test::dsn(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database.name() + "'");
        REQUIRE(test::recovers(pool, size));
        CHECK(pool.size() == size);
    }
    CHECK(test::no_leak(before));
}

TEST_CASE("a backend killed by SIGKILL is a loss to its client, and 57P02 or a loss to the others, whose pool recovers") {
    constexpr std::size_t size = 3;
    test::own_server const server;
    isorow::pool pool(server.dsn(), test::pool_of(size));
    std::ptrdiff_t before = 0;
    for (int i = 0; i < test::rounds(2, 20); ++i) {
        test::outcome bystander;
        test::outcome victim;
        {
            auto one = pool.acquire();
            auto other = pool.acquire();
            std::jthread const waiting([&] { bystander = test::outcome_of([&] { test::run(*other, "SELECT pg_sleep(60)"); }); });
            std::jthread const dying([&] { victim = test::outcome_of([&] { test::run(*one, "SELECT pg_sleep(60)"); }); });
            CHECK(test::eventually(
                10s, [&] { return server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "2"; }));
            ::kill(one->backend_pid(), SIGKILL);
        }
        INFO("victim: " << victim << "\nbystander: " << bystander);
        CHECK(victim.how == test::ended::by_loss);
        CHECK(bystander.lost_or(isorow::sqlstate::crash_shutdown));
        CHECK(bystander.took < 10s + test::grace);
        CHECK(test::recovers(pool, size));
        if (before == 0) before = test::open_descriptors();
        CHECK(test::no_leak(before));
    }
}
