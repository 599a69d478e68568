#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/scalars.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/query.hpp>
#include <isorow/query/stream.hpp>
#include <support/fault_proxy.hpp>
#include <support/faults.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Row {
    std::int64_t id;
    std::string name;

    friend bool operator==(Row const&, Row const&) = default;
};

constexpr int rows_in = 50;
constexpr int rows_out = 60;

std::span<std::byte const> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// What a session found out for itself: each part is set once it has ended well.
struct findings {
    bool queried = false;
    bool copied_in = false;
    bool committed = false;
    bool copied_out = false;
    bool streamed = false;
    bool wrong = false;  ///< a part ended well with other rows than the server had
};

/// One of each: a query with parameters, COPY IN, a transaction, COPY OUT, a stream.
void hold_session(std::string const& address, int number, std::chrono::milliseconds timeout, findings& found) {
    isorow::connection connection(address, {.connect_timeout = timeout, .timeout = timeout});
    auto const rows = isorow::query<Row>(
        connection, "SELECT g::bigint AS id, 'name ' || g AS name FROM generate_series(1, $1) g ORDER BY g", std::int32_t{rows_out});
    found.wrong |= rows.size() != rows_out || rows.back() != Row{rows_out, "name " + std::to_string(rows_out)};
    found.queried = true;
    {
        isorow::copy_in copy(connection, "COPY entries FROM STDIN");
        for (int i = 0; i < rows_in; ++i) copy.write(bytes(std::to_string(number) + "\tcopied\n"));
        found.wrong |= copy.finish() != rows_in;
        found.copied_in = true;
    }
    {
        isorow::transaction work(connection);
        for (int i = 0; i < 2; ++i) isorow::execute(work, "INSERT INTO entries VALUES ($1, 'inserted')", std::int32_t{number});
        work.commit();
        found.committed = true;
    }
    {
        isorow::copy_out copy(connection, "COPY (SELECT generate_series(1, 60)) TO STDOUT");
        int count = 0;
        while (copy.next().data() != nullptr) ++count;
        found.wrong |= count != rows_out;
        found.copied_out = true;
    }
    std::int64_t last = 0;
    for (Row const& row : isorow::stream<Row>(connection, "SELECT g::bigint AS id, 'n' AS name FROM generate_series(1, 600) g"))
        found.wrong |= row.id != ++last;
    found.wrong |= last != 600;
    found.streamed = true;
}

struct server {
    test::database database;
    test::fault_proxy proxy{database.dsn()};

    server() { database.sql("CREATE TABLE entries (session int, kind text)"); }

    /// Waits until no session is under way any more.
    [[nodiscard]] bool all_ended() const {
        return test::eventually(10s, [&] { return proxy.open() == 0; }) && test::eventually(10s, [&] {
                   return database.sql(
                              "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                              " AND pid <> pg_backend_pid() AND backend_type = 'client backend'") == "0";
               });
    }
    [[nodiscard]] std::string count(std::string const& kind, std::string const& condition) const {
        return database.sql("SELECT count(*) FROM (SELECT session, count(*) AS n FROM entries WHERE kind = '" + kind +
                            "' GROUP BY session) each_session WHERE " + condition);
    }
};

std::string listed(std::vector<int> const& numbers) {
    std::string list = "0";
    for (int const number : numbers) list += "," + std::to_string(number);
    return list;
}

}  // namespace

TEST_CASE_METHOD(server, "a session cut at any byte ends in an error or well, with all rows of a part or none") {
    constexpr auto timeout = 5s;
    findings whole;
    hold_session(proxy.dsn(), 0, timeout, whole);
    REQUIRE(whole.streamed);
    REQUIRE_FALSE(whole.wrong);
    REQUIRE(all_ended());
    auto const sizes = proxy.passed();
    INFO("bytes to the server: " << sizes[test::to_server] << ", to the client: " << sizes[test::to_client]);
    REQUIRE(sizes[test::to_server] > 500);
    REQUIRE(sizes[test::to_client] > 4096);

    int number = 0;
    int failed = 0;
    std::vector<int> copied;
    std::vector<int> committed;
    std::ptrdiff_t descriptors = 0;
    std::chrono::milliseconds longest{};
    for (auto const way : {test::to_server, test::to_client}) {
        auto const stride = [&](std::size_t at) -> std::size_t {
            return test::long_form() ? (at < 4096 ? 1 : 61) : (at < 4096 ? 41 : 997);
        };
        for (std::size_t at = 0; at < sizes[way]; at += stride(at)) {
            test::fault_plan plan{.reset = at % 2 == 1};
            plan.cut_at[way] = at;
            proxy.next(plan);
            findings found;
            auto const told = test::outcome_of([&] { hold_session(proxy.dsn(), ++number, timeout, found); });
            longest = std::max(longest, told.took);
            if (found.copied_in) copied.push_back(number);
            if (found.committed) committed.push_back(number);
            if (!told.well()) ++failed;
            bool const sound = !found.wrong && told.how != test::ended::otherwise && told.how != test::ended::by_misuse &&
                               told.how != test::ended::by_deadline && told.took < timeout + test::grace;
            if (sound) continue;
            INFO("cut after " << at << " bytes to the " << (way == test::to_server ? "server" : "client") << ": " << told);
            CHECK(sound);
        }
        REQUIRE(all_ended());
        if (descriptors == 0) descriptors = test::open_descriptors();
    }
    CHECK(test::no_leak(descriptors));
    INFO(number << " cuts, " << failed << " failed, the longest took " << longest.count() << " ms");
    // A cut behind the last answer is met by nobody.
    CHECK(failed > number * 9 / 10);
    CHECK(count("copied", "n <> " + std::to_string(rows_in)) == "0");
    CHECK(count("inserted", "n <> 2") == "0");
    CHECK(count("copied", "session IN (" + listed(copied) + ")") == std::to_string(copied.size() + 1));
    CHECK(count("inserted", "session IN (" + listed(committed) + ")") == std::to_string(committed.size() + 1));
}

