#include <catch2/catch_test_macros.hpp>

#include <isorow/json.hpp>
#include <isorow/json/plan.hpp>

TEST_CASE("a plan as JSON has tables, counts, changes and keys") {
    isorow::table_plan table{
        .table = "\"public\".\"items\"", .rows = {.inserted = 2, .deleted = 1}, .changes = {}, .inserted_keys = {"(1)", "(\"a b\")"}};
    table.changes.push_back({.description = "drop column \"x\"", .sql = "ALTER TABLE …", .destructive = true, .lock = "ACCESS EXCLUSIVE"});
    isorow::plan plan;
    plan.inserted = 2;
    plan.deleted = 1;
    plan.tables.push_back(table);
    CHECK(
        isorow::to_json(plan) ==
        R"json({"tables": [{"table": "\"public\".\"items\"", "changes": [{"sql": "ALTER TABLE …", "lock": "ACCESS EXCLUSIVE", )json"
        R"json("rewrites": false, "description": "drop column \"x\"", "destructive": true}], "deleted": 1, "updated": 0, "inserted": 2, )json"
        R"json("unchanged": 0, "deleted_keys": [], "updated_keys": [], "inserted_keys": ["(1)", "(\"a b\")"]}], "deleted": 1, "updated": 0, )json"
        R"json("inserted": 2, "unchanged": 0})json");
}
