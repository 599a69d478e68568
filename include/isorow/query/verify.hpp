#pragma once

/// @file
/// A struct, or a table that is described at run time, held against the live table.

#include <isorow/error/error.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/schema/compare_table.hpp>
#include <isorow/schema/table_schema.hpp>

#include <vector>

namespace isorow::inline v1 {

/// All differences between a table as it is described and the live one; none where it is as described. A table that does not exist is one
/// difference. `use`: what of the table must fit, by default all of it. Nothing is locked or written.
///
/// Throws `usage_error` where the description does not name a table, else what queries throw. Several threads may verify on one pool.
[[nodiscard]] inline std::vector<difference> verify(database_ref const& where, table_schema const& schema,
                                                    table_use use = table_use::defining) {
    if (schema.name().empty()) throw usage_error("this table schema does not say its table's name: say it by named(schema, table)");
    auto const live = read_table(where, schema.schema(), schema.name());
    return compare_table(schema.description(), live ? &*live : nullptr, use);
}

/// The same of T's table. Where T is only read, columns of types that its fields can read will do.
template <class T>
[[nodiscard]] std::vector<difference> verify(database_ref const& where, table_use use = table_use::defining) {
    check<T>();
    constexpr auto const& table = description_of<T>;
    auto const live = read_table(where, table.schema, table.name);
    return compare_table(table, live ? &*live : nullptr, use, use == table_use::reading ? &reads_type_of<T> : nullptr);
}

}  // namespace isorow::inline v1
