#pragma once

#include <isorow/error/error.hpp>

#include <string>
#include <string_view>

namespace isorow::inline v1::detail {

/// Text as a literal of SQL, for the few commands that take no parameters. Throws `usage_error` where it has a NUL byte.
[[nodiscard]] inline std::string quote_literal(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) throw usage_error("the text has a NUL byte");
    std::string quoted = text.find('\\') == std::string_view::npos ? "'" : " E'";
    for (char const character : text) {
        if (character == '\'' || character == '\\') quoted += character;
        quoted += character;
    }
    return quoted += '\'';
}

}  // namespace isorow::inline v1::detail
