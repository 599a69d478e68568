#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <string>
#include <vector>

using isorow::adopt;
using isorow::ownership;

namespace {

struct Setting {
    std::string key;
    std::string value;

    static consteval auto isorow_table() { return isorow::table("settings").primary_key<&Setting::key>(); }
};

struct house {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    std::string shared(std::vector<Setting> const& rows, std::string owner = "default", adopt what = adopt::nothing) {
        return to_string(isorow::synchronise(connection, rows, {.ownership = ownership::shared, .owner = std::move(owner), .adopt = what}));
    }
    std::string stored() {
        return isorow::query_one<std::string>(connection,
                                              "SELECT coalesce(string_agg(key || '=' || value, ' ' ORDER BY key), '') FROM settings");
    }
    void users_table() {
        isorow::execute_script(
            connection, "CREATE TABLE settings (key text PRIMARY KEY, value text NOT NULL); INSERT INTO settings VALUES ('theirs', '1')",
            connection.default_limits());
    }
};

}  // namespace

TEST_CASE_METHOD(house, "a table that isorow did not create is refused, and its rows stay") {
    users_table();
    CHECK_THROWS_MATCHES(isorow::synchronise(connection, std::vector<Setting>{}), isorow::not_owned,
                         test::says("isorow did not create it"));
    CHECK_THROWS_AS(shared({}), isorow::not_owned);
    CHECK(stored() == "theirs=1");
}

TEST_CASE_METHOD(house, "an exclusive target takes over rows only where they may go") {
    users_table();
    CHECK_THROWS_MATCHES(isorow::synchronise(connection, std::vector<Setting>{}, {.adopt = adopt::table}), isorow::not_owned,
                         test::says("say adopt::rows"));
    CHECK(stored() == "theirs=1");
    CHECK(to_string(isorow::synchronise(connection, std::vector<Setting>{{"ours", "2"}}, {.adopt = adopt::rows})) ==
          "1 inserted, 0 updated, 1 deleted, 0 unchanged");
    CHECK(stored() == "ours=2");
    // Adopted once, it is known.
    CHECK(to_string(isorow::synchronise(connection, std::vector<Setting>{{"ours", "2"}})) ==
          "0 inserted, 0 updated, 0 deleted, 1 unchanged");
}

TEST_CASE_METHOD(house, "an adopted table without a unique key gets one, and a user's table is refused") {
    isorow::execute(connection, "CREATE TABLE settings (key text NOT NULL, value text NOT NULL)");
    CHECK_THROWS_MATCHES(
        isorow::synchronise(connection, std::vector<Setting>{}, {.managed_by = isorow::managed_by::user, .adopt = adopt::rows}),
        isorow::mismatch, test::says("a primary key or a unique index over exactly these columns"));
    isorow::synchronise(connection, std::vector<Setting>{{"a", "1"}}, {.adopt = adopt::rows});
    CHECK(database.sql("SELECT count(*) FROM pg_constraint WHERE conrelid = 'settings'::regclass AND contype = 'p'") == "1");
    CHECK(stored() == "a=1");
}

