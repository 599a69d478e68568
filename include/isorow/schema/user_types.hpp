#pragma once

/// @file
/// The types that the user makes in the database, as SQL makes them.

#include <isorow/schema/identifier.hpp>
#include <isorow/schema/literal.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/types/column_type.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace isorow::inline v1 {

/// `CREATE TYPE "public"."mood" AS ENUM ('sad', 'ok')`, or `AS ("street" text, "number" integer)`. `sql_of`: a column_type as SQL writes
/// it.
template <class SqlOf>
[[nodiscard]] std::string create_type_sql(user_type const& type, SqlOf const& sql_of) {
    std::string parts;
    for (auto const label : type.labels) parts.append(parts.empty() ? "" : ", ").append(detail::quote_literal(label));
    for (auto const& attribute : type.attributes)
        parts.append(parts.empty() ? "" : ", ").append(quote_identifier(attribute.name)).append(" ").append(sql_of(attribute.type));
    return text("CREATE TYPE {} AS {}({})", quote_identifier(type.schema, type.name),
                type.kind == user_type_kind::enumeration ? "ENUM " : "", parts);
}
[[nodiscard]] inline std::string create_type_sql(user_type const& type) { return create_type_sql(type, &to_sql); }

namespace detail {

/// Adds the type of the user's that a column is of, behind those that its attributes are of.
inline void add_needed_types(column_type const& type, std::vector<user_type const*>& types) {
    if (type.user == nullptr || std::find(types.begin(), types.end(), type.user) != types.end()) return;
    for (auto const& attribute : type.user->attributes) add_needed_types(attribute.type, types);
    types.push_back(type.user);
}

}  // namespace detail

/// The types of the user's that the table's columns are of, each once, in an order in which they can be made.
[[nodiscard]] inline std::vector<user_type const*> needed_types(table_description const& table) {
    std::vector<user_type const*> types;
    for (auto const& column : table.columns) detail::add_needed_types(column.type, types);
    return types;
}

}  // namespace isorow::inline v1
