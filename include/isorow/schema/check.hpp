#pragma once

/// @file
/// What must hold of a struct before it can be a table, and the messages where it does not. `mappable<T>` answers yes or no;
/// `check<T>()` stops the compiler with a message that names struct and field and says what to do. Both stand after the struct, not in it:
/// there it is not complete yet.

#include <isorow/reflect/fixed_string.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/table.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <type_traits>

namespace isorow::inline v1 {

namespace detail {

enum class problem : std::uint8_t {
    none,
    not_aggregate,
    no_fields,
    has_base,
    too_many_fields,
    has_array,
    no_type_float_vector,
    no_type_unsigned,
    no_type_json,
    no_type,
    unknown_type,
    unconvertible_type,
    foreign_key_member,
    foreign_member,
    optional_key,
    repeated_key,
    long_column_name,
    long_table_name,
    duplicate_column_name,
};

/// The first thing that is wrong, and the field that it is about; `owner` is the struct of a member that is not T's own.
struct finding {
    detail::problem problem = problem::none;
    std::size_t place = 0;
    std::string_view field{};
    std::string_view owner{};
};

template <class Value>
constexpr problem missing_type() {
    if constexpr (std::is_same_v<Value, std::vector<float>>) return problem::no_type_float_vector;
    else if constexpr (std::is_unsigned_v<Value> && !std::is_same_v<Value, bool>) return problem::no_type_unsigned;
    else if constexpr (std::is_class_v<Value>) return problem::no_type_json;
    else return problem::no_type;
}

template <class T>
constexpr bool names_unknown_type(std::size_t place) {
    for (auto const& [member, options] : table_of<T>.column_overlays) {
        column_type ignored;
        if (member.owner == &type_identity<T> && member.place == place && !options.type.empty() &&
            !parse_column_type(options.type, ignored))
            return true;
    }
    return false;
}

template <class T, std::size_t Index>
constexpr problem type_problem() {
    using value = typename field_traits<reflect::field_type<T, Index>>::value;
    constexpr auto const& column = columns_of<T>[Index];
    if constexpr (names_unknown_type<T>(Index)) return problem::unknown_type;
    else if constexpr (!column.has_type) return missing_type<value>();
    else if constexpr (!accepts<value>(column.type)) return problem::unconvertible_type;
    else return problem::none;
}

template <class T, std::size_t... Index>
constexpr finding find_type_problem(std::index_sequence<Index...>) {
    finding found;
    static_cast<void>(
        ((type_problem<T, Index>() != problem::none ? (found = {type_problem<T, Index>(), Index, reflect::field_names<T>[Index]}, true)
                                                    : false) ||
         ...));
    return found;
}

template <class T>
constexpr finding find_member_problem() {
    auto const& overlay = table_of<T>;
    for (auto const& member : overlay.key_members)
        if (member.owner != &type_identity<T>) return {problem::foreign_key_member, 0, member.name, member.owner_name};
    for (auto const& [member, options] : overlay.column_overlays)
        if (member.owner != &type_identity<T>) return {problem::foreign_member, 0, member.name, member.owner_name};
    for (auto const& index : overlay.index_overlays)
        for (std::size_t i = 0; i < index.count; ++i)
            if (index.members[i].owner != &type_identity<T>)
                return {problem::foreign_member, 0, index.members[i].name, index.members[i].owner_name};
    return {};
}

template <class T>
constexpr finding find_name_problem() {
    auto const& columns = columns_of<T>;
    for (auto const& member : table_of<T>.key_members) {
        if (columns[member.place].nullable) return {problem::optional_key, member.place, columns[member.place].field};
        std::size_t count = 0;
        for (auto const& other : table_of<T>.key_members) count += other.place == member.place ? 1 : 0;
        if (count > 1) return {problem::repeated_key, member.place, columns[member.place].field};
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!is_identifier(columns[i].name)) return {problem::long_column_name, i, columns[i].field};
        for (std::size_t j = 0; j < i; ++j)
            if (columns[j].name == columns[i].name) return {problem::duplicate_column_name, i, columns[i].field};
    }
    auto const& overlay = table_of<T>;
    if (!is_identifier(overlay.table_name)) return {problem::long_table_name, 0, overlay.table_name};
    if (!overlay.schema_name.empty() && !is_identifier(overlay.schema_name)) return {problem::long_table_name, 0, overlay.schema_name};
    for (auto const& index : overlay.index_overlays)
        if (!index.description.name.empty() && !is_identifier(index.description.name))
            return {problem::long_table_name, 0, index.description.name};
    return {};
}

/// The checks in the order in which one rests on those before it.
template <class T>
constexpr finding first_problem() {
    if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T>) return {problem::not_aggregate};
    else if constexpr (std::is_empty_v<T>) return {problem::no_fields};
    else if constexpr (reflect::has_base<T>()) return {problem::has_base};
    else if constexpr (reflect::first_array<T>() != reflect::flat_field_count<T>) return {problem::has_array, reflect::first_array<T>()};
    else if constexpr (reflect::flat_field_count<T> > reflect::field_limit) return {problem::too_many_fields};
    else {
        constexpr finding type = find_type_problem<T>(std::make_index_sequence<reflect::field_count<T>>{});
        constexpr finding member = find_member_problem<T>();
        if constexpr (type.problem != problem::none) return type;
        else if constexpr (member.problem != problem::none) return member;
        else return find_name_problem<T>();
    }
}

