// The CHECK of a column's labels: its SQL, what is read from a live one, and what follows when the labels change.

#include <catch2/catch_test_macros.hpp>

#include <isorow/schema/ddl_statements.hpp>
#include <isorow/schema/detail/labels.hpp>
#include <isorow/schema/evolution.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using isorow::changed_object;
using isorow::column_description;
using isorow::column_type;
using isorow::type_id;
using isorow::detail::allows_labels;

constexpr std::array<std::string_view, 2> labels{"it's", "a\\b"};
constexpr std::array<std::string_view, 3> moods{"sad", "ok", "happy"};

constexpr column_description mood{.field = "mood", .name = "mood", .type = {type_id::text}, .labels = moods};

isorow::table_description table_of(std::array<column_description, 1> const& columns) {
    return {.struct_name = "Person", .schema = "public", .name = "people", .columns = columns, .key = {}, .indexes = {}};
}

isorow::live_table live(std::string const& definition, std::string const& name = "mood_labels", std::string const& column = "mood") {
    isorow::live_table table{.columns = {{.name = "mood", .type = "text", .not_null = true}}};
    if (!definition.empty()) table.constraints.push_back({name, {column}, definition});
    return table;
}

isorow::table_record const record{.created = true, .columns = {{.name = "mood", .type = "text", .not_null = true}}};

std::vector<std::string> changes(column_description const& column, isorow::live_table const& table,
                                 isorow::table_record const& known = record) {
    std::array<column_description, 1> const columns{column};
    std::vector<std::string> sql;
    for (auto const& change : isorow::evolve(table_of(columns), &table, known).changes) sql.push_back(change.sql);
    return sql;
}

constexpr char add[] = "ALTER TABLE \"public\".\"people\" ADD CONSTRAINT \"mood_labels\" CHECK (\"mood\" IN ('sad', 'ok', 'happy'))";
constexpr char drop[] = "ALTER TABLE \"public\".\"people\" DROP CONSTRAINT \"mood_labels\"";

}  // namespace

TEST_CASE("the literals of a CHECK are read as Postgres prints them") {
    auto const literals_of = [](std::string_view definition) {
        std::vector<std::string> literals;
        for (auto const& literal : isorow::detail::literals_of(definition)) literals.push_back(literal.str());
        return literals;
    };
    CHECK(literals_of("CHECK ((c = ANY (ARRAY['it''s'::text, 'b'::text])))") == std::vector<std::string>{"it's", "b"});
    CHECK(literals_of("CHECK ((c = ANY (ARRAY[E'a\\\\b'::text, 'c\\d'::text, ''::text])))") ==
          std::vector<std::string>{"a\\b", "c\\d", ""});
    CHECK(literals_of("CHECK ((c = 'a''''b'::text))") == std::vector<std::string>{"a''b"});
    CHECK(literals_of("CHECK ((c > 0))").empty());
    CHECK(literals_of("'open").size() == 1);
}

TEST_CASE("labels are the same in any order, and not with one more or less") {
    CHECK(allows_labels("'ok' 'happy' 'sad'", moods));
    CHECK_FALSE(allows_labels("'ok' 'sad'", moods));
    CHECK_FALSE(allows_labels("'ok' 'sad' 'happy' 'glad'", moods));
    CHECK(allows_labels("E'a\\\\b', 'it''s'", labels));
}

TEST_CASE("a CHECK quotes its labels, and its name is cut where the column's is long") {
    column_description column{.field = "c", .name = "c", .type = {type_id::varchar, false, 9}, .labels = labels};
    CHECK(isorow::column_sql(column) ==
          "\"c\" character varying(9) NOT NULL CONSTRAINT \"c_labels\" CHECK (\"c\" IN ('it''s',  E'a\\\\b'))");
    column.type = {type_id::int4};
    CHECK(isorow::column_sql(column) == "\"c\" integer NOT NULL");
    CHECK(isorow::detail::labels_name(std::string(63, 'x')).size() <= isorow::identifier_limit);
}

TEST_CASE("a CHECK that is right stays, another one is replaced after the rows, a missing one is added") {
    CHECK(changes(mood, live("CHECK ((mood = ANY (ARRAY['sad'::text, 'ok'::text, 'happy'::text])))")).empty());
    CHECK(changes(mood, live("CHECK ((mood = ANY (ARRAY['sad'::text, 'ok'::text])))")) == std::vector<std::string>{drop, add});
    CHECK(changes(mood, live("")) == std::vector<std::string>{add});
    std::array<column_description, 1> const columns{mood};
    auto const table = live("");
    auto const planned = isorow::evolve(table_of(columns), &table, record);
    CHECK(planned.changes[0].after_rows);
    CHECK(planned.changes[0].object == changed_object::check);
    CHECK(planned.changes[0].violations_sql ==
          "SELECT \"mood\"::text, pg_catalog.count(*) FROM \"public\".\"people\" WHERE NOT (\"mood\" IN ('sad', 'ok', 'happy'))"
          " GROUP BY 1 ORDER BY 1 LIMIT 10");
}

TEST_CASE("the user's own checks and columns are left alone") {
    CHECK(changes(mood, live("CHECK ((mood <> 'x'::text))", "other")) == std::vector<std::string>{add});
    CHECK(changes(mood, live("CHECK ((mood <> 'x'::text))"), {}).empty());
}

TEST_CASE("a CHECK goes where the column has no labels any more, and follows a new name") {
    auto column = mood;
    column.labels = {};
    CHECK(changes(column, live("CHECK ((mood = ANY (ARRAY['sad'::text])))")) == std::vector<std::string>{drop});
    column = mood;
    column.name = "feeling";
    column.renamed_from = "mood";
    CHECK(changes(column, live("CHECK ((mood = ANY (ARRAY['sad'::text, 'ok'::text, 'happy'::text])))")) ==
          std::vector<std::string>{"ALTER TABLE \"public\".\"people\" RENAME COLUMN \"mood\" TO \"feeling\"",
                                   "ALTER TABLE \"public\".\"people\" RENAME CONSTRAINT \"mood_labels\" TO \"feeling_labels\""});
}
