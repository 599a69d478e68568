#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <isorow/app/app.hpp>
#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/fault_proxy.hpp>
#include <support/faults.hpp>
#include <support/own_server.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Price {
    std::int32_t id;
    std::string name;
    isorow::numeric amount;
    std::optional<std::int32_t> shop;

    static consteval auto isorow_table() {
        return isorow::table("prices").primary_key<&Price::id>().column<&Price::amount>(
            {.type = "numeric(9,1)", .check = "amount < 10000"});
    }
};

/// Too wide to be read back: its rows are recorded one by one.
struct WidePrice {
    std::int32_t id;
    std::string name;
    isorow::numeric amount;
    std::optional<std::int32_t> shop;
    isorow::vector<40> embedding;

    static consteval auto isorow_table() {
        return isorow::table("prices").primary_key<&WidePrice::id>().column<&WidePrice::amount>(
            {.type = "numeric(9,1)", .check = "amount < 10000"});
    }
};

/// Who commits: plain targets of a table that is its own record, of one whose rows are recorded, of one with rows of others; an app.
enum class kind : std::uint8_t { narrow, wide, shared, app };

[[nodiscard]] auto any_kind() { return GENERATE(kind::narrow, kind::wide, kind::shared, kind::app); }

[[nodiscard]] std::vector<Price> prices(int count, std::string const& name) {
    std::vector<Price> rows;
    for (std::int32_t id = 1; id <= count; ++id) rows.push_back({id, name, isorow::numeric(id % 1000), std::nullopt});
    return rows;
}

/// A database with the table, as a target or an app of some kind keeps it.
class shop {
public:
    shop(kind what, std::string address) : what_(what), address_(std::move(address)) {}

    isorow::report commit(std::vector<Price> const& rows, isorow::commit_options options = {}, std::stop_token const& stop = {},
                          std::string const& address = {}) const {
        auto const& where = address.empty() ? address_ : address;
        if (what_ == kind::app) return run(rows, std::move(options), stop, where);
        isorow::connection connection(where, {.timeout = 60s});
        isorow::database_ref const here = stop.stop_possible() ? isorow::within(connection, 60s, stop) : isorow::database_ref(connection);
        if (what_ == kind::wide) {
            std::vector<WidePrice> wide;
            for (auto const& row : rows) wide.push_back({row.id, row.name, row.amount, row.shop, {}});
            return isorow::synchronise(here, wide, {.commit = std::move(options)});
        }
        auto const ownership = what_ == kind::shared ? isorow::ownership::shared : isorow::ownership::exclusive;
        return isorow::synchronise(here, rows, {.ownership = ownership, .commit = std::move(options)});
    }

    std::string sql(std::string const& statement) const { return test::sql(address_, statement); }
    [[nodiscard]] std::string contents() const {
        return sql("SELECT count(*) || ' rows ' || md5(coalesce(string_agg(p::text, ',' ORDER BY id), '')) FROM prices p");
    }
    /// The rows and all that is written down of them, by the transactions that wrote them.
    [[nodiscard]] std::string written() const {
        return contents() +
               sql("SELECT ' ' || md5(concat_ws(' ', (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM prices),"
                   " (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM isorow.targets),"
                   " (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM isorow.tracked),"
                   " (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM isorow.owners),"
                   " (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM isorow.columns),"
                   " (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM isorow.objects),"
                   " (SELECT string_agg(ctid::text || xmin::text, ',' ORDER BY ctid) FROM isorow.apps)))");
    }
    [[nodiscard]] bool is_quiet() const {
        return test::eventually(20s, [&] {
            return sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()") == "0";
        });
    }
    /// Commits once more, and sees that the table is as declared and that nothing is left to be done.
    void check_next(std::vector<Price> const& rows) const {
        CHECK(test::outcome_of([&] { static_cast<void>(commit(rows)); }).well());
        CHECK(sql("SELECT count(*) FROM prices") == std::to_string(rows.size()));
        CHECK(sql("SELECT count(DISTINCT name) || ' ' || min(name) FROM prices") == "1 " + rows.front().name);
        auto const before = written();
        CHECK_FALSE(commit(rows).changed());
        CHECK(written() == before);
    }

private:
    isorow::report run(std::vector<Price> const& rows, isorow::commit_options options, std::stop_token const& stop,
                       std::string const& address) const {
        isorow::pool pool(address, test::pool_of(1, 60s));
        isorow::app app(isorow::register_db("shop", pool), "prices");
        isorow::run_options all;
        all.commit = std::move(options);
        all.stop = stop;
        return app.run(
            [&](isorow::scope root) {
                auto const table = root.target<Price>();
                for (std::size_t part = 0; part < 3; ++part)
                    root.mount({"part", static_cast<std::int64_t>(part)}, [&, table, part](isorow::scope here) {
                        for (auto const& row : rows)
                            if (static_cast<std::size_t>(row.id) % 3 == part) table.row(here, row);
                    });
            },
            all);
    }

