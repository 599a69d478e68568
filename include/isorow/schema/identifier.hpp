#pragma once

/// @file
/// The one way in which a name gets into SQL.

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/types/hexadecimal.hpp>
#include <isorow/types/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// The longest identifier in bytes: Postgres' NAMEDATALEN - 1. It cuts longer ones off, so that two of them may become one.
inline constexpr std::size_t identifier_limit = 63;

/// Whether Postgres can take the name whole: 1 to 63 bytes, no NUL, valid UTF-8.
[[nodiscard]] constexpr bool is_identifier(std::string_view name) noexcept {
    if (name.empty() || name.size() > identifier_limit) return false;
    // The compiler asks this of every column: one plain loop is what costs it least.
    bool is_ascii = true;
    for (char const character : name) {
        if (character == '\0') return false;
        is_ascii = is_ascii && static_cast<unsigned char>(character) < 0x80;
    }
    return is_ascii || is_valid_utf8(name);
}

namespace detail {

/// Appends the name in double quotes to any text, in constant expressions too.
template <class Text>
constexpr void append_quoted(Text& text, std::string_view name) {
    text += '"';
    for (char const character : name) {
        if (character == '"') text += '"';
        text += character;
    }
    text += '"';
}

}  // namespace detail

namespace detail {

/// Says why the name is none that SQL can take.
[[noreturn]] inline void refuse_identifier(std::string_view name) {
    if (name.empty()) throw usage_error("an empty name cannot be an SQL identifier");
    for (char const character : name)
        if (character == '\0') throw usage_error("a name with a NUL byte cannot be an SQL identifier");
    if (name.size() <= identifier_limit) throw usage_error("a name that is not valid UTF-8 cannot be an SQL identifier");
    std::string message = "the name \"";
    message.append(name.data(), name.size());
    message += "\" has ";
    append_number(message, static_cast<std::int64_t>(name.size()));
    message += " bytes, an SQL identifier at most ";
    append_number(message, identifier_limit);
    throw usage_error(message);
}

/// Appends the name as SQL writes it, in double quotes. Throws `usage_error` where it is not an identifier.
inline void append_identifier(std::string& sql, std::string_view name) {
    if (!is_identifier(name)) refuse_identifier(name);
    append_quoted(sql, name);
}

}  // namespace detail

/// The name as SQL writes it, in double quotes. Throws `usage_error` where it is not an identifier.
[[nodiscard]] inline std::string quote_identifier(std::string_view name) {
    std::string sql;
    detail::append_identifier(sql, name);
    return sql;
}

/// A relation's name with its schema, quoted: `"public"."products"`.
[[nodiscard]] inline std::string quote_identifier(std::string_view schema, std::string_view name) {
    std::string sql;
    detail::append_identifier(sql, schema);
    sql += '.';
    detail::append_identifier(sql, name);
    return sql;
}

namespace detail {

/// What tells long names apart whose beginnings are the same: the last `count` hexadecimal digits of FNV-1a, at most 16. Databases have
/// names that end with it: it stays as it is.
[[nodiscard]] inline std::string hash_digits(std::string_view name, std::size_t count = 16) {
    std::uint64_t hash = 14695981039346656037U;
    for (char const character : name) hash = (hash ^ static_cast<std::uint8_t>(character)) * 1099511628211U;
    return hexadecimal(hash, count);
}

}  // namespace detail

}  // namespace isorow::inline v1
