// expected: isorow: Postgres has no ranges of this type
#include <isorow/schema.hpp>
#include <isorow/types/multirange.hpp>

#include <cstdint>

#ifdef WRONG
using Number = std::int16_t;
#else
using Number = std::int32_t;
#endif

struct Booking {
    std::int64_t id;
    isorow::range<Number> seats;
    isorow::multirange<Number> gaps;
};

constexpr int checked = (isorow::check<Booking>(), 0);
