#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <string>
#include <vector>

using isorow::adopt;
using isorow::ownership;

namespace {

struct Entry {
    std::string group;
    std::int32_t id;
    isorow::annotated<std::string, isorow::pg_type<"json">> body;

    static consteval auto isorow_table() { return isorow::table("entries").primary_key<&Entry::group, &Entry::id>(); }
};

Entry entry(std::int32_t id, std::string body = "{}") { return {id % 2 == 0 ? "even" : "odd", id, std::move(body)}; }

std::vector<Entry> entries(std::int32_t count) {
    std::vector<Entry> rows;
    for (std::int32_t id = 1; id <= count; ++id) rows.push_back(entry(id));
    return rows;
}

/// A table of the user's, and more rows than the memory allows.
struct users_table {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());
    isorow::target_options options{.managed_by = isorow::managed_by::user, .ownership = ownership::shared};

    users_table() {
        options.commit.memory = std::size_t{16} << 10;
        database.sql("CREATE TABLE entries (\"group\" text, id integer, body json NOT NULL, PRIMARY KEY (\"group\", id))");
    }

    isorow::target<Entry> declared(std::vector<Entry> const& rows) { return declared(rows, options); }
    isorow::target<Entry> declared(std::vector<Entry> const& rows, isorow::target_options given) {
        isorow::target<Entry> target(connection, std::move(given));
        for (auto const& row : rows) target.declare(row);
        return target;
    }
    /// The columns of the table that the rows wait in.
    std::string columns() {
        return database.sql(
            "SELECT coalesce(string_agg(a.attname, ' ' ORDER BY a.attnum), 'none') FROM pg_class c JOIN pg_attribute a ON a.attrelid = "
            "c.oid WHERE c.relname ~ '^isorow_spilled_' AND a.attnum > 0");
    }
    std::string temporary_tables() { return database.sql("SELECT count(*) FROM pg_class WHERE relpersistence = 't'"); }
    /// The rows of the record, by owner, and how many of them name the transaction that wrote the row.
    std::string recorded() {
        return database.sql(
            "SELECT coalesce(string_agg(count || ' of ' || owner, ', ' ORDER BY owner), 'none') FROM (SELECT o.path AS owner, count(e.id) "
            "FROM isorow.tracked p JOIN isorow.owners o ON o.id = p.owner, ROWS FROM (unnest(p.keys), unnest(p.versions)) AS r (key, "
            "version) LEFT JOIN entries e ON int4send(octet_length(e.group)) || textsend(e.group) || '\\x00000004'::bytea || "
            "int4send(e.id) "
            "= r.key AND e.xmin = r.version GROUP BY o.path) s");
    }
    /// Stands for all rows of the table, of the record and of the entries, as they were written last.
    std::string written() {
        return database.sql(
            "SELECT (SELECT md5(string_agg(ctid::text || xmin, ',' ORDER BY ctid)) FROM entries) || (SELECT string_agg(ctid::text || xmin, "
            "',' ORDER BY ctid) FROM isorow.tracked) || (SELECT string_agg(ctid::text || xmin, ',') FROM isorow.targets)");
    }
    /// The rows are what they should be, and a run that says so again writes nothing, not even where it looks who wrote them.
    void check_settled(std::vector<Entry> const& rows) {
        auto const unchanged = isorow::text("0 inserted, 0 updated, 0 deleted, {} unchanged", rows.size());
        auto const before = written();
        CHECK(to_string(declared(rows).commit()) == unchanged);
        auto mending = options;
        mending.commit.drift = isorow::drift::mend;
        auto const mended = declared(rows, mending).commit();
        CHECK(to_string(mended) == unchanged);
        CHECK(mended.tables.front().mended == 0);
        CHECK(written() == before);
        CHECK(temporary_tables() == "0");
    }
};

}  // namespace

