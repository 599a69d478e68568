#pragma once

/// @file
/// Rows taken apart into key and value: a table as a map.

#include <isorow/codec/dynamic_row.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/source/detail/reading.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// A row taken apart.
template <class Key, class Value>
struct keyed_row {
    Key key;
    Value value;

    friend bool operator==(keyed_row const&, keyed_row const&) = default;
};

namespace detail {

/// The places of T's fields that are of the key, in the key's order, or of those that are not.
template <class T, bool OfKey>
[[nodiscard]] consteval auto key_places() {
    constexpr auto const& table = description_of<T>;
    constexpr auto of_key = table.key.size();
    std::array<std::size_t, OfKey ? of_key : columns_of<T>.size() - of_key> places{};
    std::size_t next = 0;
    if constexpr (OfKey) {
        for (auto const place : table.key) places[next++] = place;
    } else {
        for (std::size_t place = 0; place < columns_of<T>.size(); ++place)
            if (!table.is_key(place)) places[next++] = place;
    }
    return places;
}

template <class T, bool OfKey>
inline constexpr auto key_places_of = key_places<T, OfKey>();

template <class T, bool OfKey, std::size_t... I>
std::tuple<reflect::field_type<T, key_places_of<T, OfKey>[I]>...> fields_at(std::index_sequence<I...>);

/// A single field as it is, several as a tuple.
template <class Tuple>
struct one_or_tuple {
    using type = Tuple;
};
template <class One>
struct one_or_tuple<std::tuple<One>> {
    using type = One;
};

template <class T, bool OfKey>
using part_of = typename one_or_tuple<decltype(fields_at<T, OfKey>(std::make_index_sequence<key_places_of<T, OfKey>.size()>{}))>::type;

/// Whether each column of Part is one of Whole's, of the same type.
template <class Part, class Whole>
[[nodiscard]] consteval bool is_part_of() {
    for (auto const& column : columns_of<Part>) {
        bool found = false;
        for (auto const& other : columns_of<Whole>)
            found = found || (other.name == column.name && other.type == column.type && other.nullable == column.nullable);
        if (!found) return false;
    }
    return true;
}
/// Whether Part has exactly the columns of Whole's key.
template <class Part, class Whole>
[[nodiscard]] consteval bool is_key_of() {
    if (columns_of<Part>.size() != description_of<Whole>.key.size()) return false;
    for (auto const place : description_of<Whole>.key) {
        bool found = false;
        for (auto const& column : columns_of<Part>) found = found || column.name == columns_of<Whole>[place].name;
        if (!found) return false;
    }
    return true;
}

/// Moves the fields of a struct that another one has by the same columns' names.
template <class Part, class Whole>
[[nodiscard]] Part take_part(Whole& row) {
    Part part{};
    reflect::for_each_index<Part>([&](auto to) {
        reflect::for_each_index<std::remove_const_t<Whole>>([&](auto from) {
            if constexpr (columns_of<Part>[to].name == columns_of<std::remove_const_t<Whole>>[from].name)
                reflect::assign(reflect::get<to>(part), std::move(reflect::get<from>(row)));
        });
    });
    return part;
}

template <class T, bool OfKey, class Row, std::size_t... I>
[[nodiscard]] part_of<T, OfKey> take_fields(Row& row, std::index_sequence<I...>) {
    return part_of<T, OfKey>(std::move(reflect::get<key_places_of<T, OfKey>[I]>(row))...);
}

/// The part of a row that a caller asked for: by default that of its fields, else a struct of its own. Moved out of the row, unless that
/// is const.
template <class Part, bool OfKey, class Row>
[[nodiscard]] Part take(Row& row) {
    using whole = std::remove_const_t<Row>;
    if constexpr (std::is_same_v<Part, whole>) return std::move(row);
    else if constexpr (reflect::reflectable<Part>) return take_part<Part>(row);
    else return take_fields<whole, OfKey>(row, std::make_index_sequence<key_places_of<whole, OfKey>.size()>{});
}

/// Takes a dynamic row apart. Throws `usage_error` where it does not have a column of the key.
[[nodiscard]] inline keyed_row<dynamic_row, dynamic_row> take_apart(dynamic_row const& row, std::vector<std::string> const& key) {
    keyed_row<dynamic_row, dynamic_row> parts;
    for (auto const& name : key) parts.key.set(name, row[name].value);
    for (auto const& [name, value] : row)
        if (std::ranges::find(key, name) == key.end()) parts.value.set(name, value);
    return parts;
}

template <class T>
struct default_parts {
    using key = part_of<T, true>;
    using value = part_of<T, false>;
};
template <>
struct default_parts<dynamic_row> {
    using key = dynamic_row;
    using value = dynamic_row;
};
template <class T>
using key_or_dynamic = typename default_parts<T>::key;
template <class T>
using value_or_dynamic = typename default_parts<T>::value;

}  // namespace detail

/// The key of T's rows: the type of its key's field, or a tuple of several.
template <class T>
using key_of = detail::part_of<T, true>;

/// What is not of the key: the type of the one field, or a tuple of several.
template <class T>
using value_of = detail::part_of<T, false>;

}  // namespace isorow::inline v1
