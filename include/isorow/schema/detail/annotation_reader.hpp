#pragma once

/// @file
/// Reads a struct's annotations and joins them with its overlay. What both say may be said twice, but not in two ways.

#include <isorow/reflect/fields.hpp>
#include <isorow/schema/detail/annotation.hpp>
#include <isorow/types/annotated.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <meta>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// The first thing that is wrong with what annotations say: of which field, or of which name where it is the table's.
struct annotation_fault {
    enum kind : std::uint8_t { none, contradiction, mixed_key_positions, misplaced };

    annotation_fault::kind kind = none;
    std::size_t place = 0;
    std::string_view subject{};
};

template <class T>
struct default_table_name;

/// What annotations and overlay say of a table together, as flat data.
template <std::size_t Keys, std::size_t Columns, std::size_t Indexes, std::size_t Checks, std::size_t ForeignKeys>
struct table_facts {
    std::string_view table_name{};
    std::string_view schema_name{};
    std::array<member, Keys> key_members{};
    std::array<column_overlay, Columns> column_overlays{};
    std::array<index_overlay, Indexes> index_overlays{};
    std::string_view table_comment{};
    std::array<check_description, Checks> checks{};
    std::array<foreign_key_overlay, ForeignKeys> foreign_key_overlays{};
};

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
consteval std::string_view sql_of(vector_shape shape) {
    std::string digits;
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

/// Adds what `added` says in one of its options; false where both say something else.
template <std::meta::info Option>
consteval bool combine_option(column_options& options, column_options const& added) {
    auto const unsaid_option = column_options{}.[:Option:];
    if (added.[:Option:] == unsaid_option) return true;
    if (options.[:Option:] == unsaid_option) return options.[:Option:] = added.[:Option:], true;
    if constexpr (Option == ^^column_options::type) return is_same_type(options.type, added.type);
    else return options.[:Option:] == added.[:Option:];
}

/// Adds what `added` says to `options`, whatever options there are; false where they say different things.
consteval bool combine(column_options& options, column_options const& added) {
    constexpr auto const& all = reflect::detail::fields_of<column_options>;
    return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
        return (combine_option<all[Index]>(options, added) & ...);
    }(std::make_index_sequence<all.size()>{});
}

/// What the annotations of one field say.
struct field_facts {
    column_options options{};
    bool is_key = false;
    std::size_t key_position = 0;
    std::vector<index_description> indexes{};
    bool is_misplaced = false;
    bool is_contradiction = false;

    template <class Annotation>
    consteval void add(Annotation const& annotation) {
        column_options said{};
        if constexpr (std::derived_from<Annotation, table_annotation>) {
            is_misplaced = true;
        } else if constexpr (std::derived_from<Annotation, key_annotation>) {
            is_contradiction = is_contradiction || (is_key && key_position != annotation.position);
            is_key = true;
            key_position = annotation.position;
        } else if constexpr (std::derived_from<Annotation, index_annotation>) {
            indexes.push_back(annotation.description());
        } else if constexpr (std::derived_from<Annotation, column_annotation>) {
            annotation.say(said);
        } else if constexpr (std::same_as<Annotation, identity>) {
            said.identity = annotation;
        } else if constexpr (is_pg_type<Annotation>) {
            said.type = annotation.view();
        } else if constexpr (says_shape<Annotation>) {
            said.type = sql_of(shape_said(annotation));
        }
        is_contradiction = !combine(options, said) || is_contradiction;
    }
};

template <class Annotation>
inline constexpr bool belongs_on_field = std::derived_from<Annotation, column_annotation> || std::same_as<Annotation, identity> ||
                                         is_pg_type<Annotation> || says_shape<Annotation>;

/// How much annotations may say, counted without reading them.
struct annotation_counts {
    std::size_t on_struct = 0;
    std::size_t fields = 0;  ///< those that have annotations
    std::size_t keys = 0;
    std::size_t indexes = 0;

