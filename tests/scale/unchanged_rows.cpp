// A million rows that have not changed: what a run reads, and what it writes.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace {

struct Narrow {
    std::int64_t id;
    std::string name;
    double value;
    std::chrono::sys_time<std::chrono::microseconds> at;

    static consteval auto isorow_table() { return isorow::table("narrow").primary_key<&Narrow::id>(); }
};

constexpr std::int64_t rows = 1'000'000;

void declare(isorow::target<Narrow>& target, std::int64_t changed_every = 0) {
    for (std::int64_t id = 0; id < rows; ++id) {
        Narrow row{id, "name " + std::to_string(id), 0.5, std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(id))};
        if (changed_every != 0 && id % changed_every == 0) row.value = 1.5;
        target.declare(row);
    }
}

}  // namespace

TEST_CASE("an unchanged run over a million rows writes no more than 256 KiB of WAL, and one percent of changes exactly that") {
    test::database const database;
    auto connection = test::connect(database.dsn());
    isorow::target<Narrow> target(connection);
    declare(target);
    CHECK(to_string(target.commit()) == "1000000 inserted, 0 updated, 0 deleted, 0 unchanged");
    database.sql("ALTER TABLE narrow SET (autovacuum_enabled = off)");

    declare(target);
    CHECK(to_string(target.commit()) == "0 inserted, 0 updated, 0 deleted, 1000000 unchanged");  // the warm-up run
    database.sql("CHECKPOINT");
    auto const before = database.sql("SELECT pg_current_wal_insert_lsn()");
    declare(target);
    CHECK(to_string(target.commit()) == "0 inserted, 0 updated, 0 deleted, 1000000 unchanged");
    auto const written = std::stoll(database.sql("SELECT (pg_current_wal_insert_lsn() - '" + before + "'::pg_lsn)::bigint"));
    INFO("WAL: " << written << " bytes");
    CHECK(written <= 256 * 1024);

    // As the server counts them.
    auto const counted = [&] {
        isorow::execute_script(connection, "SELECT pg_stat_force_next_flush()", connection.default_limits());
        isorow::execute_script(connection, "SELECT 1", connection.default_limits());
        return database.sql("SELECT concat_ws(' ', n_tup_ins, n_tup_upd, n_tup_del) FROM pg_stat_user_tables WHERE relname = 'narrow'");
    };
    CHECK(counted() == "1000000 0 0");
    declare(target, 100);
    CHECK(to_string(target.commit()) == "0 inserted, 10000 updated, 0 deleted, 990000 unchanged");
    CHECK(counted() == "1000000 10000 0");
    CHECK(database.sql("SELECT count(*) FROM narrow WHERE value = 1.5") == "10000");
}
