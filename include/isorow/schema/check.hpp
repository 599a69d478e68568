#pragma once

/// @file
/// What must hold of a struct before it can be a table, and the messages where it does not. `mappable<T>` answers yes or no;
/// `check<T>()` stops the compiler with a message that names struct and field and says what to do. Both stand after the struct, not in it:
/// there it is not complete yet.

#include <isorow/reflect/constant_list.hpp>
#include <isorow/reflect/fixed_string.hpp>
#include <isorow/schema/detail/problem.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/table.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace isorow::inline v1 {

namespace detail {

/// Whether the server can number a column of the type. Source: parse_utilcmd.c, generateSerialExtraStmts.
[[nodiscard]] constexpr bool may_be_numbered(column_type const& type) noexcept {
    return !type.array && (type.id == type_id::int2 || type.id == type_id::int4 || type.id == type_id::int8);
}

/// Whether values of the type are compared by a collation.
[[nodiscard]] constexpr bool is_collatable(column_type const& type) noexcept {
    return type.id == type_id::text || type.id == type_id::varchar || type.id == type_id::bpchar || type.id == type_id::citext ||
           type.id == type_id::name;
}

/// The first thing that is wrong, and the field that it is about; `owner` is the struct of a member that is not T's own.
struct finding {
    detail::problem problem = problem::none;
    std::size_t place = 0;
    std::string_view field{};
    std::string_view owner{};
};

/// A table and what it was made of.
struct checked_table {
    table_description const& table;
    table_facts const& facts;
    constant_list<type_facts const*> types;  ///< of each field

