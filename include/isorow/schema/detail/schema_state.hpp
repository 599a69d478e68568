#pragma once

/// @file
/// What a `table_schema` holds: the description of a table and the texts that it refers to. Filled step by step, then checked as a whole,
/// so that one error tells of everything that is wrong.

#include <isorow/error/error.hpp>
#include <isorow/error/suggest.hpp>
#include <isorow/error/text.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/index.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/types/mapping.hpp>
#include <isorow/types/vector.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// The most columns of a table: Postgres' MaxHeapAttributeNumber.
inline constexpr std::size_t table_column_limit = 1600;

/// Whether a field's values can be stored in a column of a type.
using storable_type = bool (*)(column_type);

template <class T>
inline constexpr auto storable_types = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::array<storable_type, sizeof...(Index)>{&accepts<typename field_traits<reflect::field_type<T, Index>>::value>...};
}(std::make_index_sequence<reflect::field_count<T>>{});

/// The numbers that a type may have in parentheses, the least and the greatest; none where it takes none. Source: the input functions of
/// the types' modifiers, such as anychar_typmodin; pgvector's VECTOR_MAX_DIM.
struct modifier_range {
    std::int32_t least = 0;
    std::int32_t greatest = -1;
};
[[nodiscard]] constexpr modifier_range modifiers_of(type_id id) noexcept {
    switch (id) {
        case type_id::varchar:
        case type_id::bpchar:
            return {1, 10'485'760};
        case type_id::numeric:
            return {1, 1000};
        case type_id::time:
        case type_id::timetz:
        case type_id::timestamp:
        case type_id::timestamptz:
        case type_id::interval:
            return {0, 6};
        case type_id::vector:
        case type_id::halfvec:
            return {1, static_cast<std::int32_t>(vector_dimension_limit)};
        default:
            return {};
    }
}

/// Why Postgres has no column of the type, or isorow cannot fill one; empty where all is well.
[[nodiscard]] inline std::string type_problem(column_type const& type) {
    auto const& entry = entry_of(type.id);
    if (type.array && entry.oid == 0)
        return text("arrays of {}, an extension's type, are not supported; use a table of their own", entry.sql_name);
    if (type.first_modifier < 0) return {};
    auto const range = modifiers_of(type.id);
    if (range.greatest < 0) return text("the type {} takes nothing in parentheses", entry.sql_name);
    if (type.first_modifier < range.least || type.first_modifier > range.greatest)
        return text("the type {} takes {} to {} in parentheses, not {}", entry.sql_name, range.least, range.greatest, type.first_modifier);
    if (type.second_modifier >= 0 && type.id != type_id::numeric)
        return text("the type {} takes one number in parentheses", entry.sql_name);
    if (type.second_modifier > range.greatest)
        return text("the scale of numeric is at most {}, not {}", range.greatest, type.second_modifier);
    return {};
}

/// What is wrong with a name; empty where it is an identifier.
[[nodiscard]] inline std::string identifier_problem(std::string_view name) {
    try {
        static_cast<void>(quote_identifier(name));
        return {};
    } catch (usage_error const& failure) {
        return failure.what();
    }
}

struct schema_state {
    std::string struct_name{};  ///< empty for a table that is described by its columns
    std::string schema = "public";
    std::string name{};  ///< empty while none is said
    std::vector<column_description> columns{};
    field_list key{};
    std::vector<index_description> indexes{};
    std::deque<std::string> texts{};            ///< what the descriptions refer to: a deque, as it never moves what it has
    std::vector<std::string> problems{};        ///< what is wrong, line by line
    std::set<std::size_t> places_without_type;  ///< the columns whose type was reported already

    [[nodiscard]] static schema_state of(table_description const& table) {
        schema_state state;
        state.struct_name = table.struct_name;
        state.schema = table.schema;
        state.name = table.name;
        state.key = table.key;
        state.columns.assign(table.columns.begin(), table.columns.end());
        state.indexes.assign(table.indexes.begin(), table.indexes.end());
        state.keep_texts();
        return state;
    }

    /// The same with texts of its own.
    [[nodiscard]] schema_state copy() const {
        auto state = of(description());
        state.struct_name = struct_name;
        return state;
    }

    [[nodiscard]] table_description description() const noexcept {
        return {.struct_name = !struct_name.empty() ? std::string_view(struct_name)
                               : !name.empty()      ? std::string_view(name)
                                                    : "table_schema",
                .schema = schema,
                .name = name,
                .columns = columns,
                .key = key,
                .indexes = indexes};
    }

    [[nodiscard]] std::string_view keep(std::string_view text) { return text.empty() ? std::string_view{} : texts.emplace_back(text); }

    [[nodiscard]] std::optional<std::size_t> find(std::string_view column) const noexcept {
        auto const found = std::ranges::find(columns, column, &column_description::name);
        if (found == columns.end()) return std::nullopt;
        return static_cast<std::size_t>(found - columns.begin());
    }

    // What is said of the table

    void set_type(std::size_t place, std::string_view sql) {
        auto& column = columns[place];
        if (!parse_column_type(sql, column.type)) {
            places_without_type.insert(place);
            return report(place, text("the type \"{}\" is not one that isorow knows{}", sql, type_suggestion(sql)));
        }
        column.has_type = true;
        // SQL reads `char` as `char(1)`. A bpchar of any length has no spelling in format_type's words.
        if (column.type.id != type_id::bpchar || column.type.first_modifier >= 0) return;
        if (sql.starts_with("bpchar")) report(place, "the type bpchar needs a length; use varchar or text where it has none");
        else column.type.first_modifier = 1;
    }

