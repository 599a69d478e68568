#pragma once

/// @file
/// A table as the server's catalogue has it, or as DDL would make it, as plain data.

#include <isorow/types/column_type.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

/// A column of a live table.
struct live_column {
    std::string name;
    std::string type;  ///< as `format_type` prints it, without an extension's schema: `vector(3)`
    bool not_null = false;
    std::string default_value{};   ///< the expression as `pg_get_expr` prints it; empty where there is none
    bool identity = false;         ///< numbered by the server
    bool identity_always = false;  ///< so numbered, and an INSERT may not say the number
    bool generated = false;        ///< computed by the server: an insert must leave it out
    std::string collation{};       ///< its name where it is another one than the type's
    std::string comment{};

    /// Whether an insert may leave it out.
    [[nodiscard]] bool has_default() const noexcept { return !default_value.empty() || identity || generated; }
};

/// An index of a live table.
struct live_index {
    std::string name;
    std::string definition{};  ///< as `pg_get_indexdef` prints it
    bool unique = false;
    bool primary = false;
    bool valid = false;                    ///< false for what an interrupted `CREATE INDEX CONCURRENTLY` left
    bool plain = false;                    ///< over columns only, and over all rows: no expressions, no condition
    std::vector<std::string> columns{};    ///< the key's columns in their order
    std::vector<std::string> mentioned{};  ///< all columns that the index goes with: also those of expressions, conditions, INCLUDE
    std::string constraint{};              ///< the name of the constraint that it backs; empty where it backs none
};

/// A check or a foreign key of a live table.
struct live_constraint {
    std::string name;
    std::vector<std::string> columns{};
    /// As `pg_get_constraintdef` prints a check; of a foreign key columns, table and actions as isorow writes them.
    std::string definition{};
    bool is_deferrable = false;
};

/// A table, a partitioned table or a view of the live database.
struct live_table {
    oid relation = 0;
    char kind = 'r';  ///< `pg_class.relkind`: `r` a table, `p` a partitioned one, `v` a view, `m` a materialised one, `f` a foreign table
    std::vector<live_column> columns{};
    std::vector<live_index> indexes{};
    std::vector<live_constraint> constraints{};
    bool is_partition = false;
    bool has_row_triggers = false;     ///< triggers that may change the values of rows that are inserted or updated
    std::int64_t estimated_rows = -1;  ///< as of the last VACUUM or ANALYZE; -1 where there was none
    std::string comment{};

    [[nodiscard]] live_column const* find(std::string_view name) const noexcept {
        auto const found = std::find_if(columns.begin(), columns.end(), [&](live_column const& column) { return column.name == name; });
        return found == columns.end() ? nullptr : &*found;
    }

    [[nodiscard]] live_index const* find_index(std::string_view name) const noexcept {
        auto const found = std::find_if(indexes.begin(), indexes.end(), [&](live_index const& index) { return index.name == name; });
        return found == indexes.end() ? nullptr : &*found;
    }

    [[nodiscard]] live_constraint const* find_constraint(std::string_view name) const noexcept {
        auto const found = std::find_if(constraints.begin(), constraints.end(),
                                        [&](live_constraint const& constraint) { return constraint.name == name; });
        return found == constraints.end() ? nullptr : &*found;
    }

    [[nodiscard]] live_index const* primary_key() const noexcept {
        auto const found = std::find_if(indexes.begin(), indexes.end(), [](live_index const& index) { return index.primary; });
        return found == indexes.end() ? nullptr : &*found;
    }
};

}  // namespace isorow::inline v1