    [[nodiscard]] constexpr finding of_field(problem found, std::size_t place) const { return {found, place, table.columns[place].field}; }
};

/// Whether annotations or overlay say the column's type.
constexpr bool has_said_type(table_facts const& facts, std::size_t place) {
    for (auto const& [member, options] : facts.column_overlays)
        if (!options.type.empty() && facts.place_of(member) == place) return true;
    return false;
}

/// The compiler looks at all columns of all structs: what is the same for a type was found once for it, and what can only be said of
/// single columns is looked for in what is said.
constexpr finding find_type_problem(checked_table const& checked) {
    for (auto const& [member, options] : checked.facts.column_overlays) {
        auto const place = checked.facts.place_of(member);
        if (options.type.empty() || place == not_a_field) continue;
        auto const& column = checked.table.columns[place];
        if (!column.has_type) return checked.of_field(problem::unknown_type, place);
        if (!checked.types[place]->accepts(column.type)) return checked.of_field(problem::unconvertible_type, place);
    }
    auto const* const first = checked.types.data();
    auto const* const end = first + checked.types.size();
    for (auto const* type = first; type != end; ++type) {
        if ((*type)->fault == problem::none) continue;
        auto const place = static_cast<std::size_t>(type - first);
        if (!has_said_type(checked.facts, place)) return checked.of_field((*type)->fault, place);
    }
    return {};
}

constexpr finding find_foreign_member(constant_list<member> members, table_facts const& facts, problem found) {
    for (auto const& member : members)
        if (facts.place_of(member) == not_a_field) return {found, 0, member.name, member.owner->name};
    return {};
}

constexpr finding find_member_problem(table_facts const& facts) {
    if (auto const found = find_foreign_member(facts.key_members, facts, problem::foreign_key_member); found.problem != problem::none)
        return found;
    for (auto const& column : facts.column_overlays)
        if (auto const found = find_foreign_member({&column.member, 1}, facts, problem::foreign_member); found.problem != problem::none)
            return found;
    for (auto const& index : facts.index_overlays)
        if (auto const found = find_foreign_member({index.members.data(), index.count}, facts, problem::foreign_member);
            found.problem != problem::none)
            return found;
    for (auto const& key : facts.foreign_key_overlays)
        if (auto const found = find_foreign_member({key.members.data(), key.count}, facts, problem::foreign_member);
            found.problem != problem::none)
            return found;
    return {};
}

/// What is said of a column beside its type, and does not go with it.
constexpr problem problem_of_column(column_description const& column) {
    bool const is_numbered = column.identity != identity::none;
    int const values = (column.default_value.empty() ? 0 : 1) + (column.generated.empty() ? 0 : 1) + (is_numbered ? 1 : 0);
    if (values > 1) return problem::two_values;
    if (is_numbered && !may_be_numbered(column.type)) return problem::identity_type;
    if (is_numbered && column.nullable) return problem::identity_optional;
    if (!column.collation.empty() && !is_collatable(column.type)) return problem::collation_type;
    return problem::none;
}

constexpr finding find_column_problem(checked_table const& checked) {
    for (auto const place : checked.table.key)
        if (!checked.table.columns[place].is_written()) return checked.of_field(problem::generated_key, place);
    for (auto const& overlay : checked.facts.column_overlays) {
        auto const place = checked.facts.place_of(overlay.member);
        if (auto const found = problem_of_column(checked.table.columns[place]); found != problem::none)
            return checked.of_field(found, place);
    }
    for (auto const& key : checked.facts.foreign_key_overlays) {
        if (key.mistyped == index_column_limit) continue;
        auto const& member = key.members[key.mistyped];
        auto const& other = key.referenced[key.mistyped];
        auto const of_member = checked.facts.place_of(member);
        // The other struct is shown where it is another one.
        if (!key.description.table.empty()) return {problem::reference_count, of_member, member.name};
        return {problem::reference_type, of_member, member.name, key.is_own ? std::string_view{} : other.owner->name};
    }
    return {};
}

constexpr finding find_key_problem(checked_table const& checked) {
    auto const& key = checked.table.key;
    for (auto const place : key) {
        if (checked.table.columns[place].nullable) return checked.of_field(problem::optional_key, place);
        std::size_t count = 0;
        for (auto const other : key) count += other == place ? 1 : 0;
        if (count > 1) return checked.of_field(problem::repeated_key, place);
    }
    return {};
}

/// Whether another column is called like that at a place. Neither name is empty.
constexpr bool is_taken_name(constant_list<column_description> columns, std::size_t place) {
    auto const name = columns[place].name;
    for (auto const& other : columns)
        if (&other != &columns[place] && other.name.size() == name.size() && other.name.front() == name.front() && other.name == name)
            return true;
    return false;
}

/// Fields have names that differ and that are identifiers, but for those of base classes.
constexpr finding find_column_name_problem(checked_table const& checked) {
    auto const& columns = checked.table.columns;
    bool const has_bases = checked.facts.parts.size() > 1;
    auto const* const end = columns.data() + columns.size();
    for (auto const* column = columns.data(); column != end; ++column) {
        auto const place = static_cast<std::size_t>(column - columns.data());
        if (column->name.size() > identifier_limit) return checked.of_field(problem::long_column_name, place);
        if (has_bases && is_taken_name(columns, place)) return checked.of_field(problem::duplicate_column_name, place);
    }
    for (auto const& [member, options] : checked.facts.column_overlays) {
        if (options.name.empty()) continue;
        auto const place = checked.facts.place_of(member);
        if (!is_identifier(options.name)) return checked.of_field(problem::long_column_name, place);
        if (is_taken_name(columns, place)) return checked.of_field(problem::duplicate_column_name, place);
    }
    return {};
}

constexpr finding find_name_problem(checked_table const& checked) {
    if (auto const column = find_column_name_problem(checked); column.problem != problem::none) return column;
    auto const& facts = checked.facts;
    if (!is_identifier(facts.table_name)) return {problem::long_table_name, 0, facts.table_name};
    if (!facts.schema_name.empty() && !is_identifier(facts.schema_name)) return {problem::long_table_name, 0, facts.schema_name};
    for (auto const& index : facts.index_overlays)
        if (!index.description.name.empty() && !is_identifier(index.description.name))
            return {problem::long_table_name, 0, index.description.name};
    return {};
}

constexpr finding find_index_problem(checked_table const& checked) {
    for (auto const& index : checked.table.indexes)
        for (auto const place : index.fields)
            if (!metric_problem(index, checked.table.columns[place].type).empty()) return checked.of_field(problem::missing_metric, place);
    return {};
}

/// What annotations say that cannot be.
constexpr finding find_annotation_problem(annotation_fault const& fault) {
    switch (fault.kind) {
        case annotation_fault::none:
            break;
        case annotation_fault::contradiction:
            return {problem::contradiction, fault.place, fault.subject};
        case annotation_fault::mixed_key_positions:
            return {problem::mixed_key_positions, fault.place, fault.subject};
        case annotation_fault::misplaced:
            return {problem::misplaced_annotation, fault.place, fault.subject};
    }
    return {};
}

/// The checks in the order in which one rests on those before it.
constexpr finding find_table_problem(checked_table const& checked) {
    if (auto const annotation = find_annotation_problem(checked.facts.fault); annotation.problem != problem::none) return annotation;
    if (auto const type = find_type_problem(checked); type.problem != problem::none) return type;
    if (auto const member = find_member_problem(checked.facts); member.problem != problem::none) return member;
    if (auto const column = find_column_problem(checked); column.problem != problem::none) return column;
    if (auto const key = find_key_problem(checked); key.problem != problem::none) return key;
    if (auto const name = find_name_problem(checked); name.problem != problem::none) return name;
    return find_index_problem(checked);
}

/// Why reflection cannot take T apart.
template <class T>
constexpr finding find_shape_problem() {
    constexpr auto shape = reflect::shape_of<T>();
    if constexpr (shape == reflect::shape::no_aggregate) return {problem::not_aggregate};
    else if constexpr (shape == reflect::shape::no_fields) return {problem::no_fields};
    else if constexpr (shape == reflect::shape::has_base) return {problem::has_base};
    else if constexpr (shape == reflect::shape::has_array) return {problem::has_array, reflect::first_array<T>()};
    else if constexpr (shape == reflect::shape::has_unnamed) return {problem::has_unnamed};
    else if constexpr (shape == reflect::shape::too_many_fields)
        return {ISOROW_HAS_REFLECTION ? problem::too_many_columns : problem::too_many_fields};
    else return {};
}

/// The first field that refers to memory of others.
template <class T>
constexpr finding find_view() {
    auto const& types = types_of_fields<T>;
    for (std::size_t i = 0; i < types.size(); ++i)
        if (types[i]->is_view) return {problem::view, i, reflect::field_names<T>[i]};
    return {};
}

/// What is wrong with T, found once: with the struct where it has a problem, else with its table.
template <class T>
inline constexpr finding problem_of = find_shape_problem<T>();
template <reflect::reflectable T>
inline constexpr finding problem_of<T> = find_table_problem({description_of<T>, facts_of<T>, types_of_fields<T>});

template <class T>
inline constexpr finding view_problem_of = find_view<T>();

/// Prints the message of a problem. The compiler shows the template's arguments beside it: the struct, the field with its place and
/// type, and the struct that owns the field where that is another one.
template <fixed_string Struct, fixed_string Field, problem Problem, std::size_t Place, class Type, fixed_string Owner>
consteval void report_problem() {
    static_assert(Problem != problem::not_aggregate,
                  "isorow: this type is not a plain struct; a table's struct is an aggregate: no constructors, no private members, no "
                  "virtual functions");
    static_assert(Problem != problem::no_fields, "isorow: this struct has no fields; a table needs at least one column");
    static_assert(Problem != problem::has_base, "isorow: this struct has a base class; put the base's fields into the struct itself");
    static_assert(Problem != problem::too_many_fields,
                  "isorow: this struct has more than 200 fields, which is what reflection takes apart; split the struct");
    static_assert(Problem != problem::too_many_columns,
                  "isorow: this struct has more than 1600 fields, which is how many columns Postgres gives a table; split the struct");
    static_assert(
        Problem != problem::has_unnamed,
        "isorow: this struct has a bit-field, a reference or an anonymous union, which cannot be a column; make it a plain field");
    static_assert(Problem != problem::has_array,
                  "isorow: this struct has a C array, whose elements reflection takes for fields; use std::string, std::vector or "
                  "std::array (Place says how many fields stand before it)");
    static_assert(Problem != problem::no_type_float_vector,
                  "isorow: std::vector<float> may be an embedding or an array; say which: annotated<std::vector<float>, vector_schema<N>>, "
                  "or isorow::vector<N>, or annotated<std::vector<float>, pg_type<\"real[]\">>");
    static_assert(Problem != problem::no_type_unsigned,
                  "isorow: this unsigned integer has no Postgres type of its own; say one for std::uint64_t: annotated<std::uint64_t, "
                  "pg_type<\"bigint\">>, which checks the range of each value, or pg_type<\"numeric(20,0)\">, which holds all of them");
    static_assert(Problem != problem::no_type_byte,
                  "isorow: this field is one byte, which may be a number or a character; for numbers use std::int16_t, or say "
                  "annotated<std::uint8_t, pg_type<\"smallint\">>; for characters std::string, for bytes std::vector<std::byte>");
    static_assert(Problem != problem::no_type_json,
                  "isorow: this field's type has no Postgres type; include <isorow/json.hpp> to store nested structs, maps and lists as "
                  "jsonb, or specialise isorow::mapping for it");
    static_assert(
        Problem != problem::no_type_enum,
        "isorow: this enumeration has no Postgres type; include <isorow/enums.hpp> to store it as the text of its names (where it "
        "is included, no name was found: specialise isorow::enum_names for it)");
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
    static_assert(Problem != problem::missing_metric,
                  "isorow: pgvector has no such index for this column's type: bit(n) takes the metrics hamming and jaccard, all others the "
                  "other metrics; ivfflat has neither l1 nor jaccard, and none for sparsevec: use hnsw");
    static_assert(Problem != problem::contradiction,
                  "isorow: two annotations of this field, or an annotation and the overlay, say different things; say it once");
    static_assert(
        Problem != problem::mixed_key_positions,
        "isorow: the positions of the primary key's fields are not 1, 2, … each once; say [[=isorow::primary_key]] without positions "
        "for the order of the fields, or give each of them one");
    static_assert(Problem != problem::misplaced_annotation,
                  "isorow: this annotation is at the wrong place: table_name and schema_name stand on the struct, the others on a field");
    static_assert(Problem != problem::view,
                  "isorow: this field is a view, which would refer to memory that is gone; only rows in batches have views: read them by "
                  "source<T>::batches(), or make the field std::string or std::vector<std::byte>");
    static_assert(
        Problem != problem::generated_key,
        "isorow: the primary key has a generated column, but rows are told apart by keys that are written; take the column out of "
        "the key, or make a unique index over it");
    static_assert(Problem != problem::two_values,
                  "isorow: this column has more than one of default_value, generated and identity; say where its value comes from once");
    static_assert(Problem != problem::identity_type,
                  "isorow: the server numbers columns of smallint, integer and bigint only; make the field a signed integer or take the "
                  "identity away");
    static_assert(Problem != problem::identity_optional,
                  "isorow: a column that the server numbers is never NULL; take the optional away or the identity");
    static_assert(Problem != problem::collation_type,
                  "isorow: this column has a collation, but its type is no text; take the collation away");
    static_assert(Problem != problem::reference_type,
                  "isorow: a foreign key refers to a member of another type; both columns hold the same values: give them one type");
    static_assert(
        Problem != problem::reference_count,
        "isorow: a foreign key refers to as many columns as it has: .foreign_key<&T::a, &T::b>(references(\"t\", {\"a\", \"b\"}))");
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

/// Prints what was found of T.
template <class T, auto const& Found>
consteval void report_finding() {
    constexpr finding found = Found;
    constexpr auto name = type_name<T>();
    constexpr bool is_own_field = !found.field.empty() && found.owner.empty() && reflect::reflectable<T>;
    constexpr auto owner = found.owner.empty() ? name : found.owner;
    report_problem<to_fixed_string<name.size()>(name), to_fixed_string<found.field.size()>(found.field), found.problem, found.place,
                   typename shown_type<T, found.place, is_own_field>::type, to_fixed_string<owner.size()>(owner)>();
}

}  // namespace detail

/// Whether T can be a table: everything that `check<T>()` asks.
template <class T>
concept mappable = detail::problem_of<T>.problem == detail::problem::none;

/// Whether T can be a table whose rows are told apart by a key, as targets need it.
template <class T>
concept keyed = mappable<T> && !description_of<T>.key.empty();

/// Stops the compiler where T cannot be a table, with a message that says why, names struct and field, and says what to do.
template <class T>
consteval void check() {
    if constexpr (!mappable<T>) detail::report_finding<T, detail::problem_of<T>>();
}

/// Whether T can be a table, and its rows own what they hold, so that they may be kept: no field is a view.
template <class T>
concept owning = mappable<T> && detail::view_problem_of<T>.problem == detail::problem::none;

/// `check<T>()`, and that T's rows own what they hold.
template <class T>
consteval void check_owning() {
    check<T>();
    if constexpr (mappable<T> && !owning<T>) detail::report_finding<T, detail::view_problem_of<T>>();
}

/// `check_owning<T>()`, and that T has a primary key.
template <class T>
consteval void check_keyed() {
    check_owning<T>();
    if constexpr (mappable<T>)
        static_assert(keyed<T>,
                      "isorow: this struct has no primary key, which a target needs to tell its rows apart; say it in isorow_table(): "
                      ".primary_key<&T::id>()");
}

}  // namespace isorow::inline v1
