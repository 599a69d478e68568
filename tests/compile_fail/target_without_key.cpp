// expected: isorow: this struct has no primary key
// expected: Product
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Product {
    std::int64_t id;
};
#else
struct Product {
    std::int64_t id;
    static constexpr auto isorow_table() { return isorow::table("p").primary_key<&Product::id>(); }
};
#endif

constexpr int checked = (isorow::check_keyed<Product>(), 0);
