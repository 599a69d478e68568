#pragma once

/// @file
/// Structs whose tables `pg_dump` writes: all types that isorow knows, keys, quoted names, defaults, and every kind of index.

#include <isorow/schema.hpp>
#include <isorow/types/annotated.hpp>
#include <isorow/types/date_time.hpp>
#include <isorow/types/numeric.hpp>
#include <isorow/types/uuid.hpp>
#include <isorow/types/vector.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dump {

/// The first screen's, as README.md and the examples have it.
struct Product {
    std::string category;
    std::string name;
#ifdef CHANGED
    std::optional<std::int64_t> price;
#else
    std::optional<double> price;
#endif
    isorow::vector<3> embedding;

    static consteval auto isorow_table() {
        return isorow::table("products")
            .primary_key<&Product::category, &Product::name>()
            .index<&Product::embedding>(isorow::hnsw{.metric = isorow::cosine});
    }
};

struct Scalars {
    bool boolean;
    std::int16_t smallint;
    std::int32_t integer;
    std::int64_t bigint;
    float real;
    double double_precision;
    isorow::numeric numeric;
    std::string text;
    std::vector<std::byte> bytea;
    isorow::uuid uuid;
    std::chrono::year_month_day date;
    isorow::time time;
    isorow::timetz timetz;
    isorow::timestamp timestamp;
    isorow::timestamptz timestamptz;
    isorow::interval interval;
    isorow::halfvec<4> half;

    static consteval auto isorow_table() { return isorow::table("scalars").primary_key<&Scalars::uuid>(); }
};

struct Optionals {
    std::optional<bool> boolean;
    std::optional<std::string> text;
    std::optional<isorow::numeric> numeric;
    std::optional<std::vector<std::string>> texts;
    std::vector<std::optional<std::int32_t>> integers;
    std::vector<bool> booleans;
    std::vector<std::chrono::sys_days> dates;
};

struct Modified {
    isorow::annotated<std::string, isorow::pg_type<"varchar(32)">> label;
    isorow::annotated<std::string, isorow::pg_type<"character(3)">> code;
    isorow::annotated<std::string, isorow::pg_type<"citext">> email;
    isorow::annotated<std::string, isorow::pg_type<"name">> name;
    isorow::annotated<std::string, isorow::pg_type<"xml">> document;
    isorow::annotated<std::string, isorow::pg_type<"json">> json;
    isorow::annotated<isorow::numeric, isorow::pg_type<"numeric(10,2)">> price;
    isorow::annotated<isorow::timestamptz, isorow::pg_type<"timestamp(3) with time zone">> seen;
    isorow::annotated<isorow::timestamp, isorow::pg_type<"timestamp(0)">> noted;
    isorow::annotated<isorow::time, isorow::pg_type<"time(3)">> at;
    isorow::annotated<isorow::interval, isorow::pg_type<"interval(3)">> lasting;
    isorow::annotated<std::int64_t, isorow::pg_type<"integer">> count;
    isorow::annotated<std::vector<std::string>, isorow::pg_type<"varchar(8)[]">> tags;
    isorow::annotated<std::vector<float>, isorow::pg_type<"real[]">> samples;
    isorow::annotated<std::vector<float>, isorow::vector_schema<5>> embedding;
};

struct Named {
    std::int64_t id;
    std::string order;
    std::string quoted;
    std::string not_ascii;

    static consteval auto isorow_table() {
        return isorow::table("Named \"tables\"; and (more")
            .schema("Odd, schema")
            .primary_key<&Named::order, &Named::id>()
            .column<&Named::quoted>({.name = "a \"quoted\" name -- with $$, ' and )"})
            .column<&Named::not_ascii>({.name = "größe"})
            .unique<&Named::not_ascii>("Größe, einmalig");
    }
};

struct Defaults {
    std::int64_t id;
    std::string text;
    std::string odd;
    isorow::timestamptz made;
    std::optional<std::int32_t> chosen;
    std::vector<std::string> tags;

    static consteval auto isorow_table() {
        return isorow::table("defaults")
            .schema("shop")
            .primary_key<&Defaults::id>()
            .column<&Defaults::text>({.default_value = "'it''s; not null'", .unique = true})
            .column<&Defaults::odd>({.default_value = "E'a\\'b\\\\' || $q$c'd;$q$"})
            .column<&Defaults::made>({.default_value = "now()"})
            .column<&Defaults::chosen>({.default_value = "CASE WHEN 1 > 0 THEN NULL ELSE 2 END"})
            .column<&Defaults::tags>({.default_value = "ARRAY['a', 'b']"});
    }
};

struct Indexed {
    std::int64_t id;
    std::string text;
    std::vector<std::string> words;
    isorow::annotated<std::string, isorow::pg_type<"citext">> email;
    std::chrono::sys_days day;
    isorow::vector<3> near;
    isorow::halfvec<3> half;

    static consteval auto isorow_table() {
        return isorow::table("indexed")
            .primary_key<&Indexed::id>()
            .index<&Indexed::text, &Indexed::day>()
            .index<&Indexed::text>(isorow::btree{.name = "By Text", .operator_class = "text_pattern_ops"})
            .index<&Indexed::text>(isorow::hash{})
            .index<&Indexed::words>(isorow::gin{.name = "by_words"})
            .index<&Indexed::day>(isorow::brin{})
            .unique<&Indexed::email, &Indexed::day>()
            .index<&Indexed::near>(isorow::hnsw{.metric = isorow::l1, .m = 8, .ef_construction = 32})
            .index<&Indexed::near>(isorow::ivfflat{.metric = isorow::l2, .lists = 10, .name = "near_lists"})
            .index<&Indexed::half>(isorow::hnsw{.metric = isorow::inner_product});
    }
};

}  // namespace dump
