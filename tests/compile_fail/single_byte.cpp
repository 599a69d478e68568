// expected: isorow: this field is one byte, which may be a number or a character
// expected: "Product"
// expected: "grade"
#include <isorow/schema.hpp>

#include <cstdint>
#include <string>

#ifdef WRONG
struct Product {
    char grade;
};
#else
struct Product {
    std::string grade;
    isorow::annotated<std::uint8_t, isorow::pg_type<"smallint">> rank;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
