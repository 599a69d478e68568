#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/pool.hpp>
#include <isorow/pq/statement.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

isorow::result run(isorow::connection& connection, std::string const& sql) {
    return isorow::execute_script(connection, sql, connection.default_limits());
}

/// Waits until something holds, at most five seconds.
template <class Holds>
bool soon(Holds holds) {
    for (int i = 0; i < 500 && !holds(); ++i) std::this_thread::sleep_for(10ms);
    return holds();
}

void kill(int pid) { test::sql(test::dsn(), "SELECT pg_terminate_backend(" + std::to_string(pid) + ", 5000)"); }

}  // namespace

TEST_CASE("the pool's defaults are those of the documents") {
    isorow::pool_options const defaults{};
    CHECK(defaults.min_size == 4);
    CHECK(defaults.max_size == std::nullopt);
    CHECK(defaults.timeout == 30s);
    CHECK(defaults.max_waiting == 0);
    CHECK(defaults.max_lifetime == 3600s);
    CHECK(defaults.max_idle == 600s);
    CHECK(defaults.reconnect_timeout == 300s);
    CHECK(defaults.num_workers == 3);
    CHECK(defaults.connection.prepare_threshold == 5);
    CHECK(defaults.connection.prepared_max == 100);
}

TEST_CASE("a pool fills itself to min_size, and lends the same connections again") {
    isorow::pool pool(test::dsn(), {.min_size = 2});
    pool.wait();
    CHECK(pool.size() == 2);
    CHECK(pool.available() == 2);
    int const first = pool.acquire()->backend_pid();
    int const second = pool.acquire()->backend_pid();
    CHECK(first != second);
    CHECK(pool.acquire()->backend_pid() == first);
    CHECK(pool.statistics().connections_num == 2);
}

TEST_CASE("sizes that contradict each other are refused") {
    CHECK_THROWS_AS(isorow::pool(test::dsn(), {.min_size = 0, .max_size = 0}), isorow::usage_error);
    CHECK_THROWS_MATCHES(isorow::pool(test::dsn(), {.min_size = 5, .max_size = 4}), isorow::usage_error, test::says("min_size (5), not 4"));
    isorow::pool pool(test::dsn(), {.min_size = 1});
    CHECK_THROWS_AS(pool.resize(3, 2), isorow::usage_error);
}

TEST_CASE("a pool grows beyond min_size while connections are asked for, and never beyond max_size") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 3});
    auto const first = pool.acquire();
    auto const second = pool.acquire();
    auto const third = pool.acquire();
    CHECK(pool.size() == 3);
}

TEST_CASE("an exhausted pool ends the wait at the deadline and says its numbers and settings", "[concurrency]") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 2, .timeout = 1s});
    auto const first = pool.acquire();
    std::exception_ptr seen;
    {
        std::jthread const other([&] {
            auto const second = pool.acquire();
            try {
                static_cast<void>(pool.acquire());
            } catch (...) {
                seen = std::current_exception();
            }
        });
    }
    REQUIRE(seen);
    CHECK_THROWS_MATCHES(std::rethrow_exception(seen), isorow::timed_out, test::says("2 of at most 2 are lent, 0 others wait"));
    CHECK_THROWS_MATCHES(std::rethrow_exception(seen), isorow::timed_out, test::says("max_size 2, timeout 1000 ms"));
    CHECK(pool.statistics().requests_errors == 1);
}

TEST_CASE("one who holds all connections and asks for one more is told at once, where waiting would never end") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 2});
    auto const first = pool.acquire();
    auto const second = pool.acquire();
    CHECK_THROWS_MATCHES(pool.acquire(), isorow::usage_error, test::says("this thread holds all 2 connections of the pool"));
}

TEST_CASE("a lease that was passed on does not count for the thread that acquired it") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1, .timeout = 1s});
    auto first = pool.acquire();
    auto const moved = std::move(first);
    CHECK_THROWS_AS(pool.acquire(), isorow::timed_out);
}

