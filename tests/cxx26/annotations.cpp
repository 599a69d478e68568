#include <catch2/catch_test_macros.hpp>

#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>
#include <isorow/schema/table_schema.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace {

struct Embedder {
    [[nodiscard]] static constexpr isorow::vector_shape vector_schema() {
        return {.size = 256, .element = isorow::vector_element::float16};
    }
};

/// One table in three forms, in namespaces so that the struct has one name in all.
namespace by_overlay {
struct Product {
    std::string category;
    std::string name;
    std::optional<double> price;
    std::int64_t stock;
    std::optional<std::string> label;
    std::vector<float> embedding;
    std::vector<float> modelled;
    std::vector<std::string> tags;

    static consteval auto isorow_table() {
        return isorow::table("products")
            .schema("shop")
            .primary_key<&Product::name, &Product::category>()
            .column<&Product::price>({.name = "cost", .type = "real", .default_value = "0", .unique = true})
            .column<&Product::stock>({.type = "integer"})
            .column<&Product::label>({.type = "varchar(32)", .renamed_from = "caption"})
            .column<&Product::embedding>({.type = "vector(3)"})
            .column<&Product::modelled>({.type = "halfvec(256)"})
            .index<&Product::label>()
            .index<&Product::embedding>(isorow::hnsw{.metric = isorow::l2, .m = 8})
            .index<&Product::tags>(isorow::gin{.name = "by_tag"});
    }
};
}  // namespace by_overlay

namespace by_type {
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
            .column<&Product::label>({.renamed_from = "caption"})
            .index<&Product::label>()
            .index<&Product::embedding>(isorow::hnsw{.metric = isorow::l2, .m = 8})
            .index<&Product::tags>(isorow::gin{.name = "by_tag"});
    }
};
}  // namespace by_type

namespace by_annotation {
// clang-format off
struct [[=isorow::table_name("products"), =isorow::schema_name("shop")]] Product {
    [[=isorow::primary_key(2)]] std::string category;
    [[=isorow::primary_key(1)]] std::string name;
    [[=isorow::column_name("cost"), =isorow::pg_type("real"), =isorow::default_value("0"), =isorow::unique]] std::optional<double> price;
    [[=isorow::pg_type("integer")]] std::int64_t stock;
    [[=isorow::pg_type("varchar(32)"), =isorow::renamed_from("caption"), =isorow::index]] std::optional<std::string> label;
    [[=isorow::vector_schema(3), =isorow::index(isorow::hnsw{.metric = isorow::l2, .m = 8})]] std::vector<float> embedding;
    [[=Embedder{}]] std::vector<float> modelled;
    [[=isorow::index(isorow::gin{.name = "by_tag"})]] std::vector<std::string> tags;
};
// clang-format on
}  // namespace by_annotation

// clang-format off
/// Facts in both, and some of them twice.
struct [[=isorow::table_name("mixed")]] Mixed {
    [[=isorow::primary_key]] std::int64_t id;
    [[=isorow::pg_type("int"), =isorow::index]] std::int64_t count;
    std::string note;

    static consteval auto isorow_table() {
        return isorow::table("mixed")
            .primary_key<&Mixed::id>()
            .column<&Mixed::count>({.name = "number", .type = "integer"})
            .column<&Mixed::note>({.default_value = "''"})
            .index<&Mixed::count>();
    }
};

struct Base {
    [[=isorow::primary_key]] std::int64_t id;
    std::string name;
};
// clang-format on
struct Derived : Base {
    std::int32_t own;

    static consteval auto isorow_table() {
        return isorow::table("derived").column<&Base::name>({.name = "called"}).index<&Derived::own, &Derived::name>();
    }
};

struct Plain {
    std::int32_t id;
};

// clang-format off
struct [[=isorow::schema_name("shop")]] OrderLine {
    [[=isorow::primary_key, =isorow::pg_type<"bigint">{}, =Plain{3}]] std::int32_t id;
    [[=isorow::primary_key]] std::int32_t line;
};
// clang-format on

}  // namespace

TEST_CASE("overlay, annotated types and annotations of one struct make the same table") {
    auto const expected = isorow::ddl<by_overlay::Product>();
    CHECK(expected.find("CREATE TABLE") != std::string::npos);
    CHECK(isorow::ddl<by_type::Product>() == expected);
    CHECK(isorow::ddl<by_annotation::Product>() == expected);
}

TEST_CASE("overlay and annotations make the same descriptors") {
    STATIC_CHECK(isorow::description_of<by_overlay::Product>.key == isorow::description_of<by_annotation::Product>.key);
    STATIC_CHECK(isorow::indexes_of<by_overlay::Product> == isorow::indexes_of<by_annotation::Product>);
    for (std::size_t i = 0; i < isorow::columns_of<by_overlay::Product>.size(); ++i) {
        auto const& one = isorow::columns_of<by_overlay::Product>[i];
        auto const& other = isorow::columns_of<by_annotation::Product>[i];
        CHECK(one.field == other.field);
        CHECK(one.name == other.name);
        CHECK(one.type == other.type);
        CHECK(one.nullable == other.nullable);
        CHECK(one.unique == other.unique);
        CHECK(one.default_value == other.default_value);
        CHECK(one.has_type == other.has_type);
        CHECK(one.renamed_from == other.renamed_from);
    }
}

