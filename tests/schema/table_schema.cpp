#include <catch2/catch_test_macros.hpp>

#include <isorow/schema/ddl_statements.hpp>
#include <isorow/schema/table_schema.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using isorow::column;
using isorow::not_null;
using isorow::pg_type;
using isorow::primary_key;
using isorow::table_schema;
using isorow::usage_error;

namespace {

struct Embedder {
    std::size_t dimensions;
    [[nodiscard]] isorow::vector_shape vector_schema() const { return {.size = dimensions}; }
};

/// No overlay, so no key, and a field that needs an override.
struct Document {
    std::string id;
    std::optional<std::string> title;
    std::vector<float> embedding;
    std::chrono::sys_time<std::chrono::microseconds> created_at;
};

struct Product {
    std::string category;
    std::string name;
    isorow::annotated<std::int64_t, pg_type<"integer">> stock;
    double price;
    isorow::vector<3> embedding;

    static consteval auto isorow_table() {
        return isorow::table("products")
            .schema("shop")
            .primary_key<&Product::name>()
            .column<&Product::price>({.name = "cost", .default_value = "0"})
            .index<&Product::embedding>(isorow::hnsw{.name = "by_embedding"});
    }
};

table_schema explicit_products() {
    return table_schema{{{"category", column{"text", not_null}},
                         {"name", column{"text", not_null}},
                         {"price", column{"numeric"}},
                         {"embedding", column{"vector(384)"}}},
                        primary_key{"category", "name"}};
}

isorow::column_description column_of(table_schema const& schema, std::string_view name) {
    return schema.columns()[schema.find(name).value()];
}

}  // namespace

TEST_CASE("a table is described by its columns and its key") {
    auto const schema = explicit_products().named("public", "products");
    auto const statements = isorow::ddl_statements(schema.description());
    REQUIRE(statements.size() == 2);
    CHECK(statements[0] ==
          "CREATE TABLE \"public\".\"products\" (\n"
          "    \"category\" text NOT NULL,\n"
          "    \"name\" text NOT NULL,\n"
          "    \"price\" numeric,\n"
          "    \"embedding\" vector(384)\n"
          ")");
    CHECK(statements[1] == R"(ALTER TABLE "public"."products" ADD PRIMARY KEY ("category", "name"))");
}

TEST_CASE("a column may be NULL unless it is said to be not_null") {
    CHECK(column_of(explicit_products(), "price").nullable);
    CHECK_FALSE(column_of(explicit_products(), "name").nullable);
}

TEST_CASE("a column is given a default, uniqueness, a former name and an expression for its new type") {
    table_schema const schema{{{"id", column{"bigint", not_null}},
                               {"made", column{.type = "timestamptz", .nullability = not_null, .default_value = "now()", .unique = true}},
                               {"cost", column{.type = "numeric(10,2)", .renamed_from = "price", .using_expression = "price::numeric"}}},
                              primary_key{"id"}};
    CHECK(column_of(schema, "made").default_value == "now()");
    CHECK(column_of(schema, "made").unique);
    CHECK(column_of(schema, "cost").renamed_from == "price");
    CHECK(column_of(schema, "cost").using_expression == "price::numeric");
    CHECK(column_of(schema, "cost").type == isorow::column_type{isorow::type_id::numeric, false, 10, 2});
}

TEST_CASE("columns may be gathered while the program runs, and a table may have no key") {
    std::vector<isorow::named_column> columns;
    for (auto const* const name : {"a", "b", "c"}) columns.push_back({name, column{"integer"}});
    table_schema const schema(columns);
    CHECK(schema.columns().size() == 3);
    CHECK(schema.key().empty());
    CHECK(table_schema(columns, primary_key{}).find("c") == 2);
    CHECK_FALSE(schema.find("d"));
}

TEST_CASE("what a description refers to lives as long as a copy of its schema") {
    auto schema = std::make_unique<table_schema>(explicit_products().named("shop", "products").index({"category"}));
    auto const copy = *schema;
    auto const description = schema->description();
    schema.reset();
    CHECK(description.name == "products");
    CHECK(description.columns[3].name == "embedding");
    CHECK(isorow::index_name(description, description.indexes[0]) == "products_category_idx");
    CHECK(copy.name() == "products");
}

TEST_CASE("a schema under another name, and one with an index, leave the first as it was") {
    auto const first = explicit_products();
    auto const second = first.named("shop", "goods").index({"embedding"}, isorow::hnsw{.metric = isorow::cosine});
    CHECK(first.name().empty());
    CHECK(first.description().indexes.empty());
    CHECK(second.schema() == "shop");
    CHECK(second.description().indexes.size() == 1);
    CHECK(second.key() == first.key());
}

