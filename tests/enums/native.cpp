// Native enum types of Postgres: made with the table, widened with the enumeration, known by schema and name.

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
#include <vector>

namespace first {
enum class Mood { sad, ok, happy };
}
namespace wider {
enum class Mood { furious, sad, ok, glad, happy, elated };
}

template <>
inline constexpr auto isorow::native_enum<first::Mood> = isorow::enum_type("Mood \"x\"");
template <>
inline constexpr auto isorow::native_enum<wider::Mood> = isorow::enum_type("Mood \"x\"");

namespace {

template <class Mood>
struct person {
    std::int64_t id;
    Mood mood;
    std::optional<Mood> last;
    bool operator==(person const&) const = default;
    static consteval auto isorow_table() { return isorow::table("people").template primary_key<&person::id>(); }
};
using Person = person<first::Mood>;
using WiderPerson = person<wider::Mood>;
using first::Mood;

struct Diary {
    std::int64_t id;
    std::vector<Mood> moods;
    std::vector<std::vector<std::optional<Mood>>> weeks;
    bool operator==(Diary const&) const = default;
    static consteval auto isorow_table() { return isorow::table("diaries").primary_key<&Diary::id>(); }
};

struct AsText {
    std::int64_t id;
    isorow::annotated<Mood, isorow::pg_type<"text">> mood;
};

struct Note {
    std::int64_t id;
    std::string mood;
    static consteval auto isorow_table() { return isorow::table("notes").primary_key<&Note::id>(); }
};
struct MoodNote {
    std::int64_t id;
    Mood mood;
    static consteval auto isorow_table() {
        return isorow::table("notes").primary_key<&MoodNote::id>().column<&MoodNote::mood>(
            {.using_expression = "mood::public.\"Mood \"\"x\"\"\""});
    }
};

struct people : test::database {
    isorow::pool db{dsn()};

    people() { isorow::install(db); }

    std::string labels() { return sql("SELECT string_agg(enumlabel, ' ' ORDER BY enumsortorder) FROM pg_enum"); }
};

constexpr char create_mood[] = "CREATE TYPE public.\"Mood \"\"x\"\"\" AS ENUM ('sad', 'ok', 'happy')";
std::vector<Person> const two{{1, Mood::sad, Mood::ok}, {2, Mood::happy, std::nullopt}};

}  // namespace

TEST_CASE("the DDL makes the type once, before the table, and has no CHECK") {
    CHECK(isorow::ddl<Person>() ==
          "CREATE TYPE \"public\".\"Mood \"\"x\"\"\" AS ENUM ('sad', 'ok', 'happy');\n"
          "CREATE TABLE \"public\".\"people\" (\n"
          "    \"id\" bigint NOT NULL,\n"
          "    \"mood\" \"public\".\"Mood \"\"x\"\"\" NOT NULL,\n"
          "    \"last\" \"public\".\"Mood \"\"x\"\"\"\n"
          ");\n"
          "ALTER TABLE \"public\".\"people\" ADD PRIMARY KEY (\"id\");\n");
    CHECK(isorow::ddl<AsText>().find("\"mood\" text NOT NULL CONSTRAINT \"mood_labels\" CHECK") != std::string::npos);
}

TEST_CASE_METHOD(people, "a target makes the type, and rows go to it and back") {
    CHECK(isorow::synchronise(db, two).inserted == 2);
    CHECK(labels() == "sad ok happy");
    CHECK(isorow::query<Person>(db, "SELECT * FROM people ORDER BY id") == two);
    CHECK(isorow::synchronise(db, two).unchanged == 2);
    auto changed = two;
    changed[1].mood = Mood::ok;
    CHECK(isorow::synchronise(db, changed).updated == 1);
    CHECK(sql("SELECT mood FROM people WHERE id = 2") == "ok");
}

