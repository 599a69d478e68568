// expected: isorow: the primary key names this column twice
// expected: "Product"
// expected: "id"
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Product {
    std::int64_t id;
    std::int64_t version;
    static constexpr auto isorow_table() { return isorow::table("p").primary_key<&Product::id, &Product::id>(); }
};
#else
struct Product {
    std::int64_t id;
    std::int64_t version;
    static constexpr auto isorow_table() { return isorow::table("p").primary_key<&Product::id, &Product::version>(); }
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
