// Targets whose rows hold OIDs that each database gives itself: composites, and arrays of extensions' types. They are declared before the
// types are there, and filled in where the rows are sent.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/composite.hpp>
#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>
#include <support/server.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace {

using isorow::composite;

struct Corner {
    double x;
    std::optional<double> y;
    bool operator==(Corner const&) const = default;
    static consteval auto isorow_table() { return isorow::table("corner"); }
};

struct Shape {
    std::string name;
    composite<Corner> centre;
    std::vector<composite<Corner>> corners;
    std::vector<isorow::vector<2>> embeddings;
    bool operator==(Shape const&) const = default;
    static consteval auto isorow_table() { return isorow::table("shape"); }
};

struct Drawing {
    std::int64_t id;
    std::optional<composite<Shape>> main;
    std::vector<std::optional<composite<Shape>>> shapes;
    std::string note;
    bool operator==(Drawing const&) const = default;
    static consteval auto isorow_table() { return isorow::table("drawings").primary_key<&Drawing::id>(); }
};

/// The same table in a schema that is described at run time.
struct Tags {
    std::int64_t id;
    isorow::annotated<std::vector<std::string>, isorow::pg_type<"citext[]">> tags;
    static consteval auto isorow_table() { return isorow::table("tags").primary_key<&Tags::id>(); }
};

struct drawings : test::database {
    isorow::pool db{dsn()};

    drawings() { isorow::install(db); }

    std::vector<Drawing> stored() { return isorow::query<Drawing>(db, "SELECT * FROM drawings ORDER BY id"); }
};

Shape shape(std::size_t number) {
    auto const n = static_cast<double>(number);
    Shape made{"shape " + std::to_string(number), Corner{n, std::nullopt}, {}, {}};
    for (std::size_t i = 0; i < number % 3; ++i) {
        made.corners.emplace_back(Corner{n, 0.5});
        made.embeddings.push_back({static_cast<float>(i), 1});
    }
    return made;
}

std::vector<Drawing> rows(std::size_t count) {
    std::vector<Drawing> all;
    for (std::size_t i = 1; i <= count; ++i) {
        Drawing one{static_cast<std::int64_t>(i), std::nullopt, {}, "drawing"};
        if (i % 3 != 0) one.main = shape(i);
        for (std::size_t j = 0; j < i % 4; ++j) one.shapes.push_back(j == 1 ? std::nullopt : std::optional<composite<Shape>>(shape(j)));
        all.push_back(std::move(one));
    }
    return all;
}

/// Declares, changes, takes away; all by the same options.
void check_course(drawings& where, std::size_t count, isorow::target_options const& options) {
    auto declared = rows(count);
    auto const total = static_cast<std::int64_t>(count);
    CHECK(isorow::synchronise(where.db, declared, options).inserted == total);
    CHECK(where.stored() == declared);
    CHECK(isorow::synchronise(where.db, declared, options).unchanged == total);
    declared[0].main->value.centre->x = -1;
    declared[1].shapes.emplace_back(shape(2));
    declared.pop_back();
    auto const done = isorow::synchronise(where.db, declared, options);
    CHECK(done.updated == 2);
    CHECK(done.deleted == 1);
    CHECK(done.unchanged == total - 3);
    CHECK(where.stored() == declared);
}

}  // namespace

TEST_CASE_METHOD(drawings, "composites whose types are not there yet are declared, compared, changed and deleted") {
    check_course(*this, 12, {});
    CHECK(sql("SELECT ((main).centre).x FROM drawings WHERE id = 1") == "-1");
}

TEST_CASE_METHOD(drawings, "so are many rows") { check_course(*this, 500, {}); }

