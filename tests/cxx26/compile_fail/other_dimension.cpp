// expected: isorow: values of this field cannot be stored
// expected: "embedding"
#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>

#include <cstdint>
#include <vector>

#ifdef WRONG
#define SIZE 4
#else
#define SIZE 3
#endif

struct Product {
    [[= isorow::vector_schema(SIZE)]] float embedding[3];
};

constexpr int checked = (isorow::check<Product>(), 0);