TEST_CASE_METHOD(users_table, "the rows of a first load wait as the table will have them", "[session]") {
    auto const rows = entries(1000);
    {
        auto target = declared(rows);
        CHECK(columns() == "group id body");
        CHECK(to_string(target.commit()) == "1000 inserted, 0 updated, 0 deleted, 0 unchanged");
    }
    CHECK(recorded() == "1000 of default");
    check_settled(rows);

    SECTION("those of later ones wait with what is to be recorded of them") {
        auto changed = entries(1500);
        for (auto& row : changed) row.body = "[]";
        auto target = declared(changed);
        CHECK(columns() == "group id body isorow_owner_number isorow_fingerprint isorow_key isorow_is_thin");
        CHECK(to_string(target.commit()) == "500 inserted, 1000 updated, 0 deleted, 0 unchanged");
        CHECK(recorded() == "1500 of default");
    }
    SECTION("once all are gone again it is a first load") {
        REQUIRE(declared({}).commit().deleted == 1000);
        auto target = declared(rows);
        CHECK(columns() == "group id body");
        CHECK(target.commit().inserted == 1000);
        CHECK(recorded() == "1000 of default");
    }
}

TEST_CASE_METHOD(users_table, "rows of a first load that are there already are refused by name, unless they may be taken over",
                 "[session]") {
    database.sql("INSERT INTO entries VALUES ('odd', 7, '{}'), ('even', 8, '[8]'), ('none', 9, '[9]')");
    auto const rows = entries(1000);
    CHECK_THROWS_MATCHES(declared(rows).commit(), isorow::untracked_key,
                         test::says("(odd,7)") && test::says("(even,8)") && test::says("say adopt::rows"));
    CHECK_THROWS_AS(declared(rows).plan(), isorow::untracked_key);
    CHECK(database.sql("SELECT count(*) FROM entries") == "3");

    auto const before = database.sql("SELECT ctid, xmin FROM entries WHERE id = 7");
    options.adopt = adopt::rows;
    CHECK(to_string(declared(rows).plan()).starts_with("998 inserted, 1 updated, 0 deleted, 1 unchanged"));
    CHECK(to_string(declared(rows).commit()) == "998 inserted, 1 updated, 0 deleted, 1 unchanged");
    CHECK(database.sql("SELECT ctid, xmin FROM entries WHERE id = 7") == before);
    CHECK(recorded() == "1000 of default");
    check_settled(rows);
    CHECK(database.sql("SELECT body FROM entries WHERE id = 9") == "[9]");
}

TEST_CASE_METHOD(users_table, "a record that has come while the rows of a first load waited is compared with them", "[session]") {
    auto const rows = entries(1000);
    auto waiting = declared(rows);
    REQUIRE(columns() == "group id body");
    auto other = test::connect(database.dsn());
    auto const by_other = [&](std::vector<Entry> const& of_other, std::string owner) {
        auto others = options;
        others.owner = std::move(owner);
        isorow::target<Entry> target(other, others);
        for (auto const& row : of_other) target.declare(row);
        return target.commit();
    };

    SECTION("of the same owner") {
        auto earlier = entries(600);
        earlier[3].body = "[]";
        earlier.push_back(entry(2000));
        REQUIRE(by_other(earlier, "default").inserted == 601);
        CHECK(to_string(waiting.plan()).starts_with("400 inserted, 1 updated, 1 deleted, 599 unchanged"));
        CHECK(to_string(waiting.commit()) == "400 inserted, 1 updated, 1 deleted, 599 unchanged");
        CHECK(recorded() == "1000 of default");
        check_settled(rows);
    }
    SECTION("of another owner, with other keys") {
        REQUIRE(by_other({entry(2000), entry(2001)}, "other").inserted == 2);
        CHECK(to_string(waiting.commit()) == "1000 inserted, 0 updated, 0 deleted, 0 unchanged");
        CHECK(recorded() == "1000 of default, 2 of other");
        check_settled(rows);
    }
    SECTION("of another owner, with one of the keys") {
        REQUIRE(by_other({entry(2000), entry(77)}, "other").inserted == 2);
        options.adopt = GENERATE(adopt::nothing, adopt::rows);
        auto const is_refused = [&](isorow::target<Entry>&& target) {
            CHECK_THROWS_MATCHES(target.commit(), isorow::untracked_key,
                                 test::says("the key (odd,77)") && test::says("kept by another owner"));
        };
        is_refused(std::move(waiting));
        is_refused(declared(rows));
        CHECK(recorded() == "2 of other");
    }
}

TEST_CASE_METHOD(users_table, "a key that is declared twice in a first load is named, however far from each other", "[session]") {
    auto rows = entries(1000);
    rows.push_back(entry(17));
    auto target = declared(rows);
    CHECK_THROWS_MATCHES(target.plan(), isorow::duplicate_key, test::says("the key (odd,17)"));
    CHECK_THROWS_MATCHES(target.commit(), isorow::duplicate_key, test::says("the key (odd,17)"));
    CHECK(database.sql("SELECT count(*) FROM entries") == "0");
}

