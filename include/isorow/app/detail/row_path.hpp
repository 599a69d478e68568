#pragma once

/// @file
/// The path of the component of a source's row: its primary key, value by value.

#include <isorow/app/input_hasher.hpp>
#include <isorow/app/scope_path.hpp>
#include <isorow/codec/dynamic_row.hpp>
#include <isorow/codec/row.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/source/keyed.hpp>
#include <isorow/target/detail/registry.hpp>
#include <isorow/types/hexadecimal.hpp>

#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace isorow::inline v1::detail {

/// A value as a name: as it stands where paths take it, else the bytes of its binary form as hexadecimal digits.
template <class T, std::size_t Place, class Value>
[[nodiscard]] path_element element_of_key(Value const& value) {
    if constexpr (path_element_value<Value>) {
        return path_element(value);
    } else {
        using field = field_codec<T, Place>;
        byte_writer bytes;
        encode<typename field::codec>(field::traits::get(value), bytes);
        return path_element("x" + hexadecimal(bytes.bytes()));
    }
}

/// Of a key that is too long for a path, its hash.
template <class T>
[[nodiscard]] scope_path path_of_key(key_or_dynamic<T> const& key) {
    constexpr std::size_t longest = 1000;
    scope_path path;
    if constexpr (std::is_same_v<T, dynamic_row>) {
        for (auto const& [name, value] : key) path /= path_element(to_string(value));
    } else if constexpr (description_of<T>.key.size() == 1) {
        path /= element_of_key<T, description_of<T>.key[0]>(key);
    } else {
        [&]<std::size_t... I>(std::index_sequence<I...>) {
            ((path /= element_of_key<T, description_of<T>.key[I]>(std::get<I>(key))), ...);
        }(std::make_index_sequence<description_of<T>.key.size()>{});
    }
    if (path.text().size() > longest) path = scope_path("hash " + to_string(as_uuid(memo_of(0, path.text()))));
    return path;
}

}  // namespace isorow::inline v1::detail
