// expected: isorow: this source reads structs, and the factory takes dynamic rows
#include <isorow/source/source.hpp>

#include <cstdint>

struct Product {
    std::int64_t id;
    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

#ifdef WRONG
using row = Product;
#else
using row = isorow::dynamic_row;
#endif

void read(isorow::connection& connection) {
    isorow::source<row> const source(connection, {.table = "products"});
    for (auto const id : source.rows([](isorow::dynamic_row const& one) { return one["id"].as<std::int64_t>(); })) static_cast<void>(id);
}
