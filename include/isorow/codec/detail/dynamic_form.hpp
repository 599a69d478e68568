#pragma once

/// @file
/// How C++ types stand in a dynamic value, and the value as text.

#include <isorow/codec/dynamic_value.hpp>
#include <isorow/config.hpp>
#include <isorow/types/hexadecimal.hpp>

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

namespace isorow::inline v1 {

namespace detail {

[[noreturn]] void refuse_kind(dynamic_value const& value, std::string_view wanted);

/// The value of one alternative, or an error that says what it is instead.
template <class Held>
[[nodiscard]] Held const& held_as(dynamic_value const& value, std::string_view wanted) {
    auto const* const held = value.get_if<Held>();
    if (held == nullptr) refuse_kind(value, wanted);
    return *held;
}

inline constexpr std::array<std::string_view, 18> kind_names{"NULL",          "a boolean",
                                                             "an integer",    "a floating point number",
                                                             "a numeric",     "text",
                                                             "bytes",         "a uuid",
                                                             "a date",        "a time",
                                                             "a timetz",      "a timestamp",
                                                             "a timestamptz", "an interval",
                                                             "JSON",          "a vector",
                                                             "an array",      "a value of another type"};

/// Types that are held as they are.
template <class T, value_kind Kind>
struct held_form {
    static T const& hold(T const& value) noexcept { return value; }
    static T read(dynamic_value const& value) { return held_as<T>(value, kind_names[static_cast<std::size_t>(Kind)]); }
};
template <>
struct dynamic_form<bool> : held_form<bool, value_kind::boolean> {};
template <>
struct dynamic_form<uuid> : held_form<uuid, value_kind::uuid> {};
template <>
struct dynamic_form<date> : held_form<date, value_kind::date> {};
template <>
struct dynamic_form<time> : held_form<time, value_kind::time> {};
template <>
struct dynamic_form<timetz> : held_form<timetz, value_kind::timetz> {};
template <>
struct dynamic_form<timestamp> : held_form<timestamp, value_kind::timestamp> {};
template <>
struct dynamic_form<timestamptz> : held_form<timestamptz, value_kind::timestamptz> {};
template <>
struct dynamic_form<interval> : held_form<interval, value_kind::interval> {};
template <>
struct dynamic_form<json_text> : held_form<json_text, value_kind::json> {};
template <>
struct dynamic_form<other_text> : held_form<other_text, value_kind::other> {};
template <>
struct dynamic_form<std::vector<std::byte>> : held_form<std::vector<std::byte>, value_kind::bytes> {};

// Numbers

template <class T>
concept whole_number = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
                       !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

[[nodiscard]] std::uint64_t require_uint64(numeric const& value);

template <whole_number Integer>
struct dynamic_form<Integer> {
    static auto hold(Integer value) {
        if constexpr (std::numeric_limits<Integer>::digits <= std::numeric_limits<std::int64_t>::digits)
            return static_cast<std::int64_t>(value);
        else if (std::in_range<std::int64_t>(value)) return dynamic_value(static_cast<std::int64_t>(value));
        else return dynamic_value(numeric(value));
    }
    static Integer read(dynamic_value const& value) {
        if constexpr (std::numeric_limits<Integer>::digits > std::numeric_limits<std::int64_t>::digits)
            if (auto const* const exact = value.get_if<numeric>()) return require_uint64(*exact);
        auto const whole = held_as<std::int64_t>(value, "an integer");
        if (!std::in_range<Integer>(whole))
            throw unrepresentable("{} is out of the range of an integer of {} bytes", whole, sizeof(Integer));
        return static_cast<Integer>(whole);
    }
};

/// The integer as a floating point number, where it is exactly one.
template <std::floating_point Float>
[[nodiscard]] std::optional<Float> exact_float(std::int64_t value) noexcept {
    constexpr auto limit = std::int64_t{1} << std::numeric_limits<Float>::digits;
    if (value < -limit || value > limit) return std::nullopt;
    return static_cast<Float>(value);
}

template <std::floating_point Float>
    requires(sizeof(Float) <= sizeof(double))
struct dynamic_form<Float> {
    static double hold(Float value) noexcept { return value; }
    static Float read(dynamic_value const& value) {
        if (auto const* const exact = value.get_if<numeric>()) return nearest(*exact);
        if (auto const* const whole = value.get_if<std::int64_t>()) {
            if (auto const exact = exact_float<Float>(*whole)) return *exact;
            throw unrepresentable("{} is not exactly a {}", *whole, name);
        }
        auto const number = held_as<double>(value, kind_names[static_cast<std::size_t>(value_kind::floating_point)]);
        if (std::isfinite(number) && static_cast<double>(static_cast<Float>(number)) != number)
            throw unrepresentable("{} is not exactly a float; use double", number);
        return static_cast<Float>(number);
    }

private:
    static constexpr std::string_view name = std::same_as<Float, float> ? "float" : "double";

