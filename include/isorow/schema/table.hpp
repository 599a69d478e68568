#pragma once

/// @file
/// A struct's table as flat constant data: one array of column descriptors, the places of the key, the indexes. DDL, checks and
/// comparisons are ordinary code over it.

#include <isorow/config.hpp>
#include <isorow/schema/overlay.hpp>
#include <isorow/types/field.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#if ISOROW_HAS_REFLECTION
#include <isorow/schema/detail/annotation_reader.hpp>
#endif

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
    std::string_view generated{};         ///< SQL by which the server computes the value; empty where it does not
    isorow::identity identity = isorow::identity::none;
    std::string_view check{};      ///< a condition on the values; empty where there is none
    std::string_view collation{};  ///< as the catalogue names it; empty: the type's default
    std::string_view comment{};
    /// The only texts that the column, or each element of it, may have; empty where any will do. Says nothing of columns of other types.
    std::span<std::string_view const> labels{};

    /// Whether rows that are written have a value for it.
    [[nodiscard]] constexpr bool is_written() const noexcept { return generated.empty(); }
    /// Whether the table has a CHECK for the labels.
    [[nodiscard]] constexpr bool is_labelled() const noexcept { return !labels.empty() && detail::is_character_type(type.id); }
};

/// A table's description. Refers to constant data, or to what its maker keeps; copying it is cheap.
struct table_description {
    std::string_view struct_name;
    std::string_view schema;
    std::string_view name;
    std::span<column_description const> columns;
    field_list key;
    std::span<index_description const> indexes;
    std::span<check_description const> checks{};  ///< beside those of single columns
    std::span<foreign_key_description const> foreign_keys{};
    std::string_view comment{};

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

/// What overlay and annotations say of T together.
template <class T>
inline constexpr auto const& facts_of = table_of<T>;
#if ISOROW_HAS_REFLECTION
template <class T>
    requires is_annotated<T>
inline constexpr auto facts_of<T> = facts_alone<gathered_facts<T, table_of<T>>, table_of<T>>();
#endif

/// The texts that are values of a type, where it says them; empty where any will do.
template <class Value>
constexpr std::span<std::string_view const> labels_of() {
    if constexpr (requires { mapping<Value>::labels; }) return mapping<Value>::labels;
    else return {};
}

/// What a field's type says of its column: made once for all structs that have a field of the type.
template <class Field>
inline constexpr column_description column_of_type{
    .field = {},
    .name = {},
    .type = field_traits<Field>::type,
    .nullable = field_traits<Field>::nullable,
    .has_type = field_traits<Field>::has_type,
    .labels = labels_of<typename field_traits<Field>::value>(),
};

/// What is said of the column beside its field's type.
constexpr void refine(column_description& result, column_options const& options) {
    if (!options.name.empty()) result.name = options.name;
    if (!options.type.empty()) result.has_type = parse_column_type(options.type, result.type);
    if (!options.default_value.empty()) result.default_value = options.default_value;
    result.unique = result.unique || options.unique;
    if (!options.renamed_from.empty()) result.renamed_from = options.renamed_from;
    if (!options.using_expression.empty()) result.using_expression = options.using_expression;
    if (!options.generated.empty()) result.generated = options.generated;
    if (options.identity != identity::none) result.identity = options.identity;
    if (!options.check.empty()) result.check = options.check;
    if (!options.collation.empty()) result.collation = options.collation;
    if (!options.comment.empty()) result.comment = options.comment;
}

/// The same for any struct.
template <class T>
inline constexpr overlay_view overlay_view_of{
    .table_name = facts_of<T>.table_name,
    .schema_name = facts_of<T>.schema_name,
    .key_members = facts_of<T>.key_members,
    .column_overlays = facts_of<T>.column_overlays,
    .index_overlays = facts_of<T>.index_overlays,
    .foreign_key_overlays = facts_of<T>.foreign_key_overlays,
    .parts = parts_of<T>,
};

/// Names columns after their fields, and adds what the overlay says of them.
constexpr void refine_columns(std::span<column_description> columns, std::string_view const* names, overlay_view const& overlay) {
    for (auto& column : columns) column.field = column.name = *names++;
    for (auto const& [member, options] : overlay.column_overlays)
        if (auto const place = overlay.place_of(member); place != not_a_field) refine(columns[place], options);
}

template <class T, std::size_t... Index>
constexpr auto make_columns(std::index_sequence<Index...>) {
    std::array<column_description, sizeof...(Index)> columns{column_of_type<reflect::field_type<T, Index>>...};
    refine_columns(columns, reflect::field_names<T>.data(), overlay_view_of<T>);
    return columns;
}

/// The places of members among a struct's fields; those of other structs are left out.
constexpr field_list member_places(std::span<member const> members, std::span<struct_part const> parts) {
    field_list list;
    for (auto const& member : members)
        if (auto const place = place_in(parts, member); place != not_a_field) list.places[list.count++] = static_cast<std::uint16_t>(place);
    return list;
}
template <class Overlay>
constexpr field_list member_places(Overlay const& overlay, std::span<struct_part const> parts) {
    return member_places(std::span(overlay.members).first(overlay.count), parts);
}

}  // namespace detail

