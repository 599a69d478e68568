#pragma once

/// @file
/// The one way in which a name gets into SQL.

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/types/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// The longest identifier in bytes: Postgres' NAMEDATALEN - 1. It cuts longer ones off, so that two of them may become one.
inline constexpr std::size_t identifier_limit = 63;

/// Whether Postgres can take the name whole: 1 to 63 bytes, no NUL, valid UTF-8.
[[nodiscard]] constexpr bool is_identifier(std::string_view name) noexcept {
    return !name.empty() && name.size() <= identifier_limit && name.find('\0') == std::string_view::npos && is_valid_utf8(name);
}

/// The name as SQL writes it, in double quotes. Throws `usage_error` where it is not an identifier.
[[nodiscard]] inline std::string quote_identifier(std::string_view name) {
    if (name.find('\0') != std::string_view::npos) throw usage_error("a name with a NUL byte cannot be an SQL identifier");
    if (!is_identifier(name))
        throw usage_error(name.empty() ? "an empty name cannot be an SQL identifier"
                          : name.size() > identifier_limit
                              ? text("the name \"{}\" has {} bytes, an SQL identifier at most {}", name, name.size(), identifier_limit)
                              : text("a name that is not valid UTF-8 cannot be an SQL identifier"));
    std::string result = "\"";
    for (char const character : name) {
        if (character == '"') result += '"';
        result += character;
    }
    return result += '"';
}

/// A relation's name with its schema, quoted: `"public"."products"`.
[[nodiscard]] inline std::string quote_identifier(std::string_view schema, std::string_view name) {
    return quote_identifier(schema) + "." + quote_identifier(name);
}

}  // namespace isorow::inline v1
