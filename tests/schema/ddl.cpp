#include <catch2/catch_test_macros.hpp>

#include <isorow/schema.hpp>
#include <isorow/schema/ddl_statements.hpp>
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
    std::int64_t stock;
    isorow::annotated<std::vector<float>, isorow::vector_schema<3>> embedding;

    static consteval auto isorow_table() {
        return isorow::table("products")
            .primary_key<&Product::category, &Product::name>()
            .column<&Product::stock>({.name = "in \"stock\"", .default_value = "0"})
            .index<&Product::embedding>(isorow::hnsw{})
            .index<&Product::price, &Product::name>();
    }
};

struct Long {
    std::int32_t id;
    std::int32_t a_name_of_sixty_characters_that_fits_but_makes_a_long_index;
    std::int32_t a_name_of_sixty_characters_that_fits_but_makes_a_long_indey;

    static consteval auto isorow_table() {
        return isorow::table("measurements")
            .index<&Long::a_name_of_sixty_characters_that_fits_but_makes_a_long_index>()
            .index<&Long::a_name_of_sixty_characters_that_fits_but_makes_a_long_indey>();
    }
};

}  // namespace

TEST_CASE("the DDL of a struct is its table, its key and its indexes") {
    CHECK(isorow::ddl<Product>() ==
          "CREATE TABLE \"public\".\"products\" (\n"
          "    \"category\" text NOT NULL,\n"
          "    \"name\" text NOT NULL,\n"
          "    \"price\" double precision,\n"
          "    \"in \"\"stock\"\"\" bigint DEFAULT 0 NOT NULL,\n"
          "    \"embedding\" vector(3) NOT NULL\n"
          ");\n"
          "ALTER TABLE \"public\".\"products\" ADD PRIMARY KEY (\"category\", \"name\");\n"
          "CREATE INDEX \"products_embedding_idx\" ON \"public\".\"products\" USING hnsw (\"embedding\" vector_cosine_ops) WITH (m = 16, "
          "ef_construction = "
          "64);\n"
          "CREATE INDEX \"products_price_name_idx\" ON \"public\".\"products\" USING btree (\"price\", \"name\");\n");
}

TEST_CASE("an extension's types and operator classes carry the schema that the extension is in") {
    isorow::extension_schemas const schemas{{"vector", "extensions"}};
    auto const statements = isorow::ddl_statements(isorow::description_of<Product>, schemas);
    CHECK(statements[0].find("\"extensions\".vector(3)") != std::string::npos);
    CHECK(statements[2].find("\"extensions\".vector_cosine_ops") != std::string::npos);
}

TEST_CASE("index names that are too long are shortened and stay different") {
    auto const& table = isorow::description_of<Long>;
    auto const first = isorow::index_name(table, table.indexes[0]);
    auto const second = isorow::index_name(table, table.indexes[1]);
    CHECK(first.size() == isorow::identifier_limit);
    CHECK(second.size() == isorow::identifier_limit);
    CHECK(first != second);
}

TEST_CASE("the extensions that a table needs are listed once") {
    auto const needed = isorow::needed_extensions(isorow::description_of<Product>);
    CHECK(needed == std::vector<std::string_view>{"vector"});
    CHECK(isorow::needed_extensions(isorow::description_of<Long>).empty());
}
