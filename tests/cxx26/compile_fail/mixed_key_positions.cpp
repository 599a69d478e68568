// expected: isorow: the positions of the primary key's fields are not 1, 2
// expected: "second"
#include <isorow/annotations.hpp>
#include <isorow/schema.hpp>

#include <cstdint>
#include <vector>

#ifdef WRONG
#define POSITION 3
#else
#define POSITION 2
#endif

struct Product {
    [[= isorow::primary_key(1)]] std::int64_t first;
    [[= isorow::primary_key(POSITION)]] std::int64_t second;
};

constexpr int checked = (isorow::check<Product>(), 0);
