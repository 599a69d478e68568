#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <support/faults.hpp>
#include <support/own_server.hpp>

#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// What one thread was told of the entries that it wrote.
struct account {
    std::vector<int> acknowledged{};
    std::vector<int> refused{};  ///< an error that says that nothing was written
    std::vector<int> unknown{};  ///< commit_unknown
    std::vector<std::string> unexpected{};
    std::chrono::milliseconds longest{};
};

/// Writes one entry after another, each in a transaction of its own, until it is told to stop.
void write_entries(isorow::pool& pool, int first, std::atomic<bool> const& enough, account& told) {
    for (int entry = first; !enough; ++entry) {
        auto const result = test::outcome_of([&] {
            isorow::transaction work(pool);
            test::run(work.connection(), "INSERT INTO ledger VALUES (" + std::to_string(entry) + ")");
            work.commit();
        });
        told.longest = std::max(told.longest, result.took);
        switch (result.how) {
            case test::ended::well:
                told.acknowledged.push_back(entry);
                break;
            case test::ended::in_doubt:
                told.unknown.push_back(entry);
                break;
            case test::ended::by_server:
            case test::ended::by_loss:
            case test::ended::by_refusal:
            case test::ended::by_deadline:
                told.refused.push_back(entry);
                break;
            default:
                told.unexpected.push_back(result.text);
                return;
        }
    }
}

}  // namespace

TEST_CASE("a server restarted under load: each commit that was acknowledged is there once, none that was refused, and the pool serves") {
    auto const mode = GENERATE(as<std::string>{}, "fast", "immediate");
    constexpr std::size_t size = 4;
    constexpr int threads = 6;
    test::own_server const server;
    server.sql("CREATE TABLE ledger (entry int)");
    isorow::pool pool(server.dsn(), test::pool_of(size, 15s));
    REQUIRE(test::recovers(pool, size));
    auto const descriptors = test::open_descriptors();

    std::atomic<bool> enough = false;
    std::vector<account> accounts(threads);
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < threads; ++i)
            writers.emplace_back([&, i] { write_entries(pool, i * 10'000'000, enough, accounts[static_cast<std::size_t>(i)]); });
        for (int i = 0; i < test::rounds(3, 30); ++i) {
            std::this_thread::sleep_for(300ms);
            server.restart(mode);
        }
        std::this_thread::sleep_for(300ms);
        enough = true;
    }
    CHECK(test::recovers(pool, size));
    CHECK(test::no_leak(descriptors));

    isorow::connection reader(server.dsn());
    std::multiset<std::string> rows;
    auto const all = test::run(reader, "SELECT entry FROM ledger");
    for (int row = 0; row < all.rows(); ++row)
        rows.emplace(reinterpret_cast<char const*>(all.value(row, 0).data()), all.value(row, 0).size());
    std::size_t missing = 0;
    std::size_t repeated = 0;
    std::size_t denied = 0;
    std::size_t acknowledged = 0;
    std::size_t refused = 0;
    std::size_t unknown = 0;
    for (auto const& told : accounts) {
        for (auto const entry : told.acknowledged) {
            auto const found = rows.count(std::to_string(entry));
            missing += found == 0 ? 1U : 0U;
            repeated += found > 1 ? 1U : 0U;
        }
        for (auto const entry : told.refused) denied += rows.count(std::to_string(entry));
        acknowledged += told.acknowledged.size();
        refused += told.refused.size();
        unknown += told.unknown.size();
        CHECK(told.unexpected == std::vector<std::string>{});
        // Waiting for a connection, the insert, the commit and its settling have 15, 15 and about 15 s each.
        CHECK(told.longest < 45s + test::grace);
    }
    INFO(mode << ": " << acknowledged << " acknowledged, " << refused << " refused, " << unknown << " unknown, " << rows.size() << " rows");
    CHECK(acknowledged > 0);
    CHECK(refused + unknown > 0);
    CHECK(missing == 0);
    CHECK(repeated == 0);
    CHECK(denied == 0);
    CHECK(rows.size() >= acknowledged);
    CHECK(rows.size() <= acknowledged + unknown);
}

TEST_CASE("a pool waits out a restart: acquiring fails clearly while the server is down, and works afterwards") {
    test::own_server const server;
    isorow::pool pool(server.dsn(), test::pool_of(2, 3s));
    REQUIRE(test::recovers(pool, 2));
    for (int i = 0; i < test::rounds(2, 20); ++i) {
        std::jthread const restarting([&] { server.restart("immediate"); });
        auto const end = std::chrono::steady_clock::now() + 1s;
        while (std::chrono::steady_clock::now() < end) {
            auto const told = test::outcome_of([&] { test::run(*pool.acquire(), "SELECT 1"); });
            INFO(told);
            CHECK(told.how != test::ended::otherwise);
            CHECK(told.how != test::ended::by_misuse);
            CHECK(told.took < 6s + test::grace);
            std::this_thread::sleep_for(5ms);
        }
    }
    CHECK(test::recovers(pool, 2));
}
