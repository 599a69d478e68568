// expected: isorow: values of this field cannot be stored in the column type
// expected: "Product"
// expected: "id"
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Product {
    isorow::annotated<std::int64_t, isorow::pg_type<"text">> id;
};
#else
struct Product {
    isorow::annotated<std::int64_t, isorow::pg_type<"integer">> id;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
