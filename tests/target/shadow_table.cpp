#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <string>
#include <vector>

using isorow::ownership;

namespace {

struct Page {
    std::int64_t id;
    isorow::annotated<std::string, isorow::pg_type<"json">> body;
    isorow::vector<32> embedding;

    static consteval auto isorow_table() { return isorow::table("pages").primary_key<&Page::id>(); }
};

Page page(std::int64_t id, std::string body = "{}") { return {id, std::move(body), {}}; }

std::vector<Page> pages(std::int64_t count) {
    std::vector<Page> rows;
    for (std::int64_t id = 1; id <= count; ++id) rows.push_back(page(id));
    return rows;
}

struct large_first_load {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());
    isorow::target_options options = with_little_memory();

    static isorow::target_options with_little_memory() {
        isorow::target_options options;
        options.commit.memory = std::size_t{64} << 10;
        return options;
    }

    isorow::target<Page> declared(std::vector<Page> const& rows) {
        isorow::target<Page> target(connection, options);
        for (auto const& row : rows) target.declare(row);
        return target;
    }
    /// The tables of the schema, each name with the hexadecimal digits of a shadow's left out.
    std::string tables() {
        return database.sql(
            "SELECT coalesce(string_agg(regexp_replace(relname, '[0-9a-f]{16}$', '*'), ' ' ORDER BY relname), 'none') FROM pg_class WHERE "
            "relnamespace = 'public'::regnamespace AND relkind = 'r'");
    }
    std::string locks() {
        return database.sql(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE "
            "datname = current_database())");
    }
};

}  // namespace

TEST_CASE_METHOD(large_first_load, "more rows than the memory allows are loaded beside the table's place, and the table takes its name",
                 "[session]") {
    options.ownership = GENERATE(ownership::exclusive, ownership::shared);
    auto target = declared(pages(3000));
    CHECK(tables() == "isorow_shadow_*");
    CHECK(locks() == "1");
    auto const done = target.commit();
    CHECK(to_string(done) == "3000 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(done.tables.front().ddl.front().starts_with("CREATE TABLE \"public\".\"pages\""));
    CHECK(tables() == "pages");
    CHECK(locks() == "0");
    CHECK(database.sql("SELECT count(*) || ' ' || coalesce(obj_description('pages'::regclass), 'no comment') FROM pages") ==
          "3000 no comment");
    CHECK(database.sql("SELECT count(*) FROM pg_index WHERE indrelid = 'pages'::regclass AND indisprimary") == "1");

    SECTION("the same rows once more are unchanged") {
        options.commit.drift = isorow::drift::mend;
        auto const again = declared(pages(3000)).commit();
        CHECK(to_string(again) == "0 inserted, 0 updated, 0 deleted, 3000 unchanged");
        CHECK(again.tables.front().mended == 0);
    }
    SECTION("others are told from them") {
        auto rows = pages(2999);
        rows[7].body = "[]";
        CHECK(to_string(declared(rows).commit()) == "0 inserted, 1 updated, 1 deleted, 2998 unchanged");
    }
}

