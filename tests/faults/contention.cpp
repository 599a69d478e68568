#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <support/connect.hpp>
#include <support/faults.hpp>

#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct accounts {
    test::database database;

    accounts() { database.sql("CREATE TABLE account AS SELECT id, 1000 AS amount FROM generate_series(1, 2) id"); }
};

/// Moves one unit from one row to the other, in two statements, so that two of these lock each other out.
void transfer(isorow::pool& pool, int from, isorow::transaction_options options) {
    isorow::transaction work(pool, options);
    test::run(work.connection(), "UPDATE account SET amount = amount - 1 WHERE id = " + std::to_string(from));
    test::run(work.connection(), "UPDATE account SET amount = amount + 1 WHERE id = " + std::to_string(3 - from));
    work.commit();
}

std::string shown_setting(std::string const& name, std::string const& value) { return "SET " + name + " = '" + value + "'"; }

}  // namespace

TEST_CASE_METHOD(accounts, "eight threads on two rows: whole transactions retried on class 40 keep the sum") {
    auto const level = GENERATE(isorow::isolation::read_committed, isorow::isolation::repeatable_read, isorow::isolation::serializable);
    constexpr std::size_t threads = 8;
    int const transfers = test::rounds(25, 500);
    database.sql("ALTER DATABASE " + database.name() + " SET deadlock_timeout = '10ms'");
    isorow::pool pool(database.dsn(), test::pool_of(threads, 60s));
    std::atomic<int> retries = 0;
    std::atomic<int> completed = 0;
    std::atomic<int> other = 0;
    {
        std::vector<std::jthread> workers;
        for (std::size_t i = 0; i < threads; ++i)
            workers.emplace_back([&, i] {
                std::mt19937 random(static_cast<unsigned>(i));
                for (int left = transfers; left > 0;) {
                    try {
                        transfer(pool, (left + static_cast<int>(i)) % 2 + 1, {.isolation = level});
                        --left;
                        ++completed;
                    } catch (isorow::transaction_rollback const& lost_race) {
                        if (!lost_race.retryable()) ++other;
                        ++retries;
                        std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
                    } catch (isorow::error const&) {
                        ++other;
                        return;
                    }
                }
            });
    }
    INFO(completed << " transfers, " << retries << " retries");
    CHECK(other == 0);
    CHECK(completed == static_cast<int>(threads) * transfers);
    CHECK(retries > 0);
    CHECK(database.sql("SELECT sum(amount) FROM account") == "2000");
    CHECK(test::recovers(pool, threads));
}

TEST_CASE_METHOD(accounts, "a deadlock is transaction_rollback 40P01 for one, and the other commits") {
    auto first = test::connect(database.dsn());
    auto second = test::connect(database.dsn());
    test::run(first, "SET deadlock_timeout = '50ms'; BEGIN; UPDATE account SET amount = 1 WHERE id = 1");
    test::run(second, "SET deadlock_timeout = '20s'; BEGIN; UPDATE account SET amount = 2 WHERE id = 2");
    test::outcome of_second;
    test::outcome of_first;
    {
        std::jthread const waiting(
            [&] { of_second = test::outcome_of([&] { test::run(second, "UPDATE account SET amount = 2 WHERE id = 1; COMMIT"); }); });
        test::eventually(5s, [&] {
            return database.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") ==
                   "1";
        });
        of_first = test::outcome_of([&] { test::run(first, "UPDATE account SET amount = 1 WHERE id = 2"); });
        CHECK(first.in_transaction());
        test::run(first, "ROLLBACK");
    }
    INFO(of_first << "\n" << of_second);
    CHECK(of_first.sqlstate == isorow::sqlstate::deadlock_detected);
    CHECK(of_second.well());
    CHECK(first.is_idle());
    CHECK(database.sql("SELECT sum(amount) FROM account") == "4");
}

