// expected: isorow: the primary key has a generated column
// expected: "Product"
// expected: "code"
#include <isorow/schema.hpp>

#include <cstdint>
#include <string>

struct Product {
    std::int64_t id;
    std::string code;
    static constexpr auto isorow_table() {
        auto const table = isorow::table("p").column<&Product::code>({.generated = "'p' || id"});
#ifdef WRONG
        return table.primary_key<&Product::code>();
#else
        return table.primary_key<&Product::id>();
#endif
    }
};

constexpr int checked = (isorow::check<Product>(), 0);
