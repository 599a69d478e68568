// expected: isorow: the server numbers columns of smallint, integer and bigint only
// expected: "Product"
// expected: "id"
#include <isorow/schema.hpp>

#include <cstdint>
#include <string>

struct Product {
#ifdef WRONG
    std::string id;
#else
    std::int64_t id;
#endif
    static constexpr auto isorow_table() {
        return isorow::table("p").primary_key<&Product::id>().column<&Product::id>({.identity = isorow::identity::by_default});
    }
};

constexpr int checked = (isorow::check<Product>(), 0);