TEST_CASE("statement_timeout is operator_intervention 57014, and the connection goes on") {
    auto connection = test::connect();
    test::run(connection, shown_setting("statement_timeout", "50ms"));
    for (int i = 0; i < test::rounds(3, 100); ++i) {
        auto const told = test::outcome_of([&] { test::run(connection, "SELECT pg_sleep(20)"); });
        INFO(told);
        CHECK(told.how == test::ended::by_server);
        CHECK(told.sqlstate == isorow::sqlstate::query_canceled);
        CHECK(told.took < 50ms + test::grace);
        CHECK(connection.is_idle());
        CHECK(test::value(connection, "SELECT 7") == "7");
    }
    CHECK_THROWS_AS(test::run(connection, "SELECT pg_sleep(20)"), isorow::operator_intervention);
}

TEST_CASE("lock_timeout is object_not_in_prerequisite_state 55P03, retryable, and the connection goes on") {
    test::database const database;
    database.sql("CREATE TABLE locked (id int)");
    auto holder = test::connect(database.dsn());
    test::run(holder, "BEGIN; LOCK TABLE locked");
    auto connection = test::connect(database.dsn());
    test::run(connection, shown_setting("lock_timeout", "50ms"));
    try {
        test::run(connection, "SELECT * FROM locked");
        FAIL("the table was read");
    } catch (isorow::object_not_in_prerequisite_state const& failure) {
        CHECK(failure.sqlstate() == isorow::sqlstate::lock_not_available);
        CHECK(failure.retryable());
    }
    CHECK(connection.is_idle());
    test::run(holder, "COMMIT");
    CHECK_NOTHROW(test::run(connection, "SELECT * FROM locked"));
}

TEST_CASE("idle_in_transaction_session_timeout ends the transaction: nothing of it stays, and a pool replaces the connection") {
    test::database const database;
    database.sql("CREATE TABLE t (id int)");
    isorow::pool pool(database.dsn(), test::pool_of(2));
    for (int i = 0; i < test::rounds(2, 50); ++i) {
        auto const told = test::outcome_of([&] {
            isorow::transaction work(pool);
            test::run(work.connection(), "SET LOCAL idle_in_transaction_session_timeout = '20ms'; INSERT INTO t VALUES (1)");
            std::this_thread::sleep_for(200ms);
            work.commit();
        });
        INFO(told);
        CHECK(told.lost_or("25P03"));
        CHECK(told.took < 200ms + test::grace);
        CHECK(database.sql("SELECT count(*) FROM t") == "0");
        CHECK(test::recovers(pool, 2));
    }
}

TEST_CASE("idle_session_timeout ends idle connections of a pool, which replaces them") {
    isorow::pool pool(test::dsn(), test::pool_of(2));
    for (int i = 0; i < test::rounds(2, 30); ++i) {
        {
            auto one = pool.acquire();
            auto other = pool.acquire();
            test::run(*one, shown_setting("idle_session_timeout", "20ms"));
            test::run(*other, shown_setting("idle_session_timeout", "20ms"));
        }
        std::this_thread::sleep_for(200ms);
        CHECK(test::recovers(pool, 2));
        auto one = pool.acquire();
        test::run(*one, "RESET idle_session_timeout");
    }
}

TEST_CASE("a transaction_timeout ends the session with 25P04, and nothing of the transaction stays") {
    test::database const database;
    database.sql("CREATE TABLE t (id int)");
    isorow::connection connection(database.dsn(), {.timeout = 20s});
    auto const told = test::outcome_of([&] {
        test::run(connection, "SET transaction_timeout = '50ms'");
        isorow::transaction work(connection);
        test::run(connection, "INSERT INTO t VALUES (1)");
        test::run(connection, "SELECT pg_sleep(20)");
        work.commit();
    });
    INFO(told);
    CHECK(told.lost_or("25P04"));
    CHECK(told.took < 50ms + test::grace);
    CHECK(database.sql("SELECT count(*) FROM t") == "0");
}
