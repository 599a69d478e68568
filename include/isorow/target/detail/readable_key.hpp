#pragma once

#include <isorow/codec/bytes.hpp>
#include <isorow/codec/dynamic_codec.hpp>
#include <isorow/target/detail/declared_state.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace isorow::inline v1::detail {

/// A key for people, from its image: `(category, name) = (lamps, desk lamp)`.
[[nodiscard]] inline std::string readable_key(row_shape const& shape, std::span<std::byte const> key) {
    std::string names;
    std::string values;
    byte_reader in(key);
    for (std::size_t i = 0; i < shape.table.key.size(); ++i) {
        auto const& column = shape.table.columns[shape.places[i]];
        auto const bytes = in.take_bytes(static_cast<std::size_t>(in.take_int32()));
        names.append(i == 0 ? "" : ", ").append(column.name);
        values.append(i == 0 ? "" : ", ").append(to_string(decode_value(column.type, bytes)));
    }
    return text("({}) = ({})", names, values);
}

}  // namespace isorow::inline v1::detail
