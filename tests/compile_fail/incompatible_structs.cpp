// expected: isorow: the struct cannot be read from the other struct's table
// expected: "SourceProduct.price"
// expected: "double precision"
// expected: "text"
// expected: "SourceProduct.colour"
// expected: "no such column"
#include <isorow/schema.hpp>
#include <isorow/schema/compatible.hpp>

#include <cstdint>
#include <optional>
#include <string>

struct Product {
    std::int64_t id;
    std::string name;
    std::optional<double> price;
    std::string colour;
};

#ifdef WRONG
struct TheirProduct {
    std::int64_t id;
    std::string price;
};
#else
using TheirProduct = Product;
#endif

struct SourceProduct {
    std::int64_t id;
    std::optional<double> price;
    std::string colour;
};

constexpr int checked = (isorow::check_compatible<SourceProduct, TheirProduct>(), 0);
