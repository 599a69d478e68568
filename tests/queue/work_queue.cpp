#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/transact.hpp>
#include <isorow/queue/work_queue.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Order {
    std::int64_t id = 0;
    std::string customer{};
    std::optional<double> amount{};

    friend bool operator==(Order const&, Order const&) = default;
};

/// A failed job may be taken again at once.
isorow::queue_options const at_once{.first_pause = 0ms};

/// A database with a queue of orders and one of texts.
struct queues {
    test::database database;
    isorow::pool db{database.dsn(), {.min_size = 1, .connection = {.timeout = 60s}}};
    isorow::work_queue<Order> orders{db, "orders", at_once};
    isorow::work_queue<std::string> texts{db, "texts", at_once};

    queues() {
        orders.install();
        texts.install();
    }

    /// As if a job's time had passed.
    void end_leases() const {
        database.sql("UPDATE isorow.queue_texts SET isorow_due = now() - interval '1 hour' WHERE isorow_state = 'leased'");
    }
    [[nodiscard]] std::string state_of(std::int64_t id) const {
        return database.sql("SELECT isorow_state FROM isorow.queue_texts WHERE isorow_id = " + std::to_string(id));
    }
};

static_assert(!std::is_copy_constructible_v<isorow::queue_job<Order>>);
static_assert(std::is_move_constructible_v<isorow::queue_job<Order>>);

}  // namespace

TEST_CASE_METHOD(queues, "a job comes out as it was pushed, and is gone when it is acknowledged") {
    auto const id = orders.push({1, "ada", 10.5});
    auto job = orders.take();
    REQUIRE(job);
    CHECK(job->id() == id);
    CHECK(job->payload() == Order{1, "ada", 10.5});
    CHECK(job->attempt() == 1);
    CHECK(job->max_attempts() == 5);
    CHECK(orders.counts() == isorow::queue_counts{.pending = 0, .leased = 1, .dead = 0});
    job->ack();
    CHECK(orders.counts() == isorow::queue_counts{});
    CHECK_FALSE(orders.take());
}

TEST_CASE_METHOD(queues, "a queue is a table whose columns people can read, and write") {
    orders.push({1, "ada", {}});
    CHECK(database.sql("SELECT customer || ' ' || isorow_state FROM isorow.queue_orders WHERE amount IS NULL") == "ada ready");
    database.sql("INSERT INTO isorow.queue_orders (id, customer) VALUES (2, 'bob')");
    CHECK(orders.take_many(10).size() == 2);
}

TEST_CASE_METHOD(queues, "a value that is no struct is in the column payload") {
    texts.push("write to ada");
    CHECK(database.sql("SELECT payload FROM isorow.queue_texts") == "write to ada");
    CHECK(texts.take()->payload() == "write to ada");
    isorow::work_queue<std::optional<std::int64_t>> numbers(db, "numbers");
    numbers.install();
    numbers.push({});
    CHECK(numbers.take()->payload() == std::nullopt);
}

TEST_CASE_METHOD(queues, "jobs are taken by priority, then by the time they fell due, then by id") {
    texts.push_many(std::vector<std::string>{"first", "second"});
    texts.push("low", {.priority = -1});
    texts.push("high", {.priority = 7});
    texts.push("early", {.not_before = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1}});
    std::vector<std::string> order;
    for (auto& job : texts.take_many(10)) {
        order.push_back(job.payload());
        job.ack();
    }
    CHECK(order == std::vector<std::string>{"high", "early", "first", "second", "low"});
}

TEST_CASE_METHOD(queues, "a delayed job is pending, but not taken before its time") {
    texts.push("later", {.delay = 1h});
    texts.push("much later", {.not_before = std::chrono::sys_days{std::chrono::year{2200} / 1 / 1}});
    CHECK(texts.pending() == 2);
    CHECK_FALSE(texts.take());
    database.sql("UPDATE isorow.queue_texts SET isorow_due = isorow_due - interval '1 hour'");
    CHECK(texts.take()->payload() == "later");
}

TEST_CASE_METHOD(queues, "a push is committed or rolled back with the caller's transaction") {
    {
        isorow::transaction transaction(db);
        texts.push(transaction, "never");
        texts.push_many(transaction, std::vector<std::string>{"no", "nor this"});
        CHECK_FALSE(texts.take());
    }
    CHECK(texts.pending() == 0);
    isorow::transaction transaction(db);
    texts.push(transaction, "committed");
    transaction.commit();
    CHECK(texts.take()->payload() == "committed");
}

