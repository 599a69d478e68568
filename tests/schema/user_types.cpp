// Types of the user's in what the compiler does with tables: their SQL, and structs and DDL held against them.

#include <catch2/catch_test_macros.hpp>

#include <isorow/schema.hpp>
#include <isorow/schema/compatible.hpp>
#include <isorow/schema/conforms.hpp>
#include <isorow/schema/detail/text_builder.hpp>
#include <isorow/types/composite.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

struct Point {
    double x;
    double y;

    static consteval auto isorow_table() { return isorow::table("Point").schema("geo"); }
};

struct Place {
    std::int64_t id;
    isorow::composite<Point> where;
    std::vector<isorow::composite<Point>> path;

    static consteval auto isorow_table() { return isorow::table("places").primary_key<&Place::id>(); }
};

struct Spot {
    isorow::composite<Point> where;
};

struct Other {
    double x;
};

struct Wrong {
    isorow::composite<Other> where;
};

constexpr bool is_written_as(isorow::column_type const& type, std::string_view sql) {
    isorow::detail::text_builder text;
    append_sql(text, type);
    return text.view() == sql;
}

constexpr char dump[] = R"(
CREATE TABLE public.places (
    id bigint NOT NULL,
    "where" geo."Point" NOT NULL,
    path geo."Point"[] NOT NULL
);
ALTER TABLE ONLY public.places ADD CONSTRAINT places_pkey PRIMARY KEY (id);
)";

}  // namespace

TEST_CASE("a type of the user's is written with its schema, in constant expressions too") {
    STATIC_CHECK(is_written_as(isorow::mapping<isorow::composite<Point>>::type, R"("geo"."Point")"));
    STATIC_CHECK(is_written_as(isorow::mapping<std::vector<isorow::composite<Point>>>::type, R"("geo"."Point"[])"));
    CHECK(to_sql(isorow::mapping<isorow::composite<Point>>::type) == R"("geo"."Point")");
}

TEST_CASE("a type of the user's is known by its name as Postgres prints it") {
    constexpr auto type = isorow::mapping<isorow::composite<Point>>::type;
    STATIC_CHECK(is_type(type, R"("Point")"));
    STATIC_CHECK_FALSE(is_type(type, R"("Point"[])"));
    STATIC_CHECK_FALSE(is_type(type, "text"));
    STATIC_CHECK(is_type(isorow::mapping<std::vector<isorow::composite<Point>>>::type, R"("Point"[])"));
}

TEST_CASE("structs with composite fields are held against structs and DDL by the compiler") {
    STATIC_CHECK(isorow::compatible<Spot, Place>);
    STATIC_CHECK_FALSE(isorow::compatible<Wrong, Place>);
    STATIC_CHECK(isorow::conforms<Place>(dump));
}

TEST_CASE("std::array is no table") { STATIC_CHECK_FALSE(isorow::mappable<std::array<int, 3>>); }