TEST_CASE_METHOD(house, "a shared target leaves the rows of others alone") {
    users_table();
    CHECK(shared({{"a", "1"}, {"b", "2"}}, "default", adopt::table) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(stored() == "a=1 b=2 theirs=1");
    CHECK(shared({{"a", "1"}, {"b", "3"}, {"c", "4"}}) == "1 inserted, 1 updated, 0 deleted, 1 unchanged");
    CHECK(shared({{"c", "4"}}) == "0 inserted, 0 updated, 2 deleted, 1 unchanged");
    CHECK(stored() == "c=4 theirs=1");
    CHECK(shared({}) == "0 inserted, 0 updated, 1 deleted, 0 unchanged");
    CHECK(stored() == "theirs=1");
}

TEST_CASE_METHOD(house, "an unchanged run of a shared target writes nothing") {
    CHECK(shared({{"a", "1"}}) == "1 inserted, 0 updated, 0 deleted, 0 unchanged");
    auto const before = database.sql("SELECT (SELECT xmin FROM settings)::text || (SELECT xmin FROM isorow.tracked)::text");
    CHECK(shared({{"a", "1"}}) == "0 inserted, 0 updated, 0 deleted, 1 unchanged");
    CHECK(database.sql("SELECT (SELECT xmin FROM settings)::text || (SELECT xmin FROM isorow.tracked)::text") == before);
}

TEST_CASE_METHOD(house, "a declared key that is somebody else's row is an error that names it, unless it is adopted") {
    users_table();
    CHECK_THROWS_MATCHES(shared({{"mine", "1"}, {"theirs", "2"}}, "default", adopt::table), isorow::untracked_key, test::says("(theirs)"));
    CHECK(stored() == "theirs=1");
    CHECK(shared({{"mine", "1"}, {"theirs", "2"}}, "default", adopt::rows) == "1 inserted, 1 updated, 0 deleted, 0 unchanged");
    CHECK(shared({}) == "0 inserted, 0 updated, 2 deleted, 0 unchanged");
}

TEST_CASE_METHOD(house, "two owners share a table, and one key cannot be both's") {
    CHECK(shared({{"a", "1"}}, "first") == "1 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(shared({{"b", "2"}}, "second") == "1 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK_THROWS_MATCHES(shared({{"a", "9"}, {"b", "2"}}, "second"), isorow::untracked_key,
                         test::says("the key (a) of \"public\".\"settings\" is declared by \"second\", and kept by \"first\""));
    CHECK(stored() == "a=1 b=2");
    CHECK(shared({}, "first") == "0 inserted, 0 updated, 1 deleted, 0 unchanged");
    CHECK(stored() == "b=2");
}

TEST_CASE_METHOD(house, "a plan of a shared target has the counts of its commit and writes nothing") {
    shared({{"a", "1"}, {"b", "2"}});
    isorow::target<Setting> target(connection, {.ownership = ownership::shared});
    target.declare({"a", "9"});
    target.declare({"c", "3"});
    CHECK(to_string(target.plan()) == "1 inserted, 1 updated, 1 deleted, 0 unchanged");
    CHECK(stored() == "a=1 b=2");
    CHECK(to_string(target.commit()) == "1 inserted, 1 updated, 1 deleted, 0 unchanged");
    CHECK(stored() == "a=9 c=3");
}

TEST_CASE_METHOD(house, "a table is not exclusive and shared at once, nor exclusive of two owners") {
    shared({{"a", "1"}});
    CHECK_THROWS_MATCHES(isorow::synchronise(connection, std::vector<Setting>{}), isorow::not_owned,
                         test::says("is shared, and this one is exclusive"));
    isorow::synchronise(connection, std::vector<Setting>{}, {.table = "other", .owner = "me"});
    CHECK_THROWS_MATCHES(isorow::synchronise(connection, std::vector<Setting>{}, {.table = "other", .owner = "you"}), isorow::not_owned,
                         test::says("of \"me\", and this one is of \"you\""));
}

TEST_CASE_METHOD(house, "a table that was dropped is made anew") {
    shared({{"a", "1"}});
    isorow::execute(connection, "DROP TABLE settings");
    CHECK(shared({{"a", "1"}, {"b", "2"}}) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(stored() == "a=1 b=2");
}

TEST_CASE_METHOD(house, "forgetting a table keeps it, and makes it one that isorow does not know") {
    CHECK_FALSE(isorow::forget(connection, "public", "settings"));
    shared({{"a", "1"}});
    CHECK(isorow::forget(connection, "public", "settings"));
    CHECK_FALSE(isorow::forget(connection, "public", "settings"));
    CHECK(stored() == "a=1");
    CHECK_THROWS_AS(shared({{"a", "1"}}), isorow::not_owned);
}

TEST_CASE_METHOD(house, "the schema may be installed by hand, again and again") {
    isorow::execute_script(connection, isorow::install_sql(), connection.default_limits());
    isorow::execute_script(connection, isorow::install_sql(), connection.default_limits());
    CHECK(database.sql("SELECT version FROM isorow.version") == std::to_string(isorow::tracking_version));
    CHECK(shared({{"a", "1"}}) == "1 inserted, 0 updated, 0 deleted, 0 unchanged");
}

TEST_CASE_METHOD(house, "a database that a newer isorow has used is refused") {
    isorow::install(connection);
    database.sql("UPDATE isorow.version SET version = 99");
    CHECK_THROWS_MATCHES(shared({}), isorow::usage_error, test::says("a newer isorow has used this database"));
}
