#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <isorow/pq/session.hpp>
#include <isorow/pq/transact.hpp>
#include <isorow/query/prepared_transactions.hpp>
#include <isorow/query/query.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using isorow::session;
using isorow::transact;
using isorow::transaction;

namespace {

/// A database with a ledger, and pools and connections to it.
struct ledger {
    test::database database;
    isorow::pool pool{database.dsn(), {.min_size = 1, .timeout = 10s}};
    isorow::connection connection = test::connect(database.dsn());

    ledger() { database.sql("CREATE TABLE ledger (entry text); CREATE TABLE balance (id int PRIMARY KEY, amount int NOT NULL)"); }

    std::string entries() { return database.sql("SELECT coalesce(string_agg(entry, ' ' ORDER BY entry), '') FROM ledger"); }
    template <class Where>
    static void add(Where& where, std::string const& entry) {
        isorow::execute(where, "INSERT INTO ledger VALUES ($1)", entry);
    }
    template <class Where>
    static std::string show(Where& where, std::string const& setting) {
        return isorow::scalar<std::string>(where, "SELECT current_setting($1)", setting);
    }
};

/// Fails with an SQLSTATE of one's own choice.
template <class Where>
void fail_with(Where& where, std::string const& code) {
    isorow::execute(where, "DO $$ BEGIN RAISE EXCEPTION 'made to fail' USING ERRCODE = '" + code + "'; END $$");
}

isorow::retry_options quickly(int attempts = 10) { return {.attempts = attempts, .first_pause = 1ms}; }

}  // namespace

TEST_CASE_METHOD(ledger, "a session begins by itself, and what is not committed is rolled back") {
    {
        session work(pool);
        CHECK_FALSE(work.in_transaction());
        add(work, "lost");
        CHECK(work.in_transaction());
    }
    CHECK(entries().empty());
}

TEST_CASE_METHOD(ledger, "a session keeps what is committed, and begins again") {
    session work(pool);
    add(work, "first");
    work.commit();
    CHECK_FALSE(work.in_transaction());
    CHECK(entries() == "first");
    add(work, "second");
    work.rollback();
    add(work, "third");
    work.commit();
    CHECK(entries() == "first third");
}

TEST_CASE_METHOD(ledger, "a session on a connection of the caller's leaves it at rest") {
    {
        session work(connection);
        add(work, "lost");
    }
    CHECK(connection.is_idle());
    CHECK(entries().empty());
}

TEST_CASE_METHOD(ledger, "commit and rollback where nothing was run do nothing") {
    session work(pool);
    work.commit();
    work.rollback();
    CHECK_FALSE(work.in_transaction());
}

TEST_CASE_METHOD(ledger, "with autocommit each statement stays by itself") {
    session work(pool, {.autocommit = true});
    add(work, "kept");
    CHECK_FALSE(work.in_transaction());
    CHECK(entries() == "kept");
}

TEST_CASE_METHOD(ledger, "with autocommit a transaction lasts from begin to its end") {
    session work(pool, {.autocommit = true});
    work.begin();
    add(work, "lost");
    work.rollback();
    work.begin();
    add(work, "kept");
    CHECK(entries().empty());
    work.commit();
    CHECK(entries() == "kept");
    add(work, "also");
    CHECK(entries() == "also kept");
}

TEST_CASE_METHOD(ledger, "autocommit is changed between transactions, not in one") {
    session work(pool);
    add(work, "kept");
    CHECK_THROWS_AS(work.autocommit(true), isorow::usage_error);
    work.commit();
    work.autocommit(true);
    add(work, "also");
    CHECK(entries() == "also kept");
}

TEST_CASE_METHOD(ledger, "to begin twice is an error that leaves the transaction as it is") {
    session work(pool);
    work.begin();
    add(work, "kept");
    CHECK_THROWS_MATCHES(work.begin(), isorow::usage_error, test::says("commit or roll back first"));
    work.commit();
    CHECK(entries() == "kept");
}