TEST_CASE("indexes are made of column names and a method") {
    auto const schema = explicit_products()
                            .named("public", "products")
                            .index({"embedding"}, isorow::hnsw{.metric = isorow::l2, .m = 8})
                            .index({"category", "price"}, isorow::btree{.unique = true})
                            .index({"name"}, isorow::gin{.name = std::string("by_") + "name", .operator_class = "gin_trgm_ops"});
    auto const description = schema.description();
    CHECK(isorow::create_index_sql(description, description.indexes[0]) ==
          "CREATE INDEX \"products_embedding_idx\" ON \"public\".\"products\" USING hnsw (\"embedding\" vector_l2_ops)"
          " WITH (m = 8, ef_construction = 64)");
    CHECK(isorow::create_index_sql(description, description.indexes[1]) ==
          R"(CREATE UNIQUE INDEX "products_category_price_key" ON "public"."products" USING btree ("category", "price"))");
    CHECK(description.indexes[2].name == "by_name");
    CHECK(description.indexes[2].operator_class == "gin_trgm_ops");
}

TEST_CASE("a struct's schema is its own table's") {
    auto const schema = table_schema::of<Product>();
    CHECK(isorow::ddl_statements(schema.description()) == isorow::ddl_statements(isorow::description_of<Product>));
    CHECK(schema.description().struct_name == "Product");
}

TEST_CASE("a struct is given a table, a schema and a key at run time") {
    auto const schema = table_schema::of<Product>({.primary_key = {"category", "name"}, .table = "goods", .schema = "store"});
    CHECK(schema.name() == "goods");
    CHECK(schema.schema() == "store");
    REQUIRE(schema.key().size() == 2);
    CHECK(schema.key()[0] == 0);
    CHECK(schema.key()[1] == 1);
}

TEST_CASE("column overrides say a type, a vector schema, or a provider of one") {
    auto const schema = table_schema::of<Document>(
        {.primary_key = {"id"},
         .column_overrides = {
             {"created_at", pg_type{"timestamp"}}, {"title", pg_type{"varchar(80)"}}, {"embedding", isorow::vector_schema{384}}}});
    CHECK(column_of(schema, "created_at").type == isorow::column_type{isorow::type_id::timestamp});
    CHECK(column_of(schema, "title").type == isorow::column_type{isorow::type_id::varchar, false, 80});
    CHECK(column_of(schema, "title").nullable);
    CHECK(column_of(schema, "embedding").type == isorow::column_type{isorow::type_id::vector, false, 384});
}

TEST_CASE("a provider is an object, a pointer to one, or a reference to one") {
    Embedder const embedder{256};
    auto const type_by = [](isorow::column_override said) {
        return column_of(table_schema::of<Document>({.primary_key = {"id"}, .column_overrides = {{"embedding", std::move(said)}}}),
                         "embedding")
            .type;
    };
    isorow::column_type const expected{isorow::type_id::vector, false, 256};
    CHECK(type_by(embedder) == expected);
    CHECK(type_by(Embedder{256}) == expected);
    CHECK(type_by(&embedder) == expected);
    CHECK(type_by(std::cref(embedder)) == expected);
    CHECK(type_by(std::make_shared<Embedder>(Embedder{256})) == expected);
    CHECK(type_by(isorow::vector_shape{.size = 256}) == expected);
    CHECK(type_by(isorow::vector_schema<256>{}) == expected);
    CHECK(type_by(pg_type<"vector(256)">{}) == expected);
    CHECK(type_by(isorow::vector_schema{256, isorow::vector_element::float16}).id == isorow::type_id::halfvec);
}

TEST_CASE("an override beats an annotation and the overlay") {
    auto const schema = table_schema::of<Product>({.column_overrides = {{"stock", pg_type{"smallint"}}, {"cost", pg_type{"real"}}}});
    CHECK(column_of(schema, "stock").type.id == isorow::type_id::int2);
    CHECK(column_of(schema, "cost").type.id == isorow::type_id::float4);
    CHECK(column_of(schema, "cost").default_value == "0");
}

TEST_CASE("an override of a column that is not there is an error that says what may have been meant") {
    CHECK_THROWS_MATCHES(table_schema::of<Product>({.column_overrides = {{"stok", pg_type{"integer"}}}}), usage_error,
                         test::says("the table schema of Product cannot be used:\n  an override names the column \"stok\", which Product "
                                    "does not have; did you mean \"stock\"?"));
    CHECK_THROWS_MATCHES(table_schema::of<Product>({.column_overrides = {{"price", pg_type{"real"}}}}), usage_error,
                         test::says("the column of the field price is called \"cost\""));
}

