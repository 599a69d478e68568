#include "synchronise.hpp"

#include "measure/measure.hpp"

#include <isorow/query/query.hpp>
#include <isorow/source/follow.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct Counted {
    std::int64_t id;
    std::int64_t count;

    static consteval auto isorow_table() { return isorow::table("counted_changelog").primary_key<&Counted::id>(); }
};

constexpr std::string_view statements[][2] = {
    {"insert", "INSERT INTO {} SELECT i, 0 FROM generate_series($1::bigint, $2) i"},
    {"update", "UPDATE {} SET count = count + 1 WHERE id BETWEEN $1 AND $2"},
    {"delete", "DELETE FROM {} WHERE id BETWEEN $1 AND $2"},
};

std::string on(std::string_view statement, std::string const& table) {
    auto sql = std::string(statement);
    return sql.replace(sql.find("{}"), 2, table);
}

/// What a writer pays for a row, by the number of rows of a statement. In turn, so that a machine that gets slower is slower for all.
void measure_statements(isorow::pool& db, std::array<std::string, 2> const& contenders, bool quick, std::vector<Figure>& figures) {
    for (std::int64_t const rows : {1, 100, 10'000}) {
        auto const repeats = std::max<std::int64_t>(1, (quick ? 2'000 : 10'000) / rows);
        std::vector<double> seconds[3][2];
        for (int round = 0; round < (quick ? 5 : 15); ++round)
            for (std::size_t turn = 0; turn < 2; ++turn) {
                auto const which = round % 2 == 0 ? turn : 1 - turn;
                for (std::size_t kind = 0; kind < 3; ++kind) {
                    isorow::lease const one(db);
                    auto const sql = on(statements[kind][1], "counted_" + contenders[which]);
                    auto const before = wall_seconds();
                    for (std::int64_t i = 0; i < repeats; ++i)
                        isorow::execute(*one, sql, 1'000'000 + i * rows, 1'000'000 + (i + 1) * rows - 1);
                    seconds[kind][which].push_back((wall_seconds() - before) / static_cast<double>(repeats * rows));
                }
            }
        for (std::size_t kind = 0; kind < 3; ++kind)
            for (std::size_t which = 0; which < 2; ++which)
                figures.push_back({"following", std::to_string(rows), contenders[which], std::string(statements[kind][0]) + "_us_per_row",
                                   1e6 * median(seconds[kind][which]), "us"});
    }
}

/// Transactions of one row each by two writers.
void measure_writers(isorow::pool& db, std::array<std::string, 2> const& contenders, bool quick, std::vector<Figure>& figures) {
    std::vector<double> rates[2];
    for (int round = 0; round < (quick ? 3 : 7); ++round)
        for (std::size_t turn = 0; turn < 2; ++turn) {
            auto const which = round % 2 == 0 ? turn : 1 - turn;
            auto const sql = on(statements[1][1], "counted_" + contenders[which]);
            std::atomic<std::int64_t> done = 0;
            auto const before = wall_seconds();
            {
                std::vector<std::jthread> writers;
                for (std::int64_t writer = 0; writer < 2; ++writer)
                    writers.emplace_back([&, writer] {
                        isorow::lease const one(db);
                        for (std::int64_t i = 0; wall_seconds() - before < 1; ++i, ++done) {
                            auto const id = 1 + writer * 500 + i % 500;
                            isorow::execute(*one, sql, id, id);
                        }
                    });
            }
            rates[which].push_back(static_cast<double>(done) / (wall_seconds() - before));
        }
    for (std::size_t which = 0; which < 2; ++which)
        figures.push_back({"following", "1", contenders[which], "transactions_per_second", median(rates[which]), "1/s"});
}

isorow::followed<Counted> follow(isorow::pool& db) {
    using namespace std::chrono_literals;
    return isorow::follow(isorow::source<Counted>(db),
                          isorow::changelog{.notification = {.channel = "counted", .wakes = true}, .interval = 1s},
                          {.consumer = "bench", .begin = isorow::begin_with::changes});
}

}  // namespace

void measure_following(std::string const& dsn, bool quick, std::vector<Figure>& figures) {
    isorow::pool db(dsn, {.min_size = 3});
    std::array<std::string, 2> const contenders{"plain", "changelog"};
    for (auto const& contender : contenders) {
        isorow::execute(db, "DROP TABLE IF EXISTS counted_" + contender);
        isorow::execute(db, "CREATE TABLE counted_" + contender + " (id bigint PRIMARY KEY, count bigint NOT NULL)");
        isorow::execute(db, "INSERT INTO counted_" + contender + " SELECT i, 0 FROM generate_series(1, 1000) i");
    }
    isorow::create_notification(db, "public", "counted_changelog", "bench", {.channel = "counted", .wakes = true});
    measure_statements(db, contenders, quick, figures);
    measure_writers(db, contenders, quick, figures);

    auto counted = follow(db);
    auto const next = [&] {
        auto batch = counted.next(std::chrono::seconds(60));
        if (!batch) throw std::runtime_error("no event has come");
        return std::move(*batch);
    };
    std::vector<double> latencies;
    for (int i = 0; i < (quick ? 50 : 300); ++i) {
        // From the time when COMMIT was answered, while the follower waits.
        std::atomic<double> committed = 0;
        std::jthread const writer([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            isorow::lease const one(db);
            isorow::execute(*one, "UPDATE counted_changelog SET count = count + 1 WHERE id = 1");
            committed = wall_seconds();
        });
        static_cast<void>(next());
        auto const told = wall_seconds();
        while (committed == 0) std::this_thread::yield();
        latencies.push_back(std::max(0.0, told - committed));
    }
    figures.push_back({"following", "1", "changelog", "commit_to_event_ms", 1e3 * median(latencies), "ms"});

    std::int64_t const events = quick ? 50'000 : 500'000;
    isorow::execute(db, "INSERT INTO counted_changelog SELECT i, 0 FROM generate_series(2000000, 1999999 + $1) i", events);
    auto const before = wall_seconds();
    for (std::int64_t told = 0; told < events;) told += static_cast<std::int64_t>(next().size());
    figures.push_back(
        {"following", "1000", "changelog", "events_per_second", static_cast<double>(events) / (wall_seconds() - before), "1/s"});
    isorow::remove_notification(db, "public", "counted_changelog", "counted");
}
