// expected: isorow: this struct has no fields
// expected: "Product"
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Product {};
#else
struct Product {
    std::int32_t id;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
