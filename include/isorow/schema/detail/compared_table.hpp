#pragma once

/// @file
/// A table as comparisons see it, wherever it was read: in the live catalogue or in DDL. Refers to what was read.

#include <isorow/schema/constraint.hpp>
#include <isorow/schema/detail/sql_table_reader.hpp>
#include <isorow/schema/detail/text_builder.hpp>
#include <isorow/schema/live_table.hpp>

#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

struct compared_column {
    std::string_view name;
    std::string_view type;
    bool not_null = false;
    bool has_default = false;
    bool generated = false;
    isorow::identity identity = isorow::identity::none;
    std::string_view collation{};  ///< empty: the type's
};

struct compared_index {
    std::string_view name;
    std::string_view definition;  ///< empty for a constraint's, which is a btree
    bool unique = false;
    bool primary = false;
    bool valid = true;
    bool plain = true;
    std::vector<std::string_view> columns{};
};

/// A check or a foreign key.
struct compared_constraint {
    std::string_view name;  ///< may be empty, of checks
    text_builder definition;
};

struct compared_table {
    std::vector<compared_column> columns{};
    std::vector<compared_index> indexes{};
    std::vector<compared_constraint> constraints{};

    [[nodiscard]] constexpr compared_column const* find(std::string_view name) const noexcept {
        for (auto const& column : columns)
            if (column.name == name) return &column;
        return nullptr;
    }
};

[[nodiscard]] constexpr identity as_identity(bool is_numbered, bool is_always) noexcept {
    return is_always ? identity::always : is_numbered ? identity::by_default : identity::none;
}

[[nodiscard]] inline compared_table as_compared(live_table const& live) {
    compared_table table;
    for (auto const& column : live.columns)
        table.columns.push_back({column.name, column.type, column.not_null, column.has_default(), column.generated,
                                 as_identity(column.identity, column.identity_always), column.collation});
    for (auto const& constraint : live.constraints) table.constraints.push_back({constraint.name, text_builder(constraint.definition)});
    for (auto const& index : live.indexes)
        table.indexes.push_back({index.name,
                                 index.definition,
                                 index.unique,
                                 index.primary,
                                 index.valid,
                                 index.plain,
                                 {index.columns.begin(), index.columns.end()}});
    return table;
}

[[nodiscard]] constexpr compared_table as_compared(table_in_sql const& read) {
    compared_table table;
    for (auto const& column : read.columns) {
        bool const has_default = !column.default_value.empty() || column.identity || column.generated;
        auto const collation = column.collation.view();
        table.columns.push_back({column.name.view(), column.type.view(), column.not_null, has_default, column.generated,
                                 as_identity(column.identity, column.identity_always),
                                 collation == "default" ? std::string_view{} : collation});
    }
    for (auto const& constraint : read.constraints) table.constraints.push_back({constraint.name.view(), constraint.definition()});
    for (auto const& index : read.indexes) {
        compared_index seen{index.name.view(), index.definition, index.unique, index.primary, true, index.plain};
        for (auto const& column : index.columns) seen.columns.push_back(column.view());
        table.indexes.push_back(std::move(seen));
    }
    return table;
}

}  // namespace isorow::inline v1::detail
