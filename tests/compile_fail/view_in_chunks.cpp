// expected: isorow: this field is a view, which would refer to memory that is gone
// expected: "scan"
#include <isorow/source/source.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

struct Paper {
    std::int64_t id;
#ifdef WRONG
    std::optional<std::span<std::byte const>> scan;
#else
    std::optional<std::vector<std::byte>> scan;
#endif
    static consteval auto isorow_table() { return isorow::table("papers").primary_key<&Paper::id>(); }
};

void read(isorow::connection& connection) {
    for (auto const& paper : isorow::source<Paper>(connection).rows_in_chunks()) static_cast<void>(paper);
}
