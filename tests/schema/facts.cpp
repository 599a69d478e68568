#include <catch2/catch_test_macros.hpp>

#include <isorow/schema.hpp>
#include <isorow/types/annotated.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace {

struct Product {
    std::string category;
    std::string name;
    std::optional<double> price;
    isorow::annotated<std::int64_t, isorow::pg_type<"integer">> stock;
    isorow::annotated<std::vector<float>, isorow::vector_schema<3>> embedding;

    static consteval auto isorow_table() {
        return isorow::table("products")
            .primary_key<&Product::category, &Product::name>()
            .column<&Product::name>({.name = "title", .type = "varchar(80)"});
    }
};

struct Note {
    std::string text;
};

}  // namespace

static_assert(isorow::has_column<Product>("price"));
static_assert(isorow::has_column<Product>("title"));
static_assert(isorow::column_type_is<Product>("price", "double precision"));
static_assert(isorow::column_type_is<&Product::name>("character varying(80)"));
static_assert(isorow::column_type_of<&Product::stock>() == isorow::column_type{isorow::type_id::int4});
static_assert(isorow::column_is_nullable<Product>("price"));
static_assert(isorow::key_is<Product>("category", "title"));
static_assert(isorow::key_is<&Product::category, &Product::name>());

TEST_CASE("a struct's column is known by its name in the table, not by its field's") {
    STATIC_CHECK(isorow::has_column<Product>("title"));
    STATIC_CHECK_FALSE(isorow::has_column<Product>("name"));
    STATIC_CHECK_FALSE(isorow::has_column<Product>(""));
}

TEST_CASE("a column's type is asserted in any of SQL's spellings") {
    STATIC_CHECK(isorow::column_type_is<Product>("price", "float8"));
    STATIC_CHECK(isorow::column_type_is<Product>("title", "varchar(80)"));
    STATIC_CHECK(isorow::column_type_is<Product>("embedding", "vector(3)"));
    STATIC_CHECK_FALSE(isorow::column_type_is<Product>("title", "varchar(81)"));
    STATIC_CHECK_FALSE(isorow::column_type_is<Product>("embedding", "vector(4)"));
    STATIC_CHECK_FALSE(isorow::column_type_is<&Product::stock>("bigint"));
}

TEST_CASE("a type or a column that is not there is not what a column is") {
    STATIC_CHECK_FALSE(isorow::column_type_is<Product>("price", "double precison"));
    STATIC_CHECK_FALSE(isorow::column_type_is<Product>("prize", "double precision"));
    STATIC_CHECK_FALSE(isorow::column_is_nullable<Product>("prize"));
    STATIC_CHECK_FALSE(isorow::column_is_nullable<Product>("title"));
}

TEST_CASE("a key is its columns in their order, all of them") {
    STATIC_CHECK_FALSE(isorow::key_is<Product>("title", "category"));
    STATIC_CHECK_FALSE(isorow::key_is<Product>("category"));
    STATIC_CHECK_FALSE(isorow::key_is<Product>());
    STATIC_CHECK_FALSE(isorow::key_is<&Product::name, &Product::category>());
    STATIC_CHECK_FALSE(isorow::key_is<&Product::category>());
    STATIC_CHECK(isorow::key_is<Note>());
    STATIC_CHECK_FALSE(isorow::key_is<Note>("text"));
}
