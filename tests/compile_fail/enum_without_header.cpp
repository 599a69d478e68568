// expected: isorow: this enumeration has no Postgres type; include <isorow/enums.hpp>
// expected: "Person"
// expected: "mood"
#include <isorow/schema.hpp>

#include <cstdint>
#include <string>

enum class Mood : std::uint8_t { sad, happy };

#ifdef WRONG
struct Person {
    std::int32_t id;
    Mood mood;
};
#else
struct Person {
    std::int32_t id;
    std::string mood;
};
#endif

constexpr int checked = (isorow::check<Person>(), 0);
