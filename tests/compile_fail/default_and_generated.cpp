// expected: isorow: this column has more than one of default_value, generated and identity
// expected: "Product"
// expected: "total"
#include <isorow/schema.hpp>

#include <cstdint>

struct Product {
    std::int64_t id;
    double price;
    double total;
    static constexpr auto isorow_table() {
        return isorow::table("p").primary_key<&Product::id>().column<&Product::total>({
#ifdef WRONG
            .default_value = "0",
#endif
            .generated = "price * 2"});
    }
};

constexpr int checked = (isorow::check<Product>(), 0);