TEST_CASE_METHOD(queues, "many are pushed all or none, with the failing one's place and field") {
    std::vector<Order> some{{1, "ada", {}}, {2, std::string("b\0b", 3), {}}};
    CHECK_THROWS_MATCHES(orders.push_many(some), isorow::unrepresentable, test::says("job 2: Order.customer"));
    CHECK(orders.pending() == 0);
    some.assign(3000, {7, "eve", 1.0});
    auto const ids = orders.push_many(some);
    CHECK(ids.size() == 3000);
    CHECK(std::is_sorted(ids.begin(), ids.end()));
    CHECK(orders.pending() == 3000);
    CHECK(orders.push_many(std::vector<Order>{}).empty());
}

TEST_CASE_METHOD(queues, "a dedupe key keeps a second job out as long as the first waits or is handled") {
    auto const first = texts.push("one", {.dedupe_key = "key"});
    CHECK(texts.push("two", {.dedupe_key = "key"}) == first);
    CHECK(texts.push("other", {.dedupe_key = "other key"}) != first);
    auto job = texts.take();
    CHECK(texts.push("three", {.dedupe_key = "key"}) == first);
    job->ack();
    CHECK(texts.push("four", {.dedupe_key = "key"}) != first);
}

TEST_CASE_METHOD(queues, "a dead job keeps nobody from pushing its key, and is not revived beside the new one") {
    auto const dead = texts.push("one", {.dedupe_key = "key"});
    texts.take()->bury("no such address");
    CHECK(texts.push("two", {.dedupe_key = "key"}) != dead);
    CHECK_THROWS_AS(texts.revive(dead), isorow::integrity_constraint_violation);
}

TEST_CASE_METHOD(queues, "options that make no sense are refused") {
    CHECK_THROWS_AS(texts.push("x", {.delay = -1ms}), isorow::usage_error);
    CHECK_THROWS_AS(texts.push("x", {.delay = std::chrono::milliseconds::max()}), isorow::usage_error);
    CHECK_THROWS_AS(texts.push("x", {.delay = 1s, .not_before = std::chrono::sys_days{}}), isorow::usage_error);
    CHECK_THROWS_AS(texts.push("x", {.max_attempts = 0}), isorow::usage_error);
    CHECK_THROWS_AS(texts.push("x", {.dedupe_key = std::string(2001, 'x')}), isorow::usage_error);
    CHECK_THROWS_AS(texts.push_many(std::vector<std::string>{"x"}, {.dedupe_key = "x"}), isorow::usage_error);
    CHECK_THROWS_AS(texts.take_many(0), isorow::usage_error);
    CHECK_THROWS_AS(isorow::work_queue<Order>(db, "x", {.lease = 0ms}), isorow::usage_error);
    CHECK_THROWS_AS(isorow::work_queue<Order>(db, "x", {.max_attempts = 0}), isorow::usage_error);
    CHECK_THROWS_AS(isorow::work_queue<Order>(db, "x", {.poll_interval = 0ms}), isorow::usage_error);
    CHECK(texts.pending() == 0);
}

TEST_CASE_METHOD(queues, "a job that is given back is taken again, with its attempt and its last error") {
    texts.push("task");
    texts.take()->nack("the printer is \xff out of paper");
    auto job = texts.take();
    REQUIRE(job);
    CHECK(job->attempt() == 2);
    CHECK(job->last_error() == "the printer is \xEF\xBF\xBD out of paper");
    job->nack("again", 1h);
    CHECK_FALSE(texts.take());
    CHECK(texts.pending() == 1);
}

TEST_CASE_METHOD(queues, "a job rests after each failed attempt, each time twice as long") {
    isorow::work_queue<std::string> const patient(db, "texts", {.first_pause = 100s, .longest_pause = 300s});
    patient.push("task");
    for (auto const* const seconds : {"100", "200", "300", "300"}) {
        patient.take()->nack();
        CHECK(database.sql("SELECT round(extract(epoch FROM isorow_due - now()) / 100) * 100 FROM isorow.queue_texts") == seconds);
        database.sql("UPDATE isorow.queue_texts SET isorow_due = now()");
    }
}

