// expected: isorow: a column's name is empty or longer than 63 bytes
// expected: "Product"
// expected: "a_field_whose_name
#include <isorow/schema.hpp>

#include <cstdint>

#ifdef WRONG
struct Product {
    std::int64_t a_field_whose_name_is_far_longer_than_the_sixty_three_bytes_of_postgres;
};
#else
struct Product {
    std::int64_t a_field_whose_name_is_far_longer_than_the_sixty_three_bytes_of_postgres;
    static constexpr auto isorow_table() {
        return isorow::table("p").column<&Product::a_field_whose_name_is_far_longer_than_the_sixty_three_bytes_of_postgres>(
            {.name = "short"});
    }
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
