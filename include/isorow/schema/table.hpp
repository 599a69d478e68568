#pragma once

/// @file
/// The description of a struct's table, made once for each struct. DDL, checks and comparisons are ordinary code over it.

#include <isorow/config.hpp>
#include <isorow/reflect/constant_list.hpp>
#include <isorow/schema/description.hpp>
#include <isorow/schema/detail/type_facts.hpp>
#include <isorow/schema/overlay.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#if ISOROW_HAS_REFLECTION
#include <isorow/schema/detail/annotation_reader.hpp>
#endif

namespace isorow::inline v1 {

namespace detail {

template <class T>
concept has_own_overlay = requires { T::isorow_table(); };

/// `OrderLine` as `order_line`, in few steps.
template <std::size_t Size>
struct snake_case {
    std::array<char, 2 * Size> characters{};
    std::size_t size = 0;

    constexpr explicit snake_case(char const* type) {
        auto const* const end = type + Size;
        auto* place = characters.data();
        for (auto const* letter = type; letter != end; ++letter) {
            bool const is_capital = *letter >= 'A' && *letter <= 'Z';
            if (is_capital && letter != type && letter[-1] != '_') {
                bool const is_behind_capital = letter[-1] >= 'A' && letter[-1] <= 'Z';
                bool const is_before_small = letter + 1 != end && letter[1] >= 'a' && letter[1] <= 'z';
                if (!is_behind_capital || is_before_small) *place++ = '_';
            }
            *place++ = is_capital ? static_cast<char>(*letter - 'A' + 'a') : *letter;
        }
        size = static_cast<std::size_t>(place - characters.data());
    }
};

/// How a table is named where nothing else is said.
template <class T>
struct default_table_name {
    static constexpr snake_case<type_name<T>().size()> made{type_name<T>().data()};
    static constexpr std::string_view name{made.characters.data(), made.size};
};

template <class T>
constexpr auto overlay_of() {
    if constexpr (has_own_overlay<T>) {
        return T::isorow_table();
    } else {
        return table(default_table_name<T>::name);
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

/// What the overlay says of T.
template <class T>
inline constexpr table_facts facts_of_overlay = table_of<T>.facts(parts_of<T>, reflect::field_names<T>);

/// What overlay and annotations say of T together.
template <class T>
inline constexpr table_facts const& facts_of = facts_of_overlay<T>;
#if ISOROW_HAS_REFLECTION
template <class T>
    requires(reflect::detail::first_fields_of<T>.annotation_count != 0)
inline constexpr table_facts facts_of<T> = gathered_of<T, facts_of_overlay<T>>.facts(facts_of_overlay<T>);
#endif

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

/// The columns after their fields' types and names, with what the overlay says of them.
template <std::size_t Count>
constexpr std::array<column_description, Count> make_columns(std::array<type_facts const*, Count> const& types, table_facts const& facts) {
    std::array<column_description, Count> columns{};
    auto const* name = facts.fields.data();
    auto const* type = types.data();
    for (auto& column : columns) {
        column = (*type++)->column;
        column.field = column.name = *name++;
    }
    for (auto const& [member, options] : facts.column_overlays)
        if (auto const place = facts.place_of(member); place != not_a_field) refine(columns[place], options);
    return columns;
}

/// The places of members among a struct's fields; those of other structs are left out.
constexpr field_list places_of_members(constant_list<member> members, table_facts const& facts) {
    field_list list;
    for (auto const& member : members)
        if (auto const place = facts.place_of(member); place != not_a_field) list.places[list.count++] = static_cast<std::uint16_t>(place);
    return list;
}
template <class Overlay>
constexpr field_list places_of_members(Overlay const& overlay, table_facts const& facts) {
    return places_of_members(constant_list<member>(overlay.members.data(), overlay.count), facts);
}

template <std::size_t Count>
constexpr std::array<index_description, Count> make_indexes(table_facts const& facts) {
    std::array<index_description, Count> indexes{};
    for (std::size_t i = 0; i < Count; ++i) {
        indexes[i] = facts.index_overlays[i].description;
        indexes[i].fields = places_of_members(facts.index_overlays[i], facts);
    }
    return indexes;
}

/// The table's Postgres schema, whatever the connection's search_path is.
constexpr std::string_view schema_of(table_facts const& facts) { return facts.schema_name.empty() ? "public" : facts.schema_name; }

constexpr void name_reference(foreign_key_description& key, constant_list<member> members, table_facts const& facts,
                              constant_list<column_description> columns) {
    key.schema = schema_of(facts);
    key.table = facts.table_name;
    for (std::size_t i = 0; i < key.fields.size(); ++i)
        if (auto const place = facts.place_of(members[i]); place != not_a_field) key.columns[i] = columns[place].name;
}

template <std::size_t Count>
constexpr std::array<foreign_key_description, Count> make_foreign_keys(table_facts const& facts,
                                                                       constant_list<column_description> columns) {
    std::array<foreign_key_description, Count> keys{};
    for (std::size_t i = 0; i < Count; ++i) {
        auto const& overlay = facts.foreign_key_overlays[i];
        keys[i] = overlay.description;
        keys[i].fields = places_of_members(overlay, facts);
        if (overlay.is_own) name_reference(keys[i], overlay.referenced, facts, columns);
        else if (overlay.name != nullptr) overlay.name(keys[i], overlay.referenced);
    }
    return keys;
}

}  // namespace detail

/// The columns of T's table in the order of its fields.
template <reflect::reflectable T>
inline constexpr auto columns_of = detail::make_columns(detail::types_of_fields<T>, detail::facts_of<T>);

/// The indexes of T's table beside the key's.
template <reflect::reflectable T>
inline constexpr auto indexes_of = detail::make_indexes<detail::facts_of<T>.index_overlays.size()>(detail::facts_of<T>);

namespace detail {

template <class T>
constexpr void name_reference(foreign_key_description& key, std::array<member, index_column_limit> const& members) {
    name_reference(key, members, facts_of<T>, columns_of<T>);
}

}  // namespace detail

/// The foreign keys of T's table.
template <reflect::reflectable T>
inline constexpr auto foreign_keys_of =
    detail::make_foreign_keys<detail::facts_of<T>.foreign_key_overlays.size()>(detail::facts_of<T>, columns_of<T>);

namespace detail {

constexpr table_description describe_table(table_facts const& facts, constant_list<column_description> columns,
                                           constant_list<index_description> indexes, constant_list<foreign_key_description> foreign_keys) {
    return {.struct_name = facts.parts.front().identity->name,
            .schema = schema_of(facts),
            .name = facts.table_name,
            .columns = columns,
            .key = places_of_members(facts.key_members, facts),
            .indexes = indexes,
            .checks = facts.checks,
            .foreign_keys = foreign_keys,
            .comment = facts.table_comment};
}

}  // namespace detail

/// T's table. The schema is `public` where the overlay names none, whatever the connection's search_path is.
template <reflect::reflectable T>
inline constexpr table_description description_of =
    detail::describe_table(detail::facts_of<T>, columns_of<T>, indexes_of<T>, foreign_keys_of<T>);

}  // namespace isorow::inline v1
