#pragma once

/// @file
/// Reads a struct's annotations and joins them with its overlay. What both say may be said twice, but not in two ways. Most programs
/// annotate nothing: what they do not need is in templates, which cost the compiler little until they are used.

#include <isorow/reflect/constant_list.hpp>
#include <isorow/reflect/fields.hpp>
#include <isorow/schema/detail/annotation.hpp>
#include <isorow/types/annotated.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <meta>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

template <class Annotation>
inline constexpr bool is_pg_type = false;
template <fixed_string Sql>
inline constexpr bool is_pg_type<pg_type<Sql>> = true;

/// A `vector_schema(384)`, or the constant of a type that makes embeddings.
template <class Annotation>
concept says_shape =
    std::convertible_to<Annotation const&, vector_shape> || vector_schema_provider<Annotation> || has_constant_shape<Annotation>;

template <says_shape Annotation>
constexpr vector_shape shape_said(Annotation const& annotation) {
    if constexpr (std::convertible_to<Annotation const&, vector_shape>) return annotation;
    else if constexpr (vector_schema_provider<Annotation>) return annotation.vector_schema();
    else return shape_of_tag<Annotation>();
}

/// `vector(384)`. Of a shape that pgvector does not store no type is made, which the check of the column's type tells.
template <class Digits = std::string>
consteval std::string_view sql_of(vector_shape shape) {
    Digits digits;
    for (auto rest = shape.size; rest != 0; rest /= 10) digits.insert(digits.begin(), static_cast<char>('0' + rest % 10));
    if (shape.size > 16000) digits.clear();
    auto const sql = (shape.element == vector_element::float16 ? "halfvec(" : "vector(") + digits + ")";
    return {std::define_static_string(sql), sql.size()};
}

consteval bool is_same_type(std::string_view one, std::string_view other) {
    column_type first;
    column_type second;
    return one == other || (parse_column_type(one, first) && parse_column_type(other, second) && first == second);
}

/// Adds a text that is `said` nowhere else; false where another is.
consteval bool combine(std::string_view& said, std::string_view added) {
    if (said.empty()) said = added;
    return added.empty() || said == added;
}

/// Adds what `added` says to `options`; false where they say different things.
template <class Options>
consteval bool combine(Options& options, Options const& added) {
    static_assert(reflect::field_count<Options> == 11, "each option has its line below");
    bool is_same = combine(options.name, added.name);
    is_same &= combine(options.type, added.type) || is_same_type(options.type, added.type);
    is_same &= combine(options.default_value, added.default_value);
    options.unique |= added.unique;
    is_same &= combine(options.renamed_from, added.renamed_from);
    is_same &= combine(options.using_expression, added.using_expression);
    is_same &= combine(options.generated, added.generated);
    if (options.identity == identity::none) options.identity = added.identity;
    is_same &= added.identity == identity::none || added.identity == options.identity;
    is_same &= combine(options.check, added.check);
    is_same &= combine(options.collation, added.collation);
    is_same &= combine(options.comment, added.comment);
    return is_same;
}

/// What an annotation can say, and of what: nothing where it is not one of isorow's.
struct annotation_facts {
    enum class subject : std::uint8_t { nothing, column, key, index, table };

    annotation_facts::subject about = subject::nothing;
    column_options options{};
    std::size_t key_position = 0;
    index_description index{};
    table_names names{};
};

template <class Annotation>
consteval annotation_facts read_annotation(Annotation const& annotation) {
    annotation_facts facts{.about = annotation_facts::subject::column};
    if constexpr (std::derived_from<Annotation, table_annotation>) {
        facts.about = annotation_facts::subject::table;
        annotation.say(facts.names);
    } else if constexpr (std::derived_from<Annotation, key_annotation>) {
        facts.about = annotation_facts::subject::key;
        facts.key_position = annotation.position;
    } else if constexpr (std::derived_from<Annotation, index_annotation>) {
        facts.about = annotation_facts::subject::index;
        facts.index = annotation.description();
    } else if constexpr (std::derived_from<Annotation, column_annotation>) {
        annotation.say(facts.options);
    } else if constexpr (std::same_as<Annotation, identity>) {
        facts.options.identity = annotation;
    } else if constexpr (is_pg_type<Annotation>) {
        facts.options.type = annotation.view();
    } else if constexpr (says_shape<Annotation>) {
        facts.options.type = sql_of(shape_said(annotation));
    } else {
        facts.about = annotation_facts::subject::nothing;
    }
    return facts;
}

