#pragma once

/// @file
/// What the commit needs to know of a struct's rows, made from its reflection.

#include <isorow/codec/row.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/target/detail/declared_state.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace isorow::inline v1::detail {

template <class T, std::size_t... Place>
consteval bool keys_compare_as_bytes(std::index_sequence<Place...>) {
    return ((!description_of<T>.is_key(Place) || codec_at<T, Place>::bytewise_equal) && ...);
}
template <class T, std::size_t... Place>
consteval bool values_are_stable(std::index_sequence<Place...>) {
    return ((!columns_of<T>[Place].is_written() || codec_at<T, Place>::bytewise_stable) && ...);
}

/// The shape of T's rows in the table that the options name, T's own where they name none. A struct without a primary key does not compile.
template <class T>
[[nodiscard]] row_shape shape_of(target_options const& options) {
    check_keyed<T>();
    constexpr auto fields = std::make_index_sequence<reflect::field_count<T>>{};
    row_shape shape{description_of<T>, places_of<T, row_order::key_first>, keys_compare_as_bytes<T>(fields), values_are_stable<T>(fields)};
    auto const names = std::make_shared<std::pair<std::string, std::string> const>(options.schema, options.table);
    if (!names->first.empty()) shape.table.schema = names->first;
    if (!names->second.empty()) shape.table.name = names->second;
    shape.kept_alive = names;
    static_cast<void>(quote_identifier(shape.table.schema, shape.table.name));
    return shape;
}

}  // namespace isorow::inline v1::detail
