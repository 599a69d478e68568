#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace isorow::inline v1 {

/// A string that can be a template argument, as in `pg_type<"integer">`.
template <std::size_t Size>
struct fixed_string {
    char text[Size]{};

    // NOLINTNEXTLINE(google-explicit-constructor): a literal is written in its place
    consteval fixed_string(char const (&literal)[Size]) { std::copy_n(literal, Size, text); }

    [[nodiscard]] constexpr std::string_view view() const { return {text, Size - 1}; }

    friend constexpr bool operator==(fixed_string const&, fixed_string const&) = default;
};

namespace detail {

/// A name of `Size` characters as a fixed_string, so that compilers print it in their messages.
template <std::size_t Size>
consteval fixed_string<Size + 1> to_fixed_string(std::string_view name) {
    char text[Size + 1]{};
    std::copy_n(name.begin(), Size, text);
    return fixed_string<Size + 1>(text);
}

}  // namespace detail

}  // namespace isorow::inline v1
