#pragma once

/// @file
/// The SQL that reads a followed table: its rows as they are now, by keys that a list has, or all of them in chunks.

#include <isorow/config.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/query/filter.hpp>
#include <isorow/source/detail/conditions.hpp>
#include <isorow/source/notification.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// What a source says of a table that is followed.
struct followed_table {
    std::string schema{};
    std::string name{};
    std::vector<std::string> columns{};      ///< to be read; the key's are among them
    std::vector<std::string> other_types{};  ///< the types' names of those that are read as text, by the columns' places; empty for others
    std::vector<std::string> key{};
    std::string ordinal{};  ///< the column that grows as rows are written; empty where there is none
    std::string sql_filter{};
    isorow::filter filter{};

    [[nodiscard]] std::string quoted() const { return quote_identifier(schema, name); }
};

class followed_sql {
public:
    explicit followed_sql(followed_table table) : table_(std::move(table)) {}

    [[nodiscard]] followed_table const& table() const noexcept { return table_; }
    [[nodiscard]] std::size_t columns() const noexcept { return table_.columns.size(); }
    [[nodiscard]] std::size_t keys() const noexcept { return table_.key.size(); }

    /// Appends the filter's values, which are the first of each statement's.
    void bind_filter(parameters& bound, connection& connection, limits const& limits) const;

    /// A SELECT list of rows that `by_key` joins to a list of keys `isorow_k`, and whether the row is there, so that the filter holds, and
    /// whether there is a key. Of rows that are not there the key's columns are the list's.
    [[nodiscard]] std::string list_by_key() const;

    /// ` LEFT JOIN …` behind a list of keys `isorow_k`. Each key is looked up by itself, by the index of the primary key, whatever the
    /// planner thinks of the list. `inexact`: the places of key columns of which the list has the form as well, and a row is there only if
    /// its key has the same.
    [[nodiscard]] std::string by_key(std::vector<std::size_t> const& inexact = {}) const;

    /// A chunk of all rows in the order of the key. `behind`: whether a key was read already, whose values come behind the filter's.
    [[nodiscard]] std::string chunk(bool behind, std::size_t rows, std::size_t filter_values) const;

    /// A chunk of the rows whose ordinal is greater than `$filter_values + 1`, in its order, whether the filter holds for them or not. Then
    /// come whether it tells of anything, which it does, the key's columns, and the ordinal. `behind`: whether a row of the same pass was
    /// read already, whose ordinal and key these are then.
    [[nodiscard]] std::string chunk_by_ordinal(bool behind, std::size_t rows, std::size_t filter_values) const;

    /// Where both filters hold; empty where there is none.
    [[nodiscard]] std::string conditions(std::string_view before) const { return conditions_of(before, table_.sql_filter, table_.filter); }

    /// A column of the table, quoted, with the table's name.
    [[nodiscard]] std::string own(std::string_view column) const;

private:
    [[nodiscard]] static std::string places(std::size_t first, std::size_t count);
    /// The source's columns, each with a comma behind it.
    [[nodiscard]] std::string own_columns() const;
    [[nodiscard]] std::string key_columns() const;
    [[nodiscard]] std::string named_key() const;
    [[nodiscard]] bool is_text(std::size_t column) const noexcept {
        return column < table_.other_types.size() && !table_.other_types[column].empty();
    }
    [[nodiscard]] std::size_t key_place(std::string_view column) const noexcept;

    followed_table table_;
};

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/source/detail/followed_table_code.hpp>
#endif
