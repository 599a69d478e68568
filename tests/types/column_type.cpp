#include <catch2/catch_test_macros.hpp>

#include <isorow/types/column_type.hpp>
#include <isorow/types/mapping.hpp>

#include <string>

using isorow::column_type;
using isorow::type_id;

namespace {

std::string spelled(std::string_view sql) {
    column_type type;
    REQUIRE(isorow::parse_column_type(sql, type));
    return isorow::to_sql(type);
}

bool is_known(std::string_view sql) {
    column_type ignored;
    return isorow::parse_column_type(sql, ignored);
}

}  // namespace

TEST_CASE("types are read in Postgres' spellings and written in those of format_type") {
    CHECK(spelled("int") == "integer");
    CHECK(spelled("int8") == "bigint");
    CHECK(spelled("varchar(32)") == "character varying(32)");
    CHECK(spelled("numeric(10, 2)") == "numeric(10,2)");
    CHECK(spelled("decimal") == "numeric");
    CHECK(spelled("timestamp(3)") == "timestamp(3) without time zone");
    CHECK(spelled("timestamp with time zone") == "timestamp with time zone");
    CHECK(spelled(" real[] ") == "real[]");
    CHECK(spelled("vector(384)") == "vector(384)");
}

TEST_CASE("what is not a type, or has modifiers that are no numbers, is not read") {
    CHECK_FALSE(is_known("integr"));
    CHECK_FALSE(is_known("varchar(x)"));
    CHECK_FALSE(is_known("varchar(32"));
    CHECK_FALSE(is_known("numeric(10,)"));
    CHECK_FALSE(is_known("text; drop table t"));
    CHECK_FALSE(is_known(""));
}

TEST_CASE("built-in types have their OIDs, extension types none") {
    CHECK(column_type{type_id::int8}.oid() == 20);
    CHECK(column_type{type_id::text, true}.oid() == 1009);
    CHECK(column_type{type_id::vector, false, 3}.oid() == 0);
}

TEST_CASE("the catalogue stands in the order of type_id") {
    for (std::size_t i = 0; i < isorow::type_catalog.size(); ++i) CHECK(static_cast<std::size_t>(isorow::type_catalog[i].id) == i);
}

TEST_CASE("a C++ type says which other column types can hold it") {
    STATIC_CHECK(isorow::accepts<std::int64_t>(column_type{type_id::int4}));
    STATIC_CHECK_FALSE(isorow::accepts<std::int64_t>(column_type{type_id::text}));
    STATIC_CHECK(isorow::accepts<std::string>(column_type{type_id::varchar, false, 32}));
    STATIC_CHECK(isorow::accepts<std::vector<std::int64_t>>(column_type{type_id::int4, true}));
    STATIC_CHECK_FALSE(isorow::mapped<std::vector<float>>);
    STATIC_CHECK(isorow::accepts<std::vector<float>>(column_type{type_id::vector, false, 3}));
    STATIC_CHECK(isorow::accepts<std::vector<float>>(column_type{type_id::float4, true}));
}
