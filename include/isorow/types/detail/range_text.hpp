#pragma once

/// @file
/// Ranges as texts in Postgres' form: `[1,10)`, `empty`, `["2026-11-20 22:10:00",)`, `{[1,3),[5,7)}`. Source:
/// src/backend/utils/adt/rangetypes.c, range_parse and range_deparse; multirangetypes.c, multirange_in.

#include <isorow/types/detail/date_time_text.hpp>
#include <isorow/types/mapping.hpp>
#include <isorow/types/numeric.hpp>

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace isorow::inline v1::detail {

/// isorow's own type of a date or time, which has all values that the column has, or void where T is none.
template <class T, type_id Id>
struct whole_time_point {
    using type = void;
};
template <std::convertible_to<date> T>
struct whole_time_point<T, type_id::date> {
    using type = date;
};
template <std::convertible_to<timestamp> T>
struct whole_time_point<T, type_id::timestamp> {
    using type = timestamp;
};
template <std::convertible_to<timestamptz> T>
struct whole_time_point<T, type_id::timestamptz> {
    using type = timestamptz;
};
template <class T>
using whole_time_point_of = typename whole_time_point<T, mapping<T>::type.id>::type;

/// A bound as Postgres prints it, without quotes. Those of a type of the program's need a `to_string` beside the type.
template <class T>
[[nodiscard]] std::string bound_text(T const& value) {
    using whole = whole_time_point_of<T>;
    if constexpr (std::integral<T>) return std::to_string(value);
    else if constexpr (!std::is_void_v<whole>) return to_string(whole(value));
    else return to_string(value);
}

/// The value of isorow's own type as a T; throws `unrepresentable` where T does not have it.
template <class T, class Whole>
[[nodiscard]] T narrowed_time_point(Whole whole) {
    if constexpr (std::same_as<T, Whole>) return whole;
    else if constexpr (std::same_as<T, std::chrono::year_month_day>) return whole.to_year_month_day();
    else if constexpr (std::same_as<Whole, date>) return T(whole.to_sys_days());
    else if constexpr (std::same_as<Whole, timestamp>) return T(whole.to_local_time());
    else return T(whole.to_sys_time());
}

template <std::integral T>
[[nodiscard]] std::optional<T> parse_integer(std::string_view text) noexcept {
    text = trimmed(text);
    if (text.starts_with('+')) text.remove_prefix(text.starts_with("+-") ? 0 : 1);
    T value{};
    auto const end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec != std::errc{} || end.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

template <class T>
concept parsed_by_itself = requires(std::string_view text) {
    { T::parse(text) } -> std::convertible_to<std::optional<T>>;
};

/// Whether texts can be read as a T: isorow's and the standard's types, and those that have `static std::optional<T> parse(string_view)`.
template <class T>
concept parsable_bound = std::integral<T> || !std::is_void_v<whole_time_point_of<T>> || parsed_by_itself<T>;

/// The inverse of `bound_text`; nothing where the text is none of T's values. Throws `unrepresentable` where chrono does not have it.
template <parsable_bound T>
[[nodiscard]] std::optional<T> parse_bound(std::string_view text) {
    using whole = whole_time_point_of<T>;
    if constexpr (std::integral<T>) {
        return parse_integer<T>(text);
    } else if constexpr (std::is_void_v<whole>) {
        return T::parse(trimmed(text));
    } else {
        std::optional<whole> parsed;
        if constexpr (std::same_as<whole, date>) parsed = parse_date(text);
        else parsed = parse_timestamp<whole>(text);
        return parsed ? std::optional<T>(narrowed_time_point<T>(*parsed)) : std::nullopt;
    }
}

[[nodiscard]] constexpr bool is_space(char character) noexcept { return character == ' ' || (character >= '\t' && character <= '\r'); }

/// The text of a bound, in quotes where a range's text needs them.
[[nodiscard]] inline std::string quoted_bound(std::string_view text) {
    bool needs_quotes = text.empty();
    std::string escaped;
    for (char const character : text) {
        bool const is_escaped = character == '"' || character == '\\';
        needs_quotes =
            needs_quotes || is_escaped || is_space(character) || std::string_view("()[],").find(character) != std::string_view::npos;
        escaped.append(is_escaped ? 2 : 1, character);
    }
    return needs_quotes ? "\"" + escaped + "\"" : escaped;
}

/// A range's text taken apart; bounds that are not there have no text.
struct range_parts {
    bool is_empty = false;
    bool lower_is_inclusive = false;
    bool upper_is_inclusive = false;
    std::optional<std::string> lower{};
    std::optional<std::string> upper{};
};

/// Takes ranges from a text, front to back.
class range_scanner {
public:
    explicit range_scanner(std::string_view text) noexcept : text_(text) {}

    void skip_spaces() noexcept {
        while (!text_.empty() && is_space(text_.front())) text_.remove_prefix(1);
    }
    [[nodiscard]] bool at_end() noexcept {
        skip_spaces();
        return text_.empty();
    }
    [[nodiscard]] bool take(char mark) noexcept {
        skip_spaces();
        if (!text_.starts_with(mark)) return false;
        text_.remove_prefix(1);
        return true;
    }

    [[nodiscard]] std::optional<range_parts> take_range() {
        range_parts parts;
        skip_spaces();
        if (is_word(text_.substr(0, empty_word.size()), empty_word)) {
            text_.remove_prefix(empty_word.size());
            parts.is_empty = true;
            return parts;
        }
        parts.lower_is_inclusive = take('[');
        if (!parts.lower_is_inclusive && !take('(')) return std::nullopt;
        if (!take_bound(parts.lower) || !take_mark(',') || !take_bound(parts.upper)) return std::nullopt;
        parts.upper_is_inclusive = take_mark(']');
        if (!parts.upper_is_inclusive && !take_mark(')')) return std::nullopt;
        return parts;
    }

private:
    static constexpr std::string_view empty_word = "empty";

    [[nodiscard]] bool take_mark(char mark) noexcept {
        if (!text_.starts_with(mark)) return false;
        text_.remove_prefix(1);
        return true;
    }

    /// Up to the mark behind a bound, which is left where it is. False where there is none.
    [[nodiscard]] bool take_bound(std::optional<std::string>& bound) {
        bool in_quotes = false;
        while (!text_.empty()) {
            char const character = text_.front();
            if (!in_quotes && (character == ',' || character == ')' || character == ']')) return true;
            text_.remove_prefix(1);
            if (!bound) bound.emplace();
            if (character == '\\') {
                if (text_.empty()) return false;
                *bound += std::exchange(text_, text_.substr(1)).front();
            } else if (character != '"') {
                *bound += character;
            } else if (in_quotes && take_mark('"')) {
                *bound += '"';
            } else {
                in_quotes = !in_quotes;
            }
        }
        return false;
    }

    std::string_view text_;
};

}  // namespace isorow::inline v1::detail
