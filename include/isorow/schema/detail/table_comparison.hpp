#pragma once

/// @file
/// The comparison of tables: one for constant expressions and for running programs.

#include <isorow/schema/detail/compared_table.hpp>
#include <isorow/schema/detail/constraint_comparison.hpp>
#include <isorow/schema/detail/declared_index.hpp>
#include <isorow/schema/detail/noted_differences.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/schema/type_change.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// What of a table must fit a struct.
enum class table_use : std::uint8_t {
    reading,   ///< the struct's columns are there, and a NULL has a place to go
    writing,   ///< also the other way round: what the struct does not have, the server can fill in
    defining,  ///< all of it: the columns are the struct's and no others, and so are its key, its defaults and its indexes
};

/// Whether the field at a place can read a column of another type than its own: text reads varchar, a wide integer a narrow column.
using readable_type = bool (*)(std::size_t place, column_type const& found);

namespace detail {

/// Collects the differences of one table.
class table_comparison {
public:
    constexpr table_comparison(table_description const& table, table_use use, readable_type readable)
        : table_(&table), use_(use), readable_(readable), differences_(table) {}

    /// `wanted`: the columns that matter; empty for all.
    constexpr void compare_columns(compared_table const& other, std::span<std::string const> wanted) {
        for (std::size_t place = 0; place < table_->columns.size(); ++place)
            if (wanted.empty() || std::find(wanted.begin(), wanted.end(), table_->columns[place].name) != wanted.end())
                compare_column(place, other.find(table_->columns[place].name));
        if (use_ == table_use::reading) return;
        for (auto const& column : other.columns)
            if (std::none_of(table_->columns.begin(), table_->columns.end(), [&](auto const& own) { return own.name == column.name; }))
                note_unknown_column(column);
    }

    constexpr void compare_keys(compared_table const& other) {
        std::vector<std::string_view> expected;
        for (auto const place : table_->key) expected.push_back(table_->columns[place].name);
        std::vector<std::string_view> found;
        for (auto const& index : other.indexes)
            if (index.primary) found = index.columns;
        if (expected == found) return;
        auto& noted = differences_.note_table();
        add_key(noted.expected, expected);
        add_key(noted.found, found);
    }

    constexpr void compare_indexes(compared_table const& other) {
        for (auto const& index : declared_indexes(*table_)) {
            declared_index const declared(*table_, index);
            if (std::any_of(other.indexes.begin(), other.indexes.end(), [&](auto const& one) { return declared.is(one); })) continue;
            bool const is_of_one = index.fields.size() == 1;
            auto& noted = is_of_one ? differences_.note(index.fields[0]) : differences_.note_table();
            declared.add_words(noted.expected);
            add_nearest(noted.found, declared, other);
        }
    }

    constexpr void compare_constraints(compared_table const& other) { constraint_comparison(*table_, other, differences_).run(); }

    constexpr void note_missing_table() {
        auto& noted = differences_.note_table();
        noted.expected.add("the table ", table_->schema, ".", table_->name);
        noted.found.add("no such table");
    }

    [[nodiscard]] constexpr std::vector<noted_difference> const& differences() const noexcept { return differences_.all(); }

private:
    constexpr void compare_column(std::size_t place, compared_column const* found) {
        auto const& column = table_->columns[place];
        if (found == nullptr) {
            auto& noted = differences_.note(place);
            append_sql(noted.expected, column.type);
            noted.found.add("no such column");
            return;
        }
        column_type other;
        bool const will_do = readable_ != nullptr && parse_column_type(found->type, other) && readable_(place, other);
        if (!is_type(column.type, found->type) && !will_do) {
            auto& noted = differences_.note(place);
            append_sql(noted.expected, column.type);
            noted.found.add(found->type);
        }
        if (!column.nullable && !found->not_null && use_ != table_use::writing)
            differences_.note(place, "NOT NULL, as the field is not std::optional", "a column that may be NULL");
        if (use_ == table_use::reading) return;
        if (column.nullable && found->not_null)
            differences_.note(place, "a column that may be NULL, as the field is std::optional", "NOT NULL");
        if (found->generated && column.is_written()) differences_.note(place, "a column that can be written", "a generated column");
        if (!found->generated && !column.is_written()) differences_.note(place, "a generated column", "a column that is written");
        if (use_ == table_use::defining && !column.default_value.empty() && !found->has_default)
            differences_.note(place, text_of("DEFAULT ", column.default_value).view(), "no default");
        if (use_ == table_use::defining) compare_rules(place, *found);
    }

    /// How the column is numbered and its values are ordered, where the struct says it.
    constexpr void compare_rules(std::size_t place, compared_column const& found) {
        auto const& column = table_->columns[place];
        if (found.identity != column.identity && (column.identity != identity::none || found.identity == identity::always)) {
            auto& noted = differences_.note(place);
            if (column.identity == identity::none) noted.expected.add("a column that can be written");
            else noted.expected.add("GENERATED ", identity_sql(column.identity));
            if (found.identity == identity::none) noted.found.add("a column that the server does not number");
            else noted.found.add("GENERATED ", identity_sql(found.identity));
        }
        if (!column.collation.empty() && column.collation != found.collation) {
            auto& noted = differences_.note(place);
            noted.expected.add("COLLATE ", column.collation);
            if (found.collation.empty()) noted.found.add("the type's collation");
            else noted.found.add("COLLATE ", found.collation);
        }
    }

    constexpr void note_unknown_column(compared_column const& column) {
        bool const is_needed = column.not_null && !column.has_default;
        if (!is_needed && use_ != table_use::defining) return;
        auto& noted = differences_.note_table();
        noted.column.add(column.name);
        noted.expected.add(is_needed ? "a field for it, or a default" : "a field for it, or no such column");
        noted.found.add(is_needed ? "NOT NULL without a default" : column.type);
    }

    static constexpr void add_key(text_builder& words, std::vector<std::string_view> const& columns) {
        if (columns.empty()) return words.add("no primary key");
        char const* separator = "PRIMARY KEY (";
        for (auto const column : columns) words.add(std::exchange(separator, ", "), column);
        words.add(")");
    }

    /// What stands in an index's place: one of its name, else one over its columns.
    static constexpr void add_nearest(text_builder& words, declared_index const& declared, compared_table const& other) {
        compared_index const* nearest = nullptr;
        for (auto const& index : other.indexes) {
            bool const has_name = index.name == declared.description().name;
            if (has_name || (nearest == nullptr && !index.primary && declared.has_columns(index.columns))) nearest = &index;
            if (has_name) break;
        }
        if (nearest == nullptr) words.add("no such index");
        else if (!nearest->valid) words.add(nearest->name, ", which is not valid");
        else if (nearest->definition.empty()) words.add("the constraint ", nearest->name);
        else words.add(nearest->definition);
    }

    table_description const* table_;
    table_use use_;
    readable_type readable_;
    noted_differences differences_;
};

/// All differences between a table as it is described and another, null where there is none.
[[nodiscard]] constexpr std::vector<noted_difference> compare(table_description const& table, compared_table const* other, table_use use,
                                                              readable_type readable) {
    table_comparison comparison(table, use, readable);
    if (other == nullptr) {
        comparison.note_missing_table();
        return comparison.differences();
    }
    comparison.compare_columns(*other, {});
    if (use == table_use::defining) {
        comparison.compare_keys(*other);
        comparison.compare_indexes(*other);
        comparison.compare_constraints(*other);
    }
    return comparison.differences();
}

}  // namespace detail

}  // namespace isorow::inline v1