    void set_key(std::vector<std::string> const& names) { key = places_of("the primary key", names); }

    void add_index(std::vector<std::string> const& names, index_description index) {
        index.fields = places_of("an index", names);
        if (names.empty()) report("an index has at least one column");
        index.name = keep(index.name);
        index.operator_class = keep(index.operator_class);
        indexes.push_back(index);
    }

    // What is wrong with it

    void report(std::string problem) { problems.push_back(std::move(problem)); }
    void report(std::size_t place, std::string_view problem) { report(text("{}: {}", label(place), problem)); }

    /// `Product.price`, or `column "price"`.
    [[nodiscard]] std::string label(std::size_t place) const {
        auto const& column = columns[place];
        return struct_name.empty() ? text("column \"{}\"", column.name) : text("{}.{}", struct_name, column.field);
    }

    /// What may have been meant by a name that is no column's.
    [[nodiscard]] std::string suggestion(std::string_view wrong) const {
        for (auto const& column : columns)
            if (column.field == wrong) return text("; the column of the field {} is called \"{}\"", column.field, column.name);
        return did_you_mean(wrong, columns | std::views::transform(&column_description::name));
    }

    [[nodiscard]] std::string subject() const { return struct_name.empty() ? std::string("the table") : struct_name; }

    void check_stored_types(std::span<storable_type const> storable) {
        for (std::size_t place = 0; place < columns.size(); ++place) {
            if (places_without_type.contains(place)) continue;
            auto const& column = columns[place];
            if (!column.has_type)
                report(place, "the field's type has no column type; give it one as a column override: pg_type{\"…\"} or vector_schema{…}");
            else if (!storable[place](column.type))
                report(place,
                       text("values of this field cannot be stored as {}; docs/types.md lists the pairs that can", to_sql(column.type)));
        }
    }

    /// Throws `usage_error` with all that is wrong.
    void check() {
        check_names();
        check_columns();
        for (auto const place : key)
            if (columns[place].nullable) report(place, "the primary key's column may be NULL, but a key is never NULL");
        for (auto const& index : indexes) check_index(index);
        if (problems.empty()) return;
        auto message = struct_name.empty() ? std::string("the table schema cannot be used:")
                                           : text("the table schema of {} cannot be used:", struct_name);
        for (auto const& problem : problems) message += "\n  " + problem;
        throw usage_error(message);
    }

private:
    void keep_texts() {
        for (auto& column : columns)
            for (auto const part : {&column_description::field, &column_description::name, &column_description::default_value,
                                    &column_description::renamed_from, &column_description::using_expression})
                column.*part = keep(column.*part);
        for (auto& index : indexes)
            for (auto const part : {&index_description::name, &index_description::operator_class}) index.*part = keep(index.*part);
    }

    [[nodiscard]] static std::string type_suggestion(std::string_view sql) {
        std::vector<std::string_view> names;
        for (auto const& entry : type_catalog) names.insert(names.end(), {entry.catalog_name, entry.sql_name});
        return did_you_mean(sql, names);
    }

    [[nodiscard]] field_list places_of(std::string_view what, std::vector<std::string> const& names) {
        field_list list;
        if (names.size() > index_column_limit) {
            report(text("{} has {} columns; Postgres takes at most {}", what, names.size(), index_column_limit));
            return list;
        }
        for (auto const& column : names) {
            auto const place = find(column);
            if (!place) report(text("{} names the column \"{}\", which {} does not have{}", what, column, subject(), suggestion(column)));
            else if (list.contains(*place)) report(text("{} names the column \"{}\" twice", what, column));
            else list.places[list.count++] = static_cast<std::uint16_t>(*place);
        }
        return list;
    }

    void check_names() {
        for (auto const* const part : {&schema, &name})
            if (auto const problem = identifier_problem(*part); !part->empty() && !problem.empty()) report(problem);
        if (schema.empty()) schema = "public";
        for (auto const& index : indexes)
            if (auto const problem = identifier_problem(index.name); !index.name.empty() && !problem.empty()) report(problem);
    }

    void check_columns() {
        if (columns.empty()) report("it has no columns; a table needs at least one");
        if (columns.size() > table_column_limit)
            report(text("it has {} columns; Postgres takes at most {}", columns.size(), table_column_limit));
        std::set<std::string_view> names;
        for (std::size_t place = 0; place < columns.size(); ++place) {
            auto const& column = columns[place];
            if (auto const problem = identifier_problem(column.name); !problem.empty()) report(place, problem);
            else if (!names.insert(column.name).second) report(place, text("two columns have the name \"{}\"", column.name));
            if (auto const problem = type_problem(column.type); !problem.empty()) report(place, problem);
        }
    }

    void check_index(index_description const& index) {
        if (index.method != index_method::hnsw && index.method != index_method::ivfflat) return;
        if (index.fields.size() > 1) report("an index of pgvector has one column");
        for (auto const place : index.fields) {
            auto const& type = columns[place].type;
            if (places_without_type.contains(place) || !columns[place].has_type) continue;
            if ((type.id != type_id::vector && type.id != type_id::halfvec) || type.first_modifier < 0)
                report(place, text("an index of pgvector needs a vector or halfvec with its dimension, not {}", to_sql(type)));
        }
    }
};

}  // namespace isorow::inline v1::detail