TEST_CASE_METHOD(users_table, "a row of a first load that the server refuses is named by its table, key and column", "[session]") {
    auto rows = entries(1000);
    rows[900].body = "{";
    CHECK_THROWS_MATCHES(declared(rows).commit(), isorow::data_exception,
                         test::says("\"public\".\"entries\", the row with the key (group, id) = (odd, 901)") &&
                             test::says("invalid input syntax for type json") && test::says("column \"body\""));
    CHECK(temporary_tables() == "0");
}

TEST_CASE_METHOD(users_table, "a plan of a first load leaves the rows where they wait", "[session]") {
    auto const rows = entries(1000);
    {
        auto target = declared(rows);
        auto const plan = target.plan();
        CHECK(plan.inserted == 1000);
        if (GENERATE(false, true)) {
            database.sql("INSERT INTO entries VALUES ('odd', 5, '[5]')");
            CHECK_THROWS_AS(target.apply(plan), isorow::untracked_key);
            database.sql("DELETE FROM entries");
        }
        CHECK(to_string(target.apply(plan)) == "1000 inserted, 0 updated, 0 deleted, 0 unchanged");
    }
    CHECK(recorded() == "1000 of default");
    check_settled(rows);
}

TEST_CASE_METHOD(users_table, "rows of a first load that went with a savepoint of the user's are missed", "[session]") {
    isorow::transaction whole(connection);
    isorow::target<Entry> target(connection, options);
    for (auto const& row : entries(500)) target.declare(row);
    {
        isorow::transaction inner(connection);
        for (std::int32_t id = 501; id <= 1000; ++id) target.declare(entry(id));
        inner.rollback();
    }
    CHECK_THROWS_MATCHES(target.commit(), isorow::run_conflict, test::says("declare them again"));
    whole.rollback();
    CHECK(database.sql("SELECT count(*) FROM entries") == "0");
}

TEST_CASE_METHOD(users_table, "the components of an app load their rows together, and each keeps its own", "[session]") {
    isorow::pool pool(database.dsn());
    isorow::app app(isorow::register_db("main", pool), "entries");
    isorow::run_options little;
    little.commit = options.commit;
    options.commit = {};
    auto const run = [&](std::int32_t components) {
        auto const done = to_string(app.run(
            [&](isorow::scope root) {
                auto const target = root.target<Entry>(options);
                for (std::int32_t one = 0; one < components; ++one)
                    root.mount({"part", one}, [&, one](isorow::scope here) {
                        for (std::int32_t id = one + 1; id <= 1000; id += components) target.row(here, entry(id));
                    });
            },
            little));
        return done.substr(0, done.find(" unchanged"));
    };
    CHECK(run(2) == "1000 inserted, 0 updated, 0 deleted, 0");
    CHECK(recorded() == "500 of /part/0, 500 of /part/1");
    CHECK(app.audit().empty());
    CHECK(run(2) == "0 inserted, 0 updated, 0 deleted, 1000");
    CHECK(run(1) == "0 inserted, 0 updated, 0 deleted, 1000");
    CHECK(recorded() == "1000 of /part/0");
    CHECK(app.audit().empty());
    CHECK(temporary_tables() == "0");
}

TEST_CASE_METHOD(users_table, "rows whose keys are not equal as their bytes are wait with what is to be recorded of them", "[session]") {
    struct Level {
        double height;
        std::string name;
        static consteval auto isorow_table() { return isorow::table("levels").primary_key<&Level::height>(); }
    };
    database.sql("CREATE TABLE levels (height double precision PRIMARY KEY, name text NOT NULL)");
    auto const load = [&](bool is_zero_negative) {
        isorow::target<Level> target(connection, options);
        target.declare({is_zero_negative ? -0.0 : 0.0, "zero"});
        for (int i = 1; i < 1000; ++i) target.declare({static_cast<double>(i), "level"});
        CHECK(columns() == "height name isorow_owner_number isorow_fingerprint isorow_key isorow_is_thin");
        return to_string(target.commit());
    };
    CHECK(load(false) == "1000 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(database.sql("SELECT count(*) FROM levels") == "1000");
}