TEST_CASE("a type that isorow does not know is an error that names struct and field") {
    CHECK_THROWS_MATCHES(table_schema::of<Product>({.column_overrides = {{"stock", pg_type{"integr"}}}}), usage_error,
                         test::says("Product.stock: the type \"integr\" is not one that isorow knows; did you mean \"integer\"?"));
    CHECK_THROWS_MATCHES(
        (table_schema{{{"price", column{"numerc"}}}}), usage_error,
        test::says("the table schema cannot be used:\n  column \"price\": the type \"numerc\" is not one that isorow knows; "
                   "did you mean \"numeric\"?"));
}

TEST_CASE("a type that the field's values cannot be stored as is an error") {
    CHECK_THROWS_MATCHES(table_schema::of<Product>({.column_overrides = {{"stock", pg_type{"text"}}}}), usage_error,
                         test::says("Product.stock: values of this field cannot be stored as text"));
    CHECK_THROWS_MATCHES(table_schema::of<Product>({.column_overrides = {{"embedding", Embedder{4}}}}), usage_error,
                         test::says("Product.embedding: values of this field cannot be stored as vector(4)"));
}

TEST_CASE("a field without a column type needs an override") {
    CHECK_THROWS_MATCHES(table_schema::of<Document>({.primary_key = {"id"}}), usage_error,
                         test::says("Document.embedding: the field's type has no column type; give it one as a column override"));
}

TEST_CASE("a provider that gives no dimensions, or is not there, is an error") {
    auto const with = [](isorow::column_override said) {
        return table_schema::of<Document>({.primary_key = {"id"}, .column_overrides = {{"embedding", std::move(said)}}});
    };
    CHECK_THROWS_MATCHES(with(Embedder{0}), usage_error,
                         test::says("Document.embedding: the vector schema has 0 dimensions; pgvector stores 1 to 16000"));
    CHECK_THROWS_MATCHES(with(Embedder{std::size_t{1} << 40}), usage_error, test::says("1099511627776 dimensions"));
    CHECK_THROWS_MATCHES(with(static_cast<Embedder const*>(nullptr)), usage_error,
                         test::says("the vector schema provider is a null pointer"));
}

TEST_CASE("a key of columns that may be NULL, are not there or stand twice is an error") {
    CHECK_THROWS_MATCHES((table_schema{{{"id", column{"bigint"}}}, primary_key{"id"}}), usage_error,
                         test::says("column \"id\": the primary key's column may be NULL, but a key is never NULL"));
    CHECK_THROWS_MATCHES((table_schema{{{"id", column{"bigint", not_null}}}, primary_key{"ident"}}), usage_error,
                         test::says("the primary key names the column \"ident\", which the table does not have"));
    CHECK_THROWS_MATCHES((table_schema{{{"id", column{"bigint", not_null}}}, primary_key{"id", "id"}}), usage_error,
                         test::says("the primary key names the column \"id\" twice"));
    CHECK_THROWS_MATCHES(table_schema::of<Document>({.primary_key = {"title"}, .column_overrides = {{"embedding", Embedder{3}}}}),
                         usage_error, test::says("Document.title: the primary key's column may be NULL"));
}

TEST_CASE("a key of more than 32 columns and a table of more than 1600 are errors") {
    auto const wide = [](std::size_t count) {
        std::vector<isorow::named_column> columns;
        for (std::size_t i = 0; i < count; ++i) columns.push_back({"c" + std::to_string(i), column{"integer", not_null}});
        return columns;
    };
    std::vector<std::string> key;
    for (auto const& one : wide(33)) key.push_back(one.name);
    CHECK_THROWS_MATCHES(table_schema(wide(40), primary_key(key)), usage_error,
                         test::says("the primary key has 33 columns; Postgres takes at most 32"));
    CHECK_THROWS_MATCHES(table_schema(wide(1601)), usage_error, test::says("it has 1601 columns; Postgres takes at most 1600"));
    CHECK_NOTHROW(table_schema(wide(1600)));
    CHECK_THROWS_MATCHES(table_schema(wide(0)), usage_error, test::says("it has no columns; a table needs at least one"));
}