TEST_CASE("what overlay and annotations say adds up, and what both say is said once") {
    STATIC_CHECK(isorow::mappable<Mixed>);
    constexpr auto const& table = isorow::description_of<Mixed>;
    STATIC_CHECK(table.name == "mixed");
    STATIC_CHECK(table.key.size() == 1);
    STATIC_CHECK(table.columns[1].name == "number");
    STATIC_CHECK(table.columns[1].type == isorow::column_type{isorow::type_id::int4});
    STATIC_CHECK(table.columns[2].default_value == "''");
    STATIC_CHECK(table.indexes.size() == 1);
}

TEST_CASE("annotations of a base class's fields hold for the derived struct, and overlays name its fields") {
    STATIC_CHECK(isorow::keyed<Derived>);
    constexpr auto const& table = isorow::description_of<Derived>;
    STATIC_CHECK(table.key[0] == 0);
    STATIC_CHECK(table.columns[1].name == "called");
    STATIC_CHECK(table.indexes[0].fields[0] == 2);
    STATIC_CHECK(table.indexes[0].fields[1] == 1);
}

TEST_CASE("without a name on it the struct names its table; the key is in the order of the fields; annotations of others are left alone") {
    constexpr auto const& table = isorow::description_of<OrderLine>;
    STATIC_CHECK(table.name == "order_line");
    STATIC_CHECK(table.schema == "shop");
    STATIC_CHECK(table.key.size() == 2);
    STATIC_CHECK(table.key[0] == 0);
    STATIC_CHECK(table.columns[0].type == isorow::column_type{isorow::type_id::int8});
}

TEST_CASE("a list of a key's columns can still be written for a table_schema") {
    isorow::table_schema const schema{{{"category", isorow::column{"text", isorow::not_null}}}, isorow::primary_key("category")};
    CHECK(schema.key().size() == 1);
    auto const overridden = isorow::table_schema::of<by_overlay::Product>({.column_overrides = {{"stock", isorow::pg_type{"smallint"}}}});
    CHECK(overridden.columns()[3].type == isorow::column_type{isorow::type_id::int2});
}

namespace {
// clang-format off
#define ANNOTATED_FIELD(name) [[=isorow::column_name("c_" #name), =isorow::pg_type("bigint")]] std::int32_t name;
#define ANNOTATED_FIELDS(name) \
    ANNOTATED_FIELD(name##0) ANNOTATED_FIELD(name##1) ANNOTATED_FIELD(name##2) ANNOTATED_FIELD(name##3) ANNOTATED_FIELD(name##4) \
    ANNOTATED_FIELD(name##5) ANNOTATED_FIELD(name##6) ANNOTATED_FIELD(name##7) ANNOTATED_FIELD(name##8) ANNOTATED_FIELD(name##9)
struct [[=isorow::table_name("much")]] MuchAnnotated {
    ANNOTATED_FIELDS(a) ANNOTATED_FIELDS(b)
};
struct [[=isorow::table_name("all")]] AllAnnotated {
    ANNOTATED_FIELDS(a) ANNOTATED_FIELDS(b) ANNOTATED_FIELDS(c)
    std::int32_t plain;
    ANNOTATED_FIELDS(d)
    [[=isorow::primary_key]] std::int32_t last;
};
#undef ANNOTATED_FIELDS
#undef ANNOTATED_FIELD
// clang-format on
}  // namespace

TEST_CASE("all annotations are read, however many fields and annotations a struct has") {
    STATIC_CHECK(isorow::mappable<MuchAnnotated>);
    STATIC_CHECK(isorow::description_of<MuchAnnotated>.name == "much");
    STATIC_CHECK(isorow::columns_of<MuchAnnotated>[19].name == "c_b9");
    STATIC_CHECK(isorow::columns_of<MuchAnnotated>[19].type == isorow::column_type{isorow::type_id::int8});
    STATIC_CHECK(isorow::mappable<AllAnnotated>);
    STATIC_CHECK(isorow::description_of<AllAnnotated>.name == "all");
    STATIC_CHECK(isorow::columns_of<AllAnnotated>[30].name == "plain");
    STATIC_CHECK(isorow::columns_of<AllAnnotated>[40].name == "c_d9");
    STATIC_CHECK(isorow::columns_of<AllAnnotated>[40].type == isorow::column_type{isorow::type_id::int8});
    STATIC_CHECK(isorow::description_of<AllAnnotated>.key[0] == 41);
}
