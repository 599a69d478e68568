#include <catch2/catch_test_macros.hpp>

#include <support/connect.hpp>
#include <support/fault_proxy.hpp>
#include <support/faults.hpp>
#include <support/own_server.hpp>

#include <chrono>
#include <string>

using namespace std::chrono_literals;

namespace {

struct ledger {
    test::database database;
    test::fault_proxy proxy{database.dsn()};

    ledger() { database.sql("CREATE TABLE ledger (entry int PRIMARY KEY)"); }

    [[nodiscard]] bool has(int entry) const {
        return database.sql("SELECT count(*) FROM ledger WHERE entry = " + std::to_string(entry)) == "1";
    }

    /// Writes an entry through the proxy, whose plan is for this connection.
    test::outcome write(int entry, test::fault_plan plan) {
        plan.trigger = "COMMIT";
        proxy.next(std::move(plan));
        isorow::connection connection(proxy.dsn(), {.timeout = 5s});
        isorow::transaction work(connection);
        test::run(connection, "INSERT INTO ledger VALUES (" + std::to_string(entry) + ")");
        return test::outcome_of([&] { work.commit(); });
    }
};

/// The answer to COMMIT: CommandComplete with its tag, and ReadyForQuery.
constexpr int answer_size = 12 + 6;

}  // namespace

TEST_CASE_METHOD(ledger, "a COMMIT whose answer is cut at any byte was committed, and commit says so") {
    int entry = 0;
    std::ptrdiff_t descriptors = 0;
    for (int repeat = 0; repeat < test::rounds(1, 20); ++repeat)
        for (bool const reset : {false, true})
            for (int passed = 0; passed <= answer_size; ++passed) {
                auto const told = write(++entry, {.answer_bytes = static_cast<std::size_t>(passed), .reset = reset});
                INFO("after " << passed << " bytes of the answer, reset " << reset << ": " << told);
                CHECK(told.well());
                CHECK(told.took < 5s + test::grace);
                CHECK(has(entry));
                CHECK(test::eventually(5s, [&] { return proxy.open() == 0; }));
                if (descriptors == 0) descriptors = test::open_descriptors();
                CHECK(test::no_leak(descriptors));
            }
}

TEST_CASE_METHOD(ledger, "a COMMIT that is cut before it arrives was rolled back, and commit says so") {
    for (int entry = 1; entry <= test::rounds(5, 200); ++entry) {
        auto const told = write(entry, {.before_trigger = [] {}, .reset = entry % 2 == 0});
        INFO(told);
        CHECK(told.how == test::ended::by_loss);
        CHECK(told.text.find("was rolled back") != std::string::npos);
        CHECK(told.took < 5s + test::grace);
        CHECK_FALSE(has(entry));
    }
}

TEST_CASE_METHOD(ledger, "a COMMIT whose answer is lost while the server cannot be asked is commit_unknown") {
    auto const told = write(1, {.before_trigger = [&] { proxy.refuse(true); }});
    INFO(told);
    CHECK(told.how == test::ended::in_doubt);
    // The server is asked for ten seconds, the last time with five seconds for connecting.
    CHECK(told.took < 15s + test::grace);
    CHECK_FALSE(has(1));
}

TEST_CASE("a transaction id that a crashed server gives to another transaction does not make a lost commit a success") {
    // The id of a transaction of which no WAL was written before the crash is given out again.
    test::own_server const server({"wal_writer_delay=10s", "autovacuum=off"});
    server.sql("CREATE TABLE ledger (entry int)");
    test::fault_proxy proxy(server.dsn());
    proxy.next({.trigger = "COMMIT", .before_trigger = [&] {
                    server.restart("immediate");
                    for (int other = 0; other < 5; ++other) server.sql("INSERT INTO ledger VALUES (0)");
                }});
    isorow::connection connection(proxy.dsn(), {.timeout = 30s});
    isorow::transaction work(connection);
    test::run(connection, "INSERT INTO ledger VALUES (1)");
    auto const told = test::outcome_of([&] { work.commit(); });
    INFO(told);
    REQUIRE(server.sql("SELECT count(*) FROM ledger WHERE entry = 1") == "0");
    CHECK((told.how == test::ended::by_loss || told.how == test::ended::in_doubt));
}

TEST_CASE_METHOD(ledger, "a transaction that has written nothing is lost with its connection, not in doubt") {
    proxy.next({.trigger = "COMMIT", .before_trigger = [] {}});
    isorow::connection connection(proxy.dsn(), {.timeout = 5s});
    isorow::transaction work(connection);
    test::run(connection, "SELECT 1");
    auto const told = test::outcome_of([&] { work.commit(); });
    INFO(told);
    CHECK(told.how == test::ended::by_loss);
    CHECK(told.took < test::grace);
}

TEST_CASE_METHOD(ledger, "a pool gives its connection of a lost COMMIT up, and serves") {
    isorow::pool pool(proxy.dsn(), test::pool_of(2, 5s));
    for (int entry = 1; entry <= test::rounds(5, 100); ++entry) {
        auto const told = test::outcome_of([&] {
            isorow::transaction work(pool);
            test::run(work.connection(), "INSERT INTO ledger VALUES (" + std::to_string(entry) + ")");
            test::terminate(work.connection().backend_pid(), database.dsn());
            work.commit();
        });
        INFO(told);
        CHECK((told.how == test::ended::by_loss || told.sqlstate == isorow::sqlstate::admin_shutdown));
        CHECK_FALSE(has(entry));
        CHECK(test::recovers(pool, 2));
    }
}