    consteval void add_field(std::meta::info field) {
        bool is_key = false;
        auto const all = std::meta::annotations_of(field);
        for (auto const annotation : all) {
            auto const type = std::meta::remove_cv(std::meta::type_of(annotation));
            is_key = is_key || std::meta::is_base_of_type(^^key_annotation, type);
            indexes += std::meta::is_base_of_type(^^index_annotation, type) ? 1 : 0;
        }
        keys += is_key ? 1 : 0;
        fields += all.empty() ? 0 : 1;
    }
};

template <class T>
inline constexpr annotation_counts counts_of = [] {
    annotation_counts counts{.on_struct = std::meta::annotations_of(^^T).size()};
    for (auto const field : reflect::detail::fields_of<T>) counts.add_field(field);
    return counts;
}();

consteval bool has_annotations(std::meta::info type, std::span<std::meta::info const> fields) {
    bool found = !std::meta::annotations_of(type).empty();
    for (auto const field : fields) found = found || !std::meta::annotations_of(field).empty();
    return found;
}

/// Whether anything is annotated, by whomever: most structs have nothing to be read.
template <class T>
inline constexpr bool is_annotated = has_annotations(^^T, reflect::detail::fields_of<T>);

template <std::meta::info Annotated>
inline constexpr auto annotations_on = std::define_static_array(std::meta::annotations_of(Annotated));

/// Calls `function.template operator()<annotation>()` for each annotation of a field or a struct.
template <std::meta::info Annotated, class Function>
consteval void for_each_annotation(Function function) {
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
        (function.template operator()<annotations_on<Annotated>[Index]>(), ...);
    }(std::make_index_sequence<annotations_on<Annotated>.size()>{});
}

/// Whether both name the same fields of T in the same order.
template <class T>
consteval bool are_same_members(std::span<member const> some, std::span<member const> others) {
    bool same = some.size() == others.size();
    for (std::size_t i = 0; same && i < some.size(); ++i) same = place_in<T>(some[i]) == place_in<T>(others[i]);
    return same;
}

/// Gathers what annotations and overlay say of T; the arrays have room for all of it.
template <class T, std::size_t Keys, std::size_t Columns, std::size_t Indexes>
struct facts_gatherer {
    table_names names{};
    std::array<member, Keys> key{};
    std::array<column_overlay, Columns> columns{};
    std::array<index_overlay, Indexes> indexes{};
    std::size_t column_count = 0;
    std::size_t index_count = 0;
    annotation_fault fault{};

    template <class Overlay>
    consteval explicit facts_gatherer(Overlay const& overlay) {
        read_struct();
        read_fields(std::make_index_sequence<reflect::field_count<T>>{});
        add_names(overlay);
        add_key(overlay.key_members);
        auto const annotated = column_count;
        for (auto const& column : overlay.column_overlays) add_column(column, annotated);
        for (auto const& index : overlay.index_overlays)
            if (!has_index(index)) indexes[index_count++] = index;
    }

private:
    consteval void blame(enum annotation_fault::kind kind, std::size_t place) {
        if (fault.kind == annotation_fault::none) fault = {kind, place, reflect::field_names<T>[place]};
    }
    consteval void blame_name(std::string_view name) { fault = {annotation_fault::contradiction, 0, name}; }

    static consteval member member_at(std::size_t place) {
        return {&type_identity<T>, type_name<T>(), reflect::field_names<T>[place], place};
    }

    consteval void read_struct() {
        if constexpr (counts_of<T>.on_struct != 0)
            for_each_annotation<^^T>([this]<std::meta::info Annotation> consteval {
                using type = std::remove_const_t<typename[:std::meta::type_of(Annotation):]>;
                if constexpr (std::derived_from<type, table_annotation>) [:std::meta::constant_of(Annotation):].say(names);
                else if constexpr (belongs_on_field<type>) fault = {annotation_fault::misplaced, 0, type_name<T>()};
            });
    }

    template <std::size_t... Place>
    consteval void read_fields(std::index_sequence<Place...>) {
        std::array<std::size_t, counts_of<T>.keys> positions{};
        std::size_t key_count = 0;
        (read_field<reflect::detail::fields_of<T>[Place]>(Place, positions.data(), key_count), ...);
        order_key(positions);
    }