/// Made once for all annotations that are equal, whichever structs they stand in: `Constant` is what they are.
template <std::meta::info Constant>
inline constexpr annotation_facts facts_of_annotation = read_annotation([:Constant:]);

/// What an annotation says.
consteval annotation_facts const& facts_said(std::meta::info annotation) {
    auto const constant = std::meta::reflect_constant(std::meta::constant_of(annotation));
    auto const facts = std::meta::substitute(^^facts_of_annotation, {
                                                                        constant});
    return std::meta::extract<annotation_facts const&>(facts);
}

using annotations = std::span<reflect::detail::placed_annotation const>;

consteval std::size_t count_indexes(annotations said) {
    std::size_t count = 0;
    for (auto const& [annotation, place] : said)
        if (std::meta::is_base_of_type(^^index_annotation, std::meta::type_of(annotation))) ++count;
    return count;
}

/// Gathers what annotations and overlay say of a struct. There is room for all of it behind the pointers.
template <class Annotation>
struct facts_gatherer {
    std::span<Annotation const> annotations;
    table_facts const& overlay;
    std::string_view default_name;  ///< the table's where nobody names it
    member* key;
    std::size_t* positions;  ///< of the key's annotated fields, as they count them
    column_overlay* columns;
    index_overlay* indexes;

    table_names names{};
    std::size_t key_count = 0;
    std::size_t column_count = 0;
    std::size_t index_count = 0;
    annotation_fault fault{};

    consteval void gather() {
        for (auto const& [annotation, place] : annotations) {
            auto const& said = facts_said(annotation);
            if (place == reflect::detail::on_struct) read_struct(said);
            else read_field(said, place);
        }
        order_key();
        add_names();
        add_key();
        auto const annotated = column_count;
        for (auto const& column : overlay.column_overlays) add_column(column, annotated);
        for (auto const& index : overlay.index_overlays)
            if (!has_index(index)) indexes[index_count++] = index;
    }

private:
    consteval void blame(enum annotation_fault::kind kind, std::size_t place) {
        if (fault.kind == annotation_fault::none) fault = {kind, place, overlay.fields[place]};
    }
    consteval void blame_name(std::string_view name) { fault = {annotation_fault::contradiction, 0, name}; }

    [[nodiscard]] consteval member member_at(std::size_t place) const {
        return {overlay.parts.front().identity, overlay.fields[place], place};
    }

    consteval void read_struct(annotation_facts const& said) {
        if (said.about == annotation_facts::subject::table) {
            if (!combine(names.table, said.names.table)) blame_name(names.table);
            if (!combine(names.schema, said.names.schema)) blame_name(names.schema);
        } else if (said.about != annotation_facts::subject::nothing) {
            fault = {annotation_fault::misplaced, 0, overlay.parts.front().identity->name};
        }
    }

    consteval void read_field(annotation_facts const& said, std::size_t place) {
        if (said.about == annotation_facts::subject::column) {
            if (column_count == 0 || columns[column_count - 1].member.place != place)
                columns[column_count++] = {member_at(place), said.options};
            else if (!combine(columns[column_count - 1].options, said.options)) blame(annotation_fault::contradiction, place);
        } else if (said.about == annotation_facts::subject::key) {
            if (key_count == 0 || key[key_count - 1].place != place) add_key_field(place, said.key_position);
            else if (positions[key_count - 1] != said.key_position) blame(annotation_fault::contradiction, place);
        } else if (said.about == annotation_facts::subject::index) {
            indexes[index_count++] = {{member_at(place)}, 1, said.index};
        } else if (said.about == annotation_facts::subject::table) {
            blame(annotation_fault::misplaced, place);
        }
    }

    consteval void add_key_field(std::size_t place, std::size_t position) {
        positions[key_count] = position;
        key[key_count++] = member_at(place);
    }

