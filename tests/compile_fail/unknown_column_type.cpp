// expected: isorow: the overlay gives this column a type that isorow does not know
// expected: "Product"
// expected: "id"
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Product {
    std::int64_t id;
    static constexpr auto isorow_table() { return isorow::table("p").column<&Product::id>({.type = "integr"}); }
};
#else
struct Product {
    std::int64_t id;
    static constexpr auto isorow_table() { return isorow::table("p").column<&Product::id>({.type = "integer"}); }
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