TEST_CASE("names that Postgres cannot take whole, or that stand twice, are errors") {
    std::string const long_name(64, 'x');
    CHECK_THROWS_MATCHES((table_schema{{{long_name, column{"text"}}}}), usage_error,
                         test::says("has 64 bytes, an SQL identifier at most 63"));
    CHECK_THROWS_MATCHES((table_schema{{{"", column{"text"}}}}), usage_error, test::says("column \"\": an empty name"));
    CHECK_THROWS_MATCHES((table_schema{{{"a", column{"text"}}, {"a", column{"text"}}}}), usage_error,
                         test::says("column \"a\": two columns have the name \"a\""));
    CHECK_THROWS_AS(explicit_products().named("public", long_name), usage_error);
    CHECK_THROWS_AS(explicit_products().named(long_name, "products"), usage_error);
    CHECK_THROWS_AS(explicit_products().index({"name"}, isorow::btree{.name = long_name}), usage_error);
}

TEST_CASE("an index over columns that are not there, or that pgvector has no index for, is an error") {
    auto const schema = explicit_products();
    CHECK_THROWS_MATCHES(schema.index({"nam"}), usage_error,
                         test::says("an index names the column \"nam\", which the table does not have; did you mean \"name\"?"));
    CHECK_THROWS_MATCHES(schema.index({}), usage_error, test::says("an index has at least one column"));
    CHECK_THROWS_MATCHES(
        schema.index({"name"}, isorow::hnsw{}), usage_error,
        test::says("column \"name\": an index of pgvector needs a vector, halfvec, sparsevec or bit with its dimension, not text"));
    CHECK_THROWS_AS(schema.index({"embedding", "name"}, isorow::ivfflat{}), usage_error);
    CHECK_THROWS_AS((table_schema{{{"v", column{"vector"}}}}.index({"v"}, isorow::hnsw{})), usage_error);
}

TEST_CASE("numbers in parentheses that Postgres does not take are errors") {
    auto const type = [](std::string sql) { return table_schema{{{"c", column{std::move(sql)}}}}; };
    CHECK_THROWS_MATCHES(type("bigint(8)"), usage_error, test::says("the type bigint takes nothing in parentheses"));
    CHECK_THROWS_MATCHES(type("varchar(0)"), usage_error,
                         test::says("the type character varying takes 1 to 10485760 in parentheses, not 0"));
    CHECK_THROWS_MATCHES(type("numeric(1001)"), usage_error, test::says("takes 1 to 1000 in parentheses, not 1001"));
    CHECK_THROWS_MATCHES(type("numeric(10,1001)"), usage_error, test::says("the scale of numeric is at most 1000, not 1001"));
    CHECK_THROWS_MATCHES(type("varchar(1,2)"), usage_error, test::says("takes one number in parentheses"));
    CHECK_THROWS_MATCHES(type("vector(16001)"), usage_error, test::says("takes 1 to 16000 in parentheses, not 16001"));
    CHECK_THROWS_AS(type("timestamp(7)"), usage_error);
    CHECK_NOTHROW(type("timestamp(6)"));
}

TEST_CASE("arrays of an extension's type are columns") {
    CHECK(isorow::to_sql(column_of(table_schema{{{"c", column{"citext[]"}}}}, "c").type) == "citext[]");
    CHECK(isorow::to_sql(column_of(table_schema{{{"c", column{"vector(3)[]"}}}}, "c").type) == "vector(3)[]");
}

TEST_CASE("character without a length has the one that SQL gives it") {
    CHECK(column_of(table_schema{{{"c", column{"char"}}}}, "c").type.first_modifier == 1);
    CHECK_THROWS_MATCHES((table_schema{{{"c", column{"bpchar"}}}}), usage_error, test::says("the type bpchar needs a length"));
}

TEST_CASE("all that is wrong is told at once") {
    try {
        static_cast<void>(
            table_schema{{{"id", column{"bigint"}}, {"price", column{"numerc"}}, {"id", column{"text"}}}, primary_key{"id", "x"}});
        FAIL("nothing was thrown");
    } catch (usage_error const& failure) {
        std::string const message = failure.what();
        for (auto const* const part : {"\"numerc\"", "two columns", "column \"x\"", "never NULL"})
            CHECK(message.find(part) != std::string::npos);
    }
}

TEST_CASE("the places of the image have the key first, in the key's order") {
    table_schema const schema{{{"a", column{"text"}}, {"b", column{"text", not_null}}, {"c", column{"text", not_null}}},
                              primary_key{"c", "b"}};
    CHECK(isorow::places_key_first(schema.description()) == std::vector<std::uint16_t>{2, 1, 0});
}
