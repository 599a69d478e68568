#pragma once

/// @file
/// A struct, or a table that is described at run time, held against the live table.

#include <isorow/error/error.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/schema/compare_table.hpp>
#include <isorow/schema/evolution.hpp>
#include <isorow/schema/table_schema.hpp>

#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// What `verify` tells; checks and foreign keys are held against the table where it is the struct that defines it.
[[nodiscard]] inline std::vector<difference> verify_table(table_description const& table, std::optional<live_table> const& live,
                                                          table_use use, readable_type readable = nullptr) {
    auto differences = compare_table(table, live ? &*live : nullptr, use, readable);
    if (!live || use != table_use::defining) return differences;
    auto constraints = compare_constraints(table, *live);
    std::move(constraints.begin(), constraints.end(), std::back_inserter(differences));
    return differences;
}

}  // namespace detail

/// All differences between a table as it is described and the live one; none where it is as described. A table that does not exist is one
/// difference. `use`: what of the table must fit, by default all of it. Nothing is locked or written.
///
/// Throws `usage_error` where the description does not name a table, else what queries throw. Several threads may verify on one pool.
[[nodiscard]] inline std::vector<difference> verify(database_ref const& where, table_schema const& schema,
                                                    table_use use = table_use::defining) {
    if (schema.name().empty()) throw usage_error("this table schema does not say its table's name: say it by named(schema, table)");
    return detail::verify_table(schema.description(), read_table(where, schema.schema(), schema.name()), use);
}

/// The same of T's table. Where T is only read, columns of types that its fields can read will do.
template <class T>
[[nodiscard]] std::vector<difference> verify(database_ref const& where, table_use use = table_use::defining) {
    check<T>();
    constexpr auto const& table = description_of<T>;
    return detail::verify_table(table, read_table(where, table.schema, table.name), use,
                                use == table_use::reading ? &reads_type_of<T> : nullptr);
}

}  // namespace isorow::inline v1
