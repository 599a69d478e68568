#pragma once

/// @file
/// Lists, objects and nulls: the forms in JSON of values that hold others.

#include <isorow/json/format.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// Writes the elements of a range as a list.
template <class Element, class Range>
void write_json_list(Range const& range, json_writer& out) {
    std::size_t index = 0;
    out.put_raw("[");
    for (auto const& element : range) {
        if (index != 0) out.put_raw(", ");
        json_path::step const inside(out.path(), index++);
        json_format<Element>::write(element, out);
    }
    out.put_raw("]");
}

/// Writes name and value of each of the members, which `Pointer`s point to, in the order of jsonb.
template <class Pointer, class Write>
void write_json_object(std::vector<Pointer>& members, json_writer& out, Write&& write) {
    auto const name_of = [](Pointer member) { return std::string_view(member->first); };
    std::sort(members.begin(), members.end(), [&](Pointer a, Pointer b) { return json_name_before(name_of(a), name_of(b)); });
    out.put_raw("{");
    for (bool first = true; auto const member : members) {
        if (!std::exchange(first, false)) out.put_raw(", ");
        out.put_string(name_of(member));
        out.put_raw(": ");
        json_path::step const inside(out.path(), name_of(member));
        write(member->second);
    }
    out.put_raw("}");
}

/// A map from names to values.
template <class Map>
struct json_map_format {
    using value_type = typename Map::mapped_type;
    static constexpr std::string_view name = "object";

    static void write(Map const& map, json_writer& out) {
        std::vector<typename Map::value_type const*> members;
        members.reserve(map.size());
        for (auto const& member : map) members.push_back(&member);
        write_json_object(members, out, [&](value_type const& value) { json_format<value_type>::write(value, out); });
    }
    static Map read(json_reader& in) {
        Map map;
        in.take_members([&](std::string const& key) {
            if (!map.try_emplace(key, json_format<value_type>::read(in)).second) in.refuse("the object has the name twice");
        });
        return map;
    }
};

}  // namespace detail

/// nullopt is null. An optional around a value that has null itself is not taken: the two would be one.
template <json_formattable T>
    requires(!detail::json_has_null<T>)
struct json_format<std::optional<T>> {
    static constexpr bool has_null = true;
    static void write(std::optional<T> const& value, json_writer& out) {
        if (value) json_format<T>::write(*value, out);
        else out.put_null();
    }
    static std::optional<T> read(json_reader& in) {
        if (in.kind() != json_kind::null) return json_format<T>::read(in);
        in.take_null();
        return std::nullopt;
    }
};

template <json_formattable Element, class Allocator>
struct json_format<std::vector<Element, Allocator>> {
    static constexpr std::string_view name = "list";
    static void write(std::vector<Element, Allocator> const& values, json_writer& out) { detail::write_json_list<Element>(values, out); }
    static std::vector<Element, Allocator> read(json_reader& in) {
        std::vector<Element, Allocator> values;
        in.take_elements([&](std::size_t) { values.push_back(json_format<Element>::read(in)); });
        return values;
    }
};

/// A list of exactly so many elements.
template <json_formattable Element, std::size_t Size>
struct json_format<std::array<Element, Size>> {
    static constexpr std::string_view name = "list";
    static void write(std::array<Element, Size> const& values, json_writer& out) { detail::write_json_list<Element>(values, out); }
    static std::array<Element, Size> read(json_reader& in) {
        std::array<Element, Size> values{};
        std::size_t count = 0;
        in.take_elements([&](std::size_t index) {
            if (index >= Size) in.refuse("the list has more elements than the array's {}", Size);
            values[index] = json_format<Element>::read(in);
            count = index + 1;
        });
        if (count != Size) in.refuse("the list has {} elements, the array has {}", count, Size);
        return values;
    }
};

template <json_formattable Value, class Compare, class Allocator>
struct json_format<std::map<std::string, Value, Compare, Allocator>>
    : detail::json_map_format<std::map<std::string, Value, Compare, Allocator>> {};

template <json_formattable Value, class Hash, class Equal, class Allocator>
struct json_format<std::unordered_map<std::string, Value, Hash, Equal, Allocator>>
    : detail::json_map_format<std::unordered_map<std::string, Value, Hash, Equal, Allocator>> {};

}  // namespace isorow::inline v1
