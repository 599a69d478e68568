// A column may have the CHECK of its labels and a declared one: each is made, changed and dropped without the other.

#include <catch2/catch_test_macros.hpp>

#include <isorow/schema/ddl.hpp>
#include <isorow/schema/evolution.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace {

using isorow::column_description;
using isorow::type_id;

constexpr std::array<std::string_view, 2> moods{"sad", "ok"};
constexpr std::array<std::string_view, 3> more_moods{"sad", "ok", "happy"};

constexpr column_description mood{
    .field = "mood", .name = "mood", .type = {type_id::text}, .nullable = true, .check = "mood <> 'x'", .labels = moods};

constexpr char live_labels[] = "CHECK ((mood = ANY (ARRAY['sad'::text, 'ok'::text])))";
constexpr char live_check[] = "CHECK ((mood <> 'x'::text))";

isorow::live_table live() {
    return {.columns = {{.name = "mood", .type = "text"}},
            .constraints = {{"mood_labels", {"mood"}, live_labels}, {"people_mood_check", {"mood"}, live_check}}};
}

isorow::table_record record(std::string const& generated = {}) {
    return {.created = true,
            .columns = {{.name = "mood", .type = "text", .generated = generated}},
            .constraints = {{"people_mood_check", "CHECK (mood <> 'x')"}}};
}

isorow::evolution evolve(column_description const& column, isorow::live_table const* table, isorow::table_record const& known) {
    std::array<column_description, 1> const columns{column};
    return isorow::evolve({.struct_name = "Person", .schema = "public", .name = "people", .columns = columns, .key = {}, .indexes = {}},
                          table, known);
}

std::vector<std::string> sql_of(isorow::evolution const& planned) {
    std::vector<std::string> sql;
    for (auto const& change : planned.changes) sql.push_back(change.sql);
    return sql;
}

std::string altered(std::string_view what) { return "ALTER TABLE \"public\".\"people\" " + std::string(what); }

std::string const drop_labels = altered("DROP CONSTRAINT \"mood_labels\"");
std::string const drop_check = altered("DROP CONSTRAINT \"people_mood_check\"");

}  // namespace

TEST_CASE("a new table has both checks, and the declared one alone is recorded by its text") {
    auto const planned = evolve(mood, nullptr, {});
    CHECK(sql_of(planned) == std::vector<std::string>{"CREATE TABLE \"public\".\"people\" (\n"
                                                      "    \"mood\" text CONSTRAINT \"mood_labels\" CHECK (\"mood\" IN ('sad', 'ok')),\n"
                                                      "    CONSTRAINT \"people_mood_check\" CHECK (mood <> 'x')\n)"});
    REQUIRE(planned.record.constraints.size() == 1);
    CHECK(planned.record.constraints[0].name == "people_mood_check");
}

TEST_CASE("nothing is done where both stand") {
    auto const table = live();
    CHECK(sql_of(evolve(mood, &table, record())).empty());
}

TEST_CASE("other labels leave the declared check alone, and another check the labels") {
    auto const table = live();
    auto column = mood;
    column.labels = more_moods;
    CHECK(sql_of(evolve(column, &table, record())) ==
          std::vector<std::string>{drop_labels, altered("ADD CONSTRAINT \"mood_labels\" CHECK (\"mood\" IN ('sad', 'ok', 'happy'))")});
    column = mood;
    column.check = "mood <> 'y'";
    CHECK(sql_of(evolve(column, &table, record())) ==
          std::vector<std::string>{drop_check, altered("ADD CONSTRAINT \"people_mood_check\" CHECK (mood <> 'y')")});
    column.check = {};
    column.labels = {};
    CHECK(sql_of(evolve(column, &table, record())) == std::vector<std::string>{drop_labels, drop_check});
}

TEST_CASE("the labels of a computed column follow, too") {
    auto table = live();
    table.columns[0].generated = true;
    auto column = mood;
    column.generated = "lower('SAD')";
    CHECK(sql_of(evolve(column, &table, record("lower('SAD')"))).empty());
    column.labels = more_moods;
    CHECK(sql_of(evolve(column, &table, record("lower('SAD')"))).size() == 2);
}

TEST_CASE("neither check of isorow's is in the way of its column's drop, one of the user's is") {
    auto table = live();
    table.columns.push_back({.name = "name", .type = "text"});
    column_description const name{.field = "name", .name = "name", .type = {type_id::text}, .nullable = true};
    auto const planned = evolve(name, &table, record());
    CHECK(planned.postponed.empty());
    CHECK(planned.changes.back().sql == altered("DROP COLUMN \"mood\""));
    table.constraints.push_back({"theirs", {"mood"}, "CHECK ((mood <> ''::text))"});
    CHECK(evolve(name, &table, record()).postponed.size() == 1);
}
