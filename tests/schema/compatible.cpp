#include <catch2/catch_test_macros.hpp>

#include <isorow/schema.hpp>
#include <isorow/schema/compatible.hpp>
#include <isorow/types/annotated.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace {

struct Product {
    std::int64_t id;
    std::string name;
    std::optional<float> price;
    isorow::annotated<std::string, isorow::pg_type<"varchar(32)">> label;
    isorow::annotated<std::vector<float>, isorow::vector_schema<3>> embedding;
    std::vector<std::int32_t> sizes;
};

struct SourceProduct {
    std::string name;
    std::int64_t id;
};
struct WiderProduct {
    std::optional<double> price;
    std::string label;
    std::vector<std::int64_t> sizes;
    std::optional<std::string> name;
};
struct NarrowId {
    std::int32_t id;
};
struct PricedProduct {
    float price;
};
struct OtherEmbedding {
    isorow::annotated<std::vector<float>, isorow::vector_schema<4>> embedding;
};
struct ColouredProduct {
    std::string colour;
};
struct TextId {
    std::string id;
};
struct RenamedName {
    std::string title;
    static consteval auto isorow_table() { return isorow::table("any").column<&RenamedName::title>({.name = "name"}); }
};

}  // namespace

static_assert(isorow::compatible<SourceProduct, Product>);
static_assert(isorow::compatible<Product, Product>);

TEST_CASE("a struct of some of the columns, in another order, can be read from the other's table") {
    STATIC_CHECK(isorow::compatible<SourceProduct, Product>);
    STATIC_CHECK_FALSE(isorow::compatible<Product, SourceProduct>);
}

TEST_CASE("fields are compatible that are wider than the columns, or optional where these are not") {
    STATIC_CHECK(isorow::compatible<WiderProduct, Product>);
    STATIC_CHECK_FALSE(isorow::compatible<NarrowId, Product>);
}

TEST_CASE("a column that may be NULL cannot be read into a field that is not optional") {
    STATIC_CHECK_FALSE(isorow::compatible<PricedProduct, Product>);
}

TEST_CASE("columns of other types, of other dimensions, or that are not there, are not compatible") {
    STATIC_CHECK_FALSE(isorow::compatible<TextId, Product>);
    STATIC_CHECK_FALSE(isorow::compatible<OtherEmbedding, Product>);
    STATIC_CHECK_FALSE(isorow::compatible<ColouredProduct, Product>);
}

TEST_CASE("columns are matched by their names in the table") { STATIC_CHECK(isorow::compatible<RenamedName, Product>); }
