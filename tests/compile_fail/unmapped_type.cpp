// expected: isorow: this field's type has no Postgres type; docs/types.md
// expected: "Product"
// expected: "next"
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Product {
    Product* next;
};
#else
struct Product {
    std::int64_t next;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
