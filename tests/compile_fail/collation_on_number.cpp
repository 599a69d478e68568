// expected: isorow: this column has a collation, but its type is no text
// expected: "Product"
// expected: "name"
#include <isorow/schema.hpp>

#include <cstdint>
#include <string>

struct Product {
    std::int64_t id;
#ifdef WRONG
    std::int64_t name;
#else
    std::string name;
#endif
    static constexpr auto isorow_table() {
        return isorow::table("p").primary_key<&Product::id>().column<&Product::name>({.collation = "C"});
    }
};

constexpr int checked = (isorow::check<Product>(), 0);
