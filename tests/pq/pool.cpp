#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/pool.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

isorow::result run(isorow::connection& connection, std::string const& sql) {
    return isorow::execute_script(connection, sql, connection.default_limits());
}

}  // namespace

TEST_CASE("a pool connects when it is first asked, and lends the same connection again") {
    isorow::pool pool(test::dsn());
    CHECK(pool.size() == 0);
    int const first = pool.acquire()->backend_pid();
    CHECK(pool.size() == 1);
    CHECK(pool.available() == 1);
    CHECK(pool.acquire()->backend_pid() == first);
}

TEST_CASE("a pool has four connections unless another number is said, and at least one") {
    CHECK(isorow::pool(test::dsn()).options().size == 4);
    CHECK_THROWS_AS(isorow::pool(test::dsn(), {.size = 0}), isorow::usage_error);
}

TEST_CASE("an exhausted pool ends the wait at the deadline and says how many are lent and wait") {
    isorow::pool pool(test::dsn(), {.size = 2, .acquire_timeout = 50ms});
    auto const first = pool.acquire();
    auto const second = pool.acquire();
    CHECK_THROWS_MATCHES(pool.acquire(), isorow::timed_out, test::says("all 2 are lent, 0 others wait"));
}

TEST_CASE("waiting for a connection is stopped from another thread") {
    isorow::pool pool(test::dsn(), {.size = 1});
    auto const only = pool.acquire();
    std::stop_source source;
    std::jthread const stopper([&] {
        std::this_thread::sleep_for(30ms);
        source.request_stop();
    });
    CHECK_THROWS_AS(pool.acquire(isorow::limits::within(60s, source.get_token())), isorow::stopped);
}

TEST_CASE("a connection that comes back in a transaction is rolled back") {
    isorow::pool pool(test::dsn(), {.size = 1});
    {
        auto const lease = pool.acquire();
        run(*lease, "CREATE TEMP TABLE t (id int)");
        run(*lease, "BEGIN; INSERT INTO t VALUES (1)");
    }
    auto const lease = pool.acquire();
    CHECK(lease->is_idle());
    CHECK(run(*lease, "SELECT FROM t").rows() == 0);
}

TEST_CASE("a connection that comes back in a failed transaction is rolled back too") {
    isorow::pool pool(test::dsn(), {.size = 1});
    {
        auto const lease = pool.acquire();
        CHECK_THROWS_AS(run(*lease, "BEGIN; SELECT 1/0"), isorow::data_exception);
    }
    CHECK(pool.acquire()->is_idle());
}

TEST_CASE("broken connections are replaced, those that broke while idle and while lent") {
    isorow::pool pool(test::dsn(), {.size = 1});
    auto const kill = [](int pid) { test::sql(test::dsn(), "SELECT pg_terminate_backend(" + std::to_string(pid) + ", 5000)"); };
    {
        auto const lease = pool.acquire();
        kill(lease->backend_pid());
        CHECK_THROWS_AS(run(*lease, "SELECT 1"), isorow::error);
    }
    CHECK(run(*pool.acquire(), "SELECT 1").rows() == 1);
    CHECK(pool.size() == 1);
}

TEST_CASE("a pool whose server cannot be reached says so, and lends again once it can") {
    isorow::pool pool("host=127.0.0.1 port=1", {.size = 1});
    for (int i = 0; i < 3; ++i) CHECK_THROWS_AS(pool.acquire(), isorow::connection_error);
    CHECK(pool.size() == 0);
}

TEST_CASE("a closed pool lends nothing, and closes what comes back") {
    isorow::pool pool(test::dsn());
    {
        auto const lease = pool.acquire();
        pool.close();
        CHECK_THROWS_MATCHES(pool.acquire(), isorow::usage_error, test::says("the pool is closed"));
    }
    CHECK(pool.size() == 0);
}

TEST_CASE("eight threads share two connections, never more and never one at once", "[concurrency]") {
    isorow::pool pool(test::dsn(), {.size = 2});
    std::atomic<int> lent{0};
    std::atomic<int> most{0};
    std::atomic<int> served{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&] {
                for (int round = 0; round < 50; ++round) {
                    auto const lease = pool.acquire();
                    int const now = ++lent;
                    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
                    }
                    if (run(*lease, "SELECT 1").rows() == 1) ++served;
                    --lent;
                }
            });
        }
    }
    CHECK(served == 400);
    CHECK(most == 2);
    CHECK(pool.size() == 2);
}

TEST_CASE("those who time out while others wait lose no connection", "[concurrency]") {
    isorow::pool pool(test::dsn(), {.size = 1});
    std::atomic<int> served{0};
    std::atomic<int> late{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&, i] {
                for (int round = 0; round < 30; ++round) {
                    try {
                        auto const lease = pool.acquire(isorow::limits::within(std::chrono::microseconds(200 + 100 * i)));
                        run(*lease, "SELECT 1");
                        ++served;
                    } catch (isorow::timed_out const&) {
                        ++late;
                    }
                }
            });
        }
    }
    CHECK(served + late == 240);
    CHECK(run(*pool.acquire(), "SELECT 1").rows() == 1);
    CHECK(pool.size() == 1);
    CHECK(pool.available() == 1);
}
