// expected: isorow: this type is stored as JSON, but what it holds has no form in JSON
// expected: char32_t
#include <isorow/json/codec.hpp>

#include <map>
#include <string>

#ifdef WRONG
using letters = std::map<std::string, char32_t>;
#else
using letters = std::map<std::string, std::string>;
#endif

void store(letters const& value, isorow::byte_writer& out) { isorow::codec<letters>::encode(value, out); }
