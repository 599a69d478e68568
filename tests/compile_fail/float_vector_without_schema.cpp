// expected: isorow: std::vector<float> may be an embedding or an array
// expected: "Product"
// expected: "embedding"
#include <isorow/schema.hpp>

#include <cstdint>
#include <vector>

#ifdef WRONG
struct Product {
    std::int32_t id;
    std::vector<float> embedding;
};
#else
struct Product {
    std::int32_t id;
    isorow::annotated<std::vector<float>, isorow::vector_schema<3>> embedding;
    isorow::annotated<std::vector<float>, isorow::pg_type<"real[]">> samples;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
