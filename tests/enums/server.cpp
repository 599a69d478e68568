// Enumerations in tables, and what becomes of their CHECK.

#include <catch2/catch_test_macros.hpp>

#include <isorow/enums.hpp>
#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>
#include <support/server.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

/// The same table as three versions of a program declare it.
namespace first {
enum class Mood { sad, ok, happy };
struct Person {
    std::int64_t id;
    Mood mood;
    std::optional<Mood> last;
    std::vector<Mood> moods;
    std::vector<std::optional<Mood>> week;
    isorow::annotated<Mood, isorow::pg_type<"integer">> number;
    bool operator==(Person const&) const = default;
    static consteval auto isorow_table() { return isorow::table("people").primary_key<&Person::id>(); }
};
struct Visit {
    std::int64_t id;
    Mood mood;
    static consteval auto isorow_table() { return isorow::table("visits").primary_key<&Visit::id>(); }
};
struct Words {
    std::int64_t id;
    Mood mood;
    static consteval auto isorow_table() { return isorow::table("words").primary_key<&Words::id>(); }
};
}  // namespace first

namespace wider {
enum class Mood { sad, ok, happy, elated };
struct Person {
    std::int64_t id;
    Mood mood;
    std::optional<Mood> last;
    std::vector<Mood> moods;
    static consteval auto isorow_table() { return isorow::table("people").primary_key<&Person::id>(); }
};
struct Words {
    std::int64_t id;
    Mood mood;
    static consteval auto isorow_table() {
        return isorow::table("words").primary_key<&Words::id>().column<&Words::mood>({.type = "integer", .using_expression = "0"});
    }
};
}  // namespace wider

namespace narrower {
enum class Mood { sad, ok };
struct Person {
    std::int64_t id;
    Mood feeling;
    std::optional<std::string> last;
    static consteval auto isorow_table() {
        return isorow::table("people").primary_key<&Person::id>().column<&Person::feeling>({.renamed_from = "mood"});
    }
};
struct Visit {
    std::int64_t id;
    Mood mood;
    static consteval auto isorow_table() { return isorow::table("visits").primary_key<&Visit::id>(); }
};
struct Words {
    std::int64_t id;
    std::string mood;
    static consteval auto isorow_table() { return isorow::table("words").primary_key<&Words::id>(); }
};
}  // namespace narrower

namespace bare {
struct Words {
    std::int64_t id;
    static consteval auto isorow_table() { return isorow::table("words").primary_key<&Words::id>(); }
};
}  // namespace bare

using first::Mood;

struct by_mood {
    Mood mood;
    std::string note;
    static consteval auto isorow_table() { return isorow::table("moods").primary_key<&by_mood::mood>(); }
};

isorow::target_options shared_by(std::string owner) { return {.ownership = isorow::ownership::shared, .owner = std::move(owner)}; }

struct people : test::database {
    isorow::pool db{dsn()};

    people() { isorow::install(db); }

    std::string checks() {
        return sql(
            "SELECT string_agg(conname || ' ' || pg_get_constraintdef(oid), '; ' ORDER BY conname) FROM pg_constraint"
            " WHERE conrelid = 'people'::regclass AND contype = 'c'");
    }
};

std::vector<first::Person> const two{{1, Mood::sad, Mood::ok, {Mood::ok, Mood::happy}, {Mood::sad, std::nullopt}, Mood::happy},
                                     {2, Mood::happy, std::nullopt, {}, {}, Mood::sad}};

}  // namespace

TEST_CASE_METHOD(people, "rows with enumerations go to a table and back") {
    auto const done = isorow::synchronise(db, two);
    CHECK(done.inserted == 2);
    CHECK(isorow::query<first::Person>(db, "SELECT * FROM people ORDER BY id") == two);
    CHECK(sql("SELECT concat_ws('|', mood, last, moods, week, number) FROM people WHERE id = 1") == "sad|ok|{ok,happy}|{sad,NULL}|2");
    CHECK(isorow::synchronise(db, two).unchanged == 2);
}

