#pragma once

/// @file
/// Where in an app's run something is declared: names from the root down, written as one canonical text.

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/types/hexadecimal.hpp>
#include <isorow/types/utf8.hpp>

#include <algorithm>
#include <charconv>
#include <compare>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>

namespace isorow::inline v1 {

class scope_path;

namespace detail {

template <class Value>
concept has_to_string = requires(Value const& value) {
    { to_string(value) } -> std::convertible_to<std::string>;
};

template <class Value>
concept path_integer = std::integral<Value> && !std::same_as<Value, bool> && !std::same_as<Value, char>;

/// Whether a text reads as an integer: `-17`.
[[nodiscard]] constexpr bool reads_as_integer(std::string_view text) noexcept {
    if (text.starts_with('-')) text.remove_prefix(1);
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

[[nodiscard]] constexpr bool stands_for_itself(char character) noexcept {
    return character != '/' && character != '~' && static_cast<unsigned char>(character) >= 0x20 && character != '\x7f';
}

/// Appends a name: `~` is `~0`, `/` is `~1`, a quote at its beginning `~2`; control characters and bytes that are not UTF-8 are `~x` and
/// two digits each.
inline void append_name(std::string_view name, std::string& out) {
    for (bool first = true; !name.empty(); first = false) {
        auto const length = utf8_sequence_length(name);
        auto const character = name.front();
        if (character == '~') out += "~0";
        else if (character == '/') out += "~1";
        else if (character == '"' && first) out += "~2";
        else if (length != 0 && stands_for_itself(character)) out.append(name.substr(0, length));
        else {
            out += "~x";
            append_hexadecimal(static_cast<std::uint8_t>(character), out);
        }
        name.remove_prefix(length == 0 ? 1 : length);
    }
}

/// Appends a name so that it is no integer and not nothing: those are quoted, `"17"` and `""`.
inline void append_element(std::string_view name, std::string& out) {
    if (!name.empty() && !reads_as_integer(name)) return append_name(name, out);
    out += '"';
    out += name;
    out += '"';
}

template <path_integer Integer>
void append_element(Integer number, std::string& out) {
    char digits[24];
    auto const end = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, end.ptr);
}

}  // namespace detail

/// What may be an element of a path: texts, integers, and what has a `to_string`, such as `uuid`.
template <class Value>
concept path_element_value =
    !std::same_as<Value, scope_path> && (detail::path_integer<Value> || std::same_as<Value, char> ||
                                         std::convertible_to<Value const&, std::string_view> || detail::has_to_string<Value>);

/// One name of a path in its canonical form. Made where a path is; nobody needs to name it.
class path_element {
public:
    template <path_element_value Value>
    path_element(Value const& value) {  // NOLINT(google-explicit-constructor): paths are written as lists of values
        if constexpr (std::same_as<Value, char>) detail::append_element(std::string_view(&value, 1), text_);
        else if constexpr (detail::path_integer<Value>) detail::append_element(value, text_);
        else if constexpr (std::convertible_to<Value const&, std::string_view>) detail::append_element(std::string_view(value), text_);
        else detail::append_element(std::string_view(std::string(to_string(value))), text_);
    }

    [[nodiscard]] std::string const& text() const noexcept { return text_; }

private:
    std::string text_;
};

/// Names from the root down: `{"product", row.id}` is `/product/17`. The root is the empty path.
///
/// Two paths are the same where their texts are. An integer and the text of its digits differ: `/product/17`, `/product/"17"`. A text with
/// slashes is one name: `{"a/b"}` is `/a~1b`.
class scope_path {
public:
    /// The root.
    scope_path() = default;
    scope_path(std::initializer_list<path_element> elements) {
        for (auto const& element : elements) append(element);
    }
    /// A path of one name.
    template <path_element_value Value>
    scope_path(Value const& name) {  // NOLINT(google-explicit-constructor): `mount("setup", …)`
        append(path_element(name));
    }

    /// Reads back what `text()` gave. Throws `usage_error` where it is not such a text.
    [[nodiscard]] static scope_path parse(std::string_view text) {
        if (!text.empty() && !text.starts_with('/')) throw usage_error(isorow::text("the scope path \"{}\" does not begin with /", text));
        if (text.find("//") != std::string_view::npos || text.ends_with('/'))
            throw usage_error(isorow::text("the scope path \"{}\" has a name of no characters; it is written \"\"", text));
        scope_path read;
        read.text_ = text;
        return read;
    }

    /// The canonical text; empty for the root.
    [[nodiscard]] std::string const& text() const noexcept { return text_; }
    [[nodiscard]] bool is_root() const noexcept { return text_.empty(); }

    /// Whether this path is the other one, or below it.
    [[nodiscard]] bool is_under(scope_path const& above) const noexcept {
        return text_.starts_with(above.text_) && (text_.size() == above.text_.size() || text_[above.text_.size()] == '/');
    }

    scope_path& operator/=(path_element const& name) {
        append(name);
        return *this;
    }
    scope_path& operator/=(scope_path const& below) {
        text_ += below.text_;
        return *this;
    }
    template <class Below>
        requires(path_element_value<Below> || std::same_as<Below, scope_path>)
    [[nodiscard]] friend scope_path operator/(scope_path above, Below const& below) {
        if constexpr (std::same_as<Below, scope_path>) above /= below;
        else above /= path_element(below);
        return above;
    }

    /// The path as errors name it: the root is `/`. Templates, so that nothing is taken for a path because it converts to one.
    template <std::same_as<scope_path> Path>
    [[nodiscard]] friend std::string to_string(Path const& path) {
        return path.is_root() ? std::string("/") : path.text();
    }
    template <std::same_as<scope_path> Path>
    friend std::ostream& operator<<(std::ostream& out, Path const& path) {
        return out << to_string(path);
    }

    template <std::same_as<scope_path> Path>
    friend bool operator==(scope_path const& left, Path const& right) noexcept {
        return left.text_ == right.text_;
    }
    template <std::same_as<scope_path> Path>
    friend std::strong_ordering operator<=>(scope_path const& left, Path const& right) noexcept {
        return left.text_ <=> right.text_;
    }

private:
    void append(path_element const& element) {
        text_ += '/';
        text_ += element.text();
    }

    std::string text_;
};

namespace detail {

/// `/product/17`, and `/` for the root.
[[nodiscard]] inline std::string shown_path(std::string_view text) { return text.empty() ? std::string("/") : std::string(text); }

}  // namespace detail

}  // namespace isorow::inline v1
