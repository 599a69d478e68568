// expected: isorow: rows without a primary key have no key to be taken apart by
#include <isorow/source/source.hpp>

#include <cstdint>
#include <string>

struct Product {
    std::int64_t id;
    std::string name;
#ifdef WRONG
    static consteval auto isorow_table() { return isorow::table("products"); }
#else
    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
#endif
};

void read(isorow::connection& connection) {
    for (auto const& row : isorow::source<Product>(connection).keyed_rows()) static_cast<void>(row);
}