TEST_CASE_METHOD(ledger, "the isolation level may be set by the first statement of a session") {
    session work(pool);
    isorow::execute(work, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    CHECK(show(work, "transaction_isolation") == "serializable");
    work.commit();
    CHECK(show(work, "transaction_isolation") == "read committed");
}

TEST_CASE_METHOD(ledger, "the isolation level may be set by the first statement after begin") {
    session work(pool, {.autocommit = true});
    work.begin();
    isorow::execute(work, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
    CHECK(show(work, "transaction_isolation") == "serializable");
}

TEST_CASE_METHOD(ledger, "options of a session are those of each transaction that it begins") {
    session work(pool, {.transaction = {.isolation = isorow::isolation::serializable, .read_only = true, .deferrable = true}});
    for (int i = 0; i < 2; ++i) {
        CHECK(show(work, "transaction_isolation") == "serializable");
        CHECK(show(work, "transaction_read_only") == "on");
        CHECK(show(work, "transaction_deferrable") == "on");
        work.rollback();
    }
    CHECK_THROWS_AS(add(work, "refused"), isorow::invalid_transaction_state);
}

TEST_CASE_METHOD(ledger, "options given to begin are those of this transaction alone") {
    session work(pool);
    work.begin({.isolation = isorow::isolation::repeatable_read});
    CHECK(show(work, "transaction_isolation") == "repeatable read");
    work.commit();
    CHECK(show(work, "transaction_isolation") == "read committed");
}

TEST_CASE_METHOD(ledger, "a transaction has the options that it was begun with") {
    using isorow::isolation;
    auto const [level, name] = GENERATE(table<isolation, std::string>({{isolation::server_default, "read committed"},
                                                                       {isolation::read_committed, "read committed"},
                                                                       {isolation::repeatable_read, "repeatable read"},
                                                                       {isolation::serializable, "serializable"}}));
    transaction work(connection, {.isolation = level, .read_only = true});
    CHECK(show(work, "transaction_isolation") == name);
    CHECK(show(work, "transaction_read_only") == "on");
    CHECK(show(work, "transaction_deferrable") == "off");
}

TEST_CASE_METHOD(ledger, "a commit after a failed statement says so, and the session goes on") {
    session work(pool);
    add(work, "lost");
    CHECK_THROWS_AS(isorow::execute(work, "SELECT 1 / 0"), isorow::data_exception);
    CHECK_THROWS_MATCHES(work.commit(), isorow::usage_error, test::says("a statement in it had failed"));
    CHECK_FALSE(work.in_transaction());
    add(work, "kept");
    work.commit();
    CHECK(entries() == "kept");
}

TEST_CASE_METHOD(ledger, "a rollback after a failed statement lets the session go on") {
    session work(pool);
    CHECK_THROWS_AS(isorow::execute(work, "SELECT 1 / 0"), isorow::data_exception);
    work.rollback();
    add(work, "kept");
    work.commit();
    CHECK(entries() == "kept");
}

TEST_CASE_METHOD(ledger, "a commit that the server refuses ends the session's transaction") {
    database.sql("CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    session work(pool);
    isorow::execute(work, "INSERT INTO late VALUES (1), (1)");
    CHECK_THROWS_AS(work.commit(), isorow::integrity_constraint_violation);
    CHECK_FALSE(work.in_transaction());
    add(work, "kept");
    work.commit();
    CHECK(entries() == "kept");
}

TEST_CASE_METHOD(ledger, "transactions in a session's transaction are savepoints") {
    session work(pool);
    add(work, "outer");
    {
        transaction inner(work.connection());
        add(work, "lost");
        CHECK_THROWS_AS(isorow::execute(inner, "SELECT 1 / 0"), isorow::data_exception);
        inner.rollback();
    }
    {
        transaction inner(work.connection());
        add(inner, "inner");
        transaction innermost(work.connection());
        add(innermost, "innermost");
        innermost.commit();
        inner.commit();
    }
    work.commit();
    CHECK(entries() == "inner innermost outer");
}

TEST_CASE_METHOD(ledger, "an outer transaction does not end while an inner one is open") {
    transaction outer(connection);
    {
        transaction const inner(connection);
        CHECK_THROWS_MATCHES(outer.commit(), isorow::usage_error, test::says("is still open: it ends first"));
        CHECK_THROWS_MATCHES(outer.rollback(), isorow::usage_error, test::says("is still open: it ends first"));
    }
    add(outer, "kept");
    outer.commit();
    CHECK(entries() == "kept");
}

TEST_CASE_METHOD(ledger, "a session's transaction does not end while an inner one is open") {
    session work(pool);
    work.begin();
    {
        transaction const inner(work.connection());
        CHECK_THROWS_AS(work.commit(), isorow::usage_error);
        CHECK(work.in_transaction());
    }
    work.commit();
}

TEST_CASE_METHOD(ledger, "one-shot calls on a pool commit by themselves") {
    add(pool, "kept");
    CHECK(entries() == "kept");
    CHECK_THROWS_AS(isorow::execute(pool, "SELECT 1 / 0"), isorow::data_exception);
    CHECK(isorow::scalar<std::int64_t>(pool, "SELECT count(*) FROM ledger") == 1);
}

TEST_CASE_METHOD(ledger, "transact commits what it ran, and gives what it gave") {
    CHECK(transact(pool, [](transaction& work) {
              add(work, "kept");
              return 7;
          }) == 7);
    transact(connection, [](transaction& work) { add(work, "also"); });
    CHECK(entries() == "also kept");
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(ledger, "transact leaves a transaction that was ended inside as it is") {
    transact(connection, [](transaction& work) {
        add(work, "lost");
        work.rollback();
    });
    CHECK(entries().empty());
}

TEST_CASE_METHOD(ledger, "a lost race under serializable is run again until it is won") {
    database.sql("INSERT INTO balance VALUES (1, 10), (2, 10)");
    auto other = test::connect(database.dsn());
    int runs = 0;
    auto options = quickly();
    options.transaction.isolation = isorow::isolation::serializable;
    auto const seen = transact(
        connection,
        [&](transaction& work) {
            auto const sum = isorow::scalar<std::int64_t>(work, "SELECT sum(amount) FROM balance");
            if (++runs <= 2) {
                transaction rival(other, {.isolation = isorow::isolation::serializable});
                static_cast<void>(isorow::scalar<std::int64_t>(rival, "SELECT sum(amount) FROM balance"));
                isorow::execute(rival, "UPDATE balance SET amount = amount + 1 WHERE id = 1");
                rival.commit();
            }
            isorow::execute(work, "UPDATE balance SET amount = amount + 1 WHERE id = 2");
            return sum;
        },
        options);
    CHECK(runs == 3);
    CHECK(seen == 22);
    CHECK(database.sql("SELECT amount FROM balance WHERE id = 2") == "11");
}

TEST_CASE_METHOD(ledger, "one of two transactions in a deadlock is run again, and both succeed", "[concurrency][session]") {
    database.sql("INSERT INTO balance VALUES (1, 0), (2, 0)");
    std::barrier both_hold_one(2);
    std::atomic<int> runs{0};
    std::atomic<int> lost{0};
    auto const change = [&](int first, int second) {
        auto own = test::connect(database.dsn() + "?options=-c%20deadlock_timeout%3D50ms");
        bool met = false;
        transact(
            own,
            [&](transaction& work) {
                ++runs;
                isorow::execute(work, "UPDATE balance SET amount = amount + 1 WHERE id = $1", first);
                if (!met) both_hold_one.arrive_and_wait();
                met = true;
                try {
                    isorow::execute(work, "UPDATE balance SET amount = amount + 1 WHERE id = $1", second);
                } catch (isorow::transaction_rollback const& failure) {
                    if (failure.sqlstate() == isorow::sqlstate::deadlock_detected) ++lost;
                    throw;
                }
            },
            quickly());
    };
    {
        std::jthread const one([&] { change(1, 2); });
        std::jthread const other([&] { change(2, 1); });
    }
    // The one that lost may be back before the other has noticed, and lose again.
    CHECK(lost >= 1);
    CHECK(runs == 2 + lost);
    CHECK(database.sql("SELECT string_agg(amount::text, ' ') FROM balance") == "2 2");
}

TEST_CASE_METHOD(ledger, "transact gives up after its attempts and throws the last failure") {
    int runs = 0;
    auto const losing = [&](transaction& work) {
        ++runs;
        fail_with(work, "40001");
    };
    CHECK_THROWS_MATCHES(transact(pool, losing, quickly(3)), isorow::transaction_rollback, test::says("made to fail"));
    CHECK(runs == 3);
    runs = 0;
    CHECK_THROWS_AS(transact(connection, losing, quickly(1)), isorow::transaction_rollback);
    CHECK(runs == 1);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(ledger, "nothing of an attempt that failed stays") {
    int runs = 0;
    transact(
        connection,
        [&](transaction& work) {
            add(work, "attempt" + std::to_string(++runs));
            if (runs < 3) fail_with(work, "40P01");
        },
        quickly());
    CHECK(entries() == "attempt3");
}

TEST_CASE_METHOD(ledger, "transact does not retry other errors") {
    int runs = 0;
    CHECK_THROWS_AS(transact(
                        connection,
                        [&](transaction& work) {
                            ++runs;
                            isorow::execute(work, "SELECT 1 / 0");
                        },
                        quickly()),
                    isorow::data_exception);
    CHECK_THROWS_AS(transact(
                        connection,
                        [&](transaction& work) {
                            ++runs;
                            add(work, "lost");
                            throw std::runtime_error("the program's own");
                        },
                        quickly()),
                    std::runtime_error);
    CHECK(runs == 2);
    CHECK(entries().empty());
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(ledger, "transact does not retry inside another transaction") {
    int runs = 0;
    transaction const outer(connection);
    CHECK_THROWS_AS(transact(
                        connection,
                        [&](transaction& work) {
                            ++runs;
                            fail_with(work, "40001");
                        },
                        quickly()),
                    isorow::transaction_rollback);
    CHECK(runs == 1);
}

TEST_CASE_METHOD(ledger, "transact pauses between attempts, longer each time") {
    auto const begun = std::chrono::steady_clock::now();
    CHECK_THROWS_AS(transact(connection, [](transaction& work) { fail_with(work, "40001"); }, {.attempts = 4, .first_pause = 20ms}),
                    isorow::transaction_rollback);
    CHECK(std::chrono::steady_clock::now() - begun >= 70ms);
}

TEST_CASE_METHOD(ledger, "transact stops between attempts where it is told to") {
    std::stop_source source;
    std::jthread const stopper([&] {
        std::this_thread::sleep_for(50ms);
        source.request_stop();
    });
    isorow::retry_options const options{
        .first_pause = 60s, .longest_pause = 60s, .limits = isorow::limits::until_stopped(source.get_token())};
    CHECK_THROWS_AS(transact(connection, [](transaction& work) { fail_with(work, "40001"); }, options), isorow::stopped);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(ledger, "transact ends at the deadline of all attempts") {
    isorow::retry_options const options{.first_pause = 60s, .longest_pause = 60s, .limits = isorow::limits::within(50ms)};
    CHECK_THROWS_AS(transact(connection, [](transaction& work) { fail_with(work, "40001"); }, options), isorow::timed_out);
}

TEST_CASE_METHOD(ledger, "transact on a pool gives its connection back between attempts") {
    isorow::pool one(database.dsn(), {.min_size = 1, .max_size = 1, .timeout = 5s});
    int runs = 0;
    transact(
        one,
        [&](transaction& work) {
            if (++runs < 4) fail_with(work, "40001");
        },
        quickly());
    CHECK(runs == 4);
    CHECK(one.acquire()->is_idle());
}

TEST_CASE_METHOD(ledger, "a prepared transaction waits for its second phase, which another connection may do") {
    {
        transaction work(connection);
        add(work, "kept");
        work.prepare("first phase");
        CHECK_FALSE(work.is_open());
    }
    CHECK(connection.is_idle());
    CHECK(entries().empty());
    auto const waiting = isorow::recover_prepared(pool);
    REQUIRE(waiting.size() == 1);
    CHECK(waiting.front().gid == "first phase");
    CHECK(waiting.front().database == database.name());
    CHECK(waiting.front().owner == "postgres");
    isorow::commit_prepared(pool, "first phase");
    CHECK(entries() == "kept");
    CHECK(isorow::recover_prepared(pool).empty());
}

TEST_CASE_METHOD(ledger, "a prepared transaction is rolled back from another connection") {
    transaction work(connection);
    add(work, "lost");
    work.prepare("given up");
    isorow::rollback_prepared(pool, "given up");
    CHECK(entries().empty());
    CHECK(isorow::recover_prepared(pool).empty());
}

TEST_CASE_METHOD(ledger, "prepared transactions of other databases are not listed") {
    test::database const elsewhere;
    auto other = test::connect(elsewhere.dsn());
    transaction work(connection);
    add(work, "kept");
    work.prepare("here");
    CHECK(isorow::recover_prepared(other).empty());
    isorow::rollback_prepared(connection, "here");
}

TEST_CASE_METHOD(ledger, "a global id may have quotes and backslashes") {
    std::string const id = R"(it's "a" \b\\c \' $$ ; --)";
    transaction work(connection);
    add(work, "kept");
    work.prepare(id);
    auto const waiting = isorow::recover_prepared(pool);
    REQUIRE(waiting.size() == 1);
    CHECK(waiting.front().gid == id);
    isorow::commit_prepared(pool, id);
    CHECK(entries() == "kept");
}

TEST_CASE_METHOD(ledger, "a global id that nobody prepared is an error of the server") {
    CHECK_THROWS_MATCHES(isorow::commit_prepared(pool, "nobody's"), isorow::syntax_error_or_access_rule_violation, test::says("nobody's"));
}

TEST_CASE_METHOD(ledger, "a savepoint cannot be prepared") {
    transaction outer(connection);
    {
        transaction inner(connection);
        CHECK_THROWS_MATCHES(inner.prepare("inner"), isorow::usage_error, test::says("only the outermost one"));
    }
    add(outer, "kept");
    outer.commit();
    CHECK(entries() == "kept");
}

TEST_CASE_METHOD(ledger, "an outer transaction is not prepared while an inner one is open") {
    transaction outer(connection);
    {
        transaction inner(connection);
        add(inner, "kept");
        CHECK_THROWS_MATCHES(outer.prepare("too early"), isorow::usage_error, test::says("is still open: it ends first"));
        if (inner.is_open() && connection.in_transaction()) inner.commit();
    }
    CHECK(isorow::recover_prepared(pool).empty());
    if (!isorow::recover_prepared(pool).empty()) isorow::rollback_prepared(pool, "too early");
}

TEST_CASE_METHOD(ledger, "a transaction that a statement has failed cannot be prepared, and says so") {
    transaction work(connection);
    CHECK_THROWS_AS(isorow::execute(work, "SELECT 1 / 0"), isorow::data_exception);
    CHECK_THROWS_MATCHES(work.prepare("failed"), isorow::usage_error, test::says("a statement in it had failed"));
    CHECK_FALSE(work.is_open());
    CHECK(isorow::recover_prepared(pool).empty());
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(ledger, "a prepare that the server refuses leaves nothing, and the connection is usable") {
    {
        transaction work(connection);
        add(work, "lost");
        CHECK_THROWS_AS(work.prepare(std::string(300, 'x')), isorow::server_error);
    }
    CHECK(connection.is_idle());
    CHECK(entries().empty());
    CHECK(isorow::recover_prepared(pool).empty());
}
