#pragma once

/// @file
/// Error texts are made here, in one place. A small substitute for std::format, which g++ 12 does not have.

#include <charconv>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace isorow::inline v1 {

namespace detail {

/// Appends the digits of a number that is not negative to any text, in constant expressions too.
template <class Text>
constexpr void append_number(Text& text, std::int64_t number) {
    if (number >= 10) append_number(text, number / 10);
    text += static_cast<char>('0' + number % 10);
}

/// The value as it stands in an error text; floating point numbers in their shortest exact form.
template <class Value>
[[nodiscard]] std::string as_text(Value const& value) {
    if constexpr (std::is_same_v<Value, bool>) {
        return value ? "true" : "false";
    } else if constexpr (std::is_same_v<Value, char>) {
        return std::string(1, value);
    } else if constexpr (std::is_integral_v<Value>) {
        return std::to_string(value);
    } else if constexpr (std::is_floating_point_v<Value>) {
        char digits[64];
        auto const end = std::to_chars(digits, digits + sizeof digits, value);
        return std::string(digits, end.ptr);
    } else {
        return std::string(std::string_view(value));
    }
}

/// Replaces each `{}` of `format`, in order, by an argument; braces without an argument stay as they are.
[[nodiscard]] inline std::string substitute(std::string_view format, std::initializer_list<std::string> arguments) {
    std::string result;
    auto next = arguments.begin();
    while (next != arguments.end()) {
        auto const place = format.find("{}");
        if (place == std::string_view::npos) break;
        result.append(format.substr(0, place)).append(*next++);
        format.remove_prefix(place + 2);
    }
    return result.append(format);
}

}  // namespace detail

/// `format` with each `{}` replaced by the argument in its place: numbers, bools and anything convertible to string_view.
template <class... Arguments>
[[nodiscard]] std::string text(std::string_view format, Arguments const&... arguments) {
    return detail::substitute(format, {detail::as_text(arguments)...});
}

}  // namespace isorow::inline v1
