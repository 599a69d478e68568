#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/transact.hpp>
#include <isorow/source/follow.hpp>
#include <support/fault_proxy.hpp>
#include <support/faults.hpp>
#include <support/followed_copy.hpp>
#include <support/own_server.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Account {
    std::int64_t id;
    std::int64_t amount;

    static consteval auto isorow_table() { return isorow::table("accounts").primary_key<&Account::id>(); }
    friend bool operator==(Account const&, Account const&) = default;
};

/// The tables of a test: what is followed, a copy that is written in the transactions in which positions are saved, and a ledger with each
/// batch that was applied, by the position that it went on from.
constexpr std::string_view tables =
    "CREATE TABLE accounts (id bigint PRIMARY KEY, amount bigint NOT NULL); INSERT INTO accounts SELECT i, 0 FROM generate_series(1, 40) i;"
    "CREATE TABLE copied (id bigint PRIMARY KEY, amount bigint NOT NULL); CREATE TABLE told (id bigint);"
    "CREATE TABLE ledger (consumer text, position text, PRIMARY KEY (consumer, position))";

constexpr std::string_view difference =
    "SELECT count(*) FROM (SELECT * FROM accounts EXCEPT SELECT * FROM copied UNION ALL (SELECT * FROM copied EXCEPT SELECT * FROM "
    "accounts)) d";

void apply(isorow::transaction& work, isorow::source_event<Account> const& event) {
    using enum isorow::event_kind;
    switch (event.kind) {
        case begin_rows:
            isorow::execute(work, "DELETE FROM told");
            break;
        case row:
        case upserted:
            isorow::execute(work, "INSERT INTO copied VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET amount = excluded.amount",
                            event.row->id, event.row->amount);
            if (event.kind == row) isorow::execute(work, "INSERT INTO told VALUES ($1)", event.row->id);
            break;
        case end_rows:
            isorow::execute(work, "DELETE FROM copied WHERE id NOT IN (SELECT id FROM told)");
            break;
        case removed:
            isorow::execute(work, "DELETE FROM copied WHERE id = $1", *event.key);
            break;
    }
}

/// What a thread that follows has met.
struct account_of_follower {
    int interruptions = 0;
    int batches = 0;
    std::vector<std::string> unexpected{};
};

/// Follows until it is told to end and nothing comes any more; what is applied and the position are committed together.
void keep(isorow::pool& from, isorow::pool& to, std::atomic<bool> const& ended, account_of_follower& told) {
    isorow::source<Account> const source(from);
    for (bool is_last = false; !is_last;) {
        is_last = ended;
        auto const result = test::outcome_of([&] {
            auto accounts =
                isorow::follow(source, isorow::changelog{.notification = {.channel = "accounts", .wakes = true}, .interval = 100ms},
                               {.consumer = "copy", .batch = 7});
            while (auto batch = accounts.next(is_last ? 1s : 300ms)) {
                isorow::transact(to, [&](isorow::transaction& work) {
                    for (auto const& event : *batch) apply(work, event);
                    // Refuses what would be done a second time from the same position.
                    if (!batch->position().empty()) isorow::execute(work, "INSERT INTO ledger VALUES ('copy', $1)", batch->position());
                    batch->save(work);
                });
                ++told.batches;
            }
        });
        if (result.well()) continue;
        is_last = false;
        ++told.interruptions;
        // A commit in doubt may have happened: the position says so when it is followed again.
        if (result.how == test::ended::otherwise || result.how == test::ended::by_misuse ||
            (result.how == test::ended::by_server && !result.sqlstate.starts_with("57P") && !result.sqlstate.starts_with("53") &&
             !result.sqlstate.starts_with("08")))
            told.unexpected.push_back(result.text);
    }
}

/// Writes until it is told to end.
void write(std::string const& address, unsigned seed, std::atomic<bool> const& ended) {
    std::mt19937 random(seed);
    auto const pick = [&](int count) { return std::uniform_int_distribution<int>(1, count)(random); };
    std::optional<isorow::connection> connection;
    while (!ended) {
        static_cast<void>(test::outcome_of([&] {
            if (!connection || !connection->is_open()) connection.emplace(address, isorow::connection_options{.timeout = 20s});
            auto const some = pick(40);
            switch (pick(5)) {
                case 1:
                    test::run(*connection,
                              isorow::text("INSERT INTO accounts VALUES ({}, 1) ON CONFLICT (id) DO UPDATE SET amount = 1", some));
                    break;
                case 2:
                    test::run(*connection, isorow::text("DELETE FROM accounts WHERE id = {}", some));
                    break;
                case 3:
                    test::run(*connection,
                              isorow::text("UPDATE accounts SET id = {} WHERE id = {} AND NOT EXISTS (SELECT FROM accounts WHERE id = {})",
                                           1000 + some, some, 1000 + some));
                    break;
                default:
                    test::run(*connection, isorow::text("UPDATE accounts SET amount = amount + 1 WHERE id % 10 = {}", some % 10));
            }
        }));
        std::this_thread::sleep_for(std::chrono::milliseconds(pick(4)));
    }
}

}  // namespace

