// expected: isorow: the key's struct must have exactly the columns of the primary key
#include <isorow/source/source.hpp>

#include <cstdint>
#include <string>

struct Product {
    std::int64_t id;
    std::string name;
    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

struct ProductKey {
#ifdef WRONG
    std::int32_t id;
#else
    std::int64_t id;
#endif
};

void read(isorow::connection& connection) {
    for (auto const& row : isorow::source<Product>(connection).keyed_rows<ProductKey>()) static_cast<void>(row);
}
