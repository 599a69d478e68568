#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

struct Reading {
    std::int32_t id;
    std::int32_t low;
    std::int32_t high;
    std::optional<std::string> note;

    static consteval auto isorow_table() { return isorow::table("readings").primary_key<&Reading::id>(); }
    friend bool operator==(Reading const&, Reading const&) = default;
};

/// The same table by a struct whose fields stand in another order.
struct Swapped {
    std::int32_t id;
    std::int32_t high;
    std::int32_t low;
    std::optional<std::string> note;

    static consteval auto isorow_table() { return isorow::table("readings").primary_key<&Swapped::id>(); }
};

/// Sees whether rows are read.
struct reading_observer : isorow::observer {
    void on_copy(isorow::operation_event const& event) override { has_read = has_read || event.sql.starts_with("COPY (SELECT"); }
    bool has_read = false;
};

struct readings {
    test::database database;
    std::shared_ptr<reading_observer> observer = std::make_shared<reading_observer>();
    isorow::connection connection{database.dsn(), {.observer = observer}};
    bool was_read = false;  ///< whether the last synchronisation read the table's rows

    template <class Row>
    std::string synchronised(std::vector<Row> const& rows) {
        observer->has_read = false;
        auto const done = to_string(isorow::synchronise(connection, rows));
        was_read = observer->has_read;
        return done;
    }
    [[nodiscard]] std::vector<Reading> stored() { return isorow::query<Reading>(connection, "SELECT * FROM readings ORDER BY id"); }
};

std::vector<Reading> many() {
    std::vector<Reading> rows;
    for (std::int32_t id = 1; id <= 200; ++id) rows.push_back({id, id, 2 * id, id % 3 == 0 ? std::optional("third") : std::nullopt});
    return rows;
}

}  // namespace

TEST_CASE_METHOD(readings, "rows that are declared again, in whatever order, are counted and not read") {
    auto rows = many();
    CHECK(synchronised(rows) == "200 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 200 unchanged");
    CHECK_FALSE(was_read);
    std::swap(rows.front(), rows.back());
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 200 unchanged");
    CHECK_FALSE(was_read);
    rows[5].low = 0;
    CHECK(synchronised(rows) == "0 inserted, 1 updated, 0 deleted, 199 unchanged");
    CHECK(was_read);
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 200 unchanged");
    CHECK_FALSE(was_read);
}

TEST_CASE_METHOD(readings, "values that have changed places between rows or columns are not taken for the same") {
    auto rows = many();
    synchronised(rows);
    std::swap(rows[10].low, rows[20].low);
    CHECK(synchronised(rows) == "0 inserted, 2 updated, 0 deleted, 198 unchanged");
    CHECK(stored() == rows);
    std::vector<Swapped> swapped;
    for (auto const& row : rows) swapped.push_back({row.id, row.low, row.high, row.note});
    CHECK(synchronised(swapped) == "0 inserted, 200 updated, 0 deleted, 0 unchanged");
    for (auto& row : rows) std::swap(row.low, row.high);
    CHECK(stored() == rows);
}

TEST_CASE_METHOD(readings, "what somebody else has done since is seen and mended, however well it is hidden") {
    auto const rows = many();
    synchronised(rows);
    auto const mends = [&](char const* doing, std::string const& expected) {
        INFO(doing);
        database.sql(doing);
        CHECK(synchronised(rows) == expected);
        CHECK(was_read);
        CHECK(stored() == rows);
        CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 200 unchanged");
        CHECK_FALSE(was_read);
    };
    mends("UPDATE readings SET low = 0 WHERE id = 7", "0 inserted, 1 updated, 0 deleted, 199 unchanged");
    mends("DELETE FROM readings WHERE id = 7", "1 inserted, 0 updated, 0 deleted, 199 unchanged");
    mends("INSERT INTO readings VALUES (1000, 0, 0)", "0 inserted, 0 updated, 1 deleted, 200 unchanged");
    mends("DELETE FROM readings WHERE id = 7; INSERT INTO readings VALUES (1000, 0, 0)", "1 inserted, 0 updated, 1 deleted, 199 unchanged");
    mends("TRUNCATE readings", "200 inserted, 0 updated, 0 deleted, 0 unchanged");
    mends("ALTER TABLE readings DROP COLUMN note; ALTER TABLE readings ADD COLUMN note text DEFAULT 'third'",
          "0 inserted, 134 updated, 0 deleted, 66 unchanged");
    mends("ALTER TABLE readings ALTER low TYPE integer USING low + 1", "0 inserted, 200 updated, 0 deleted, 0 unchanged");
}

TEST_CASE_METHOD(readings, "a row that was written and written back by somebody else is compared, and nothing is written") {
    auto const rows = many();
    synchronised(rows);
    database.sql("UPDATE readings SET low = low WHERE id = 7");
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 200 unchanged");
    CHECK(was_read);
}

TEST_CASE_METHOD(readings, "transactions none of whose rows are left are forgotten now and then") {
    auto rows = many();
    for (int run = 0; run < 130; ++run) {
        rows.front().low = run;
        synchronised(rows);
    }
    CHECK(database.sql("SELECT cardinality(writers) BETWEEN 2 AND 70 FROM isorow.targets") == "t");
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 200 unchanged");
    CHECK_FALSE(was_read);
}
