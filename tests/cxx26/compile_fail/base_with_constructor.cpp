// expected: isorow: this struct has a base class
// expected: "Product"
#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>

#include <cstdint>
#include <vector>

#ifdef WRONG
#define CONSTRUCTOR   \
    Base() = default; \
    explicit Base(int);
#else
#define CONSTRUCTOR
#endif

struct Base {
    CONSTRUCTOR
    std::int32_t id;
};
struct Product : Base {
    std::int32_t own;
};

constexpr int checked = (isorow::check<Product>(), 0);