    kind what_;
    std::string address_;
};

/// A row that the server refuses.
struct bad_row {
    std::string_view reason;
    std::string set_up;  ///< makes the server refuse it
    std::string_view sqlstate;
    std::string_view column;  ///< empty where the server names none
    void (*spoil)(Price& row);
};

bad_row const bad_rows[] = {
    {"a CHECK", "ALTER TABLE prices ADD CONSTRAINT good CHECK (name <> 'bad')", "23514", "", [](Price& row) { row.name = "bad"; }},
    {"NOT NULL, by a trigger",
     "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.name = 'bad' THEN new.name := NULL; END IF; RETURN new; "
     "END $$;"
     "CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON prices FOR EACH ROW EXECUTE FUNCTION spoil()",
     "23502", "name", [](Price& row) { row.name = "bad"; }},
    {"a CHECK that is declared", "SELECT", "23514", "amount", [](Price& row) { row.amount = isorow::numeric(12345); }},
    {"a FOREIGN KEY", "CREATE TABLE shops (id integer PRIMARY KEY); ALTER TABLE prices ADD FOREIGN KEY (shop) REFERENCES shops", "23503",
     "", [](Price& row) { row.shop = 99; }},
};

}  // namespace

TEST_CASE("a row that the server refuses leaves rows and state as they were, and the error names table, key and column") {
    auto const what = any_kind();
    for (auto const& bad : bad_rows)
        for (int const size : {30, 600}) {
            test::database const home;
            shop const here(what, home.dsn());
            static_cast<void>(here.commit(prices(size, "first")));
            home.sql(bad.set_up);
            auto const before = here.written();
            for (bool const is_new : {false, true}) {
                CAPTURE(static_cast<int>(what), bad.reason, size, is_new);
                auto rows = prices(size + 20, "second");
                auto const place = is_new ? size + 7 : 7;
                bad.spoil(rows[static_cast<std::size_t>(place) - 1]);
                auto const told = test::outcome_of([&] { static_cast<void>(here.commit(rows)); });
                INFO(told);
                CHECK(told.how == test::ended::by_server);
                CHECK(told.sqlstate == bad.sqlstate);
                CHECK(told.text.find("\"prices\"") != std::string::npos);
                CHECK(told.text.find("(id) = (" + std::to_string(place) + ")") != std::string::npos);
                // The statement, which is shown behind, has the names of all columns.
                if (!bad.column.empty()) CHECK(told.text.substr(0, told.text.find("; in")).find(bad.column) != std::string::npos);
                CHECK(here.written() == before);
            }
            here.check_next(prices(size + 20, "second"));
        }
}

