// expected: isorow: this struct has a bit-field
// expected: "Product"
#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>

#include <cstdint>
#include <vector>

#ifdef WRONG
#define BITS : 3
#else
#define BITS
#endif

struct Product {
    std::int32_t id BITS;
};

constexpr int checked = (isorow::check<Product>(), 0);