TEST_CASE_METHOD(queues, "a job destroyed without an answer is given back, and says whether an exception was thrown") {
    texts.push("task");
    {
        auto const job = texts.take();
    }
    CHECK(texts.leased() == 0);
    auto job = texts.take();
    CHECK(job->last_error() == "the worker neither acknowledged the job nor gave it back");
    job->nack();
    try {
        auto const failing = texts.take();
        throw std::runtime_error("no");
    } catch (std::runtime_error const&) {
    }
    CHECK(texts.take()->last_error() == "an exception was thrown while the job was handled");
}

TEST_CASE_METHOD(queues, "a moved job is answered once") {
    texts.push_many(std::vector<std::string>{"a", "b"});
    auto first = texts.take();
    auto second = std::move(*texts.take());
    second = std::move(*first);
    CHECK(second.payload() == "a");
    second.ack();
    CHECK_THROWS_AS(second.ack(), isorow::usage_error);
    CHECK_THROWS_AS(second.nack(), isorow::usage_error);
    CHECK_THROWS_AS(second.extend(1s), isorow::usage_error);
    first.reset();
    CHECK(texts.take()->payload() == "b");
}

TEST_CASE_METHOD(queues, "a released job is as if it had not been taken") {
    texts.push("task");
    texts.take()->release();
    auto const job = texts.take();
    REQUIRE(job);
    CHECK(job->attempt() == 1);
    CHECK_FALSE(job->last_error());
}

TEST_CASE_METHOD(queues, "after its last attempt a job is dead, is listed with its last error, and can be revived") {
    auto const id = texts.push("task", {.max_attempts = 2});
    texts.take()->nack("first");
    texts.take()->nack("second");
    CHECK_FALSE(texts.take());
    CHECK(texts.counts() == isorow::queue_counts{.pending = 0, .leased = 0, .dead = 1});
    auto const dead = texts.dead();
    REQUIRE(dead.size() == 1);
    CHECK(dead[0].id == id);
    CHECK(dead[0].payload == "task");
    CHECK(dead[0].attempts == 2);
    CHECK(dead[0].last_error == "second");
    texts.revive(id);
    auto job = texts.take();
    REQUIRE(job);
    CHECK(job->attempt() == 1);
    job->ack();
    CHECK_THROWS_AS(texts.revive(id), isorow::usage_error);
}

TEST_CASE_METHOD(queues, "a job can be buried at once, and a dead one discarded") {
    auto const id = texts.push("task");
    CHECK_THROWS_MATCHES(texts.discard(id), isorow::usage_error, test::says("no dead job"));
    texts.take()->bury("makes no sense");
    CHECK(texts.dead().front().last_error == "makes no sense");
    texts.discard(id);
    CHECK(texts.counts() == isorow::queue_counts{});
}

TEST_CASE_METHOD(queues, "a job whose lease ended is taken by another, and the first one's answers do nothing and say so") {
    auto const id = texts.push("task");
    auto slow = texts.take();
    CHECK_FALSE(texts.take());
    end_leases();
    CHECK(texts.pending() == 1);
    auto other = texts.take();
    REQUIRE(other);
    CHECK(other->attempt() == 2);
    CHECK_THROWS_MATCHES(slow->extend(1h), isorow::lease_lost, test::says("another worker has taken the job since"));
    CHECK_THROWS_MATCHES(slow->ack(), isorow::lease_lost, test::says("was not acknowledged"));
    CHECK_THROWS_AS(slow->ack(), isorow::usage_error);
    CHECK(state_of(id) == "leased");
    other->ack();
    CHECK(state_of(id).empty());
}

TEST_CASE_METHOD(queues, "an answer that comes too late says what became of the job") {
    texts.push("task", {.max_attempts = 2});
    auto first = texts.take();
    end_leases();
    auto second = texts.take();
    second->nack("failed");
    CHECK_THROWS_MATCHES(first->nack("late"), isorow::lease_lost, test::says("the job is dead"));
    CHECK(texts.dead().front().last_error == "failed");
    texts.revive(texts.dead().front().id);
    auto third = texts.take();
    end_leases();
    texts.take()->ack();
    CHECK_THROWS_MATCHES(third->ack(), isorow::lease_lost, test::says("acknowledged the job since"));
}

