#pragma once

/// @file
/// The types of the user's that a table needs in the database.

#include <isorow/schema/table.hpp>
#include <isorow/types/column_type.hpp>

#include <algorithm>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// Adds the type of the user's that a column is of, behind those that its attributes are of.
template <class Types>
void add_needed_types(column_type const& type, Types& types) {
    if (type.user == nullptr || std::find(types.begin(), types.end(), type.user) != types.end()) return;
    for (auto const& attribute : type.user->attributes) add_needed_types(attribute.type, types);
    types.push_back(type.user);
}

}  // namespace detail

/// Whether a column of the table is of a type of the user's.
[[nodiscard]] constexpr bool has_user_types(table_description const& table) noexcept {
    for (auto const& column : table.columns)
        if (column.type.user != nullptr) return true;
    return false;
}

/// The types of the user's that the table's columns are of, each once, in an order in which they can be made.
template <class Table>  // a template, so that only programs with such types compile it
[[nodiscard]] std::vector<user_type const*> needed_types(Table const& table) {
    std::vector<user_type const*> types;
    for (auto const& column : table.columns) detail::add_needed_types(column.type, types);
    return types;
}

}  // namespace isorow::inline v1
