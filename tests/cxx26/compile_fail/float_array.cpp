// expected: isorow: std::vector<float> may be an embedding or an array
// expected: "embedding"
#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>

#include <cstdint>
#include <vector>

#ifdef WRONG
#define SCHEMA
#else
#define SCHEMA [[= isorow::vector_schema(3)]]
#endif

struct Product {
    SCHEMA float embedding[3];
};

constexpr int checked = (isorow::check<Product>(), 0);