    static Float nearest(numeric const& value) {
        auto const number = static_cast<Float>(value.to_double());
        if (value.is_finite() && !std::isfinite(number)) throw unrepresentable("the numeric is out of the range of {}", name);
        return number;
    }
};

template <>
struct dynamic_form<numeric> {
    static numeric const& hold(numeric const& value) noexcept { return value; }
    static numeric read(dynamic_value const& value) {
        if (auto const* const whole = value.get_if<std::int64_t>()) return *whole;
        return held_as<numeric>(value, "a numeric");
    }
};

// Texts

template <>
struct dynamic_form<std::string> {
    static std::string const& hold(std::string const& value) noexcept { return value; }
    /// Documents and values of other types are texts to those who ask for one.
    static std::string read(dynamic_value const& value) {
        if (auto const* const document = value.get_if<json_text>()) return document->text;
        if (auto const* const other = value.get_if<other_text>()) return other->text;
        return held_as<std::string>(value, "text");
    }
};
template <>
struct dynamic_form<std::string_view> {
    static std::string hold(std::string_view value) { return std::string(value); }
};

// Types that are held as their texts

/// The text that is held, be it text or a value of another type; null where it is neither.
[[nodiscard]] inline std::string const* find_text(dynamic_value const& value) noexcept {
    if (auto const* const other = value.get_if<other_text>()) return &other->text;
    return value.get_if<std::string>();
}

/// The value that a text says. `type`: its name, for the error. Throws `unrepresentable` where the text says none.
template <class T>
[[nodiscard]] T parse_printed(std::string_view text, std::string_view type) {
    if constexpr (std::same_as<T, cidr>)
        if (auto const address = inet::parse(text)) return cidr(*address);  // which names the bits that are too many
    auto parsed = T::parse(text);
    if (!parsed) throw unrepresentable("the text is not one of type {}", type);
    return *std::move(parsed);
}

template <class T>
concept held_as_text = mapped<T> && !default_type<T>.array && is_held_as_text(default_type<T>.id);

/// As a value of a type that isorow does not know, `{"inet", "10.0.0.1"}`; also a plain text is read as one.
template <held_as_text T>
struct dynamic_form<T> {
    static other_text hold(T const& value) { return {std::string(type), to_string(value)}; }
    static T read(dynamic_value const& value) {
        if (auto const* const text = find_text(value)) return parse_printed<T>(*text, type);
        refuse_kind(value, type);
    }

private:
    static constexpr std::string_view type = entry_of(default_type<T>.id).sql_name;
};

// chrono's dates and times

template <>
struct dynamic_form<std::chrono::sys_days> {
    static date hold(std::chrono::sys_days value) { return value; }
    static std::chrono::sys_days read(dynamic_value const& value) { return held_as<date>(value, "a date").to_sys_days(); }
};
template <>
struct dynamic_form<std::chrono::year_month_day> {
    static date hold(std::chrono::year_month_day value) {
        if (!value.ok()) throw unrepresentable("a date that the calendar does not have");
        return value;
    }
    static std::chrono::year_month_day read(dynamic_value const& value) { return held_as<date>(value, "a date").to_year_month_day(); }
};
template <>
struct dynamic_form<timestamp::chrono_type> {
    static timestamp hold(timestamp::chrono_type value) { return value; }
    static timestamp::chrono_type read(dynamic_value const& value) { return held_as<timestamp>(value, "a timestamp").to_local_time(); }
};
template <>
struct dynamic_form<timestamptz::chrono_type> {
    static timestamptz hold(timestamptz::chrono_type value) { return value; }
    static timestamptz::chrono_type read(dynamic_value const& value) { return held_as<timestamptz>(value, "a timestamptz").to_sys_time(); }
};
template <>
struct dynamic_form<std::chrono::microseconds> {
    static interval hold(std::chrono::microseconds value) noexcept { return value; }
    static std::chrono::microseconds read(dynamic_value const& value) {
        auto const& whole = held_as<interval>(value, "an interval");
        if (whole.months != 0 || whole.days != 0)
            throw unrepresentable(
                "the interval has {} months and {} days, which std::chrono::microseconds cannot hold; use isorow::interval", whole.months,
                whole.days);
        return std::chrono::microseconds(whole.microseconds);
    }
};

// Lists

/// Elements one by one, out of an array or a vector.
template <class Element>
[[nodiscard]] std::vector<Element> elements_of(dynamic_value const& value) {
    std::vector<Element> elements;
    if (auto const* const floats = value.get_if<std::vector<float>>()) {
        for (float const one : *floats) elements.push_back(dynamic_value(one).as<Element>());
        return elements;
    }
    auto const& array = held_as<dynamic_value::array>(value, "an array");
    elements.reserve(array.size());
    try {
        for (auto const& one : array) elements.push_back(one.as<Element>());
    } catch (value_error const& failure) {
        failure.rethrow_at(text("element {}", elements.size()));
    }
    return elements;
}

template <class Element>
    requires(holdable<Element>)
struct dynamic_form<std::vector<Element>> {
    static dynamic_value::array hold(std::vector<Element> const& value) {
        dynamic_value::array elements;
        elements.reserve(value.size());
        for (Element const& one : value) elements.emplace_back(one);
        return elements;
    }
    static std::vector<Element> read(dynamic_value const& value) { return elements_of<Element>(value); }
};
template <>
struct dynamic_form<std::vector<float>> {
    static std::vector<float> const& hold(std::vector<float> const& value) noexcept { return value; }
    static std::vector<float> read(dynamic_value const& value);
};

template <class Vector>
concept vector_of_fixed_size = requires(Vector const& value) { requires std::derived_from<Vector, float_array<Vector::size()>>; };
template <vector_of_fixed_size Vector>
struct dynamic_form<Vector> {
    static std::vector<float> hold(Vector const& value) { return {value.begin(), value.end()}; }
    static Vector read(dynamic_value const& value) {
        auto const& floats = held_as<std::vector<float>>(value, "a vector");
        if (floats.size() != Vector::size()) throw unrepresentable("the vector has {} dimensions, not {}", floats.size(), Vector::size());
        return Vector(std::span<float const, Vector::size()>(floats));
    }
};

template <class T>
struct dynamic_form<std::optional<T>> {
    static std::optional<T> read(dynamic_value const& value) {
        if (value.is_null()) return std::nullopt;
        return value.as<T>();
    }
};
template <>
struct dynamic_form<dynamic_value> {
    static dynamic_value const& read(dynamic_value const& value) noexcept { return value; }
};

/// The value as text, which `to_string` calls for.
[[nodiscard]] std::string print_value(dynamic_value const& value);

}  // namespace detail

template <std::same_as<dynamic_value> Value>
std::string to_string(Value const& value) {
    return detail::print_value(value);
}

#if ISOROW_HAS_CODE

namespace detail {

/// `{1, NULL}`.
template <class Elements>
[[nodiscard]] std::string list_text(Elements const& elements, char open, char close) {
    std::string list(1, open);
    for (auto const& element : elements) {
        list.append(list.size() == 1 ? "" : ", ");
        if constexpr (std::is_arithmetic_v<typename Elements::value_type>) list.append(as_text(element));
        else list.append(to_string(element));
    }
    return list += close;
}

/// One overload for each alternative of a dynamic value.
struct value_printer {
    std::string operator()(null_value) const { return "NULL"; }
    std::string operator()(bool value) const { return as_text(value); }
    std::string operator()(std::int64_t value) const { return as_text(value); }
    std::string operator()(double value) const { return as_text(value); }
    std::string operator()(std::string const& value) const { return value; }
    /// As Postgres prints them: `\x00ff`.
    std::string operator()(std::vector<std::byte> const& value) const { return "\\x" + hexadecimal(value); }
    std::string operator()(json_text const& value) const { return value.text; }
    std::string operator()(other_text const& value) const { return value.text; }
    std::string operator()(std::vector<float> const& value) const { return list_text(value, '[', ']'); }
    std::string operator()(dynamic_value::array const& value) const { return list_text(value, '{', '}'); }
    template <class Value>
    std::string operator()(Value const& value) const {
        return to_string(value);
    }
};

ISOROW_DECL std::string print_value(dynamic_value const& value) { return value.visit(value_printer{}); }

}  // namespace detail

ISOROW_DECL std::string dynamic_value::kind_name() const {
    if (auto const* const other = get_if<other_text>()) return text("a value of type {}", other->type);
    return std::string(detail::kind_names[storage_.index()]);
}

namespace detail {

[[noreturn]] ISOROW_DECL void refuse_kind(dynamic_value const& value, std::string_view wanted) {
    throw unrepresentable("the value is {}, not {}", value.kind_name(), wanted);
}

ISOROW_DECL std::vector<float> dynamic_form<std::vector<float>>::read(dynamic_value const& value) {
    if (auto const* const floats = value.get_if<std::vector<float>>()) return *floats;
    return elements_of<float>(value);
}

ISOROW_DECL std::uint64_t require_uint64(numeric const& value) {
    auto const whole = value.to_uint64();
    if (!whole) throw unrepresentable("{} is out of the range of an integer of 8 bytes", to_string(value));
    return *whole;
}

}  // namespace detail

#endif

}  // namespace isorow::inline v1