TEST_CASE("backends are terminated and connections cut under a load: no final state is missed, and each batch is applied once") {
    test::database const database;
    database.sql(std::string(tables));
    test::fault_proxy proxy(database.dsn());
    isorow::pool from(proxy.dsn(), test::pool_of(2));
    isorow::pool to(proxy.dsn(), test::pool_of(2));
    std::atomic<bool> writes_end = false;
    std::atomic<bool> ended = false;
    account_of_follower told;
    std::jthread follower([&] { keep(from, to, ended, told); });
    {
        std::jthread const one([&] { write(database.dsn(), 1, writes_end); });
        std::jthread const other([&] { write(database.dsn(), 2, writes_end); });
        std::mt19937 random(7);
        for (int i = 0; i < test::rounds(20, 1000); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10 + random() % 40));
            if (i % 3 == 0) proxy.next({.cut_at = {test::fault_plan::never, 400 + random() % 20'000}, .reset = i % 2 == 0});
            else
                // Whoever it is: followers, what they apply, listeners. Writers are left alone.
                test::sql(database.dsn(),
                          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
                          "pg_backend_pid() AND query NOT LIKE '%accounts %' ORDER BY random() LIMIT 1");
        }
        writes_end = true;
    }
    ended = true;
    follower.join();
    INFO(told.interruptions << " interruptions, " << told.batches << " batches");
    CHECK(told.unexpected == std::vector<std::string>{});
    CHECK(told.batches > 0);
    CHECK(database.sql(std::string(difference)) == "0");
}

TEST_CASE("a server is restarted while a table is followed: it goes on, and no final state is missed") {
    test::own_server const server;
    server.sql(std::string(tables));
    isorow::pool from(server.dsn(), test::pool_of(2));
    isorow::pool to(server.dsn(), test::pool_of(2));
    std::atomic<bool> writes_end = false;
    std::atomic<bool> ended = false;
    account_of_follower told;
    std::jthread follower([&] { keep(from, to, ended, told); });
    {
        std::jthread const writer([&] { write(server.dsn(), 1, writes_end); });
        for (int i = 0; i < test::rounds(2, 20); ++i) {
            std::this_thread::sleep_for(500ms);
            server.restart(i % 2 == 0 ? "immediate" : "fast");
        }
        std::this_thread::sleep_for(300ms);
        writes_end = true;
    }
    ended = true;
    follower.join();
    INFO(told.interruptions << " interruptions, " << told.batches << " batches");
    CHECK(told.unexpected == std::vector<std::string>{});
    CHECK(server.sql(std::string(difference)) == "0");
}

TEST_CASE("a range that is walked goes on by itself after its connections are lost, and its positions are saved") {
    test::database const database;
    database.sql(std::string(tables));
    isorow::pool from(database.dsn(), test::pool_of(2));
    test::followed_copy<Account> copy;
    std::stop_source stop;
    std::atomic<std::int64_t> seen = -1;
    std::string failure;
    std::atomic<bool> is_over = false;
    std::jthread follower([&] {
        auto const told = test::outcome_of([&] {
            auto accounts = isorow::follow(isorow::source<Account>(from), isorow::changelog{.interval = 50ms},
                                           {.consumer = "copy", .stop = stop.get_token()});
            for (auto& batch : accounts) {
                copy.apply(batch);
                if (auto const found = copy.rows().find(1); found != copy.rows().end()) seen = found->second.amount;
            }
        });
        if (!told.well()) failure = told.text;
        is_over = true;
    });
    REQUIRE(test::eventually(60s, [&] { return seen == 0; }));
    for (int i = 1; i <= test::rounds(10, 200); ++i) {
        test::sql(database.dsn(),
                  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        test::sql(database.dsn(), "UPDATE accounts SET amount = " + std::to_string(i) + " WHERE id = 1");
        REQUIRE(test::eventually(60s, [&] { return seen == i || is_over; }));
    }
    stop.request_stop();
    follower.join();
    CHECK(failure.empty());
    auto again = isorow::follow(isorow::source<Account>(from), isorow::changelog{.interval = 50ms}, {.consumer = "copy"});
    CHECK_FALSE(again.next(0ms));
}

TEST_CASE("a follower whose pool is exhausted is told, and loses nothing") {
    test::database const database;
    database.sql(std::string(tables));
    isorow::pool from(database.dsn(), test::pool_of(1, 300ms));
    auto accounts = isorow::follow(isorow::source<Account>(from), isorow::changelog{.interval = 20ms}, {.consumer = "copy", .batch = 10});
    test::followed_copy<Account> copy;
    for (int i = 0; i < 6; ++i) {
        {
            // By another thread: who holds all connections and asks for one more is told so at once.
            std::atomic<bool> is_taken = false;
            std::jthread const other([&](std::stop_token const& stop) {
                auto const taken = from.acquire();
                is_taken = true;
                while (!stop.stop_requested()) std::this_thread::sleep_for(5ms);
            });
            while (!is_taken) std::this_thread::sleep_for(1ms);
            test::sql(database.dsn(), "UPDATE accounts SET amount = amount + 1 WHERE id % 2 = " + std::to_string(i % 2));
            auto const told = test::outcome_of([&] { static_cast<void>(accounts.next(0ms)); });
            INFO(told);
            CHECK(told.how == test::ended::by_deadline);
        }
        if (auto batch = accounts.next(10s)) copy.apply(*batch);
    }
    catch_up(accounts, copy);
    CHECK(copy.rows() == test::rows_by_key(isorow::source<Account>(from)));
}
