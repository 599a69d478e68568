// expected: isorow: this struct has a base class
// expected: "Product"
#include <isorow/schema.hpp>

#include <cstdint>
#include <string>

#ifdef WRONG
struct Base {
    std::int32_t id;
};
struct Product : Base {
    std::string name;
};
#else
struct Product {
    std::int32_t id;
    std::string name;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
