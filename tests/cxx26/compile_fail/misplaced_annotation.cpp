// expected: isorow: this annotation is at the wrong place
// expected: "id"
#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>

#include <cstdint>
#include <vector>

#ifdef WRONG
#define WORD table_name
#else
#define WORD column_name
#endif

struct Product {
    [[= isorow::WORD("products")]] std::int64_t id;
};

constexpr int checked = (isorow::check<Product>(), 0);
