#include <catch2/catch_test_macros.hpp>

#include <isorow/source/source.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

struct Event {
    std::int64_t id;
    std::string_view body;

    static consteval auto isorow_table() { return isorow::table("events").primary_key<&Event::id>(); }
};

constexpr std::int64_t count = 30'000;

struct archive {
    test::database database;
    isorow::pool pool{database.dsn(), {.min_size = 1, .max_size = 5}};

    archive() {
        database.sql("CREATE TABLE events (id bigint PRIMARY KEY, body text NOT NULL)");
        fill("events");
    }

    void fill(std::string const& table) const {
        database.sql("INSERT INTO " + table + " SELECT g, repeat('x', 90) || g FROM generate_series(1, " + std::to_string(count) + ") g");
    }

    /// Waits until all connections are back.
    void require_all_back() {
        for (int i = 0; i < 500 && pool.available() != pool.size(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        CHECK(pool.available() == pool.size());
    }
};

/// What the process holds in memory now, in KiB.
long resident_kilobytes() {
    std::ifstream statistics("/proc/self/statm");
    long total = 0;
    long resident = 0;
    statistics >> total >> resident;
    return resident * (::sysconf(_SC_PAGESIZE) / 1024);
}

/// The ids of all rows, each of which must come once and whole.
std::set<std::int64_t> ids_of(isorow::batch_range<Event> batches) {
    std::set<std::int64_t> ids;
    for (auto const& batch : batches) {
        REQUIRE(!batch.empty());
        for (auto const& event : batch) {
            REQUIRE(event.body.substr(90) == std::to_string(event.id));
            REQUIRE(ids.insert(event.id).second);
        }
    }
    return ids;
}

bool is_all(std::set<std::int64_t> const& ids, std::int64_t last = count) {
    return static_cast<std::int64_t>(ids.size()) == last && *ids.begin() == 1 && *ids.rbegin() == last;
}

}  // namespace

TEST_CASE_METHOD(archive, "several connections read each row of a table once") {
    for (std::size_t const connections : {2U, 3U, 4U, 8U}) {
        CAPTURE(connections);
        CHECK(is_all(ids_of(isorow::source<Event>(pool).batches({.connections = connections}))));
    }
    require_all_back();
}

TEST_CASE_METHOD(archive, "filters hold for what several connections read, with bound values too") {
    using source = isorow::source<Event>;
    CHECK(is_all(ids_of(source(pool, {.sql_filter = "id <= 20000 OR false -- those"}).batches({.connections = 4})), 20'000));
    CHECK(is_all(ids_of(source(pool, {.filter = isorow::where<&Event::id>() <= 100}).batches({.connections = 4})), 100));
    CHECK(is_all(
        ids_of(source(pool, {.sql_filter = "id < 9 OR id < 11", .filter = isorow::where<&Event::id>() < 9}).batches({.connections = 4})),
        8));
    CHECK(ids_of(source(pool, {.sql_filter = "false"}).batches({.connections = 4})).empty());
}

TEST_CASE_METHOD(archive, "several connections see one moment, and not what others write meanwhile") {
    auto batches = isorow::source<Event>(pool).batches({.rows = 100, .connections = 4});
    database.sql("UPDATE events SET body = 'changed'; INSERT INTO events SELECT g, 'new' FROM generate_series(100000, 130000) g");
    database.sql("DELETE FROM events WHERE id % 2 = 0");
    CHECK(is_all(ids_of(std::move(batches))));
}

TEST_CASE_METHOD(archive, "an empty table, and a small one, have the rows that they have") {
    database.sql("TRUNCATE events");
    CHECK(ids_of(isorow::source<Event>(pool).batches({.connections = 4})).empty());
    database.sql("INSERT INTO events VALUES (1, repeat('x', 90) || '1')");
    CHECK(is_all(ids_of(isorow::source<Event>(pool).batches({.connections = 4})), 1));
}

TEST_CASE_METHOD(archive, "partitions and tables that inherit are read with their parent") {
    database.sql(
        "CREATE TABLE parts (id bigint NOT NULL, body text NOT NULL) PARTITION BY RANGE (id); CREATE TABLE parts_1 PARTITION OF parts FOR "
        "VALUES FROM (0) TO (1000); CREATE TABLE parts_2 PARTITION OF parts DEFAULT; CREATE TABLE heirs (id bigint NOT NULL, body text NOT "
        "NULL); CREATE TABLE heir () INHERITS (heirs); INSERT INTO heirs SELECT g, repeat('x', 90) || g FROM generate_series(30001, 33000) "
        "g");
    fill("parts");
    fill("heir");
    CHECK(is_all(ids_of(isorow::source<Event>(pool, {.table = "parts"}).batches({.connections = 4}))));
    CHECK(is_all(ids_of(isorow::source<Event>(pool, {.table = "heirs"}).batches({.connections = 4})), 33'000));
}

TEST_CASE_METHOD(archive, "a view and a query are read by one connection, a materialized view by several") {
    struct Seen {
        std::optional<std::int64_t> id;
        static consteval auto isorow_table() { return isorow::table("seen"); }
    };
    database.sql("CREATE VIEW seen AS SELECT * FROM events; CREATE MATERIALIZED VIEW kept AS SELECT * FROM events");
    auto const sum = [&](isorow::source_options options) {
        std::int64_t all = 0;
        for (auto const& batch : isorow::source<Seen>(pool, std::move(options)).batches({.connections = 4}))
            for (auto const& row : batch) all += *row.id;
        return all;
    };
    CHECK(sum({}) == count * (count + 1) / 2);
    CHECK(sum({.table = "kept"}) == count * (count + 1) / 2);
    CHECK(sum({.sql_query = "SELECT id FROM events"}) == count * (count + 1) / 2);
}

TEST_CASE_METHOD(archive, "dynamic rows are read by several connections, too") {
    std::int64_t sum = 0;
    for (auto const& batch : isorow::source<isorow::dynamic_row>(pool, {.table = "events"}).batches({.connections = 3}))
        for (auto const& row : batch) sum += row["id"].as<std::int64_t>();
    CHECK(sum == count * (count + 1) / 2);
}

TEST_CASE_METHOD(archive, "who takes the rows may use the pool meanwhile, however small it is") {
    for (std::size_t const size : {2U, 3U}) {
        isorow::pool small(database.dsn(), {.min_size = 1, .max_size = size, .timeout = std::chrono::seconds(20)});
        std::int64_t rows = 0;
        for (auto const& batch : isorow::source<Event>(small).batches({.rows = 1000, .connections = 4})) {
            rows += isorow::scalar<std::int64_t>(small, "SELECT $1::bigint", static_cast<std::int64_t>(batch.size()));
        }
        CHECK(rows == count);
    }
    isorow::pool one(database.dsn(), {.min_size = 1, .max_size = 1});
    CHECK(is_all(ids_of(isorow::source<Event>(one).batches({.connections = 4}))));
}

TEST_CASE_METHOD(archive, "a pool whose connections others have lends what it can") {
    std::vector<isorow::lease> taken;
    for (int i = 0; i < 4; ++i) taken.push_back(pool.acquire());
    CHECK(is_all(ids_of(isorow::source<Event>(pool).batches({.connections = 4}))));
}

TEST_CASE_METHOD(archive, "several connections are refused where there is one only") {
    auto connection = test::connect(database.dsn());
    CHECK_THROWS_MATCHES(isorow::source<Event>(connection).batches({.connections = 2}), isorow::usage_error,
                         test::says("read from a pool"));
    isorow::transaction work(connection);
    CHECK_THROWS_AS(isorow::source<Event>(work).batches({.connections = 2}), isorow::usage_error);
}

TEST_CASE_METHOD(archive, "an error of any of the connections is thrown to who takes the rows, and the others end") {
    isorow::source<Event> const failing(pool, {.sql_filter = "1 / (id - 29990) > -1"});
    auto batches = failing.batches({.rows = 50, .connections = 4});
    CHECK_THROWS_AS(ids_of(std::move(batches)), isorow::data_exception);
    require_all_back();
    CHECK(is_all(ids_of(isorow::source<Event>(pool).batches({.connections = 4}))));
}

TEST_CASE_METHOD(archive, "a value that a field cannot hold is thrown from whichever connection reads it") {
    struct Narrow {
        std::int16_t id;
        static consteval auto isorow_table() { return isorow::table("events").template column<&Narrow::id>({.type = "bigint"}); }
    };
    database.sql("INSERT INTO events VALUES (100000, 'too large')");
    CHECK_THROWS_MATCHES(
        [&] {
            for (auto const& batch : isorow::source<Narrow>(pool).batches({.connections = 4})) static_cast<void>(batch);
        }(),
        isorow::unrepresentable, test::says("Narrow.id"));
    require_all_back();
}

TEST_CASE_METHOD(archive, "who leaves early cancels what is under way, and all connections come back") {
    for (std::size_t const taken : {0U, 1U, 3U}) {
        auto batches = isorow::source<Event>(pool).batches({.rows = 10, .connections = 4});
        if (taken == 0) continue;  // not even begun
        auto batch = batches.begin();
        for (std::size_t i = 1; i < taken; ++i) ++batch;
        CHECK(batch->size() == 10);
    }
    require_all_back();
    CHECK(isorow::scalar<std::int64_t>(pool, "SELECT count(*) FROM events") == count);
}

TEST_CASE_METHOD(archive, "no more is held than a few batches, however slowly they are taken") {
    database.sql("UPDATE events SET body = repeat('x', 1900)");  // 60 MB
    auto batches = isorow::source<Event>(pool).batches({.bytes = 20'000, .connections = 4});
    auto const before = resident_kilobytes();
    auto batch = batches.begin();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    CHECK(resident_kilobytes() - before < 30'000);
    std::int64_t rows = 0;
    for (; batch != batches.end(); ++batch) rows += static_cast<std::int64_t>(batch->size());
    CHECK(rows == count);
}

TEST_CASE_METHOD(archive, "a batch that several connections read can be moved away and kept") {
    std::vector<isorow::row_batch<Event>> kept;
    for (auto& batch : isorow::source<Event>(pool).batches({.rows = 500, .connections = 4})) kept.push_back(std::move(batch));
    std::set<std::int64_t> ids;
    for (auto const& batch : kept)
        for (auto const& event : batch)
            if (event.body.substr(90) == std::to_string(event.id)) ids.insert(event.id);
    CHECK(is_all(ids));
}

TEST_CASE_METHOD(archive, "deadline and stop token hold for several connections") {
    isorow::source_options const slow{.sql_filter = "pg_sleep(0.01) IS NOT NULL"};
    auto const walk = [&](isorow::database_ref const& where) {
        for (auto const& batch : isorow::source<Event>(where, slow).batches({.connections = 4})) static_cast<void>(batch);
    };
    CHECK_THROWS_AS(walk(isorow::within(pool, std::chrono::milliseconds(300))), isorow::timed_out);
    std::stop_source stop;
    std::jthread const stopper([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        stop.request_stop();
    });
    CHECK_THROWS_AS(walk(isorow::within(pool, std::chrono::seconds(60), stop.get_token())), isorow::stopped);
    require_all_back();
}

TEST_CASE_METHOD(archive, "a connection that is lost is an error, and not the end of the rows") {
    auto batches = isorow::source<Event>(pool).batches({.rows = 10, .connections = 4});
    auto batch = batches.begin();
    database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query "
        "LIKE "
        "'COPY%'");
    CHECK_THROWS_AS(
        [&] {
            for (; batch != batches.end(); ++batch) static_cast<void>(*batch);
        }(),
        isorow::error);
}