    /// Puts the key's fields in the order of their positions, which all of them have or none.
    consteval void order_key() {
        bool is_counted = false;
        for (std::size_t i = 0; i < key_count; ++i) is_counted = is_counted || positions[i] != 0;
        if (!is_counted) return;
        std::array<member, index_column_limit> in_fields_order{};
        for (std::size_t i = 0; i < key_count && i < index_column_limit; ++i) in_fields_order[i] = key[i];
        for (std::size_t i = 0; i < key_count && i < index_column_limit; ++i) {
            std::size_t same = 0;
            for (std::size_t j = 0; j < key_count; ++j) same += positions[j] == positions[i] ? 1 : 0;
            auto const position = positions[i];
            if (same == 1 && position >= 1 && position <= key_count) key[position - 1] = in_fields_order[i];
            else blame(annotation_fault::mixed_key_positions, in_fields_order[i].place);
        }
    }

    consteval void add_names() {
        bool const is_said = overlay.table_name.data() != default_name.data();
        if (names.table.empty()) names.table = overlay.table_name;
        else if (is_said && names.table != overlay.table_name) blame_name(names.table);
        if (!combine(names.schema, overlay.schema_name)) blame_name(names.schema);
    }

    consteval void add_key() {
        auto const& said = overlay.key_members;
        if (said.empty()) return;
        if (key_count == 0)
            for (auto const& member : said) key[key_count++] = member;
        else if (!are_same_members({key, key_count}, said)) blame(annotation_fault::contradiction, overlay.place_of(key[0]));
    }

    consteval void add_column(column_overlay const& said, std::size_t annotated) {
        columns[column_count++] = said;
        auto const place = overlay.place_of(said.member);
        for (std::size_t i = 0; i < annotated; ++i)
            if (overlay.place_of(columns[i].member) == place && !combine(columns[i].options, said.options))
                blame(annotation_fault::contradiction, place);
    }

    /// Whether both name the same fields in the same order.
    [[nodiscard]] consteval bool are_same_members(constant_list<member> some, constant_list<member> others) const {
        bool same = some.size() == others.size();
        for (std::size_t i = 0; same && i < some.size(); ++i) same = overlay.place_of(some[i]) == overlay.place_of(others[i]);
        return same;
    }

    [[nodiscard]] consteval bool has_index(index_overlay const& wanted) const {
        for (std::size_t i = 0; i < index_count; ++i)
            if (indexes[i].description == wanted.description &&
                are_same_members({indexes[i].members.data(), indexes[i].count}, {wanted.members.data(), wanted.count}))
                return true;
        return false;
    }
};

/// What was gathered, and room for it.
template <std::size_t Keys, std::size_t Columns, std::size_t Indexes>
struct gathered {
    std::array<member, Keys> key{};
    std::array<column_overlay, Columns> columns{};
    std::array<index_overlay, Indexes> indexes{};
    std::size_t key_count = 0;
    std::size_t column_count = 0;
    std::size_t index_count = 0;
    table_names names{};
    annotation_fault fault{};

    consteval gathered(annotations said, table_facts const& overlay, std::string_view default_name) {
        std::array<std::size_t, Keys> positions{};
        facts_gatherer<reflect::detail::placed_annotation> gatherer{
            said, overlay, default_name, key.data(), positions.data(), columns.data(), indexes.data()};
        gatherer.gather();
        key_count = gatherer.key_count;
        column_count = gatherer.column_count;
        index_count = gatherer.index_count;
        names = gatherer.names;
        fault = gatherer.fault;
    }

    /// Checks, foreign keys and the table's comment are the overlay's to say.
    [[nodiscard]] constexpr table_facts facts(table_facts const& overlay) const {
        auto all = overlay;
        all.table_name = names.table;
        all.schema_name = names.schema;
        all.key_members = {key.data(), key_count};
        all.column_overlays = {columns.data(), column_count};
        all.index_overlays = {indexes.data(), index_count};
        all.fault = fault;
        return all;
    }
};

template <class T>
struct default_table_name;

/// All that is said of T, in annotations and in `Overlay`.
template <class T, table_facts const& Overlay>
inline constexpr gathered<reflect::detail::annotations_of<T>.size() + Overlay.key_members.size(),
                          reflect::detail::annotations_of<T>.size() + Overlay.column_overlays.size(),
                          count_indexes(reflect::detail::annotations_of<T>) + Overlay.index_overlays.size()>
    gathered_of{reflect::detail::annotations_of<T>, Overlay, default_table_name<T>::name};

}  // namespace isorow::inline v1::detail
