// expected: isorow: the overlay names a member of another struct
// expected: "Product"
// expected: "number"
// expected: "Order"
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Order {
    std::int64_t number;
};
struct Product {
    std::int64_t id;
    static constexpr auto isorow_table() { return isorow::table("p").index<&Order::number>(); }
};
#else
struct Product {
    std::int64_t id;
    static constexpr auto isorow_table() { return isorow::table("p").index<&Product::id>(); }
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
