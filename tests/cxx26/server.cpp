#include <catch2/catch_test_macros.hpp>

#include <isorow/annotations.hpp>
#include <isorow/isorow.hpp>

#include <support/server.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

// clang-format off
struct Base {
    [[=isorow::primary_key]] std::int64_t id;
    char code[8];
};

struct [[=isorow::table_name("items")]] Item : Base {
    [[=isorow::pg_type("integer"), =isorow::default_value("0")]] std::int64_t stock;
    [[=isorow::vector_schema(3), =isorow::index(isorow::hnsw{.metric = isorow::l2})]] std::vector<float> embedding;
    [[=isorow::column_name("dimensions")]] std::int32_t sizes[2];

    static consteval auto isorow_table() { return isorow::table("items").column<&Base::code>({.unique = true}); }
};
// clang-format on

Item item(std::int64_t id, char const* code) {
    Item made{};
    made.id = id;
    std::strncpy(made.code, code, sizeof made.code);
    made.stock = 10 * id;
    made.embedding = {1.0f, 2.0f, 3.0f};
    made.sizes[1] = static_cast<std::int32_t>(id);
    return made;
}

}  // namespace

TEST_CASE("an annotated struct with a base class and arrays is made a table, declared, changed and queried") {
    test::database const database;
    database.sql("CREATE EXTENSION vector");
    isorow::pool db(database.dsn());
    std::vector<Item> rows{item(1, "one"), item(2, "eight888")};
    CHECK(isorow::synchronise(db, rows).inserted == 2);
    CHECK(isorow::synchronise(db, rows).unchanged == 2);
    rows[0].sizes[0] = 5;
    CHECK(isorow::synchronise(db, rows).updated == 1);

    auto const found = isorow::query<Item>(db, "SELECT * FROM items WHERE id <= $1 ORDER BY id", std::int64_t{2});
    REQUIRE(found.size() == 2);
    CHECK(found[0].sizes[0] == 5);
    CHECK(std::string_view(found[0].code) == "one");
    CHECK(std::string_view(found[1].code, 8) == "eight888");
    CHECK(found[1].stock == 20);

    auto const types = isorow::query<std::string>(
        db, "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'items'::regclass AND attnum > 0 ORDER BY attnum");
    CHECK(types == std::vector<std::string>{"bigint", "text", "integer", "vector(3)", "integer[]"});
}

TEST_CASE("a parameter's struct with arrays is bound by its fields' names") {
    isorow::pool db(test::dsn());
    CHECK(isorow::scalar<std::string>(db, "SELECT :code || cardinality(:sizes::int[])", item(1, "eight888")) == "eight8882");
}
