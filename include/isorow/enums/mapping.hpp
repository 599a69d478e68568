#pragma once

#include <isorow/codec/detail/modifiers.hpp>
#include <isorow/enums/names.hpp>
#include <isorow/types/mapping.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace isorow::inline v1 {

namespace detail {

/// Whether each of the names has room in a text column's length; none is written where there is no limit.
[[nodiscard]] constexpr bool labels_fit(std::span<std::string_view const> labels, std::int32_t length) {
    if (length < 0) return true;
    for (auto const label : labels)
        if (count_characters(label) > static_cast<std::size_t>(length)) return false;
    return true;
}

/// Whether each of an enumeration's named values is one of Integer's.
template <class Enum, class Integer>
[[nodiscard]] constexpr bool values_fit() {
    for (auto const& one : enum_names<Enum>)
        if (!std::in_range<Integer>(static_cast<std::underlying_type_t<Enum>>(one.value))) return false;
    return true;
}

}  // namespace detail

/// An enumeration is the text of its names, with a CHECK for them. By `pg_type<"varchar(n)">` it is so with a length that all names have
/// room in, by `native_enum` a type of its own in the database, by `pg_type<"smallint">`, `"integer"` or `"bigint"` its number, where all
/// named values are in the type's range.
template <detail::named_enum Enum>
struct mapping<Enum> {
    static constexpr column_type type = [] {
        if constexpr (detail::native<Enum>) return column_type{.id = type_id::user, .user = &detail::native_type_of<Enum>};
        else return column_type{type_id::text};
    }();
    static constexpr std::span<std::string_view const> labels{detail::labels_of_enum<Enum>};

    static constexpr bool accepts(column_type other) {
        if (other.array) return false;
        switch (other.id) {
            case type_id::text:
                return true;
            case type_id::varchar:
                return detail::labels_fit(labels, other.first_modifier);
            case type_id::int2:
                return detail::values_fit<Enum, std::int16_t>();
            case type_id::int4:
                return detail::values_fit<Enum, std::int32_t>();
            case type_id::int8:
                return detail::values_fit<Enum, std::int64_t>();
            default:
                return false;
        }
    }
};

}  // namespace isorow::inline v1
