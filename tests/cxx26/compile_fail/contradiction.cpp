// expected: isorow: two annotations of this field, or an annotation and the overlay, say different things
// expected: "stock"
// expected: "Product"
#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>

#include <cstdint>
#include <vector>

#ifdef WRONG
#define TYPE "smallint"
#else
#define TYPE "int4"
#endif

struct Product {
    [[= isorow::primary_key]] std::int64_t id;
    [[= isorow::pg_type(TYPE)]] std::int64_t stock;

    static consteval auto isorow_table() { return isorow::table("products").column<&Product::stock>({.type = "integer"}); }
};

constexpr int checked = (isorow::check<Product>(), 0);