TEST_CASE_METHOD(queues, "a lease that ended while nobody else took the job is still good") {
    texts.push("task");
    auto job = texts.take();
    end_leases();
    job->extend(1h);
    CHECK_FALSE(texts.take());
    end_leases();
    job->ack();
    CHECK(texts.counts() == isorow::queue_counts{});
}

TEST_CASE_METHOD(queues, "a job whose last lease ended without an answer is dead, and not handled once more") {
    auto const id = texts.push("task", {.max_attempts = 1});
    texts.push("behind it");
    auto lost = texts.take();
    end_leases();
    CHECK(texts.dead_count() == 1);
    CHECK(texts.dead().size() == 1);
    CHECK(texts.take()->payload() == "behind it");
    CHECK(state_of(id) == "dead");
    CHECK(texts.dead().front().last_error == "the lease of the last attempt ended without an answer");
    CHECK_THROWS_AS(lost->ack(), isorow::lease_lost);
}

TEST_CASE_METHOD(queues, "the worker that dies with a job loses it to another after the lease") {
    texts.push("task");
    std::optional<isorow::queue_job<std::string>> other;
    {
        isorow::pool dying(database.dsn(), {.min_size = 1});
        isorow::work_queue<std::string> const its_own(dying, "texts", at_once);
        auto job = its_own.take();
        REQUIRE(job);
        dying.close();  // whoever is killed says nothing more
        CHECK_FALSE(texts.take());
        end_leases();
        other = texts.take();
        CHECK_THROWS_AS(job->ack(), isorow::usage_error);
    }
    REQUIRE(other);
    CHECK(other->attempt() == 2);
    other->ack();
}

TEST_CASE_METHOD(queues, "a worker whose connection is terminated while it holds a job answers on another one") {
    texts.push("task");
    auto job = texts.take();
    auto const pid = std::to_string(isorow::scalar<std::int32_t>(db, "SELECT pg_backend_pid()"));
    database.sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid = " + pid + " AND pid <> pg_backend_pid()");
    db.drain();  // behind a pooler the client's connection is closed too, but later
    CHECK_FALSE(texts.take());
    job->ack();
    CHECK(texts.counts() == isorow::queue_counts{});
}

TEST_CASE_METHOD(queues, "a job is acknowledged in the transaction of its effects, or not at all") {
    database.sql("CREATE TABLE done (what text)");
    texts.push("task");
    auto const handle = [&](bool commit) {
        auto job = texts.take();
        isorow::transaction transaction(db);
        isorow::execute(transaction, "INSERT INTO done VALUES ($1)", job->payload());
        job->ack(transaction);
        if (commit) transaction.commit();
    };
    handle(false);
    CHECK(texts.leased() == 1);
    end_leases();
    handle(true);
    CHECK(texts.counts() == isorow::queue_counts{});
    CHECK(database.sql("SELECT count(*) FROM done") == "1");
}

TEST_CASE_METHOD(queues, "a job taken in a transaction is nobody else's until its end, also after the lease, and back after a rollback") {
    isorow::work_queue<std::string> const hasty(db, "texts", {.lease = 1ms});
    texts.push("task");
    {
        isorow::transaction transaction(db);
        auto const job = hasty.take(transaction);
        REQUIRE(job);
        isorow::execute(transaction, "SELECT pg_sleep(0.01)");
        CHECK_FALSE(texts.take());
    }
    isorow::transaction transaction(db);
    auto job = texts.take(transaction);
    REQUIRE(job);
    CHECK(job->attempt() == 1);
    job->ack();
    CHECK(texts.pending() == 1);
    transaction.commit();
    CHECK(texts.counts() == isorow::queue_counts{});
}

TEST_CASE_METHOD(queues, "what a job pushes in its transaction is there when it is done") {
    texts.push("parent");
    isorow::transact(db, [&](isorow::transaction& transaction) {
        auto job = texts.take(transaction);
        texts.push(transaction, "child of " + job->payload());
        job->ack();
    });
    CHECK(texts.take()->payload() == "child of parent");
}

