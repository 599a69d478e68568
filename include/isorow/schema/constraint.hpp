#pragma once

/// @file
/// What a table asks of its rows beside their types, as flat data: checks, foreign keys, and how the server numbers a column.

#include <isorow/schema/index.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace isorow::inline v1 {

/// Whether the server numbers a column's values.
enum class identity : std::uint8_t {
    none,
    by_default,  ///< where an INSERT says no number. Targets write the declared one
    always,      ///< an INSERT may not say one, so that no target can write the column
};

/// What becomes of a row when the row that it refers to is deleted, or gets another key.
enum class referential_action : std::uint8_t {
    no_action,  ///< it is refused unless the reference is good again by the end
    restricted,
    cascade,
    set_null,
    set_default,
};
inline constexpr referential_action cascade = referential_action::cascade;
inline constexpr referential_action set_null = referential_action::set_null;
inline constexpr referential_action set_default = referential_action::set_default;

namespace detail {

/// `BY DEFAULT AS IDENTITY`; empty where the server does not number the column.
[[nodiscard]] constexpr std::string_view identity_sql(identity identity) noexcept {
    switch (identity) {
        case identity::none:
            return {};
        case identity::by_default:
            return "BY DEFAULT AS IDENTITY";
        case identity::always:
            return "ALWAYS AS IDENTITY";
    }
    return {};
}

/// `SET NULL`; empty where nothing is done.
[[nodiscard]] constexpr std::string_view action_sql(referential_action action) noexcept {
    switch (action) {
        case referential_action::no_action:
            return {};
        case referential_action::restricted:
            return "RESTRICT";
        case referential_action::cascade:
            return "CASCADE";
        case referential_action::set_null:
            return "SET NULL";
        case referential_action::set_default:
            return "SET DEFAULT";
    }
    return {};
}

}  // namespace detail

/// What may be said of a foreign key.
struct foreign_key_options {
    referential_action on_delete = referential_action::no_action;
    referential_action on_update = referential_action::no_action;
    std::string_view name{};  ///< made from table and columns where it is empty: `orders_customer_fkey`
};

/// A condition that every row satisfies, or in which something is NULL.
struct check_description {
    std::string_view name;
    std::string_view condition;  ///< an SQL expression: "starts < ends"

    friend constexpr bool operator==(check_description const&, check_description const&) = default;
};

/// A foreign key: these columns have the values of a row of another table, or one of them is NULL.
struct foreign_key_description {
    field_list fields{};
    std::string_view schema{};  ///< of the table that is referred to
    std::string_view table{};
    std::array<std::string_view, index_column_limit> columns{};  ///< its columns, as many as there are fields
    foreign_key_options options{};

    friend constexpr bool operator==(foreign_key_description const& left, foreign_key_description const& right) {
        return left.fields == right.fields && left.schema == right.schema && left.table == right.table && left.columns == right.columns &&
               left.options.on_delete == right.options.on_delete && left.options.on_update == right.options.on_update &&
               left.options.name == right.options.name;
    }
};

/// Columns of a table that is known by its name.
struct named_reference {
    std::string_view schema;  ///< `public` where none is said
    std::string_view table;
    std::array<std::string_view, index_column_limit> columns{};
    std::size_t count = 0;  ///< more than 32 are counted, not kept
    foreign_key_options options{};
};

/// Columns of a struct's table.
template <auto... Pointers>
struct member_reference {
    foreign_key_options options{};
};

/// What a foreign key refers to: `references<&Customer::id>({.on_delete = cascade})`.
template <auto... Pointers>
[[nodiscard]] constexpr member_reference<Pointers...> references(foreign_key_options options = {}) {
    static_assert(sizeof...(Pointers) > 0 && sizeof...(Pointers) <= index_column_limit, "isorow: a foreign key has 1 to 32 columns");
    return {options};
}

/// The same of a table that has no struct, with its schema before a dot where that is not `public`:
/// `references("geo.countries", {"code"})`.
[[nodiscard]] constexpr named_reference references(std::string_view table, std::initializer_list<std::string_view> columns,
                                                   foreign_key_options options = {}) {
    auto const dot = table.find('.');
    bool const has_schema = dot != std::string_view::npos;
    named_reference named{.schema = has_schema ? table.substr(0, dot) : std::string_view("public"),
                          .table = has_schema ? table.substr(dot + 1) : table,
                          .options = options};
    for (auto const column : columns) {
        if (named.count < index_column_limit) named.columns[named.count] = column;
        ++named.count;
    }
    return named;
}

}  // namespace isorow::inline v1