TEST_CASE_METHOD(drawings, "so are rows that wait on the server, in a table that is not there and in one that is") {
    check_course(*this, 2000, {.commit = {.memory = 20'000}});
}

TEST_CASE_METHOD(drawings, "so are the rows of several owners in a shared table") {
    check_course(*this, 12, {.ownership = isorow::ownership::shared, .owner = "a"});
}

TEST_CASE_METHOD(drawings, "so are the rows of an owner that wait on the server") {
    check_course(*this, 800, {.ownership = isorow::ownership::shared, .owner = "a", .commit = {.memory = 20'000}});
}

TEST_CASE_METHOD(drawings, "components of an app declare them") {
    isorow::app app{isorow::register_db("main", db), "drawings"};
    auto const run = [&] {
        return app.run([&](isorow::scope root) {
            auto table = root.target<Drawing>();
            for (auto const& row : rows(5))
                root.mount({"drawing", row.id}, isorow::version{1}, row.id,
                           [=](isorow::scope here, std::int64_t) { table.row(here, row); });
        });
    };
    run();
    CHECK(stored() == rows(5));
    auto const file = sql("SELECT string_agg(xmin::text, ' ') FROM drawings");
    run();
    CHECK(sql("SELECT string_agg(xmin::text, ' ') FROM drawings") == file);
}

TEST_CASE_METHOD(drawings, "a commit that fails leaves nothing of the types that it made, and the next one makes them anew") {
    auto refused = rows(3);
    isorow::target_options const options{
        .attachments = {{.name = "check", .sql = "SELECT 1 / (SELECT count(*) FROM drawings WHERE id = 7)", .undo = "SELECT 1"}}};
    CHECK_THROWS_AS(isorow::synchronise(db, refused, options), isorow::server_error);
    CHECK(sql("SELECT count(*) FROM pg_type WHERE typname = 'corner'") == "0");
    isorow::synchronise(db, refused);
    CHECK(stored() == refused);
}

TEST_CASE_METHOD(drawings, "a composite type with other attributes is refused with both") {
    sql("CREATE TYPE corner AS (x double precision, z double precision)");
    CHECK_THROWS_MATCHES(isorow::synchronise(db, rows(1)), isorow::mismatch,
                         test::says("AS (\"x\" double precision, \"y\" double precision), found a type of this name with the attributes "
                                    "(x double precision, z double precision)"));
}

TEST_CASE_METHOD(drawings, "a composite type that is there is used") {
    sql("CREATE TYPE corner AS (x double precision, y double precision)");
    auto const before = sql("SELECT 'corner'::regtype::oid");
    isorow::synchronise(db, rows(3));
    CHECK(sql("SELECT 'corner'::regtype::oid") == before);
    CHECK(stored() == rows(3));
}

TEST_CASE_METHOD(drawings, "dynamic rows have arrays of extensions' types, too") {
    isorow::app app{isorow::register_db("main", db), "tags"};
    isorow::table_schema const schema({{"id", isorow::column{"bigint", isorow::not_null}}, {"tags", isorow::column{"citext[]"}}},
                                      isorow::primary_key{"id"});
    auto const run = [&] {
        return app.run([&](isorow::scope root) {
            auto table = root.target(schema, {.table = "tags"});
            table.row(root, isorow::dynamic_row{{"id", 1}, {"tags", isorow::dynamic_value::array{"a", isorow::null}}});
        });
    };
    run();
    CHECK(sql("SELECT tags FROM tags") == "{a,NULL}");
    auto const before = sql("SELECT xmin FROM tags");
    run();
    CHECK(sql("SELECT xmin FROM tags") == before);
}

TEST_CASE_METHOD(drawings, "arrays of an extension's type are declared before the extension is there") {
    CHECK(isorow::synchronise(db, std::vector<Tags>{{1, std::vector<std::string>{"a", "B"}}, {2, {}}}).inserted == 2);
    CHECK(sql("SELECT tags::text || ' ' || ('b' = ANY(tags))::text FROM tags WHERE id = 1") == "{a,B} true");
    CHECK(isorow::synchronise(db, std::vector<Tags>{{1, std::vector<std::string>{"a", "B"}}, {2, {}}}).unchanged == 2);
}
