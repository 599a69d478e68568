#pragma once

/// @file
/// How values stand in JSON: the seam, and the forms of values that hold no others.

#include <isorow/json/reader.hpp>
#include <isorow/json/writer.hpp>
#include <isorow/reflect/type_name.hpp>
#include <isorow/types/annotated.hpp>
#include <isorow/types/jsonb.hpp>
#include <isorow/types/numeric.hpp>
#include <isorow/types/uuid.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <limits>
#include <locale>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace isorow::inline v1 {

/// How a T stands in JSON. Specialise it for a type of yours that is no plain struct:
/// - `static void write(T const&, json_writer&)` puts exactly one JSON value, or throws by `json_writer::refuse`;
/// - `static T read(json_reader&)` takes exactly one, or throws by `json_reader::refuse`;
/// - optionally `static constexpr bool has_null = true`, where one of the values is written as null;
/// - optionally `static constexpr std::string_view name`: what the type is called as an alternative of a `std::variant`.
template <class T>
struct json_format;

/// A type that has a form in JSON.
template <class T>
concept json_formattable = requires { sizeof(json_format<T>); };

namespace detail {

template <class T>
concept json_integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
                       !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <class T>
concept json_enumeration = std::is_enum_v<T> && !std::same_as<T, std::byte>;

template <class T>
concept json_has_null = requires { requires json_format<T>::has_null; };

/// The whole number that the text says, `5.0` and `-0` included; false where it says none or T does not have it.
template <json_integer T>
[[nodiscard]] bool parse_whole_number(std::string_view number, T& value, bool& is_whole) {
    auto const point = number.find('.');
    if (point != std::string_view::npos && number.find_first_not_of('0', point + 1) == std::string_view::npos)
        number = number.substr(0, point);
    is_whole = number.find_first_of(".eE") == std::string_view::npos;
    if (number == "-0") number = "0";
    auto const end = number.data() + number.size();
    auto const read = std::from_chars(number.data(), end, value);
    return read.ec == std::errc{} && read.ptr == end;
}

/// The slow way, for standard libraries whose `std::from_chars` has no floating point.
template <std::floating_point T>
[[nodiscard]] bool parse_number_by_stream(std::string_view number, T& value) {
    std::istringstream in{std::string(number)};
    in.imbue(std::locale::classic());
    in >> value;
    return !in.fail() && in.peek() == std::istringstream::traits_type::eof();
}

/// The nearest T; false where it overflows, or underflows to zero.
template <std::floating_point T>
[[nodiscard]] bool parse_number(std::string_view number, T& value) {
    if constexpr (requires { std::from_chars(number.data(), number.data(), value); })
        return std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc{};
    else return parse_number_by_stream(number, value);
}

}  // namespace detail

template <>
struct json_format<bool> {
    static constexpr std::string_view name = "boolean";
    static void write(bool value, json_writer& out) { out.put_boolean(value); }
    static bool read(json_reader& in) { return in.take_boolean(); }
};

/// Integers of all widths, exactly. A number with a fraction or outside T's range is refused.
template <detail::json_integer T>
struct json_format<T> {
    static constexpr std::string_view name = "integer";
    static void write(T value, json_writer& out) { out.put_integer(value); }
    static T read(json_reader& in) {
        T value{};
        bool is_whole = false;
        if (detail::parse_whole_number(in.take_number(), value, is_whole)) return value;
        if (!is_whole) in.refuse("the number is not written as an integer");
        in.refuse("the number is not between {} and {}", std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    }
};

/// float and double: written in the fewest digits that read back the same, read as the nearest. NaN and infinity are refused.
template <class T>
    requires(std::same_as<T, float> || std::same_as<T, double>)
struct json_format<T> {
    static constexpr std::string_view name = "number";
    static void write(T value, json_writer& out) { out.put_floating_point(value); }
    static T read(json_reader& in) {
        T value{};
        if (!detail::parse_number(in.take_number(), value)) in.refuse("the number is beyond what a {} can hold", type_name<T>());
        return value;
    }
};

/// An exact number with the digits behind its point. NaN and infinity are refused.
template <>
struct json_format<numeric> {
    static constexpr std::string_view name = "numeric";
    static void write(numeric const& value, json_writer& out) {
        if (!value.is_finite()) out.refuse("the number is {}, which JSON does not have", to_string(value));
        out.put_raw(to_string(value));
    }
    static numeric read(json_reader& in) {
        auto value = numeric::parse(in.take_number());
        if (!value) in.refuse("the number is beyond what numeric can hold");
        return *std::move(value);
    }
};

template <>
struct json_format<std::string> {
    static constexpr std::string_view name = "string";
    static void write(std::string_view value, json_writer& out) { out.put_string(value); }
    static std::string read(json_reader& in) { return in.take_string(); }
};

template <>
struct json_format<uuid> {
    static constexpr std::string_view name = "uuid";
    static void write(uuid const& value, json_writer& out) { out.put_string(to_string(value)); }
    static uuid read(json_reader& in) {
        auto const value = uuid::parse(in.take_string());
        if (!value) in.refuse("the text is not a UUID");
        return *value;
    }
};

/// An enumeration is its number, which keeps its meaning when an enumerator is renamed. Numbers without an enumerator are read as they are.
template <detail::json_enumeration T>
struct json_format<T> {
    using number = std::underlying_type_t<T>;
    static constexpr std::string_view name = type_name<T>();
    static void write(T value, json_writer& out) { json_format<number>::write(static_cast<number>(value), out); }
    static T read(json_reader& in) { return static_cast<T>(json_format<number>::read(in)); }
};

/// `jsonb<T>` within JSON is its T.
template <json_formattable T>
struct json_format<jsonb<T>> : json_format<T> {
    static void write(jsonb<T> const& value, json_writer& out) { json_format<T>::write(value.value, out); }
    static jsonb<T> read(json_reader& in) { return jsonb<T>(json_format<T>::read(in)); }
};

/// Annotations are about columns, and say nothing within JSON.
template <json_formattable T, class... Tags>
struct json_format<annotated<T, Tags...>> : json_format<T> {
    static void write(annotated<T, Tags...> const& value, json_writer& out) { json_format<T>::write(static_cast<T const&>(value), out); }
    static annotated<T, Tags...> read(json_reader& in) { return annotated<T, Tags...>(json_format<T>::read(in)); }
};

/// A T as JSON text in the form that Postgres gives jsonb. Throws `unrepresentable`, with the path, for what JSON does not have.
template <json_formattable T>
[[nodiscard]] std::string to_json_text(T const& value) {
    byte_writer out;
    json_writer writer(out);
    json_format<T>::write(value, writer);
    auto const written = out.bytes();
    return {reinterpret_cast<char const*>(written.data()), written.size()};
}

/// Reads a T from JSON text. Throws `malformed` where it is not JSON, `unrepresentable` where T does not have the value, both with
/// the path.
template <json_formattable T>
[[nodiscard]] T from_json_text(std::string_view json) {
    json_reader reader(json);
    T value = json_format<T>::read(reader);
    reader.expect_end();
    return value;
}

}  // namespace isorow::inline v1
