#pragma once

/// @file
/// Boost.JSON's values as fields, and structs as Boost.JSON's values. Needs Boost.JSON compiled: link it, or compile `isorow/src.hpp` once.

#include <isorow/json/codec.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

template <>
struct mapping<boost::json::value> : detail::maps_to_document {};
template <>
struct mapping<boost::json::object> : detail::maps_to_document {};
template <>
struct mapping<boost::json::array> : detail::maps_to_document {};

template <>
struct json_format<boost::json::array>;
template <>
struct json_format<boost::json::object>;

/// Any JSON value. A number is read as int64, as uint64 where it needs to be, else as the nearest double; an integer that none of them has
/// is refused, as its last digits would be lost. A double without a fraction comes back as an integer: JSON does not tell them apart.
template <>
struct json_format<boost::json::value> {
    static constexpr bool has_null = true;
    static constexpr std::string_view name = "json";
    static void write(boost::json::value const& value, json_writer& out);
    static boost::json::value read(json_reader& in);

private:
    static boost::json::value read_number(json_reader& in);
    static bool is_exact(double number, std::string_view integer);
};

template <>
struct json_format<boost::json::array> {
    static constexpr std::string_view name = "list";
    static void write(boost::json::array const& values, json_writer& out) { detail::write_json_list<boost::json::value>(values, out); }
    static boost::json::array read(json_reader& in) {
        boost::json::array values;
        in.take_elements([&](std::size_t) { values.push_back(json_format<boost::json::value>::read(in)); });
        return values;
    }
};

template <>
struct json_format<boost::json::object> {
    static constexpr std::string_view name = "object";
    static void write(boost::json::object const& object, json_writer& out) {
        std::vector<std::pair<std::string_view, boost::json::value const*>> members;
        members.reserve(object.size());
        for (auto const& member : object) members.emplace_back(std::string_view(member.key()), &member.value());
        std::vector<std::pair<std::string_view, boost::json::value const*> const*> pointers;
        pointers.reserve(members.size());
        for (auto const& member : members) pointers.push_back(&member);
        auto const write_value = [&](boost::json::value const* value) { json_format<boost::json::value>::write(*value, out); };
        detail::write_json_object(pointers, out, write_value);
    }
    static boost::json::object read(json_reader& in) {
        boost::json::object object;
        in.take_members([&](std::string_view name_of_member) {
            auto value = json_format<boost::json::value>::read(in);
            if (!object.emplace(name_of_member, std::move(value)).second) in.refuse("the object has the name twice");
        });
        return object;
    }
};

inline void json_format<boost::json::value>::write(boost::json::value const& value, json_writer& out) {
    switch (value.kind()) {
        case boost::json::kind::null:
            return out.put_null();
        case boost::json::kind::bool_:
            return out.put_boolean(value.get_bool());
        case boost::json::kind::int64:
            return out.put_integer(value.get_int64());
        case boost::json::kind::uint64:
            return out.put_integer(value.get_uint64());
        case boost::json::kind::double_:
            return out.put_floating_point(value.get_double());
        case boost::json::kind::string:
            return out.put_string(std::string_view(value.get_string()));
        case boost::json::kind::array:
            return json_format<boost::json::array>::write(value.get_array(), out);
        case boost::json::kind::object:
            return json_format<boost::json::object>::write(value.get_object(), out);
    }
}

inline boost::json::value json_format<boost::json::value>::read(json_reader& in) {
    switch (in.kind()) {
        case json_kind::null:
            in.take_null();
            break;
        case json_kind::boolean:
            return in.take_boolean();
        case json_kind::number:
            return read_number(in);
        case json_kind::string:
            return boost::json::string(in.take_string());
        case json_kind::list:
            return json_format<boost::json::array>::read(in);
        case json_kind::object:
            return json_format<boost::json::object>::read(in);
    }
    return nullptr;
}

inline boost::json::value json_format<boost::json::value>::read_number(json_reader& in) {
    auto const text = in.take_number();
    bool const is_integer = text.find_first_of(".eE") == std::string_view::npos;
    bool is_whole = false;
    if (std::int64_t number = 0; is_integer && detail::parse_whole_number(text, number, is_whole)) return number;
    if (std::uint64_t number = 0; is_integer && detail::parse_whole_number(text, number, is_whole)) return number;
    double number = 0;
    if (!detail::parse_number(text, number)) in.refuse("the number is beyond what a double can hold");
    if (is_integer && !is_exact(number, text))
        in.refuse("the integer has more digits than 64 bits or a double can hold; isorow::numeric in a struct holds them");
    return number;
}

/// Whether the double is written as this integer again.
inline bool json_format<boost::json::value>::is_exact(double number, std::string_view integer) { return to_json_text(number) == integer; }

/// A T as Boost.JSON's value. Throws `unrepresentable`, with the path, for what JSON does not have.
template <json_formattable T>
[[nodiscard]] boost::json::value to_json(T const& value) {
    return from_json_text<boost::json::value>(to_json_text(value));
}

/// Boost.JSON's value as a T. Throws `unrepresentable`, with the path, where T does not have it.
template <json_formattable T>
[[nodiscard]] T from_json(boost::json::value const& value) {
    return from_json_text<T>(to_json_text(value));
}

}  // namespace isorow::inline v1
