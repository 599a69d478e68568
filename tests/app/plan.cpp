#include "house.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <isorow/codec/dynamic_row.hpp>
#include <isorow/schema/table_schema.hpp>

using test::app_house;
using test::components;
using test::Product;
using test::rows;

TEST_CASE_METHOD(app_house, "a plan says what a run would do, and writes nothing") {
    auto const planned = app.plan(products());
    CHECK(to_string(static_cast<isorow::row_counts const&>(planned)) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(planned.components.ran == 4);
    CHECK(planned.changes());
    CHECK(home.sql("SELECT to_regnamespace('isorow') IS NULL AND to_regclass('products') IS NULL") == "t");
}

TEST_CASE_METHOD(app_house, "a plan is carried out exactly") {
    auto const first = app.plan(products());
    ran.clear();
    auto const done = app.apply(first);
    CHECK(ran.empty());
    CHECK(rows(done) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(components(done) == "4 ran, 0 unchanged, 0 kept, 0 removed, 0 failed");
    CHECK(stored() == "1=torch 2=lamp 3=bulb");
    CHECK_THROWS_MATCHES(app.apply(first), isorow::usage_error, test::says("the plan was applied already"));
    sources[1].name = "lantern";
    auto const second = app.plan(products());
    CHECK(second.updated == 1);
    CHECK(rows(app.apply(second)) == "0 inserted, 1 updated, 0 deleted, 2 unchanged");
    CHECK_FALSE(app.plan(products()).changes());
}

TEST_CASE_METHOD(app_house, "a destructive plan is shown, and applied by the word alone, before or after it is made") {
    run();
    auto const nothing = [](isorow::scope) {};
    auto const shown = app.plan(nothing);
    CHECK(shown.is_destructive());
    CHECK_THROWS_AS(app.apply(shown), isorow::destructive_change);
    CHECK(stored() == "1=torch 2=lamp 3=bulb");
    app.apply(shown, isorow::destructive);
    CHECK(home.sql("SELECT to_regclass('products') IS NULL") == "t");
    run();
    isorow::run_options options;
    options.commit.allow = isorow::destructive;
    app.apply(app.plan(nothing, options));
    CHECK(home.sql("SELECT to_regclass('products') IS NULL") == "t");
}

TEST_CASE_METHOD(app_house, "a plan that the database has overtaken is refused") {
    run();
    sources[1].name = "lantern";
    auto const planned = app.plan(products());
    home.sql("DELETE FROM products WHERE id = 2");
    CHECK_THROWS_AS(app.apply(planned), isorow::plan_outdated);
    CHECK(stored() == "1=torch 3=bulb");
    auto const other = app.plan(products());
    run();
    CHECK_THROWS_AS(app.apply(other), isorow::run_conflict);
}

TEST_CASE_METHOD(app_house, "an audit tells what others have done, and a repair mends it") {
    run();
    CHECK(app.audit().empty());
    home.sql("UPDATE products SET name = 'broken' WHERE id = 1");
    home.sql("DELETE FROM products WHERE id = 2");
    auto const found = app.audit();
    REQUIRE(found.size() == 1);
    CHECK(found[0].table == "\"public\".\"products\"");
    CHECK(found[0].changed == 1);
    CHECK(found[0].missing == 1);
    ran.clear();
    auto const done = app.repair(products());
    CHECK(ran == std::vector<std::int64_t>{1, 2});
    CHECK(stored() == "1=torch 2=lamp 3=bulb");
    CHECK(done.changed());
    CHECK(app.audit().empty());
}

namespace {

/// A product of an earlier version of the program.
struct RoughProduct {
    std::int64_t id;
    std::string name;
    std::optional<float> price;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&RoughProduct::id>(); }
};

}  // namespace

TEST_CASE_METHOD(app_house, "an audit after a change that rewrote the table tells nothing, and later what others do then") {
    bool const is_of_one_owner = GENERATE(false, true);
    app.run([&](isorow::scope root) {
        auto const table = root.target<RoughProduct>();
        table.row(root, {1, "torch", 1.0F});
        if (!is_of_one_owner) root.mount("memoized", isorow::version{1}, [=](isorow::scope here) { table.row(here, {2, "lamp", 2.0F}); });
    });
    CHECK(app.audit().empty());
    auto const widened = [&](isorow::scope root) {
        auto const table = root.target<Product>();
        table.row(root, {1, "torch", 1.0});
        if (!is_of_one_owner) root.mount("memoized", isorow::version{1}, [=](isorow::scope here) { table.row(here, {2, "lamp", 2.0}); });
    };
    isorow::report const done = app.run(widened);
    CHECK(rows(done) ==
          (is_of_one_owner ? "0 inserted, 0 updated, 0 deleted, 1 unchanged" : "0 inserted, 0 updated, 0 deleted, 2 unchanged"));
    CHECK(done.ddl.size() == 1);
    CHECK(app.audit().empty());
    app.run(widened, {.commit = {.drift = isorow::drift::mend}});
    home.sql("UPDATE products SET name = 'broken' WHERE id = 1");
    REQUIRE(app.audit().size() == 1);
    CHECK(app.audit()[0].changed == 1);
}

TEST_CASE_METHOD(app_house, "rows that others add to a table of the app's alone are deleted where drift is mended") {
    isorow::run_options mending;
    mending.commit.drift = isorow::drift::mend;
    mending.commit.memory = GENERATE(std::size_t{1}, std::size_t{1} << 20);
    run();
    home.sql("INSERT INTO products VALUES (7, 'theirs', 1)");
    CHECK(rows(run()) == "0 inserted, 0 updated, 0 deleted, 3 unchanged");
    CHECK(app.audit().at(0).added == 1);
    sources.push_back({4, "wick"});
    CHECK(rows(run(mending)) == "1 inserted, 0 updated, 1 deleted, 3 unchanged");
    CHECK(stored() == "1=torch 2=lamp 3=bulb 4=wick");
    CHECK(app.audit().empty());
}

TEST_CASE_METHOD(app_house, "what is said of commits is said of the whole run, not of one of its tables") {
    CHECK_THROWS_MATCHES(
        app.run([](isorow::scope root) { static_cast<void>(root.target<Product>({.commit = {.drift = isorow::drift::mend}})); }),
        isorow::usage_error, test::says("in an app, they are said in run_options::commit"));
}

TEST_CASE_METHOD(app_house, "a table whose rows are needed again has their components run") {
    run();
    home.sql("DROP TABLE products");
    CHECK(rows(run()) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(ran == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE_METHOD(app_house, "removing an app drops its tables, where that is allowed, and forgets it") {
    run();
    CHECK_THROWS_AS(app.remove(), isorow::destructive_change);
    isorow::run_options options;
    options.commit.allow = isorow::destructive;
    app.remove(options);
    CHECK(home.sql("SELECT to_regclass('products') IS NULL") == "t");
    CHECK(rows(run()) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
}

namespace {

struct Priced {
    std::int64_t id;
    std::optional<std::string> note;
};

isorow::table_schema described() {
    return isorow::table_schema({{"id", isorow::column{"bigint", isorow::not_null}}, {"note", isorow::column{"text"}}},
                                isorow::primary_key{"id"});
}

}  // namespace

TEST_CASE_METHOD(app_house, "a table that is described at run time takes rows of any kind") {
    auto const work = [&](std::string const& note) {
        return app.run([&](isorow::scope root) {
            auto const notes = root.target(described(), {.table = "notes"});
            CHECK(notes.name() == "\"public\".\"notes\"");
            root.mount("structs", isorow::version{1}, note,
                       [=](isorow::scope here, std::string const& in) { notes.row(here, Priced{1, in}); });
            root.mount("dynamic", [=](isorow::scope here) {
                notes.rows(here, std::vector<isorow::dynamic_row>{{{"id", 2}, {"note", "two"}}, {{"id", 3}}});
            });
        });
    };
    CHECK(rows(work("one")) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(rows(work("one")) == "0 inserted, 0 updated, 0 deleted, 3 unchanged");
    CHECK(rows(work("uno")) == "0 inserted, 1 updated, 0 deleted, 2 unchanged");
    CHECK(home.sql("SELECT string_agg(id || '=' || coalesce(note, '-'), ' ' ORDER BY id) FROM notes") == "1=uno 2=two 3=-");
}

TEST_CASE_METHOD(app_house, "a described table without a name or a key is refused, and rows that do not fit it") {
    CHECK_THROWS_MATCHES(app.run([](isorow::scope root) { static_cast<void>(root.target(described())); }), isorow::usage_error,
                         test::says("a target's table has a name"));
    CHECK_THROWS_MATCHES(app.run([](isorow::scope root) {
        static_cast<void>(root.target(isorow::table_schema({{"id", isorow::column{"bigint"}}}), {.table = "notes"}));
    }),
                         isorow::usage_error, test::says("has no primary key"));
    CHECK_THROWS_AS(app.run([](isorow::scope root) { root.target(described(), {.table = "notes"}).row(root, Product{1, "name", {}}); }),
                    isorow::mismatch);
    CHECK_THROWS_MATCHES(
        app.run([](isorow::scope root) { root.target(described(), {.table = "notes"}).row(root, isorow::dynamic_row{{"id", "seven"}}); }),
        isorow::unrepresentable, test::says("row 1 of /"));
}
