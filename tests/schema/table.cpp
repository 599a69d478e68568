#include <catch2/catch_test_macros.hpp>

#include <isorow/schema.hpp>
#include <isorow/types/annotated.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace {

struct Embedder {
    [[nodiscard]] static constexpr isorow::vector_shape vector_schema() {
        return {.size = 256, .element = isorow::vector_element::float16};
    }
};

struct Product {
    std::string category;
    std::string name;
    std::optional<double> price;
    isorow::annotated<std::int64_t, isorow::pg_type<"integer">> stock;
    std::optional<isorow::annotated<std::string, isorow::pg_type<"varchar(32)">>> label;
    isorow::annotated<std::vector<float>, isorow::vector_schema<3>> embedding;
    isorow::annotated<std::vector<float>, Embedder> modelled;
    std::vector<std::string> tags;

    static consteval auto isorow_table() {
        return isorow::table("products")
            .schema("shop")
            .primary_key<&Product::name, &Product::category>()
            .column<&Product::price>({.name = "cost", .type = "real", .default_value = "0", .unique = true})
            .unique<&Product::label>()
            .index<&Product::embedding>(isorow::hnsw{.metric = isorow::l2})
            .index<&Product::tags>(isorow::gin{.name = "by_tag"});
    }
};

struct OrderLine {
    std::int32_t id;
};

struct HTTPRequest2 {
    std::int32_t id;
};

constexpr auto const& product = isorow::description_of<Product>;

}  // namespace

namespace other {

struct Event {
    std::int64_t id;
    std::string what;
};

}  // namespace other

template <>
inline constexpr auto isorow::table_of<other::Event> = isorow::table("events").primary_key<&other::Event::id>();

TEST_CASE("a struct's own overlay names table, schema and key") {
    STATIC_CHECK(product.name == "products");
    STATIC_CHECK(product.schema == "shop");
    STATIC_CHECK(product.struct_name == "Product");
    STATIC_CHECK(product.key.size() == 2);
    STATIC_CHECK(product.key[0] == 1);
    STATIC_CHECK(product.key[1] == 0);
}

TEST_CASE("columns stand in the order of the fields, and optional is the only way to NULL") {
    STATIC_CHECK(product.columns.size() == 8);
    STATIC_CHECK(product.columns[0].name == "category");
    STATIC_CHECK_FALSE(product.columns[0].nullable);
    STATIC_CHECK(product.columns[2].nullable);
    STATIC_CHECK(product.columns[4].nullable);
}

TEST_CASE("the overlay renames a column and gives it another type, a default and uniqueness") {
    STATIC_CHECK(product.columns[2].field == "price");
    STATIC_CHECK(product.columns[2].name == "cost");
    STATIC_CHECK(product.columns[2].type == isorow::column_type{isorow::type_id::float4});
    STATIC_CHECK(product.columns[2].default_value == "0");
    STATIC_CHECK(product.columns[2].unique);
}

TEST_CASE("annotations say a column's type, inside an optional too") {
    STATIC_CHECK(product.columns[3].type == isorow::column_type{isorow::type_id::int4});
    STATIC_CHECK(product.columns[4].type == isorow::column_type{isorow::type_id::varchar, false, 32});
}

TEST_CASE("a vector schema, or a provider of one, gives the dimension and the element") {
    STATIC_CHECK(product.columns[5].type == isorow::column_type{isorow::type_id::vector, false, 3});
    STATIC_CHECK(product.columns[6].type == isorow::column_type{isorow::type_id::halfvec, false, 256});
}

TEST_CASE("indexes are listed with their columns") {
    STATIC_CHECK(product.indexes.size() == 3);
    STATIC_CHECK(product.indexes[0].unique);
    STATIC_CHECK(product.indexes[1].method == isorow::index_method::hnsw);
    STATIC_CHECK(product.indexes[1].metric == isorow::metric::l2);
    STATIC_CHECK(product.indexes[1].fields[0] == 5);
    STATIC_CHECK(product.indexes[2].name == "by_tag");
}

TEST_CASE("a struct that is not ours gets its overlay outside") {
    STATIC_CHECK(isorow::description_of<other::Event>.name == "events");
    STATIC_CHECK(isorow::keyed<other::Event>);
}

TEST_CASE("without an overlay the table is named after the struct, in public, without a key") {
    STATIC_CHECK(isorow::description_of<OrderLine>.name == "order_line");
    STATIC_CHECK(isorow::description_of<OrderLine>.schema == "public");
    STATIC_CHECK(isorow::description_of<HTTPRequest2>.name == "http_request2");
    STATIC_CHECK_FALSE(isorow::keyed<OrderLine>);
}

TEST_CASE("an annotated value is used as the value itself") {
    Product one{.category = "a",
                .name = "b",
                .price = {},
                .stock = 3,
                .label = {},
                .embedding = {std::vector{1.0f, 2.0f, 3.0f}},
                .modelled = {},
                .tags = {}};
    one.stock = one.stock + 4;
    CHECK(one.stock == 7);
    CHECK(one.embedding.size() == 3);
    float sum = 0;
    for (float const value : one.embedding) sum += value;
    CHECK(sum == 6.0f);
    auto const copy = one.embedding;
    CHECK(copy == one.embedding);
}
