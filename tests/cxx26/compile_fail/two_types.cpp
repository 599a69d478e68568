// expected: isorow: two annotations of this field, or an annotation and the overlay, say different things
// expected: "embedding"
#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>

#include <cstdint>
#include <vector>

#ifdef WRONG
#define TYPE "vector(4)"
#else
#define TYPE "vector(3)"
#endif

struct Product {
    [[ = isorow::pg_type(TYPE), = isorow::vector_schema(3) ]] std::vector<float> embedding;
};

constexpr int checked = (isorow::check<Product>(), 0);