TEST_CASE_METHOD(queues, "eight workers handle two thousand jobs, each exactly once") {
    constexpr int jobs = 2000;
    std::vector<Order> pushed;
    for (int i = 0; i < jobs; ++i) pushed.push_back({i, "customer", i * 0.5});
    orders.push_many(pushed);
    std::mutex mutex;
    std::map<std::int64_t, int> handled;
    {
        std::vector<std::jthread> workers;
        for (int worker = 0; worker < 8; ++worker)
            workers.emplace_back([&, worker] {
                auto const next = [&] { return worker % 2 == 0 ? orders.take_many(1) : orders.take_many(7); };
                for (auto taken = next(); !taken.empty(); taken = next())
                    for (auto& job : taken) {
                        {
                            std::lock_guard const lock(mutex);
                            ++handled[job.payload().id];
                        }
                        job.ack();
                    }
            });
    }
    CHECK(handled.size() == jobs);
    CHECK(std::all_of(handled.begin(), handled.end(), [](auto const& one) { return one.second == 1; }));
    CHECK(orders.counts() == isorow::queue_counts{});
}

TEST_CASE("workers of serializable sessions do not disturb each other") {
    test::database const database;
    database.sql("ALTER DATABASE " + database.name() + " SET default_transaction_isolation = 'repeatable read'");
    isorow::pool db(database.dsn());
    isorow::work_queue<std::int64_t> const numbers(db, "numbers");
    numbers.install();
    std::vector<std::int64_t> pushed(200);
    numbers.push_many(pushed);
    std::atomic<int> handled{0};
    {
        std::vector<std::jthread> workers;
        for (int worker = 0; worker < 4; ++worker)
            workers.emplace_back([&] {
                while (auto job = numbers.take()) {
                    job->ack();
                    ++handled;
                }
            });
    }
    CHECK(handled == 200);
}

TEST_CASE_METHOD(queues, "taking and answering reads few rows, however many wait, also by plans that were made while the queue was empty") {
    auto connection = test::connect(database.dsn());
    database.sql("VACUUM ANALYZE isorow.queue_texts");
    isorow::transaction transaction(connection);
    for (int i = 0; i < 20; ++i) CHECK_FALSE(texts.take(transaction));
    isorow::execute(transaction,
                    "INSERT INTO isorow.queue_texts (payload, isorow_priority, isorow_due)"
                    " SELECT 'x', i % 3, now() + CASE WHEN i % 3 = 0 THEN interval '0' ELSE interval '1 hour' END"
                    " FROM generate_series(1, 20000) i");
    for (int i = 0; i < 10; ++i) texts.take(transaction)->ack();
    CHECK(isorow::scalar<std::int64_t>(transaction,
                                       "SELECT (seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_xact_user_tables"
                                       " WHERE relid = 'isorow.queue_texts'::regclass") < 500);
    CHECK(isorow::scalar<std::string>(transaction, "SELECT current_setting('enable_seqscan') || current_setting('enable_bitmapscan')") ==
          "onon");
}

TEST_CASE_METHOD(queues, "a sleeping worker is woken by a push, when it commits", "[session]") {
    isorow::work_queue<std::string> const sleepy(db, "texts", {.longest_sleep = 1h, .poll_interval = 1h});
    std::optional<std::string> got;
    std::jthread worker([&] {
        if (auto job = sleepy.take(60s)) {
            got = job->payload();
            job->ack();
        }
    });
    while (database.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%queue_texts%'") ==
           "0")
        std::this_thread::sleep_for(5ms);
    isorow::transaction transaction(db);
    texts.push(transaction, "wake up");
    transaction.commit();
    worker.join();
    CHECK(got == "wake up");
}

TEST_CASE_METHOD(queues, "workers that sleep are woken by all that makes a job ready", "[session]") {
    isorow::work_queue<std::string> const sleepy(db, "texts", {.longest_sleep = 1h, .poll_interval = 1h});
    std::atomic<int> handled{0};
    std::stop_source stop;
    std::vector<std::jthread> workers;
    for (int i = 0; i < 4; ++i)
        workers.emplace_back([&] {
            while (auto job = sleepy.take(1h, stop.get_token())) {
                ++handled;
                if (job->payload() == "fails once" && job->attempt() == 1) job->nack("once", 0ms);
                else if (job->payload() == "dies") job->bury("dead");
                else job->ack();
            }
        });
    auto const wait_for = [&](int count) {
        while (handled < count) std::this_thread::sleep_for(1ms);
    };
    texts.push_many(std::vector<std::string>(20, "task"));
    wait_for(20);
    texts.push("fails once");
    wait_for(22);
    texts.push("soon", {.delay = 20ms});
    wait_for(23);
    auto const id = texts.push("dies", {.max_attempts = 1});
    wait_for(24);
    while (texts.dead_count() == 0) std::this_thread::sleep_for(1ms);
    texts.revive(id);
    wait_for(25);
    stop.request_stop();
    workers.clear();
    CHECK(texts.leased() == 0);
}