TEST_CASE("nobody waits where max_waiting wait already", "[concurrency]") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1, .max_waiting = 1});
    auto lease = std::make_unique<isorow::lease>(pool.acquire());
    std::jthread const waits([&] { static_cast<void>(pool.acquire()); });
    REQUIRE(soon([&] { return pool.statistics().requests_waiting == 1; }));
    CHECK_THROWS_MATCHES(pool.acquire(), isorow::too_many_requests, test::says("1 wait already"));
    lease.reset();
}

TEST_CASE("configure and then init run once on each connection, after the extensions' types were looked up", "[session]") {
    std::vector<std::string> order;
    std::mutex mutex;
    isorow::pool pool(test::dsn(), {.min_size = 1,
                                    .configure =
                                        [&](isorow::connection& fresh) {
                                            std::lock_guard const lock(mutex);
                                            order.emplace_back(fresh.types().pooled() ? "types configure" : "configure");
                                        },
                                    .init =
                                        [&](isorow::connection& fresh) {
                                            run(fresh, "SET statement_timeout = '77s'");
                                            std::lock_guard const lock(mutex);
                                            order.emplace_back("init");
                                        }});
    pool.wait();
    CHECK(order == std::vector<std::string>{"types configure", "init"});
    auto const answer = run(*pool.acquire(), "SHOW statement_timeout");
    CHECK(std::string(reinterpret_cast<char const*>(answer.value(0, 0).data())) == "77s");
}

TEST_CASE("a configure that leaves a transaction open is an error, and the connection is closed") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .configure = [](isorow::connection& fresh) { run(fresh, "BEGIN"); }});
    CHECK_THROWS_MATCHES(pool.acquire(), isorow::usage_error, test::says("configure left the connection in a transaction"));
}

TEST_CASE("reset runs on each connection that comes back; one that throws costs the connection") {
    std::atomic<int> resets{0};
    std::atomic<bool> fails{false};
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1, .reset = [&](isorow::connection&) {
                                        ++resets;
                                        if (fails) throw std::runtime_error("no");
                                    }});
    int const first = pool.acquire()->backend_pid();
    CHECK(pool.acquire()->backend_pid() == first);
    fails = true;
    static_cast<void>(pool.acquire());
    CHECK(soon([&] { return pool.statistics().returns_bad >= 1; }));
    fails = false;
    CHECK(pool.acquire()->backend_pid() != first);
    CHECK(resets >= 3);
}

TEST_CASE("check runs before a connection is lent, and a connection that fails it is replaced") {
    std::atomic<int> refused{0};
    isorow::pool pool(test::dsn(), {.min_size = 2, .check = [&](isorow::connection& idle) {
                                        isorow::pool::check_connection(idle);
                                        if (refused++ == 0) throw std::runtime_error("not this one");
                                    }});
    pool.wait();
    CHECK(run(*pool.acquire(), "SELECT 1").rows() == 1);
    CHECK(pool.statistics().connections_lost == 1);
}

TEST_CASE("a connection is replaced when its lifetime is over, one at a time and on its return") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1, .max_lifetime = 100ms});
    auto lease = std::make_unique<isorow::lease>(pool.acquire());
    int const first = (*lease)->backend_pid();
    std::this_thread::sleep_for(120ms);
    lease.reset();
    CHECK(pool.acquire()->backend_pid() != first);
}

TEST_CASE("connections above min_size that nobody needs are closed, one in each max_idle") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 3, .max_idle = 100ms});
    {
        auto const first = pool.acquire();
        auto const second = pool.acquire();
        auto const third = pool.acquire();
    }
    CHECK(pool.size() == 3);
    CHECK(soon([&] { return pool.size() == 1; }));
}

TEST_CASE("resize changes the sizes, and drain replaces every connection") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1});
    pool.wait();
    pool.resize(3, 5);
    CHECK(soon([&] { return pool.available() == 3; }));
    CHECK(pool.options().max_size == 5);
    std::set<int> before;
    {
        auto const one = pool.acquire();
        auto const two = pool.acquire();
        auto const three = pool.acquire();
        before = {one->backend_pid(), two->backend_pid(), three->backend_pid()};
        pool.drain();
    }
    REQUIRE(soon([&] { return pool.available() == 3; }));
    CHECK_FALSE(before.contains(pool.acquire()->backend_pid()));
    pool.resize(0, 1);
    CHECK(soon([&] { return pool.size() == 1; }));
}

