// expected: isorow: a primary key's column is std::optional
// expected: "Product"
// expected: "id"
#include <isorow/schema.hpp>

#include <cstdint>
#include <optional>

#ifdef WRONG
struct Product {
    std::optional<std::int64_t> id;
    static constexpr auto isorow_table() { return isorow::table("p").primary_key<&Product::id>(); }
};
#else
struct Product {
    std::int64_t id;
    static constexpr auto isorow_table() { return isorow::table("p").primary_key<&Product::id>(); }
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
