#include <catch2/catch_test_macros.hpp>

#include <isorow/schema.hpp>
#include <isorow/schema/conforms.hpp>
#include <isorow/types/annotated.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Product {
    std::string category;
    std::string name;
    std::optional<double> price;
    isorow::annotated<std::string, isorow::pg_type<"varchar(32)">> label;
    isorow::annotated<std::vector<float>, isorow::vector_schema<3>> embedding;

    static consteval auto isorow_table() {
        return isorow::table("products")
            .primary_key<&Product::category, &Product::name>()
            .column<&Product::label>({.default_value = "'none'", .unique = true})
            .index<&Product::embedding>(isorow::hnsw{.metric = isorow::cosine});
    }
};

/// As pg_dump 17 writes it.
constexpr char dump[] = R"(
--
-- PostgreSQL database dump
--

\restrict Hd7dUcW0pTq4kDsq

SET statement_timeout = 0;
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;
COMMENT ON EXTENSION vector IS 'vector data type; with a semicolon and ''quotes''';

SET default_tablespace = '';

CREATE TABLE public.products (
    category text NOT NULL,
    name text NOT NULL,
    price double precision,
    label character varying(32) DEFAULT 'none'::character varying NOT NULL,
    embedding public.vector(3) NOT NULL
);

ALTER TABLE public.products OWNER TO postgres;

COPY public.products (category, name, price, label, embedding) FROM stdin;
lamps	it's a lamp; CREATE TABLE public.products (	\N	a"b	[1,2,3]
\.

ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_label_key UNIQUE (label);

ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (category, name);

CREATE INDEX products_embedding_idx ON public.products USING hnsw (embedding public.vector_cosine_ops) WITH (m='16', ef_construction='64');

\unrestrict Hd7dUcW0pTq4kDsq
)";

struct Point {
    std::int32_t x;
    std::optional<std::int32_t> y;
};

[[nodiscard]] std::vector<std::string> differences_of_point(std::string_view ddl, isorow::table_use use = isorow::table_use::defining) {
    std::vector<std::string> list;
    for (auto const& one : isorow::ddl_differences<Point>(ddl, use)) list.push_back(isorow::to_string(one));
    return list;
}

using list = std::vector<std::string>;

}  // namespace

static_assert(isorow::conforms<Product>(dump));
static_assert(isorow::check_conforms<Product, dump>());
static_assert(isorow::conforms<Point>("CREATE TABLE point (x integer NOT NULL, y integer)"));
static_assert(!isorow::conforms<Point>("CREATE TABLE point (x integer NOT NULL, y bigint)"));

TEST_CASE("what pg_dump writes of a struct's table conforms at run time as in a constant expression") {
    CHECK(isorow::ddl_differences<Product>(dump).empty());
    CHECK(isorow::conforms<Product>(isorow::ddl<Product>()));
}

TEST_CASE("each difference is named by struct, field and column") {
    CHECK(differences_of_point("CREATE TABLE public.point (x text, z bigint NOT NULL, w date)") ==
          list{"Point.x: column \"x\": expected integer, found text",
               "Point.x: column \"x\": expected NOT NULL, as the field is not std::optional, found a column that may be NULL",
               "Point.y: column \"y\": expected integer, found no such column",
               "Point: column \"z\": expected a field for it, or a default, found NOT NULL without a default",
               "Point: column \"w\": expected a field for it, or no such column, found date"});
}

TEST_CASE("a struct that is only read may lack columns, read narrower ones, and has no need of the key") {
    constexpr auto reading = isorow::table_use::reading;
    STATIC_CHECK(isorow::conforms<Point>("CREATE TABLE point (z text NOT NULL, y smallint, x int2 PRIMARY KEY)", reading));
    CHECK(differences_of_point("CREATE TABLE point (x bigint NOT NULL, y text)", reading) ==
          list{"Point.x: column \"x\": expected integer, found bigint", "Point.y: column \"y\": expected integer, found text"});
    CHECK(differences_of_point("CREATE TABLE point (x int)", reading).size() == 2);
}

TEST_CASE("a struct whose rows are written needs a default for each column that it lacks") {
    constexpr auto writing = isorow::table_use::writing;
    CHECK(
        differences_of_point("CREATE TABLE point (x int NOT NULL, y int, z serial, w text NOT NULL DEFAULT '', v date)", writing).empty());
    CHECK(differences_of_point("CREATE TABLE point (x int NOT NULL, y int, z int NOT NULL)", writing) ==
          list{"Point: column \"z\": expected a field for it, or a default, found NOT NULL without a default"});
    CHECK(differences_of_point("CREATE TABLE point (x int NOT NULL, y int GENERATED ALWAYS AS (x * 2) STORED)", writing) ==
          list{"Point.y: column \"y\": expected a column that can be written, found a generated column"});
}

TEST_CASE("a table that the DDL does not make is one difference") {
    CHECK(differences_of_point("CREATE TABLE other.point (x int NOT NULL, y int); CREATE TABLE points (x int);") ==
          list{"Point: expected the table public.point, found no such table"});
    CHECK(differences_of_point("").size() == 1);
}

