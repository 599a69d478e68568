// expected: isorow: two fields of this struct have the same name in JSON
// expected: Settings
#include <isorow/json/codec.hpp>

#include <cstdint>

struct Settings {
    std::int32_t level;
    std::int32_t other;

    static consteval auto isorow_table() {
#ifdef WRONG
        return isorow::table("settings").column<&Settings::other>({.name = "level"});
#else
        return isorow::table("settings").column<&Settings::other>({.name = "other level"});
#endif
    }
};

std::string stored(Settings const& settings) { return isorow::to_json_text(settings); }
