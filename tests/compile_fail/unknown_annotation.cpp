// expected: isorow: pg_type<
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
using tag = isorow::pg_type<"integr">;
struct Product {
    isorow::annotated<std::int64_t, tag> id;
};
#else
using tag = isorow::pg_type<"integer">;
struct Product {
    isorow::annotated<std::int64_t, tag> id;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