TEST_CASE_METHOD(people, "the server refuses other texts, in arrays too") {
    isorow::synchronise(db, two);
    CHECK_THROWS_AS(sql("UPDATE people SET mood = 'glad'"), std::runtime_error);
    CHECK_THROWS_AS(sql("UPDATE people SET last = 'glad'"), std::runtime_error);
    CHECK_THROWS_AS(sql("UPDATE people SET moods = '{ok,glad}'"), std::runtime_error);
    CHECK_THROWS_AS(sql("UPDATE people SET moods = '{ok,NULL}'"), std::runtime_error);
    CHECK_NOTHROW(sql("UPDATE people SET moods = '{ok}', last = NULL"));
}

TEST_CASE_METHOD(people, "an enumeration is a parameter, and an array of them is") {
    isorow::synchronise(db, two);
    CHECK(isorow::query_one<std::int64_t>(db, "SELECT id FROM people WHERE mood = $1", Mood::happy) == 2);
    CHECK(isorow::query_one<std::int64_t>(db, "SELECT count(*) FROM people WHERE mood = ANY($1)", std::vector{Mood::happy, Mood::sad}) ==
          2);
    CHECK(isorow::query_one<Mood>(db, "SELECT 'ok'::varchar") == Mood::ok);
    CHECK(isorow::query_one<std::optional<Mood>>(db, "SELECT NULL::text") == std::nullopt);
    CHECK_THROWS_MATCHES(isorow::query_one<Mood>(db, "SELECT 'glad'"), isorow::unrepresentable, test::says("glad"));
    CHECK_THROWS_AS(isorow::query_one<Mood>(db, "SELECT 1"), isorow::mismatch);
}

TEST_CASE_METHOD(people, "a text that is no name is an error with struct and field") {
    isorow::synchronise(db, two);
    sql("ALTER TABLE people DROP CONSTRAINT last_labels");
    sql("UPDATE people SET last = 'glad' WHERE id = 2");
    CHECK_THROWS_MATCHES(isorow::query<first::Person>(db, "SELECT * FROM people"), isorow::unrepresentable,
                         test::says("Person.last: the text \"glad\" is no value of Mood, which has: sad, ok, happy"));
}

TEST_CASE_METHOD(people, "a row's value without a name is refused with its field, and nothing is written") {
    auto wrong = two;
    wrong[0].mood = static_cast<Mood>(9);
    CHECK_THROWS_MATCHES(isorow::synchronise(db, wrong), isorow::unrepresentable, test::says("Person.mood"));
}

TEST_CASE_METHOD(people, "with a new name the CHECK is replaced, and nothing else is done") {
    isorow::synchronise(db, two);
    std::vector<wider::Person> const rows{{1, wider::Mood::elated, std::nullopt, {wider::Mood::elated}}};
    isorow::synchronise(db, rows, {.commit = {.allow = isorow::destructive}});
    CHECK(checks() ==
          "last_labels CHECK ((last = ANY (ARRAY['sad'::text, 'ok'::text, 'happy'::text, 'elated'::text])));"
          " mood_labels CHECK ((mood = ANY (ARRAY['sad'::text, 'ok'::text, 'happy'::text, 'elated'::text])));"
          " moods_labels CHECK ((moods <@ ARRAY['sad'::text, 'ok'::text, 'happy'::text, 'elated'::text]))");
    CHECK(isorow::synchronise(db, rows).unchanged == 1);
}

TEST_CASE_METHOD(people, "a CHECK that has not changed is left alone") {
    isorow::synchronise(db, two);
    auto const before = sql("SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_constraint WHERE contype = 'c'");
    isorow::synchronise(db, two);
    CHECK(sql("SELECT string_agg(oid::text, ',' ORDER BY oid) FROM pg_constraint WHERE contype = 'c'") == before);
}