/// Prints the message of a problem. The compiler shows the template's arguments beside it: the struct, the field with its place and
/// type, and the struct that owns the field where that is another one.
template <fixed_string Struct, fixed_string Field, problem Problem, std::size_t Place, class Type, fixed_string Owner>
constexpr void report_problem() {
    static_assert(Problem != problem::not_aggregate,
                  "isorow: this type is not a plain struct; a table's struct is an aggregate: no constructors, no private members, no "
                  "virtual functions");
    static_assert(Problem != problem::no_fields, "isorow: this struct has no fields; a table needs at least one column");
    static_assert(Problem != problem::has_base, "isorow: this struct has a base class; put the base's fields into the struct itself");
    static_assert(Problem != problem::too_many_fields,
                  "isorow: this struct has more than 200 fields, which is what reflection takes apart; split the struct");
    static_assert(Problem != problem::has_array,
                  "isorow: this struct has a C array, whose elements reflection takes for fields; use std::string, std::vector or "
                  "std::array (Place says how many fields stand before it)");
    static_assert(Problem != problem::no_type_float_vector,
                  "isorow: std::vector<float> may be an embedding or an array; say which: annotated<std::vector<float>, vector_schema<N>>, "
                  "or isorow::vector<N>, or annotated<std::vector<float>, pg_type<\"real[]\">>");
    static_assert(
        Problem != problem::no_type_unsigned,
        "isorow: this unsigned integer has no Postgres type; use std::int64_t, or isorow::numeric where its whole range is needed");
    static_assert(Problem != problem::no_type_json,
                  "isorow: this field's type has no Postgres type; include <isorow/json.hpp> to store nested structs, maps and lists as "
                  "jsonb, or specialise isorow::mapping for it");
    static_assert(Problem != problem::no_type, "isorow: this field's type has no Postgres type; docs/types.md lists those that have one");
    static_assert(Problem != problem::unknown_type,
                  "isorow: the overlay gives this column a type that isorow does not know; docs/types.md lists those that it knows");
    static_assert(Problem != problem::unconvertible_type,
                  "isorow: values of this field cannot be stored in the column type that was said; docs/types.md lists the pairs that can");
    static_assert(Problem != problem::foreign_key_member,
                  "isorow: the primary key names a member of another struct; use pointers to members of this one");
    static_assert(Problem != problem::foreign_member,
                  "isorow: the overlay names a member of another struct; use pointers to members of this one");
    static_assert(Problem != problem::optional_key,
                  "isorow: a primary key's column is std::optional, but a key is never NULL; take the optional away or choose another key");
    static_assert(Problem != problem::repeated_key, "isorow: the primary key names this column twice");
    static_assert(Problem != problem::long_column_name,
                  "isorow: a column's name is empty or longer than 63 bytes, which Postgres would cut off; give it a shorter one: "
                  ".column<&T::field>({.name = \"…\"})");
    static_assert(
        Problem != problem::long_table_name,
        "isorow: the name of a table, schema or index is longer than 63 bytes, which Postgres would cut off; give it a shorter one");
    static_assert(Problem != problem::duplicate_column_name,
                  "isorow: two fields have the same column name; rename one: .column<&T::field>({.name = \"…\"})");
}

/// The field's type where there is one to show.
template <class T, std::size_t Place, bool IsField>
struct shown_type {
    using type = T;
};
template <class T, std::size_t Place>
struct shown_type<T, Place, true> {
    using type = reflect::field_type<T, Place>;
};

}  // namespace detail

/// Whether T can be a table: everything that `check<T>()` asks.
template <class T>
concept mappable = detail::first_problem<T>().problem == detail::problem::none;

/// Whether T can be a table whose rows are told apart by a key, as targets need it.
template <class T>
concept keyed = mappable<T> && !description_of<T>.key.empty();

/// Stops the compiler where T cannot be a table, with a message that says why, names struct and field, and says what to do.
template <class T>
constexpr void check() {
    constexpr auto found = detail::first_problem<T>();
    if constexpr (found.problem != detail::problem::none) {
        constexpr auto name = type_name<T>();
        constexpr bool is_own_field = !found.field.empty() && found.owner.empty() && reflect::reflectable<T>;
        constexpr auto owner = found.owner.empty() ? name : found.owner;
        detail::report_problem<detail::to_fixed_string<name.size()>(name), detail::to_fixed_string<found.field.size()>(found.field),
                               found.problem, found.place, typename detail::shown_type<T, found.place, is_own_field>::type,
                               detail::to_fixed_string<owner.size()>(owner)>();
    }
}

/// `check<T>()`, and that T has a primary key.
template <class T>
constexpr void check_keyed() {
    check<T>();
    if constexpr (mappable<T>)
        static_assert(keyed<T>,
                      "isorow: this struct has no primary key, which a target needs to tell its rows apart; say it in isorow_table(): "
                      ".primary_key<&T::id>()");
}

}  // namespace isorow::inline v1
