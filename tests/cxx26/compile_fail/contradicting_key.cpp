// expected: isorow: two annotations of this field, or an annotation and the overlay, say different things
// expected: "id"
#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>

#include <cstdint>
#include <vector>

#ifdef WRONG
#define KEY stock
#else
#define KEY id
#endif

struct Product {
    [[= isorow::primary_key]] std::int64_t id;
    std::int64_t stock;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::KEY>(); }
};

constexpr int checked = (isorow::check<Product>(), 0);
