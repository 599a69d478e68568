// expected: isorow: this unsigned integer has no Postgres type of its own
// expected: pg_type<"bigint">
// expected: pg_type<"numeric(20,0)">
// expected: "Product"
// expected: "count"
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Product {
    std::uint64_t count;
};
#else
struct Product {
    isorow::annotated<std::uint64_t, isorow::pg_type<"bigint">> count;
    isorow::annotated<std::uint64_t, isorow::pg_type<"numeric(20,0)">> total;
    std::uint32_t stock;
    std::uint16_t shelf;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
