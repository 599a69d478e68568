#pragma once

/// @file
/// A million changes in one transaction, applied to another table by a process whose memory is watched.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>
#include <support/processes.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

struct Reading {
    std::int64_t id;
    std::string sensor;
    double value;

    static consteval auto isorow_table() { return isorow::table("readings").primary_key<&Reading::id>(); }
};

struct Copied {
    std::int64_t id;
    std::string sensor;
    double value;

    static consteval auto isorow_table() { return isorow::table("copied").primary_key<&Copied::id>(); }
};

class million_changes {
public:
    static constexpr std::int64_t rows = 1'000'000;

    million_changes() {
        home.sql(
            "CREATE TABLE readings (id bigint PRIMARY KEY, sensor text NOT NULL, value float8 NOT NULL); CREATE TABLE copied (id bigint "
            "PRIMARY "
            "KEY, sensor text NOT NULL, value float8 NOT NULL)");
    }

    database home{};

    template <class How>
    void apply(How const& how) {
        {
            // The consumer is there before the rows are.
            isorow::pool pool(home.dsn());
            static_cast<void>(
                isorow::follow(isorow::source<Reading>(pool), how, {.consumer = "copy", .begin = isorow::begin_with::changes}));
        }
        home.sql("INSERT INTO readings SELECT g, 'sensor ' || g % 100, g FROM generate_series(1, " + std::to_string(rows) + ") g");
        child consumer([&] { consume(how); });
        CHECK(consumer.exit_code() == 0);
        CHECK(home.sql("SELECT count(*) FROM readings r JOIN copied c USING (id, sensor, value)") == std::to_string(rows));
    }

private:
    template <class How>
    void consume(How const& how) const {
        isorow::pool pool(home.dsn(), {.min_size = 1});
        auto readings = isorow::follow(isorow::source<Reading>(pool), how, {.consumer = "copy", .batch = 5000});
        for (std::int64_t seen = 0; seen < rows;) {
            auto batch = readings.next(std::chrono::seconds(120));
            if (!batch) throw std::runtime_error("after " + std::to_string(seen) + " changes nothing more comes");
            isorow::transact(pool, [&](isorow::transaction& work) {
                std::vector<Copied> copies;
                for (auto const& event : *batch) {
                    if (event.kind != isorow::event_kind::upserted)
                        throw std::runtime_error("an event of the kind " + std::string(to_string(event.kind)));
                    copies.push_back({event.row->id, event.row->sensor, event.row->value});
                }
                isorow::upsert(work, copies);
                batch->save(work);
            });
            seen += static_cast<std::int64_t>(batch->size());
        }
        auto const limit = 128 * 1024 + sanitizer_kilobytes;
        if (peak_kilobytes() >= limit) throw std::runtime_error("the peak of memory was " + std::to_string(peak_kilobytes()) + " KiB");
    }
};

}  // namespace test
