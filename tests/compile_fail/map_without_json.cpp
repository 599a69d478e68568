// expected: isorow: this field's type has no Postgres type; include <isorow/json.hpp>
// expected: "Product"
// expected: "attributes"
#include <isorow/schema.hpp>

#include <cstdint>
#include <map>
#include <string>

#ifdef WRONG
struct Product {
    std::int32_t id;
    std::map<std::string, std::string> attributes;
};
#else
struct Product {
    std::int32_t id;
    std::string attributes;
};
#endif

constexpr int checked = (isorow::check<Product>(), 0);
