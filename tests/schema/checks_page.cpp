/// @file
/// The code of docs/checks.md, compiled, and a check that the page shows no line that is not compiled somewhere and names no test that is
/// not there.

#include <catch2/catch_test_macros.hpp>

#include <isorow/schema.hpp>
#include <isorow/schema/compatible.hpp>
#include <isorow/schema/conforms.hpp>
#include <support/page_check.hpp>

#include <optional>
#include <string>

namespace {

struct Product {
    std::string category;
    std::string name;
    std::optional<double> price;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::category, &Product::name>(); }
};

struct SourceProduct {
    std::string name;
    std::optional<double> price;
};

static_assert(isorow::has_column<Product>("price"));
static_assert(isorow::column_type_is<Product>("price", "double precision"));
static_assert(isorow::key_is<Product>("category", "name"));
static_assert(isorow::key_is<&Product::category, &Product::name>());
static_assert(isorow::compatible<SourceProduct, Product>);

constexpr char ddl[] = R"(
CREATE TABLE public.products (
    category text NOT NULL,
    name text NOT NULL,
    price double precision
);
ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (category, name);
)";
static_assert(isorow::check_conforms<Product, ddl>());
static_assert(isorow::conforms<Product>(ddl, isorow::table_use::reading));
static_assert(isorow::conforms<SourceProduct>("CREATE TABLE source_product (name text, price float8, NOT NULL name)"));

}  // namespace

TEST_CASE("docs/checks.md shows only what is compiled, and names tests that are there") { test::check_page("checks.md", 15); }
