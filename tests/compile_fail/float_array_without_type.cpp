// expected: isorow: std::vector<float> may be an embedding or an array; say which
// expected: "Picture"
// expected: "rows"
#include <isorow/schema.hpp>

#include <array>
#include <cstdint>
#include <vector>

struct Picture {
    std::int32_t id;
#ifdef WRONG
    std::vector<std::array<float, 3>> rows;
#else
    isorow::annotated<std::vector<std::array<float, 3>>, isorow::pg_type<"real[]">> rows;
#endif
};

constexpr int checked = (isorow::check<Picture>(), 0);
