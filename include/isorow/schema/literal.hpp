#pragma once

#include <isorow/error/error.hpp>

#include <string>
#include <string_view>

namespace isorow::inline v1::detail {

/// Appends text as a literal of SQL, for the few commands that take no parameters. Throws `usage_error` where it has a NUL byte.
inline void append_literal(std::string& sql, std::string_view text) {
    bool is_escaped = false;
    for (char const character : text) {
        if (character == '\0') throw usage_error("the text has a NUL byte");
        is_escaped = is_escaped || character == '\\';
    }
    if (is_escaped) sql += " E";
    sql += '\'';
    for (char const character : text) {
        if (character == '\'' || character == '\\') sql += character;
        sql += character;
    }
    sql += '\'';
}

/// The same as a text of its own.
[[nodiscard]] inline std::string quote_literal(std::string_view text) {
    std::string sql;
    append_literal(sql, text);
    return sql;
}

}  // namespace isorow::inline v1::detail
