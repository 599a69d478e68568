#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/copy.hpp>
#include <isorow/pq/row_stream.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

constexpr std::size_t size = 3;

/// Runs `work` in a child of this process, which then ends without destroying anything. Returns its exit code, negative for a signal.
int in_child(std::function<int()> const& work) {
    auto const child = ::fork();
    if (child == 0) {
        // A fault of the child's is its own: it is told by its end, not by a report of the test program's.
        for (int const signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTERM}) ::signal(signal, SIG_DFL);
        int code = 99;
        try {
            code = work();
        } catch (...) {
            code = 98;
        }
        ::_exit(code);
    }
    int status = 0;
    auto const reaped = [&] { return ::waitpid(child, &status, WNOHANG) == child; };
    if (!test::eventually(20s, reaped)) {
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
        return -SIGKILL;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// The backends behind all of a pool's connections.
std::vector<int> backends(isorow::pool& pool) {
    std::vector<isorow::lease> lent;
    std::vector<int> pids;
    for (std::size_t i = 0; i < size; ++i) {
        lent.push_back(pool.acquire());
        test::run(*lent.back(), "SELECT 1");
        pids.push_back(lent.back()->backend_pid());
    }
    std::sort(pids.begin(), pids.end());
    return pids;
}

std::span<std::byte const> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A signal every millisecond, whose handler does not ask the kernel to restart what it interrupts.
class signal_storm {
public:
    signal_storm() {
        struct sigaction action{};
        action.sa_handler = [](int) { heard.fetch_add(1); };
        ::sigaction(SIGALRM, &action, &before_);
        itimerval const every{{0, 1000}, {0, 1000}};
        ::setitimer(ITIMER_REAL, &every, nullptr);
    }
    signal_storm(signal_storm const&) = delete;
    signal_storm& operator=(signal_storm const&) = delete;
    ~signal_storm() {
        itimerval const never{};
        ::setitimer(ITIMER_REAL, &never, nullptr);
        ::sigaction(SIGALRM, &before_, nullptr);
    }

    static inline std::atomic<int> heard = 0;

private:
    struct sigaction before_{};
};

/// SIGPIPE ends the process while this lives, as it does where nobody has said otherwise.
class deadly_sigpipe {
public:
    deadly_sigpipe() {
        struct sigaction action{};
        action.sa_handler = SIG_DFL;
        ::sigaction(SIGPIPE, &action, &before_);
    }
    deadly_sigpipe(deadly_sigpipe const&) = delete;
    deadly_sigpipe& operator=(deadly_sigpipe const&) = delete;
    ~deadly_sigpipe() { ::sigaction(SIGPIPE, &before_, nullptr); }

private:
    struct sigaction before_{};
};

}  // namespace

TEST_CASE("a forked child is refused its parent's pool, and the parent goes on with the same connections") {
    isorow::pool pool(test::dsn(), test::pool_of(size));
    auto const before = backends(pool);
    for (int i = 0; i < test::rounds(5, 100); ++i) {
        auto const code = in_child([&] {
            auto const told = test::outcome_of([&] { test::run(*pool.acquire(), "SELECT 1"); });
            if (told.how != test::ended::by_misuse) return 1;
            return told.text.find("forked") == std::string::npos ? 2 : 0;
        });
        CHECK(code == 0);
        CHECK(backends(pool) == before);
    }
}

TEST_CASE("a forked child that destroys its copy of a pool does not close the parent's connections") {
    auto pool = std::make_unique<isorow::pool>(test::dsn(), test::pool_of(size));
    auto const before = backends(*pool);
    for (int i = 0; i < test::rounds(5, 100); ++i) {
        CHECK(in_child([&] {
                  pool.reset();
                  return 0;
              }) == 0);
        CHECK(backends(*pool) == before);
    }
}

TEST_CASE("a forked child that closes its copy of a pool does not close the parent's connections") {
    isorow::pool pool(test::dsn(), test::pool_of(size));
    auto const before = backends(pool);
    CHECK(in_child([&] {
              pool.close();
              return 0;
          }) == 0);
    CHECK(backends(pool) == before);
}

TEST_CASE("a forked child that gives a lease back, or drops a connection, leaves the parent's transaction as it was") {
    isorow::pool pool(test::dsn(), test::pool_of(size));
    std::optional<isorow::lease> lent(pool.acquire());
    std::optional<isorow::connection> own(test::connect());
    test::run(**lent, "BEGIN; CREATE TEMP TABLE of_lease ()");
    test::run(*own, "BEGIN; CREATE TEMP TABLE of_connection ()");
    CHECK(in_child([&] {
              lent.reset();
              own.reset();
              return 0;
          }) == 0);
    CHECK(test::value(**lent, "SELECT count(*) FROM of_lease") == "0");
    CHECK(test::value(*own, "SELECT count(*) FROM of_connection") == "0");
    CHECK((*lent)->in_transaction());
    test::run(**lent, "COMMIT");
    test::run(*own, "COMMIT");
}

