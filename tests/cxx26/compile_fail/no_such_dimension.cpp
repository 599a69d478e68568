// expected: isorow: the overlay gives this column a type that isorow does not know
// expected: "embedding"
#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>

#include <cstdint>
#include <vector>

#ifdef WRONG
#define SIZE 0
#else
#define SIZE 1
#endif

struct Product {
    [[= isorow::vector_schema(SIZE)]] std::vector<float> embedding;
};

constexpr int checked = (isorow::check<Product>(), 0);