TEST_CASE_METHOD(server, "a session in pieces of one byte, and one with delays, is like any other") {
    std::vector<test::fault_plan> const plans{
        {.piece = 1}, {.piece = 7}, {.piece = 1, .delay = 50us}, {.piece = 4096, .delay = 3ms}, {.piece = 5, .delay = 100us}};
    int number = 0;
    for (auto const& plan : plans) {
        proxy.always(plan);
        findings found;
        auto const told = test::outcome_of([&] { hold_session(proxy.dsn(), ++number, 60s, found); });
        INFO(told);
        CHECK(told.well());
        CHECK(found.streamed);
        CHECK_FALSE(found.wrong);
    }
    CHECK(count("copied", "n = " + std::to_string(rows_in)) == std::to_string(plans.size()));
}

TEST_CASE_METHOD(server, "a delay beyond the deadline ends in timed_out in time") {
    constexpr auto timeout = 300ms;
    proxy.always({.piece = 16, .delay = 30ms});
    for (int i = 0; i < test::rounds(3, 30); ++i) {
        isorow::connection connection(proxy.dsn(), {.connect_timeout = 60s, .timeout = timeout});
        auto const told = test::outcome_of([&] { test::run(connection, "SELECT repeat('x', 100000)"); });
        INFO(told);
        CHECK(told.how == test::ended::by_deadline);
        CHECK(told.took < timeout + test::grace);
    }
}

TEST_CASE_METHOD(server, "flipped bits end in an error or in rows: no crash, no hang, no memory without bound") {
    constexpr auto timeout = 400ms;
    // Connecting and each of the session's five parts has the deadline; the statements of the transaction have it each.
    auto const longest_session = 10 * (timeout + test::grace);
    constexpr int threads = 4;
    test::forget_peak();
    auto const before = test::peak_kilobytes();
    std::atomic<int> number = 0;
    std::atomic<int> well = 0;
    std::atomic<int> late = 0;
    std::mutex mutex;
    std::vector<std::string> unsound;
    {
        std::vector<std::jthread> clients;
        for (int thread = 0; thread < threads; ++thread)
            clients.emplace_back([&, thread] {
                // Each thread has a proxy of its own, so that a seed's flips are the same whenever they are made.
                test::fault_proxy own(database.dsn());
                for (int i = 0; i < test::rounds(25, 400); ++i) {
                    test::fault_plan plan{.seed = static_cast<std::uint32_t>(i * threads + thread)};
                    auto const way = i % 4 == 0 ? test::to_server : test::to_client;
                    plan.flip_every[way] = std::array<std::size_t, 3>{100, 600, 4000}[static_cast<std::size_t>(i) % 3];
                    own.next(plan);
                    findings found;
                    auto const told = test::outcome_of([&] { hold_session(own.dsn(), ++number, timeout, found); });
                    if (told.well()) ++well;
                    if (told.how == test::ended::by_deadline) ++late;
                    if (told.took < longest_session && told.how != test::ended::otherwise) continue;
                    std::lock_guard const lock(mutex);
                    unsound.push_back("seed " + std::to_string(plan.seed) + ": " + told.text + " after " +
                                      std::to_string(told.took.count()) + " ms");
                }
            });
    }
    INFO(number << " sessions, " << well << " well, " << late << " ended by a deadline, memory grew by "
                << (test::peak_kilobytes() - before) / 1024 << " MiB");
    CHECK(unsound == std::vector<std::string>{});
    CHECK(test::peak_kilobytes() - before < 256 * 1024 + test::sanitizer_kilobytes);
    isorow::connection healthy(database.dsn());
    CHECK(test::value(healthy, "SELECT 1") == "1");
}
