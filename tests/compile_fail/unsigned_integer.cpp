// expected: isorow: this unsigned integer has no Postgres type
// expected: "Product"
// expected: "count"
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Product {
    std::uint64_t count;
};
#else
struct Product {
    std::int64_t count;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
