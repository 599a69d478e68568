// expected: isorow: values of this field cannot be stored in the column type that was said
// expected: "Person"
// expected: "mood"
#include <isorow/enums.hpp>
#include <isorow/schema.hpp>

#include <cstdint>

enum class Mood : std::uint8_t { sad, happy };

#ifdef WRONG
using mood_type = isorow::pg_type<"varchar(4)">;
#else
using mood_type = isorow::pg_type<"varchar(5)">;
#endif

struct Person {
    std::int32_t id;
    isorow::annotated<Mood, mood_type> mood;
};

constexpr int checked = (isorow::check<Person>(), 0);