TEST_CASE_METHOD(queues, "a worker whose listener is terminated still hears of jobs", "[session]") {
    isorow::work_queue<std::string> const sleepy(db, "texts", {.longest_sleep = 1h, .poll_interval = 1h});
    std::string const listeners = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%queue_texts%'";
    std::atomic<int> handled{0};
    std::jthread const worker([&] {
        for (int i = 0; i < 2; ++i)
            if (auto job = sleepy.take(60s)) {
                job->ack();
                ++handled;
            }
    });
    for (int i = 0; i < 2; ++i) {
        while (database.sql("SELECT count(*) " + listeners) == "0") std::this_thread::sleep_for(5ms);
        if (i == 1) database.sql("SELECT pg_terminate_backend(pid, 10000) " + listeners);
        texts.push("task");
        while (handled <= i) std::this_thread::sleep_for(1ms);
    }
    CHECK(handled == 2);
}

TEST_CASE_METHOD(queues, "who waits without a job gets none at the deadline, and none when told to stop") {
    CHECK_FALSE(texts.take(10ms));
    CHECK(texts.take_many(3, 10ms).empty());
    std::stop_source stop;
    std::jthread const stopping([&] { stop.request_stop(); });
    CHECK_FALSE(texts.take(1h, stop.get_token()));
    CHECK_FALSE(texts.take(1h, stop.get_token()));
}

TEST_CASE("where a listener cannot be had, workers poll") {
    test::database const database;
    isorow::pool db(database.dsn(), {.connection = {.pooler = isorow::pooler::transaction}});
    isorow::work_queue<std::string> const texts(db, "texts", {.longest_sleep = 1h, .poll_interval = 5ms});
    texts.install();
    std::jthread const pushing([&] {
        std::this_thread::sleep_for(20ms);
        texts.push("task");
    });
    auto job = texts.take(60s);
    REQUIRE(job);
    job->ack();
}

TEST_CASE("hostile names of queues stay names") {
    test::database const database;
    database.sql("CREATE TABLE canary (x int)");
    isorow::pool db(database.dsn());
    for (std::string const& name :
         {std::string("\"; DROP TABLE canary; --"), std::string("it's \\'; $1 $$ %s :x {} \\"), std::string(57, 'q'),
          std::string(56, 'q') + "r", std::string("a\nb"), std::string("günstig"), std::string("UPPER case")}) {
        CAPTURE(name);
        isorow::work_queue<std::string> const texts(db, name, {.schema = "we\"ird '{}", .lease = 1h});
        texts.install();
        texts.install();
        texts.push("task", {.dedupe_key = "'; DROP TABLE canary; --"});
        auto job = texts.take();
        REQUIRE(job);
        job->nack("'; DROP TABLE canary; --");
        CHECK(texts.counts() == isorow::queue_counts{.pending = 1, .leased = 0, .dead = 0});
    }
    CHECK(database.sql("SELECT count(*) FROM pg_class WHERE relname = 'canary'") == "1");
    CHECK_THROWS_MATCHES(isorow::work_queue<std::string>(db, std::string(58, 'q')), isorow::usage_error, test::says("at most 63"));
    CHECK_THROWS_AS(isorow::work_queue<std::string>(db, ""), isorow::usage_error);
    CHECK_THROWS_AS(isorow::work_queue<std::string>(db, std::string("a\0b", 3)), isorow::usage_error);
    CHECK_THROWS_AS(isorow::work_queue<std::string>(db, "\xff"), isorow::usage_error);
}