TEST_CASE_METHOD(people, "new labels are added in their places, and are used in the same commit") {
    isorow::synchronise(db, two);
    std::vector<WiderPerson> const rows{{1, wider::Mood::furious, wider::Mood::glad}, {2, wider::Mood::elated, std::nullopt}};
    auto const done = isorow::synchronise(db, rows);
    REQUIRE(done.ddl.size() == 3);
    CHECK(done.ddl[0] == "ALTER TYPE \"public\".\"Mood \"\"x\"\"\" ADD VALUE IF NOT EXISTS 'furious' BEFORE 'sad'");
    CHECK(labels() == "furious sad ok glad happy elated");
    CHECK(isorow::query<WiderPerson>(db, "SELECT * FROM people ORDER BY id") == rows);
    CHECK(isorow::synchronise(db, two).updated == 2);  // a program that does not know them yet goes on
    CHECK(labels() == "furious sad ok glad happy elated");
}

TEST_CASE_METHOD(people, "a plan shows new labels, and is applied with them") {
    isorow::synchronise(db, two);
    isorow::target<WiderPerson> target(db);
    target.declare({1, wider::Mood::sad, std::nullopt});
    auto const plan = target.plan();
    REQUIRE(plan.tables.at(0).changes.size() == 3);
    CHECK(plan.tables[0].changes[1].sql == "ALTER TYPE \"public\".\"Mood \"\"x\"\"\" ADD VALUE IF NOT EXISTS 'glad' AFTER 'ok'");
    CHECK(labels() == "sad ok happy");
    CHECK(target.apply(plan).updated == 1);
    CHECK(labels() == "furious sad ok glad happy elated");
}

TEST_CASE_METHOD(people, "a plan of rows that have a label which is not there yet is refused by the server, as it writes nothing") {
    isorow::synchronise(db, two);
    isorow::target<WiderPerson> target(db);
    target.declare({1, wider::Mood::glad, std::nullopt});
    CHECK_THROWS_MATCHES(target.plan(), isorow::server_error, test::says("invalid input value for enum"));
    CHECK(labels() == "sad ok happy");
}

TEST_CASE_METHOD(people, "in a transaction of the user's the server says that a new label has to be committed first") {
    isorow::synchronise(db, two);
    auto connection = test::connect(dsn());
    isorow::transaction all(connection);
    CHECK_THROWS_MATCHES(isorow::synchronise(connection, std::vector<WiderPerson>{{1, wider::Mood::glad, std::nullopt}}),
                         isorow::server_error, test::says("New enum values must be committed before they can be used"));
}

TEST_CASE_METHOD(people, "a label that the program does not know is an error with struct and field when it is read") {
    isorow::synchronise(db, two);
    sql("ALTER TYPE \"Mood \"\"x\"\"\" ADD VALUE 'glad'");
    sql("UPDATE people SET last = 'glad' WHERE id = 2");
    CHECK_THROWS_MATCHES(isorow::query<Person>(db, "SELECT * FROM people"), isorow::unrepresentable,
                         test::says("person<first::Mood>.last: the text \"glad\" is no value of Mood, which has: sad, ok, happy"));
}

TEST_CASE_METHOD(people, "a value is a parameter of its type, alone and in arrays") {
    isorow::synchronise(db, two);
    CHECK(isorow::query_one<std::int64_t>(db, "SELECT id FROM people WHERE mood = $1", Mood::happy) == 2);
    CHECK(isorow::query_one<std::int64_t>(db, "SELECT count(*) FROM people WHERE mood = ANY($1)", std::vector{Mood::sad, Mood::happy}) ==
          2);
    CHECK(isorow::query_one<std::optional<Mood>>(db, "SELECT $1", std::optional<Mood>{}) == std::nullopt);
    std::vector<std::vector<Mood>> const grid{{Mood::sad, Mood::ok}, {Mood::happy, Mood::sad}};
    CHECK(isorow::query_one<std::vector<std::vector<Mood>>>(db, "SELECT $1", grid) == grid);
    CHECK(isorow::query_one<std::string>(db, "SELECT $1::text", grid) == "{{sad,ok},{happy,sad}}");
}

