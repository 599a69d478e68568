// expected: isorow: this unsigned integer has no Postgres type
// expected: "Point"
// expected: "x"
#include <isorow/schema.hpp>
#include <isorow/types/composite.hpp>

#include <cstdint>

struct Point {
#ifdef WRONG
    std::uint64_t x;
#else
    std::int64_t x;
#endif
};

struct Place {
    std::int32_t id;
    isorow::composite<Point> where;
};

constexpr int checked = (isorow::check<Place>(), 0);
