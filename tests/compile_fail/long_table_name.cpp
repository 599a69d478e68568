// expected: isorow: the name of a table, schema or index is longer than 63 bytes
// expected: "Product"
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Product {
    std::int64_t id;
    static constexpr auto isorow_table() {
        return isorow::table("a_table_whose_name_is_far_longer_than_the_sixty_three_bytes_of_postgres");
    }
};
#else
struct Product {
    std::int64_t id;
    static constexpr auto isorow_table() { return isorow::table("short"); }
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