/// The columns of T's table in the order of its fields.
template <reflect::reflectable T>
inline constexpr auto columns_of = detail::make_columns<T>(std::make_index_sequence<reflect::field_count<T>>{});

/// The indexes of T's table beside the key's.
template <reflect::reflectable T>
inline constexpr auto indexes_of = [] {
    std::array<index_description, detail::facts_of<T>.index_overlays.size()> indexes{};
    for (std::size_t i = 0; i < indexes.size(); ++i) {
        auto const& overlay = detail::facts_of<T>.index_overlays[i];
        indexes[i] = overlay.description;
        indexes[i].fields = detail::member_places(overlay, detail::parts_of<T>);
    }
    return indexes;
}();

namespace detail {

template <class T>
inline constexpr std::string_view schema_of = facts_of<T>.schema_name.empty() ? std::string_view("public") : facts_of<T>.schema_name;

template <class T>
constexpr void name_reference(foreign_key_description& key, std::array<member, index_column_limit> const& columns) {
    key.schema = schema_of<T>;
    key.table = facts_of<T>.table_name;
    for (std::size_t i = 0; i < key.fields.size(); ++i)
        if (auto const place = place_in<T>(columns[i]); place != not_a_field) key.columns[i] = columns_of<T>[place].name;
}

}  // namespace detail

/// The foreign keys of T's table.
template <reflect::reflectable T>
inline constexpr auto foreign_keys_of = [] {
    std::array<foreign_key_description, detail::facts_of<T>.foreign_key_overlays.size()> keys{};
    for (std::size_t i = 0; i < keys.size(); ++i) {
        auto const& overlay = detail::facts_of<T>.foreign_key_overlays[i];
        keys[i] = overlay.description;
        keys[i].fields = detail::member_places(overlay, detail::parts_of<T>);
        if (overlay.is_own) detail::name_reference<T>(keys[i], overlay.referenced);
        else if (overlay.name != nullptr) overlay.name(keys[i], overlay.referenced);
    }
    return keys;
}();

/// T's table. The schema is `public` where the overlay names none, whatever the connection's search_path is.
template <reflect::reflectable T>
inline constexpr table_description description_of{
    .struct_name = type_name<T>(),
    .schema = detail::schema_of<T>,
    .name = detail::facts_of<T>.table_name,
    .columns = columns_of<T>,
    .key = detail::member_places(std::span<detail::member const>(detail::facts_of<T>.key_members), detail::parts_of<T>),
    .indexes = indexes_of<T>,
    .checks = detail::facts_of<T>.checks,
    .foreign_keys = foreign_keys_of<T>,
    .comment = detail::facts_of<T>.table_comment,
};

}  // namespace isorow::inline v1
