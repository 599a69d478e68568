#pragma once

/// @file
/// A struct held against the DDL of its table: statements as `pg_dump --schema-only` writes them, or as somebody writes them by hand. All
/// of it is done by constant expressions where the DDL is one.

#include <isorow/error/error.hpp>
#include <isorow/schema/check.hpp>
#include <isorow/schema/compare_table.hpp>
#include <isorow/schema/detail/difference_report.hpp>
#include <isorow/schema/detail/sql_table_reader.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// Text of DDL: a literal, or an array of characters that is initialised by one, or anything that is a `std::string_view`. Refers to it.
class ddl_text {
public:
    template <std::size_t Size>
    constexpr ddl_text(char const (&literal)[Size]) noexcept : text_(literal, Size - 1) {}  // NOLINT(google-explicit-constructor)
    constexpr ddl_text(std::string_view text) noexcept : text_(text) {}                     // NOLINT(google-explicit-constructor)
    ddl_text(std::string const& text) noexcept : text_(text) {}                             // NOLINT(google-explicit-constructor)

    [[nodiscard]] constexpr std::string_view view() const noexcept { return text_; }

private:
    std::string_view text_;
};

namespace detail {

constexpr void require_readable(table_in_sql const& read) {
    if (!read.problem.empty()) throw usage_error("the DDL cannot be read: " + read.problem.str());
}

[[nodiscard]] inline live_table as_live_table(table_in_sql const& read) {
    live_table table{.kind = read.is_partitioned ? 'p' : 'r'};
    for (auto const& column : read.columns)
        table.columns.push_back({.name = column.name.str(),
                                 .type = column.type.str(),
                                 .not_null = column.not_null,
                                 .default_value = std::string(column.default_value),
                                 .identity = column.identity,
                                 .identity_always = column.identity_always,
                                 .generated = column.generated,
                                 .collation = column.collation.str()});
    for (auto const& index : read.indexes) {
        auto& made = table.indexes.emplace_back();
        made = {.name = index.name.str(),
                .definition = std::string(index.definition),
                .unique = index.unique,
                .primary = index.primary,
                .valid = true,
                .plain = index.plain};
        for (auto const& column : index.columns) made.columns.push_back(column.str());
        if (index.is_constraint) made.constraint = made.name;
    }
    for (auto const& constraint : read.constraints) {
        auto& made = table.constraints.emplace_back();
        made = {.name = constraint.name.str(), .definition = constraint.definition().str()};
        for (auto const& column : constraint.columns) made.columns.push_back(column.str());
    }
    return table;
}

template <class T>
[[nodiscard]] constexpr std::vector<noted_difference> compare_with(table_in_sql const& read, table_use use) {
    auto const other = as_compared(read);
    return compare(description_of<T>, read.exists ? &other : nullptr, use, use == table_use::reading ? &field_reads_type<T> : nullptr);
}

}  // namespace detail

/// The table that DDL makes, as the catalogue would have it; nothing where it does not make it. A name without a schema is of the first
/// schema of the `search_path` that the DDL sets, and of any schema where it sets none. Statements about other things are passed over.
///
/// Throws `usage_error`, which says line and reason, where the DDL is malformed, where it does to the table what is not known here, and
/// where the table's columns stand elsewhere: INHERITS, LIKE, OF, PARTITION OF, AS.
[[nodiscard]] inline std::optional<live_table> read_ddl(ddl_text ddl, std::string_view schema, std::string_view name) {
    auto const read = detail::sql_table_reader(ddl.view(), schema, name).read();
    detail::require_readable(read);
    if (!read.exists) return std::nullopt;
    return detail::as_live_table(read);
}

/// All differences between T's table and what DDL makes. `use`: what of the table must fit; by default all of it, so that neither has a
/// column that the other does not have. Throws as `read_ddl`.
template <class T>
[[nodiscard]] std::vector<difference> ddl_differences(ddl_text ddl, table_use use = table_use::defining) {
    check<T>();
    auto const read = detail::sql_table_reader(ddl.view(), description_of<T>.schema, description_of<T>.name).read();
    detail::require_readable(read);
    return detail::as_differences(detail::compare_with<T>(read, use));
}

/// Whether T's table is what DDL makes:
/// @code
/// static_assert(isorow::conforms<Product>(R"(
///     CREATE TABLE products (category text, name text, price double precision, PRIMARY KEY (category, name));
/// )"));
/// @endcode
/// Throws as `read_ddl`, which is an error of the compiler in a constant expression.
template <class T>
[[nodiscard]] constexpr bool conforms(ddl_text ddl, table_use use = table_use::defining) {
    check<T>();
    auto const read = detail::sql_table_reader(ddl.view(), description_of<T>.schema, description_of<T>.name).read();
    detail::require_readable(read);
    return detail::compare_with<T>(read, use).empty();
}

namespace detail {

template <class T, auto const& Ddl, table_use Use>
struct ddl_comparison {
    [[nodiscard]] static constexpr table_in_sql read() {
        return sql_table_reader(ddl_text(Ddl).view(), description_of<T>.schema, description_of<T>.name).read();
    }
    static constexpr bool is_readable = read().problem.empty();

    [[nodiscard]] static constexpr held_against against() noexcept {
        return is_readable ? held_against::ddl : held_against::unreadable_ddl;
    }
    [[nodiscard]] static constexpr std::vector<noted_difference> differences() {
        auto const found = read();
        if (found.problem.empty()) return compare_with<T>(found, Use);
        std::vector<noted_difference> unreadable(1);
        unreadable.front().field += type_name<T>();
        unreadable.front().found += found.problem.view();
        return unreadable;
    }
};

}  // namespace detail

/// Stops the compiler where T's table is not what DDL makes, with a message for each difference that names struct, field, column, what the
/// struct expects and what was found. `Ddl` is a constant with static storage:
/// @code
/// constexpr char ddl[] = R"(CREATE TABLE products (…);)";
/// static_assert(isorow::check_conforms<Product, ddl>());
/// @endcode
/// A file of SQL becomes such a constant by CMake's `isorow_embed_sql(program schema.sql)`.
template <class T, auto const& Ddl, table_use Use = table_use::defining>
consteval bool check_conforms() {
    check<T>();
    if constexpr (mappable<T>) detail::differences_report<detail::ddl_comparison<T, Ddl, Use>>::print();
    return true;
}

}  // namespace isorow::inline v1