TEST_CASE("a worker that sleeps on a queue of a hostile name is woken", "[session]") {
    test::database const database;
    isorow::pool db(database.dsn());
    isorow::work_queue<std::string> const texts(db, "a\"b'c\\" + std::string(50, 'q'), {.longest_sleep = 1h, .poll_interval = 1h});
    texts.install();
    std::jthread const pushing([&] {
        while (database.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'") == "0")
            std::this_thread::sleep_for(5ms);
        texts.push("task");
    });
    CHECK(texts.take(60s));
}

TEST_CASE("a queue is installed by several at once, in the schema and table that the options say") {
    test::database const database;
    {
        std::vector<std::jthread> installers;
        for (int i = 0; i < 8; ++i)
            installers.emplace_back([&] {
                isorow::pool db(database.dsn(), {.min_size = 1});
                isorow::work_queue<Order>(db, "orders", {.schema = "jobs", .table = "open_orders"}).install();
            });
    }
    isorow::pool db(database.dsn());
    isorow::work_queue<Order> const orders(db, "orders", {.schema = "jobs", .table = "open_orders"});
    CHECK(orders.table() == "\"jobs\".\"open_orders\"");
    orders.push({1, "ada", 1.0});
    CHECK(database.sql("SELECT count(*) FROM jobs.open_orders") == "1");
}

TEST_CASE("the SQL to install a queue by hand makes it, and changes nothing the second time") {
    test::database const database;
    isorow::pool db(database.dsn());
    isorow::work_queue<Order> const orders(db, "orders");
    database.sql(orders.install_sql());
    orders.push({1, "ada", {}});
    database.sql(orders.install_sql());
    orders.install();
    CHECK(orders.pending() == 1);
}

TEST_CASE("a role that may not install is told the SQL to ask for, and one with the rights of the rows works") {
    test::database const database;
    auto const role = database.name() + "_worker";
    database.sql("CREATE ROLE " + role + " LOGIN");
    {
        isorow::pool db(database.dsn(role), {.min_size = 1});
        isorow::work_queue<std::string> const texts(db, "texts");
        CHECK_THROWS_MATCHES(texts.install(), isorow::missing_privilege,
                             test::says("CREATE TABLE IF NOT EXISTS \"isorow\".\"queue_texts\""));
        database.sql(texts.install_sql());
        database.sql("GRANT USAGE ON SCHEMA isorow TO " + role + "; GRANT SELECT, INSERT, UPDATE, DELETE ON isorow.queue_texts TO " + role);
        texts.install();
        auto const id = texts.push("task");
        texts.take()->nack("x", 0ms);
        texts.take()->bury("y");
        texts.revive(id);
        texts.take()->ack();
    }
    database.sql("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE_METHOD(queues, "a table that does not fit the struct is refused at install, and before a job is taken") {
    isorow::work_queue<Order> const wrong(db, "texts");
    CHECK_THROWS_AS(wrong.install(), isorow::mismatch);
    texts.push("task");
    CHECK_THROWS_AS(wrong.take(), isorow::mismatch);
    CHECK_THROWS_AS(wrong.push({1, "ada", 1.0}), isorow::mismatch);
    CHECK(texts.leased() == 0);
    database.sql("CREATE TABLE isorow.queue_plain (payload text NOT NULL)");
    CHECK_THROWS_MATCHES(isorow::work_queue<std::string>(db, "plain").install(), isorow::mismatch, test::says("isorow_lease"));
    CHECK_THROWS_MATCHES(isorow::work_queue<std::string>(db, "missing").push("x"), isorow::usage_error, test::says("install() makes it"));
}

TEST_CASE_METHOD(queues, "a job that cannot be read is given back with the reason, the others of the same take uncounted") {
    CHECK_FALSE(orders.take());
    database.sql("ALTER TABLE isorow.queue_orders ALTER id DROP NOT NULL");
    database.sql("INSERT INTO isorow.queue_orders (id, customer) VALUES (1, 'ada'), (NULL, 'bob')");
    CHECK_THROWS_MATCHES(orders.take_many(2), isorow::unrepresentable, test::says("Order.id"));
    CHECK(orders.leased() == 0);
    CHECK(database.sql("SELECT string_agg(isorow_attempts::text, ',' ORDER BY isorow_id) FROM isorow.queue_orders") == "0,1");
    CHECK(database.sql("SELECT count(*) FROM isorow.queue_orders WHERE isorow_last_error LIKE '%Order.id%'") == "1");
}