TEST_CASE_METHOD(people, "structs with arrays of a native type are copied, upserted and read") {
    for (auto const& statement : isorow::ddl_statements(isorow::description_of<Diary>)) sql(statement);
    std::vector<Diary> const rows{{1, {Mood::ok}, {{Mood::sad, std::nullopt}}}, {2, {}, {}}};
    {
        isorow::copy_writer<Diary> writer(db);
        for (auto const& row : rows) writer.write(row);
        CHECK(writer.finish() == 2);
    }
    CHECK(isorow::query<Diary>(db, "SELECT * FROM diaries ORDER BY id") == rows);
    isorow::copy_reader<Diary> reader(db);
    Diary first{};
    REQUIRE(reader.next(first));
    CHECK(first == rows[0]);
    CHECK(isorow::upsert(db, std::vector<Diary>{{2, {Mood::sad}, {}}}).updated == 1);
    CHECK(sql("SELECT moods FROM diaries WHERE id = 2") == "{sad}");
}

TEST_CASE_METHOD(people, "arrays of a native type that is not there yet are declared for a target") {
    std::vector<Diary> rows{{1, {Mood::ok}, {{Mood::sad, std::nullopt}}}, {2, {}, {}}};
    CHECK(isorow::synchronise(db, rows).inserted == 2);
    CHECK(isorow::query<Diary>(db, "SELECT * FROM diaries ORDER BY id") == rows);
    rows[1].moods = {Mood::happy, Mood::happy};
    auto const done = isorow::synchronise(db, rows);
    CHECK(done.updated == 1);
    CHECK(done.unchanged == 1);
    CHECK(sql("SELECT moods FROM diaries WHERE id = 2") == "{happy,happy}");
}

TEST_CASE_METHOD(people, "where the type is missing the error says how to make it") {
    CHECK_THROWS_MATCHES(isorow::query_one<Mood>(db, "SELECT $1", Mood::ok), isorow::usage_error,
                         test::says("the database has no type \"public\".\"Mood \"\"x\"\"\"; to make it: CREATE TYPE"));
    sql(create_mood);
    CHECK(isorow::query_one<Mood>(db, "SELECT $1", Mood::ok) == Mood::ok);
}

TEST_CASE_METHOD(people, "another type of the same name is not taken for it") {
    sql("CREATE SCHEMA other; CREATE TYPE other.\"Mood \"\"x\"\"\" AS ENUM ('sad', 'ok', 'happy')");
    sql(create_mood);
    CHECK_THROWS_AS(isorow::query_one<Mood>(db, "SELECT 'ok'::other.\"Mood \"\"x\"\"\""), isorow::mismatch);
    CHECK(isorow::query_one<Mood>(db, "SELECT 'ok'::text") == Mood::ok);
    CHECK(isorow::query_one<Mood>(db, "SELECT 'ok'::public.\"Mood \"\"x\"\"\"") == Mood::ok);
}

TEST_CASE_METHOD(people, "a plan shows the type, and nothing is made") {
    isorow::target<Person> target(db);
    for (auto const& row : two) target.declare(row);
    auto const plan = target.plan();
    REQUIRE(!plan.tables.empty());
    REQUIRE(!plan.tables[0].changes.empty());
    CHECK(plan.tables[0].changes[0].sql == "CREATE TYPE \"public\".\"Mood \"\"x\"\"\" AS ENUM ('sad', 'ok', 'happy')");
    CHECK(labels().empty());
}

TEST_CASE_METHOD(people, "a column of another type is not made one of the native type unasked") {
    isorow::synchronise(db, two);
    sql("ALTER TABLE people ALTER COLUMN last TYPE text");
    CHECK_THROWS_MATCHES(isorow::synchronise(db, two), isorow::mismatch, test::says("which has no safe conversion"));
}

TEST_CASE_METHOD(people, "a text column becomes one of the native type, which is made before, where the user says how") {
    isorow::synchronise(db, std::vector<Note>{{1, "happy"}});
    isorow::synchronise(db, std::vector<MoodNote>{{1, Mood::happy}}, {.commit = {.allow = isorow::destructive}});
    CHECK(sql("SELECT pg_typeof(mood) || ' ' || mood FROM notes") == "\"Mood \"\"x\"\"\" happy");
}
