// expected: isorow: two fields have the same column name
// expected: "Product"
// expected: "number"
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Product {
    std::int64_t id;
    std::int64_t number;
    static constexpr auto isorow_table() { return isorow::table("p").column<&Product::number>({.name = "id"}); }
};
#else
struct Product {
    std::int64_t id;
    std::int64_t number;
    static constexpr auto isorow_table() { return isorow::table("p").column<&Product::number>({.name = "number_"}); }
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
