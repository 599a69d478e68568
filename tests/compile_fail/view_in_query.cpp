// expected: isorow: a row would be a view of memory that is gone
#include <isorow/query/query.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#ifdef WRONG
using row = std::tuple<std::int64_t, std::string_view>;
#else
using row = std::tuple<std::int64_t, std::string>;
#endif

auto read(isorow::connection& connection) { return isorow::query<row>(connection, "SELECT 1::bigint, 'x'"); }