TEST_CASE("statistics count requests, waits, uses and connections, and begin anew when they are popped") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1});
    pool.wait();
    {
        auto const lease = pool.acquire();
        run(*lease, "SELECT pg_sleep(0.02)");
    }
    auto const counted = pool.pop_statistics();
    CHECK(counted.pool_min == 1);
    CHECK(counted.pool_max == 1);
    CHECK(counted.pool_size == 1);
    CHECK(counted.pool_available == 1);
    CHECK(counted.requests_num == 1);
    CHECK(counted.requests_queued == 0);
    CHECK(counted.usage_ms >= 20);
    CHECK(counted.connections_num == 1);
    CHECK(counted.connections_errors == 0);
    CHECK(pool.statistics().requests_num == 0);
}

TEST_CASE("a pool that loses its server tries again, and calls back when it gives up", "[session]") {
    test::database const own;
    std::atomic<int> gave_up{0};
    isorow::pool pool(
        own.dsn(), {.min_size = 1, .max_size = 1, .timeout = 10s, .reconnect_timeout = 600ms, .reconnect_failed = [&](std::exception_ptr) {
                        ++gave_up;
                    }});
    pool.wait();
    own.sql(test::dsn(), "ALTER DATABASE " + own.name() + " ALLOW_CONNECTIONS false");
    kill(pool.acquire()->backend_pid());
    CHECK_THROWS_MATCHES(pool.acquire(), isorow::connection_error, test::says("not currently accepting connections"));
    CHECK(soon([&] { return gave_up == 1; }));
    own.sql(test::dsn(), "ALTER DATABASE " + own.name() + " ALLOW_CONNECTIONS true");
    CHECK(run(*pool.acquire(), "SELECT 1").rows() == 1);
}

TEST_CASE("waiting for a connection is stopped from another thread") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1});
    auto acquired = pool.acquire();
    auto const passed_on = std::move(acquired);
    std::stop_source source;
    std::jthread const stopper([&] {
        std::this_thread::sleep_for(30ms);
        source.request_stop();
    });
    CHECK_THROWS_AS(pool.acquire(isorow::limits::within(60s, source.get_token())), isorow::stopped);
}

TEST_CASE("a connection that comes back in a transaction is rolled back", "[session]") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1});
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
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1});
    {
        auto const lease = pool.acquire();
        CHECK_THROWS_AS(run(*lease, "BEGIN; SELECT 1/0"), isorow::data_exception);
    }
    CHECK(pool.acquire()->is_idle());
}

TEST_CASE("broken connections are replaced, those that broke while idle and while lent", "[session]") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1});
    {
        auto const lease = pool.acquire();
        kill(lease->backend_pid());
        CHECK_THROWS_AS(run(*lease, "SELECT 1"), isorow::error);
    }
    kill(pool.acquire()->backend_pid());
    CHECK(run(*pool.acquire(), "SELECT 1").rows() == 1);
    CHECK(pool.size() == 1);
}

TEST_CASE("a pool whose server cannot be reached says so, and lends again once it can") {
    isorow::pool pool("host=127.0.0.1 port=1", {.min_size = 1, .max_size = 1});
    for (int i = 0; i < 3; ++i)
        CHECK_THROWS_MATCHES(pool.acquire(), isorow::connection_error, test::says("could not connect to 127.0.0.1:1"));
    CHECK_THROWS_MATCHES(pool.wait(), isorow::connection_error, test::says("is the server running"));
    CHECK(pool.available() == 0);
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
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 2});
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
                    if (run(*lease, "SELECT pg_sleep(0.005)").rows() == 1) ++served;
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
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1});
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
    CHECK(soon([&] { return pool.available() == 1; }));
}

TEST_CASE("a connection that comes back while another thread is about to wait is not missed", "[concurrency]") {
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1, .timeout = 5s});
    std::atomic<int> served{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 2; ++i)
            threads.emplace_back([&] {
                for (int round = 0; round < 20'000; ++round) {
                    static_cast<void>(pool.acquire());
                    ++served;
                }
            });
    }
    CHECK(served == 40'000);
}