TEST_CASE("a forked child is refused its parent's connection, and connections of its own work") {
    auto connection = test::connect();
    CHECK(in_child([&] {
              if (test::outcome_of([&] { test::run(connection, "SELECT 1"); }).how != test::ended::by_misuse) return 1;
              isorow::connection own(test::dsn());
              if (test::value(own, "SELECT 7") != "7") return 2;
              isorow::pool pool(test::dsn(), test::pool_of(2));
              return test::recovers(pool, 2) ? 0 : 3;
          }) == 0);
    CHECK(test::value(connection, "SELECT 7") == "7");
}

TEST_CASE("a fork in the middle of COPY and of a stream does not disturb the parent") {
    auto connection = test::connect();
    test::run(connection, "CREATE TEMP TABLE t (id int)");
    isorow::copy_in copy(connection, "COPY t FROM STDIN");
    copy.write(bytes("1\n"));
    copy.flush();
    CHECK(in_child([] { return 0; }) == 0);
    copy.write(bytes("2\n"));
    CHECK(copy.finish() == 2);
    isorow::row_stream rows(connection, "SELECT generate_series(1, 10000)", {});
    int seen = rows.next()->rows();
    CHECK(in_child([] { return 0; }) == 0);
    while (auto const chunk = rows.next()) seen += chunk->rows();
    CHECK(seen == 10000);
}

TEST_CASE("writing to a connection that the server has closed does not raise SIGPIPE") {
    deadly_sigpipe const deadly;
    std::string const row = std::string(1000, 'x') + "\n";
    for (int i = 0; i < test::rounds(10, 200); ++i) {
        auto connection = test::connect();
        test::terminate(connection.backend_pid());
        std::this_thread::sleep_for(5ms);
        for (int again = 0; again < 3; ++again)
            CHECK_FALSE(test::outcome_of([&] { test::run(connection, "SELECT '" + std::string(1 << 20, 'x') + "'"); }).well());

        auto other = test::connect();
        test::run(other, "CREATE TEMP TABLE t (body text)");
        auto const told = test::outcome_of([&] {
            isorow::copy_in copy(other, "COPY t FROM STDIN");
            test::terminate(other.backend_pid());
            for (int n = 0; n < 100'000; ++n) copy.write(bytes(row));
            copy.finish();
        });
        CHECK(told.lost_or(isorow::sqlstate::admin_shutdown));
    }
}

TEST_CASE("a storm of signals interrupts neither connecting, statements, COPY, streams nor waits") {
    signal_storm const storm;
    signal_storm::heard = 0;
    for (int i = 0; i < test::rounds(3, 50); ++i) {
        auto connection = test::connect();
        test::run(connection, "CREATE TEMP TABLE t (id int, body text)");
        test::run(connection, "SELECT pg_sleep(0.05)");
        isorow::copy_in in(connection, "COPY t FROM STDIN");
        for (int row = 0; row < 50'000; ++row) in.write(bytes(std::to_string(row) + "\tsome text or other\n"));
        CHECK(in.finish() == 50'000);
        int out = 0;
        isorow::copy_out copy(connection, "COPY t TO STDOUT");
        while (copy.next().data() != nullptr) ++out;
        CHECK(out == 50'000);
        int streamed = 0;
        isorow::row_stream rows(connection, "SELECT * FROM t", {});
        while (auto const chunk = rows.next()) streamed += chunk->rows();
        CHECK(streamed == 50'000);
        isorow::transaction work(connection);
        test::run(connection, "DELETE FROM t");
        work.commit();
        CHECK(test::value(connection, "SELECT count(*) FROM t") == "0");
    }
    CHECK(signal_storm::heard > 50);
}

TEST_CASE("a storm of signals moves no deadline and no stop") {
    signal_storm const storm;
    auto connection = test::connect();
    auto const late = test::outcome_of([&] { isorow::execute_script(connection, "SELECT pg_sleep(20)", isorow::limits::within(200ms)); });
    INFO(late);
    CHECK(late.how == test::ended::by_deadline);
    CHECK(late.took >= 200ms);
    CHECK(late.took < 200ms + test::grace);
    auto other = test::connect();
    std::stop_source source;
    std::jthread const stopping([&] {
        std::this_thread::sleep_for(100ms);
        source.request_stop();
    });
    auto const stopped =
        test::outcome_of([&] { isorow::execute_script(other, "SELECT pg_sleep(20)", isorow::limits::within(20s, source.get_token())); });
    INFO(stopped);
    CHECK(stopped.how == test::ended::by_stop);
    CHECK(stopped.took < 100ms + test::grace);
}

TEST_CASE("a storm of signals does not disturb a pool under load") {
    signal_storm const storm;
    isorow::pool pool(test::dsn(), test::pool_of(size));
    std::atomic<int> failed = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 6; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < test::rounds(100, 2000); ++n)
                    if (!test::outcome_of([&] { test::run(*pool.acquire(), "SELECT 1"); }).well()) ++failed;
            });
    }
    CHECK(failed == 0);
    CHECK(test::recovers(pool, size));
}
