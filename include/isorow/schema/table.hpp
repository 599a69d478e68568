#pragma once

/// @file
/// A struct's table as flat constant data: one array of column descriptors, the places of the key, the indexes. DDL, checks and
/// comparisons are ordinary code over it.

#include <isorow/schema/overlay.hpp>
#include <isorow/types/field.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

/// One column of a table and the field that it comes from.
struct column_description {
    std::string_view field;  ///< the field's name in the struct
    std::string_view name;   ///< the column's name in the table
    column_type type;
    bool nullable = false;
    bool unique = false;
    std::string_view default_value{};     ///< an SQL expression; empty where there is none
    bool has_type = true;                 ///< false where neither the field's type nor the user says one
    std::string_view renamed_from{};      ///< the column's former name; empty where it had none
    std::string_view using_expression{};  ///< SQL that makes the new value when the type changes; empty where none is said
};

/// A table's description. Refers to constant data, or to what its maker keeps; copying it is cheap.
struct table_description {
    std::string_view struct_name;
    std::string_view schema;
    std::string_view name;
    std::span<column_description const> columns;
    field_list key;
    std::span<index_description const> indexes;

    [[nodiscard]] constexpr bool is_key(std::size_t place) const noexcept { return key.contains(place); }
};

namespace detail {

template <class T>
concept has_own_overlay = requires { T::isorow_table(); };

/// `OrderLine` as a table is named where nothing else is said: `order_line`.
template <class T>
struct default_table_name {
    static constexpr std::string_view type = type_name<T>();
    static constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
    static constexpr bool starts_word(std::size_t i) {
        if (i == 0 || !is_upper(type[i]) || type[i - 1] == '_') return false;
        return !is_upper(type[i - 1]) || (i + 1 < type.size() && type[i + 1] >= 'a' && type[i + 1] <= 'z');
    }
    static constexpr std::size_t size = [] {
        std::size_t count = type.size();
        for (std::size_t i = 0; i < type.size(); ++i) count += starts_word(i) ? 1 : 0;
        return count;
    }();
    static constexpr std::array<char, size> characters = [] {
        std::array<char, size> name{};
        std::size_t place = 0;
        for (std::size_t i = 0; i < type.size(); ++i) {
            if (starts_word(i)) name[place++] = '_';
            name[place++] = is_upper(type[i]) ? static_cast<char>(type[i] - 'A' + 'a') : type[i];
        }
        return name;
    }();
};

template <class T>
constexpr auto overlay_of() {
    if constexpr (has_own_overlay<T>) {
        return T::isorow_table();
    } else {
        using name = default_table_name<T>;
        return table(std::string_view(name::characters.data(), name::size));
    }
}

}  // namespace detail

/// The overlay of T: its own `isorow_table()`, or a specialisation for structs that are not yours:
/// @code
/// template <>
/// inline constexpr auto isorow::table_of<other::Event> = isorow::table("events").primary_key<&other::Event::id>();
/// @endcode
/// Without either, the table is named after the struct (`OrderLine` is `order_line`) and has no key.
template <class T>
inline constexpr auto table_of = detail::overlay_of<T>();

namespace detail {

template <class T>
using field_traits_at = field_traits<T>;

template <reflect::reflectable T, std::size_t Index>
constexpr column_description column_at() {
    using traits = field_traits<reflect::field_type<T, Index>>;
    column_description result{.field = reflect::field_names<T>[Index],
                              .name = reflect::field_names<T>[Index],
                              .type = traits::type,
                              .nullable = traits::nullable,
                              .has_type = traits::has_type};
    for (auto const& [member, options] : table_of<T>.column_overlays) {
        if (member.owner != &type_identity<T> || member.place != Index) continue;
        if (!options.name.empty()) result.name = options.name;
        if (!options.type.empty()) result.has_type = parse_column_type(options.type, result.type);
        if (!options.default_value.empty()) result.default_value = options.default_value;
        result.unique = result.unique || options.unique;
        if (!options.renamed_from.empty()) result.renamed_from = options.renamed_from;
        if (!options.using_expression.empty()) result.using_expression = options.using_expression;
    }
    return result;
}

template <class T, class Members>
constexpr field_list fields_of(Members const& members, std::size_t count) {
    field_list list;
    for (std::size_t i = 0; i < count; ++i)
        if (members[i].owner == &type_identity<T>) list.places[list.count++] = static_cast<std::uint16_t>(members[i].place);
    return list;
}

}  // namespace detail

/// The columns of T's table in the order of its fields.
template <reflect::reflectable T>
inline constexpr auto columns_of = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::array<column_description, sizeof...(Index)>{detail::column_at<T, Index>()...};
}(std::make_index_sequence<reflect::field_count<T>>{});

/// The indexes of T's table beside the key's.
template <reflect::reflectable T>
inline constexpr auto indexes_of = [] {
    std::array<index_description, table_of<T>.index_overlays.size()> indexes{};
    for (std::size_t i = 0; i < indexes.size(); ++i) {
        auto const& overlay = table_of<T>.index_overlays[i];
        indexes[i] = overlay.description;
        indexes[i].fields = detail::fields_of<T>(overlay.members, overlay.count);
    }
    return indexes;
}();

/// T's table. The schema is `public` where the overlay names none, whatever the connection's search_path is.
template <reflect::reflectable T>
inline constexpr table_description description_of{
    .struct_name = type_name<T>(),
    .schema = table_of<T>.schema_name.empty() ? std::string_view("public") : table_of<T>.schema_name,
    .name = table_of<T>.table_name,
    .columns = columns_of<T>,
    .key = detail::fields_of<T>(table_of<T>.key_members, table_of<T>.key_members.size()),
    .indexes = indexes_of<T>,
};

}  // namespace isorow::inline v1
