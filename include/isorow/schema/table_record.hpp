#pragma once

/// @file
/// What isorow has written down of a table: what it made there, as it was declared. By it isorow's own things are told from the user's.

#include <isorow/schema/ddl_statements.hpp>
#include <isorow/schema/live_table.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// A column that isorow made.
struct recorded_column {
    std::string name;
    std::string type{};  ///< as it was declared, without an extension's schema
    bool not_null = false;
    std::string default_value{};
    bool to_be_dropped = false;  ///< its drop was allowed, but something that needs the column has kept it from being made so far
    std::string generated{};
    bool identity = false;  ///< numbered by default; no target has columns that always are
    std::string collation{};
    std::string comment{};

    friend bool operator==(recorded_column const&, recorded_column const&) = default;
};

/// An index or a constraint that isorow made, or SQL that it attached.
struct recorded_object {
    std::string name;
    std::string definition;  ///< the SQL that made it; an index's without CONCURRENTLY, of a constraint what it asks for
    std::string undo{};      ///< an attachment's; others have none
    bool pending = false;    ///< still to be made, or to be made anew

    friend bool operator==(recorded_object const&, recorded_object const&) = default;
};

/// What isorow has written down of a table.
struct table_record {
    bool created = false;  ///< isorow made the table
    oid relation = 0;      ///< the table that is meant; 0 where that is not known, as after a restore
    std::vector<recorded_column> columns{};
    std::vector<recorded_object> indexes{};
    std::vector<recorded_object> attachments{};
    std::vector<std::string> key{};              ///< the key's columns in their order; empty where that is not known
    std::vector<recorded_object> constraints{};  ///< checks and foreign keys
    std::string comment{};

    friend bool operator==(table_record const&, table_record const&) = default;
};

namespace detail {

/// The element of this name, or null.
template <class Element>
[[nodiscard]] Element* find_named(std::vector<Element>& elements, std::string_view name) noexcept {
    auto const found = std::find_if(elements.begin(), elements.end(), [&](Element const& element) { return element.name == name; });
    return found == elements.end() ? nullptr : &*found;
}
template <class Element>
[[nodiscard]] Element const* find_named(std::vector<Element> const& elements, std::string_view name) noexcept {
    auto const found = std::find_if(elements.begin(), elements.end(), [&](Element const& element) { return element.name == name; });
    return found == elements.end() ? nullptr : &*found;
}

[[nodiscard]] inline bool contains(std::vector<std::string> const& names, std::string_view name) noexcept {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether both have the same names, in whatever order.
[[nodiscard]] inline bool are_same_names(std::vector<std::string> const& left, std::vector<std::string> const& right) {
    return left.size() == right.size() && std::all_of(left.begin(), left.end(), [&](auto const& name) { return contains(right, name); });
}

[[nodiscard]] inline std::vector<std::string> key_names(table_description const& table) {
    std::vector<std::string> names;
    for (auto const place : table.key) names.emplace_back(table.columns[place].name);
    return names;
}

[[nodiscard]] inline recorded_column to_recorded(column_description const& column) {
    return {.name = std::string(column.name),
            .type = to_sql(column.type),
            .not_null = !column.nullable,
            .default_value = std::string(column.default_value),
            .generated = std::string(column.generated),
            .identity = column.identity != identity::none,
            .collation = std::string(column.collation),
            .comment = std::string(column.comment)};
}

[[nodiscard]] inline recorded_object to_recorded(table_description const& table, index_description const& index,
                                                 extension_schemas const& schemas, bool pending) {
    return {index_name(table, index), create_index_sql(table, index, schemas), {}, pending};
}

}  // namespace detail

/// The record of a table that isorow made before it kept records: what is declared and there is taken to be isorow's own.
[[nodiscard]] inline table_record assumed_record(table_description const& declared, live_table const& live,
                                                 extension_schemas const& schemas = {}) {
    table_record record{.created = true};
    for (auto const& column : declared.columns)
        if (live.find(column.name) != nullptr) record.columns.push_back(detail::to_recorded(column));
    for (auto const& index : declared_indexes(declared))
        if (live.find_index(index_name(declared, index)) != nullptr)
            record.indexes.push_back(detail::to_recorded(declared, index, schemas, false));
    for (auto constraints : {declared_checks(declared), declared_foreign_keys(declared)})
        for (auto& constraint : constraints)
            if (live.find_constraint(constraint.name) != nullptr)
                record.constraints.push_back({std::move(constraint.name), std::move(constraint.definition)});
    record.comment = declared.comment;
    if (auto const* const key = live.primary_key()) record.key = key->columns;
    return record;
}

}  // namespace isorow::inline v1