    template <std::meta::info Field>
    consteval void read_field(std::size_t place, std::size_t* positions, std::size_t& key_count) {
        if (std::meta::annotations_of(Field).empty()) return;
        field_facts facts;
        for_each_annotation<Field>([&facts]<std::meta::info Annotation> consteval { facts.add([:std::meta::constant_of(Annotation):]); });
        if (facts.is_misplaced) blame(annotation_fault::misplaced, place);
        if (facts.is_contradiction) blame(annotation_fault::contradiction, place);
        columns[column_count++] = {member_at(place), facts.options};
        for (auto const& index : facts.indexes) indexes[index_count++] = {{member_at(place)}, 1, index};
        if (!facts.is_key) return;
        positions[key_count] = facts.key_position;
        key[key_count++] = member_at(place);
    }

    /// Puts the key's fields in the order of their positions, which all of them have or none.
    consteval void order_key(std::array<std::size_t, counts_of<T>.keys> const& positions) {
        auto const in_fields_order = key;
        bool const is_counted = std::ranges::any_of(positions, [](std::size_t position) { return position != 0; });
        for (std::size_t i = 0; is_counted && i < positions.size(); ++i) {
            auto const position = positions[i];
            bool const is_right = position >= 1 && position <= positions.size() && std::ranges::count(positions, position) == 1;
            if (is_right) key[position - 1] = in_fields_order[i];
            else blame(annotation_fault::mixed_key_positions, in_fields_order[i].place);
        }
    }

    template <class Overlay>
    consteval void add_names(Overlay const& overlay) {
        bool const is_said = overlay.table_name.data() != default_table_name<T>::characters.data();
        if (names.table.empty()) names.table = overlay.table_name;
        else if (is_said && names.table != overlay.table_name) blame_name(names.table);
        if (names.schema.empty()) names.schema = overlay.schema_name;
        else if (!overlay.schema_name.empty() && names.schema != overlay.schema_name) blame_name(names.schema);
    }

    consteval void add_key(std::span<member const> said) {
        if (said.empty()) return;
        if (counts_of<T>.keys == 0) std::ranges::copy(said, key.begin());
        else if (!are_same_members<T>(key, said)) blame(annotation_fault::contradiction, key.front().place);
    }

    consteval void add_column(column_overlay const& said, std::size_t annotated) {
        columns[column_count++] = said;
        auto const place = place_in<T>(said.member);
        for (std::size_t i = 0; i < annotated; ++i)
            if (columns[i].member.place == place && !combine(columns[i].options, said.options))
                blame(annotation_fault::contradiction, place);
    }

    [[nodiscard]] consteval bool has_index(index_overlay const& wanted) const {
        for (auto const& index : std::span(indexes).first(index_count))
            if (index.description == wanted.description &&
                are_same_members<T>(std::span(index.members).first(index.count), std::span(wanted.members).first(wanted.count)))
                return true;
        return false;
    }
};

/// All that is said of T, in annotations and in `Overlay`.
template <class T, auto const& Overlay>
inline constexpr facts_gatherer<T, (counts_of<T>.keys != 0 ? counts_of<T>.keys : Overlay.key_members.size()),
                                counts_of<T>.fields + Overlay.column_overlays.size(), counts_of<T>.indexes + Overlay.index_overlays.size()>
    gathered_facts{Overlay};

/// The facts alone, without room for more; checks, foreign keys and the table's comment are the overlay's to say.
template <auto const& Gathered, auto const& Overlay>
consteval auto facts_alone() {
    table_facts<Gathered.key.size(), Gathered.columns.size(), Gathered.index_count, Overlay.checks.size(),
                Overlay.foreign_key_overlays.size()>
        facts{.table_name = Gathered.names.table,
              .schema_name = Gathered.names.schema,
              .key_members = Gathered.key,
              .column_overlays = Gathered.columns,
              .table_comment = Overlay.table_comment,
              .checks = Overlay.checks,
              .foreign_key_overlays = Overlay.foreign_key_overlays};
    std::copy_n(Gathered.indexes.begin(), Gathered.index_count, facts.index_overlays.begin());
    return facts;
}

}  // namespace isorow::inline v1::detail