TEST_CASE("a row that is refused when the transaction ends leaves rows and state as they were, and the error names the table") {
    auto const what = any_kind();
    test::database const home;
    shop const here(what, home.dsn());
    static_cast<void>(here.commit(prices(30, "first")));
    home.sql(
        "CREATE TABLE shops (id integer PRIMARY KEY);"
        "ALTER TABLE prices ADD FOREIGN KEY (shop) REFERENCES shops DEFERRABLE INITIALLY DEFERRED");
    auto const before = here.written();
    auto rows = prices(30, "second");
    rows[6].shop = 99;
    auto const told = test::outcome_of([&] { static_cast<void>(here.commit(rows)); });
    INFO(told);
    CHECK(told.sqlstate == isorow::sqlstate::foreign_key_violation);
    CHECK(told.text.find("\"prices\"") != std::string::npos);
    CHECK(here.written() == before);
    here.check_next(prices(30, "second"));
}

TEST_CASE("a first commit with a bad row makes no table, and the next one does") {
    auto const what = any_kind();
    test::database const home;
    shop const here(what, home.dsn());
    auto rows = prices(300, "first");
    rows[41].amount = isorow::numeric(12345);
    auto const told = test::outcome_of([&] { static_cast<void>(here.commit(rows)); });
    INFO(told);
    CHECK(told.text.find("\"prices\"") != std::string::npos);
    CHECK(told.text.find("(id) = (42)") != std::string::npos);
    CHECK(told.text.find("amount") != std::string::npos);
    CHECK(home.sql("SELECT to_regclass('prices') IS NULL") == "t");
    CHECK(home.sql("SELECT count(*) FROM isorow.targets") == "0");
    here.check_next(prices(300, "first"));
}

TEST_CASE("a connection that is lost at any byte of a commit leaves rows and state as they were, or all is committed") {
    auto const what = any_kind();
    auto const cuts = static_cast<std::size_t>(test::rounds(4, 60));
    test::database const home;
    test::fault_proxy proxy(home.dsn());
    shop const here(what, home.dsn());
    auto const first = prices(400, "first");
    auto const second = prices(420, "second");
    static_cast<void>(here.commit(first));
    // What a whole commit sends and receives.
    static_cast<void>(here.commit(second, {}, {}, proxy.dsn()));
    REQUIRE(test::eventually(5s, [&] { return proxy.open() == 0; }));
    auto const whole = proxy.passed();
    auto const after = here.contents();
    for (auto const way : {test::to_server, test::to_client})
        for (std::size_t cut = 1; cut <= cuts; ++cut) {
            static_cast<void>(here.commit(first));
            REQUIRE(here.is_quiet());
            auto const before = here.written();
            test::fault_plan plan{.reset = cut % 2 == 0};
            plan.cut_at[way] = whole[way] * cut / (cuts + 1);
            proxy.next(plan);
            auto const told = test::outcome_of([&] { static_cast<void>(here.commit(second, {}, {}, proxy.dsn())); });
            CAPTURE(static_cast<int>(what), static_cast<int>(way), plan.cut_at[way], whole[way], told);
            REQUIRE(here.is_quiet());
            if (told.well()) CHECK(here.contents() == after);
            else CHECK(here.written() == before);
            CHECK((told.well() || told.how == test::ended::by_loss || told.how == test::ended::by_refusal));
            CHECK(told.took < 20s);
            here.check_next(second);
        }
}

