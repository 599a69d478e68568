// expected: isorow: enum_names of this enumeration has a value or a name twice, or a name that is empty or not valid UTF-8
#include <isorow/enums.hpp>
#include <isorow/schema.hpp>

#include <cstdint>

enum class Mood : std::uint8_t { sad, happy };

#ifdef WRONG
template <>
inline constexpr auto isorow::enum_names<Mood> = isorow::names<Mood>({{Mood::sad, "sad"}, {Mood::happy, "sad"}});
#else
template <>
inline constexpr auto isorow::enum_names<Mood> = isorow::names<Mood>({{Mood::sad, "sad"}, {Mood::happy, "glad"}});
#endif

struct Person {
    std::int32_t id;
    Mood mood;
};

constexpr int checked = (isorow::check<Person>(), 0);
