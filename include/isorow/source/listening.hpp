#pragma once

#include <string>

namespace isorow::inline v1 {

/// Follow by notifications that somebody else sends, for tables to which nothing may be added. A payload is a JSON object with the columns
/// of the primary key, or an array of such: the rows of these keys are read as they are now. Whatever is not, such as a payload without the
/// key, has all rows be read again; so has a lost connection, as notifications that were sent meanwhile are gone. Nothing is kept between
/// processes: each begins with all rows.
struct listening {
    std::string channel;
    std::string member{};  ///< the member of the object that has the columns; empty: the object itself
};

}  // namespace isorow::inline v1