TEST_CASE("a disk that fills during a commit leaves rows and state as they were, and the error names the table") {
    // Files are kept short, in place of a small disk, which root alone could make.
    constexpr int room = 24 << 20;
    auto const what = any_kind();
    test::own_server const server({}, "ulimit -f " + std::to_string(room / 512));
    shop const here(what, server.dsn());
    static_cast<void>(here.commit(prices(500, "first")));
    auto const before = here.written();
    for (int i = 0; i < test::rounds(1, 5); ++i) {
        auto const told = test::outcome_of([&] { static_cast<void>(here.commit(prices(26'000, std::string(1000, 'x')))); });
        INFO(told);
        CHECK(told.how == test::ended::by_server);
        CHECK(told.text.find("\"prices\"") != std::string::npos);
        CHECK(here.written() == before);
    }
    here.check_next(prices(500, "second"));
}

TEST_CASE("a stop in the middle of a commit leaves rows and state as they were") {
    auto const what = any_kind();
    test::database const home;
    shop const here(what, home.dsn());
    static_cast<void>(here.commit(prices(5000, "first")));
    auto const before = here.written();
    for (auto const phase : {isorow::progress_phase::comparing, isorow::progress_phase::writing}) {
        std::stop_source source;
        isorow::commit_options options;
        options.progress = [&](isorow::progress const& now) {
            if (now.phase == phase) source.request_stop();
        };
        auto const told = test::outcome_of([&] { static_cast<void>(here.commit(prices(5000, "second"), options, source.get_token())); });
        CAPTURE(static_cast<int>(what), static_cast<int>(phase), told);
        CHECK(source.stop_requested());
        CHECK(told.how == test::ended::by_stop);
        REQUIRE(here.is_quiet());
        CHECK(here.written() == before);
    }
    here.check_next(prices(5000, "second"));
}

TEST_CASE("a lock that is not free leaves rows and state as they were, and the error names the table") {
    auto const what = any_kind();
    test::database const home;
    shop const here(what, home.dsn());
    static_cast<void>(here.commit(prices(30, "first")));
    auto const before = here.written();
    {
        auto holder = test::connect(home.dsn());
        test::run(holder, "BEGIN; SELECT FROM prices WHERE id = 1 FOR UPDATE; LOCK TABLE prices IN ROW EXCLUSIVE MODE");
        isorow::commit_options options;
        options.lock_timeout = 50ms;
        options.lock_attempts = 2;
        auto const told = test::outcome_of([&] { static_cast<void>(here.commit(prices(30, "second"), options)); });
        INFO(told);
        CHECK(told.how == test::ended::by_server);
        CHECK(told.sqlstate == isorow::sqlstate::lock_not_available);
        CHECK(told.text.find("\"prices\"") != std::string::npos);
        test::run(holder, "ROLLBACK");
    }
    CHECK(here.written() == before);
    here.check_next(prices(30, "second"));
}

TEST_CASE("a deadlock leaves rows and state as they were, and is no more where the commit is tried again") {
    auto const what = any_kind();
    bool const is_tried_again = GENERATE(false, true);
    test::database const home;
    shop const here(what, home.dsn());
    static_cast<void>(here.commit(prices(30, "first")));
    home.sql(
        "CREATE TABLE gate (id integer PRIMARY KEY); INSERT INTO gate VALUES (1);"
        "CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM FROM gate FOR UPDATE; RETURN NULL; END $$;"
        "CREATE TRIGGER pass AFTER UPDATE ON prices FOR EACH STATEMENT EXECUTE FUNCTION pass()");
    auto const before = here.written();
    isorow::commit_options options;
    options.lock_timeout = 10s;
    options.lock_attempts = is_tried_again ? 3 : 1;
    test::outcome told;
    {
        auto other = test::connect(home.dsn());
        test::run(other, "BEGIN; SELECT FROM gate FOR UPDATE");
        std::jthread const committing(
            [&] { told = test::outcome_of([&] { static_cast<void>(here.commit(prices(30, "second"), options)); }); });
        CHECK(test::eventually(5s, [&] {
            return home.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") != "0";
        }));
        // It has the rows and waits for the gate; who has the gate waits for the rows now.
        test::run(other, "SELECT FROM prices WHERE id = 1 FOR UPDATE; LOCK TABLE prices IN ROW EXCLUSIVE MODE");
        test::run(other, "ROLLBACK");
    }
    CAPTURE(static_cast<int>(what), is_tried_again, told);
    if (is_tried_again) {
        CHECK(told.well());
    } else {
        CHECK(told.sqlstate == isorow::sqlstate::deadlock_detected);
        CHECK(told.text.find("\"prices\"") != std::string::npos);
        CHECK(here.written() == before);
    }
    here.check_next(prices(30, "second"));
}