TEST_CASE("the key's columns and their order are compared, and a key that the struct does not have is told") {
    constexpr char other_order[] =
        "CREATE TABLE products (category text, name text, price float8, label varchar(32) NOT NULL DEFAULT 'none' "
        "UNIQUE, embedding vector(3) NOT NULL, PRIMARY KEY (name, category));"
        "CREATE INDEX ON products USING hnsw (embedding vector_cosine_ops);";
    auto const differences = isorow::ddl_differences<Product>(other_order);
    REQUIRE(differences.size() == 1);
    CHECK(isorow::to_string(differences[0]) == "Product: expected PRIMARY KEY (category, name), found PRIMARY KEY (name, category)");
    CHECK(differences_of_point("CREATE TABLE point (x int PRIMARY KEY, y int)") ==
          list{"Point: expected no primary key, found PRIMARY KEY (x)"});
}

namespace {

struct Indexed {
    std::int64_t id;
    std::string tag;
    std::vector<std::string> words;
    isorow::annotated<std::vector<float>, isorow::vector_schema<3>> place;

    static consteval auto isorow_table() {
        return isorow::table("indexed")
            .unique<&Indexed::id, &Indexed::tag>()
            .index<&Indexed::tag>(isorow::btree{.name = "by_tag"})
            .index<&Indexed::words>(isorow::gin{})
            .index<&Indexed::place>(isorow::ivfflat{.metric = isorow::l2, .lists = 50});
    }
};

constexpr std::string_view indexed =
    "CREATE TABLE indexed (id bigint NOT NULL, tag text NOT NULL, words text[] NOT NULL, place vector(3) NOT NULL);";

[[nodiscard]] list differences_with_indexes(std::string_view indexes) {
    list found;
    for (auto const& one : isorow::ddl_differences<Indexed>(std::string(indexed) + std::string(indexes)))
        found.push_back(isorow::to_string(one));
    return found;
}

constexpr std::string_view unique = "ALTER TABLE indexed ADD UNIQUE (id, tag);";
constexpr std::string_view by_tag = "CREATE INDEX by_tag ON indexed (tag);";
constexpr std::string_view words = "CREATE INDEX ON indexed USING GIN (words);";
constexpr std::string_view place = "CREATE INDEX ON indexed USING ivfflat (place) WITH (lists = 50);";

[[nodiscard]] std::string all_but(std::string_view left_out, std::string_view instead = {}) {
    std::string sql(instead);
    for (auto const one : {unique, by_tag, words, place})
        if (one != left_out) sql += one;
    return sql;
}

}  // namespace

TEST_CASE("indexes that the struct declares are looked for, whatever spelling they have") {
    CHECK(differences_with_indexes(all_but({})).empty());
    CHECK(differences_with_indexes(all_but(unique, "CREATE UNIQUE INDEX any_name ON public.indexed USING btree (id, tag);")).empty());
    CHECK(differences_with_indexes(all_but({}, "CREATE INDEX more ON indexed (id);")).empty());
}

TEST_CASE("an index that is missing or is another one is told, with what stands in its place") {
    CHECK(differences_with_indexes(all_but(unique)) == list{"Indexed: expected UNIQUE INDEX USING btree (id, tag), found no such index"});
    CHECK(differences_with_indexes(all_but(unique, "ALTER TABLE indexed ADD UNIQUE (tag, id);")) ==
          list{"Indexed: expected UNIQUE INDEX USING btree (id, tag), found no such index"});
    CHECK(differences_with_indexes(all_but(by_tag, "CREATE INDEX by_tag ON indexed USING btree (tag DESC);")) ==
          list{"Indexed.tag: column \"tag\": expected INDEX by_tag USING btree (tag), found CREATE INDEX by_tag ON indexed USING btree "
               "(tag DESC)"});
    CHECK(differences_with_indexes(all_but(by_tag, "CREATE INDEX other ON indexed (tag) WHERE id > 0;")).size() == 1);
    CHECK(differences_with_indexes(all_but(words, "CREATE INDEX ON indexed (words);")).size() == 1);
    CHECK(differences_with_indexes(all_but(place, "CREATE INDEX ON indexed USING ivfflat (place);")).size() == 1);
    CHECK(differences_with_indexes(all_but(place, "CREATE INDEX ON indexed USING ivfflat (place vector_cosine_ops) WITH (lists='50');"))
              .size() == 1);
}

TEST_CASE("a default that the struct says and the table does not have is told") {
    constexpr char without[] =
        "CREATE TABLE products (category text, name text, price float8, label varchar(32) NOT NULL UNIQUE, embedding "
        "vector(3) NOT NULL, PRIMARY KEY (category, name));"
        "CREATE INDEX ON products USING hnsw (embedding vector_cosine_ops);";
    auto const differences = isorow::ddl_differences<Product>(without);
    REQUIRE(differences.size() == 1);
    CHECK(isorow::to_string(differences[0]) == "Product.label: column \"label\": expected DEFAULT 'none', found no default");
}
