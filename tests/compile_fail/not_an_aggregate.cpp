// expected: isorow: this type is not a plain struct
// expected: "Product"
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
class Product {
    std::int32_t id;
};
#else
struct Product {
    std::int32_t id;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