TEST_CASE_METHOD(large_first_load, "a table that is its own record knows which transactions loaded it", "[session]") {
    struct Narrow {
        std::int64_t id;
        static consteval auto isorow_table() { return isorow::table("narrow").primary_key<&Narrow::id>(); }
    };
    isorow::target<Narrow> target(connection, options);
    for (std::int64_t id = 0; id < 5000; ++id) target.declare({id});
    CHECK(to_string(target.commit()) == "5000 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(database.sql("SELECT count(*) FROM narrow n, isorow.targets t WHERE n.xmin::text::bigint = ANY (t.writers)") == "5000");
}

TEST_CASE_METHOD(large_first_load, "a key that is declared twice, far from each other, is named, and nothing is left", "[session]") {
    auto rows = pages(3000);
    std::swap(rows[0], rows[1]);
    rows.push_back(page(17));
    {
        auto target = declared(rows);
        CHECK_THROWS_MATCHES(target.commit(), isorow::duplicate_key, test::says("\"public\".\"pages\"") && test::says("the key (17)"));
        CHECK_THROWS_MATCHES(target.plan(), isorow::duplicate_key, test::says("the key (17)"));
    }
    CHECK(tables() == "none");
    CHECK(locks() == "0");
}

TEST_CASE_METHOD(large_first_load, "a row that the server refuses is named by its key and column, and nothing is left", "[session]") {
    auto rows = pages(3000);
    rows[2000].body = "{";
    CHECK_THROWS_MATCHES(declared(rows).commit(), isorow::data_exception,
                         test::says("\"public\".\"pages\", the row with the key (id) = (2001)") &&
                             test::says("invalid input syntax for type json") && test::says("column \"body\""));
    CHECK(tables() == "none");
    CHECK(locks() == "0");
}

TEST_CASE_METHOD(large_first_load, "what a session that died has left is dropped by the next run, what a living one has is not",
                 "[session]") {
    {
        auto connected = test::connect(database.dsn());
        isorow::target<Page> killed(connected, options);
        for (auto const& row : pages(3000)) killed.declare(row);
        database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM "
            "pg_database WHERE datname = current_database())");
        CHECK_THROWS_AS(killed.commit(), isorow::error);
    }
    CHECK(tables() == "isorow_shadow_*");
    auto other = test::connect(database.dsn());
    isorow::target<Page> living(other, options);
    for (auto const& row : pages(3000)) living.declare(row);
    CHECK(tables() == "isorow_shadow_* isorow_shadow_*");

    CHECK(to_string(declared(pages(1)).commit()) == "1 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(tables() == "isorow_shadow_* pages");

    // The table has come meanwhile: the rows are compared with it.
    CHECK(to_string(living.commit()) == "2999 inserted, 0 updated, 0 deleted, 1 unchanged");
    CHECK(tables() == "pages");
}

TEST_CASE_METHOD(large_first_load,
                 "a plan leaves the rows where they wait, so that it can be applied, and nothing behind it when it is not", "[session]") {
    {
        auto target = declared(pages(3000));
        auto const plan = target.plan();
        CHECK(plan.inserted == 3000);
        CHECK(plan.tables.front().changes.front().sql.starts_with("CREATE TABLE \"public\".\"pages\""));
        if (GENERATE(false, true)) {
            CHECK(to_string(target.apply(plan)) == "3000 inserted, 0 updated, 0 deleted, 0 unchanged");
            CHECK(database.sql("SELECT count(*) FROM pages") == "3000");
        }
    }
    CHECK(tables().find("shadow") == std::string::npos);
    CHECK(locks() == "0");
}

TEST_CASE_METHOD(large_first_load, "a plan keeps all rows that wait, those declared last too, where the table is there", "[session]") {
    REQUIRE(declared(pages(10)).commit().inserted == 10);
    auto target = declared(pages(3000));
    CHECK(target.plan().inserted == 2990);
    CHECK(to_string(target.commit()) == "2990 inserted, 0 updated, 0 deleted, 10 unchanged");
}

TEST_CASE_METHOD(large_first_load, "rows that waited and went with a transaction of the user's are missed, not deleted", "[session]") {
    REQUIRE(declared(pages(1500)).commit().inserted == 1500);
    auto rows = pages(1500);
    for (auto& row : rows) row.body = "[]";
    isorow::transaction whole(connection);
    isorow::target<Page> target(connection, options);
    for (auto const& row : pages(700)) target.declare(row);
    for (std::size_t i = 700; i < 1000; ++i) target.declare(rows[i]);
    {
        isorow::transaction inner(connection);
        for (std::size_t i = 1000; i < 1500; ++i) target.declare(rows[i]);
        inner.rollback();
    }
    CHECK_THROWS_MATCHES(target.commit(), isorow::error, test::says("declare them again"));
    whole.rollback();
    CHECK(database.sql("SELECT count(*) FROM pages") == "1500");
}

TEST_CASE_METHOD(large_first_load, "a first load of a table that is there records who wrote the rows, as later ones do", "[session]") {
    database.sql("CREATE EXTENSION vector; CREATE TABLE pages (id bigint PRIMARY KEY, body json NOT NULL, embedding vector(32) NOT NULL)");
    options.managed_by = isorow::managed_by::user;
    options.ownership = ownership::shared;
    auto target = declared(pages(3000));
    CHECK(tables() == "pages");
    CHECK(to_string(target.commit()) == "3000 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(database.sql(
              "SELECT count(*) FROM isorow.tracked p, ROWS FROM (unnest(p.keys), unnest(p.versions)) AS r (key, version) JOIN pages t "
              "ON '\\x00000008'::bytea || int8send(t.id) = r.key AND t.xmin = r.version") == "3000");
    options.commit.drift = isorow::drift::mend;
    auto const again = declared(pages(3000)).commit();
    CHECK(to_string(again) == "0 inserted, 0 updated, 0 deleted, 3000 unchanged");
    CHECK(again.tables.front().mended == 0);
}

TEST_CASE_METHOD(large_first_load, "rows wait in a temporary table where a publication of all tables would send them under another name",
                 "[session]") {
    database.sql("CREATE PUBLICATION everything FOR ALL TABLES");
    auto target = declared(pages(3000));
    CHECK(tables() == "none");
    CHECK(to_string(target.commit()) == "3000 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(tables() == "pages");
}

TEST_CASE_METHOD(large_first_load, "the table has the privileges that its schema gives to new tables") {
    database.sql("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC");
    CHECK(declared(pages(3000)).commit().inserted == 3000);
    CHECK(database.sql("SELECT relacl::text ~ '=r/' FROM pg_class WHERE oid = 'pages'::regclass") == "t");
}

TEST_CASE_METHOD(large_first_load, "the rows of several components wait together, and each keeps its own", "[session]") {
    isorow::pool pool(database.dsn());
    isorow::app app(isorow::register_db("main", pool), "pages");
    isorow::run_options little;
    little.commit.memory = options.commit.memory;
    auto const run = [&](int components) {
        return to_string(app.run(
            [&](isorow::scope root) {
                auto const target = root.target<Page>();
                for (int one = 0; one < components; ++one)
                    root.mount({"part", one}, [&, one](isorow::scope here) {
                        for (std::int64_t id = one; id < 3000; id += components) target.row(here, page(id));
                    });
            },
            little));
    };
    CHECK(run(3).starts_with("3000 inserted, 0 updated, 0 deleted, 0 unchanged"));
    CHECK(tables() == "pages");
    CHECK(run(3).starts_with("0 inserted, 0 updated, 0 deleted, 3000 unchanged"));
    CHECK(app.audit().empty());
    CHECK(run(2).starts_with("0 inserted, 0 updated, 0 deleted, 3000 unchanged"));
}