TEST_CASE_METHOD(people, "a CHECK goes with its column's new name, and goes where the column has no names any more") {
    isorow::synchronise(db, two);
    std::vector<narrower::Person> const rows{{1, narrower::Mood::sad, "whatever"}};
    isorow::synchronise(db, rows, {.commit = {.allow = isorow::destructive}});
    CHECK(checks() == "feeling_labels CHECK ((feeling = ANY (ARRAY['sad'::text, 'ok'::text])))");
    CHECK(sql("SELECT feeling || last FROM people") == "sadwhatever");
}

TEST_CASE_METHOD(people, "a name that rows of others still have is named when it is taken away, and nothing is done") {
    isorow::synchronise(db, std::vector<first::Visit>{{1, Mood::sad}, {2, Mood::happy}, {3, Mood::happy}}, shared_by("a"));
    auto const before = sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'mood_labels'");
    CHECK_THROWS_MATCHES(isorow::synchronise(db, std::vector<narrower::Visit>{{4, narrower::Mood::ok}}, shared_by("b")), isorow::mismatch,
                         test::says("Visit.mood: column \"mood\": expected one of the labels of its type, found 'happy' in 2 rows"));
    CHECK(sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'mood_labels'") == before);
    CHECK(sql("SELECT count(*) FROM visits") == "3");
}

TEST_CASE_METHOD(people, "a name is taken away where the rows that had it go in the same commit") {
    isorow::synchronise(db, std::vector<first::Visit>{{1, Mood::sad}, {2, Mood::happy}});
    isorow::synchronise(db, std::vector<narrower::Visit>{{1, narrower::Mood::sad}, {2, narrower::Mood::ok}});
    CHECK(sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'mood_labels'") ==
          "CHECK ((mood = ANY (ARRAY['sad'::text, 'ok'::text])))");
}

TEST_CASE_METHOD(people, "a column that isorow did not make keeps the user's checks") {
    sql("CREATE TABLE visits (id bigint PRIMARY KEY, mood text NOT NULL CONSTRAINT mood_labels CHECK (mood <> 'glad'))");
    isorow::synchronise(db, std::vector<first::Visit>{{1, Mood::sad}}, {.adopt = isorow::adopt::rows});
    CHECK(sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'mood_labels'") == "CHECK ((mood <> 'glad'::text))");
}

TEST_CASE_METHOD(people, "a column that becomes an enumeration gets its CHECK, and loses it when its type becomes another") {
    isorow::synchronise(db, std::vector<narrower::Words>{{1, "sad"}});
    isorow::synchronise(db, std::vector<first::Words>{{1, Mood::sad}});
    CHECK(sql("SELECT count(*) FROM pg_constraint WHERE conname = 'mood_labels'") == "1");
    isorow::synchronise(db, std::vector<wider::Words>{{1, wider::Mood::elated}}, {.commit = {.allow = isorow::destructive}});
    CHECK(sql("SELECT count(*) FROM pg_constraint WHERE conname = 'mood_labels'") == "0");
    CHECK(sql("SELECT mood FROM words") == "3");
}

TEST_CASE_METHOD(people, "a column with names is dropped with its CHECK") {
    isorow::synchronise(db, std::vector<first::Words>{{1, Mood::sad}});
    isorow::synchronise(db, std::vector<bare::Words>{{1}}, {.commit = {.allow = isorow::destructive}});
    CHECK(sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 'words'::regclass AND attnum > 0 AND NOT attisdropped") == "1");
}

TEST_CASE_METHOD(people, "an enumeration is a key, and copied in and out") {
    sql("CREATE TABLE moods (mood text PRIMARY KEY, note text NOT NULL)");
    isorow::copy_writer<by_mood> writer(db);
    writer.write({Mood::ok, "fine"});
    writer.write({Mood::sad, "cries"});
    CHECK(writer.finish() == 2);
    isorow::copy_reader<by_mood> reader(db);
    by_mood row{};
    REQUIRE(reader.next(row));
    CHECK(row.mood == Mood::ok);
    isorow::upsert(db, std::vector<by_mood>{{Mood::ok, "better"}});
    CHECK(sql("SELECT note FROM moods WHERE mood = 'ok'") == "better");
}
