#pragma once

/// @file
/// A table as the server's catalogue has it, held against a struct's description.

#include <isorow/error/mismatch.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/ddl.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// A column of a live table.
struct live_column {
    std::string name;
    std::string type;  ///< as `format_type` prints it, without an extension's schema: `vector(3)`
    bool not_null = false;
    bool has_default = false;  ///< a default, an identity or a generation expression: an insert may leave it out
    bool generated = false;    ///< computed by the server: an insert must leave it out
};

/// A table, a partitioned table or a view of the live database.
struct live_table {
    oid relation = 0;
    std::vector<live_column> columns{};

    [[nodiscard]] live_column const* find(std::string_view name) const noexcept {
        auto const found = std::find_if(columns.begin(), columns.end(), [&](live_column const& column) { return column.name == name; });
        return found == columns.end() ? nullptr : &*found;
    }
};

/// Reads a table from the catalogue by schema and name; search_path has no say. Nothing where it does not exist.
[[nodiscard]] inline std::optional<live_table> read_table(database_ref const& where, std::string_view schema, std::string_view name) {
    auto const relation = query_optional<std::int64_t>(
        where,
        "SELECT c.oid::bigint FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        schema, name);
    if (!relation) return std::nullopt;
    live_table table{static_cast<oid>(*relation)};
    table.columns =
        query<live_column>(where,
                           "SELECT a.attname::text AS name,"
                           " pg_catalog.substring(pg_catalog.format_type(a.atttypid, a.atttypmod), '[^.]*$') AS type,"
                           " a.attnotnull AS not_null, a.atthasdef OR a.attidentity <> '' AS has_default, a.attgenerated <> '' AS generated"
                           " FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped"
                           " ORDER BY a.attnum",
                           *relation);
    return table;
}

/// What of a table must fit a struct: for reading a NULL must have a place to go, for writing also the other way round.
enum class table_use : std::uint8_t {
    reading,
    writing,
};

/// Whether the field at a place can read a column of another type than its own: text reads varchar, a wide integer a narrow column.
using readable_type = bool (*)(std::size_t place, column_type const& found);

namespace detail {

template <class T, std::size_t... Place>
[[nodiscard]] bool reads_type(std::size_t place, column_type const& found, std::index_sequence<Place...>) {
    auto const reads = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        using codec = codec_at<T, I>;
        constexpr auto own = columns_of<T>[I].type;
        if (found.array != own.array || found.id == type_id::vector || found.id == type_id::halfvec)
            return false;  // their dimension counts
        if constexpr (requires { codec::reads(type_id::text); })
            if (codec::reads(found.id)) return true;
        return found.id == own.id;
    };
    return ((place == Place && reads(std::integral_constant<std::size_t, Place>{})) || ...);
}

}  // namespace detail

/// The types that T's fields can read.
template <class T>
[[nodiscard]] bool reads_type_of(std::size_t place, column_type const& found) {
    return detail::reads_type<T>(place, found, std::make_index_sequence<reflect::field_count<T>>{});
}

/// All differences between a struct's columns and a live table's. `wanted`: the columns that matter; empty for all. `readable`: which other
/// types will do; null where only the struct's own.
[[nodiscard]] inline std::vector<difference> compare_columns(table_description const& table, live_table const& live, table_use use,
                                                             std::vector<std::string> const& wanted = {},
                                                             readable_type readable = nullptr) {
    std::vector<difference> differences;
    for (std::size_t place = 0; place < table.columns.size(); ++place) {
        auto const& column = table.columns[place];
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), column.name) == wanted.end()) continue;
        auto const report = [&](std::string expected, std::string found) {
            differences.push_back(
                {text("{}.{}", table.struct_name, column.field), std::string(column.name), std::move(expected), std::move(found)});
        };
        auto const* const found = live.find(column.name);
        if (found == nullptr) {
            report(to_sql(column.type), "no such column");
            continue;
        }
        column_type other;
        bool const will_do = readable != nullptr && parse_column_type(found->type, other) && readable(place, other);
        if (found->type != to_sql(column.type) && !will_do) report(to_sql(column.type), found->type);
        if (!column.nullable && !found->not_null && use == table_use::reading)
            report("NOT NULL, as the field is not std::optional", "a column that may be NULL");
        if (use == table_use::reading) continue;
        if (column.nullable && found->not_null) report("a column that may be NULL, as the field is std::optional", "NOT NULL");
        if (found->generated) report("a column that can be written", "a generated column");
    }
    if (use == table_use::reading) return differences;
    for (auto const& column : live.columns) {
        bool const is_ours =
            std::any_of(table.columns.begin(), table.columns.end(), [&](auto const& own) { return own.name == column.name; });
        if (!is_ours && column.not_null && !column.has_default)
            differences.push_back(
                {std::string(table.struct_name), column.name, "a field for it, or a default", "NOT NULL without a default"});
    }
    return differences;
}

/// Throws `mismatch` with all differences where the live table cannot take a struct's rows, and `usage_error` where it does not exist.
inline void require_columns(database_ref const& where, table_description const& table, table_use use,
                            std::vector<std::string> const& wanted = {}, readable_type readable = nullptr) {
    auto const live = read_table(where, table.schema, table.name);
    if (!live) throw usage_error(text("the table {} does not exist", quote_identifier(table.schema, table.name)));
    auto differences = compare_columns(table, *live, use, wanted, readable);
    if (!differences.empty())
        throw mismatch(table.struct_name, text("the table {}", quote_identifier(table.schema, table.name)), std::move(differences));
}

}  // namespace isorow::inline v1
