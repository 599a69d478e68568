// expected: isorow: this field of a struct that is stored as JSON has no form in JSON
// expected: "Settings"
// expected: "mask"
#include <isorow/json/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

#ifdef WRONG
struct Settings {
    std::int32_t level;
    std::vector<std::byte> mask;
};
#else
struct Settings {
    std::int32_t level;
    std::vector<std::uint8_t> mask;
};
#endif

std::string stored(Settings const& settings) { return isorow::to_json_text(settings); }
