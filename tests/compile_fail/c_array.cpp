// expected: isorow: this struct has a C array
// expected: "Product"
// expected: 1
#include <isorow/schema.hpp>

#include <cstdint>
#include <string>

#ifdef WRONG
struct Product {
    std::int32_t id;
    char name[16];
};
#else
struct Product {
    std::int32_t id;
    std::string name;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
