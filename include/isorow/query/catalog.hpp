#pragma once

/// @file
/// A table as the server's catalogue has it, held against a struct's description.

#include <isorow/config.hpp>
#include <isorow/error/mismatch.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/ddl.hpp>
#include <isorow/schema/live_table.hpp>
#include <isorow/schema/type_change.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// Reads a table from the catalogue by schema and name; search_path has no say. Nothing where it does not exist.
[[nodiscard]] std::optional<live_table> read_table(database_ref const& where, std::string_view schema, std::string_view name);

#if ISOROW_HAS_CODE

namespace detail {

/// A column of the catalogue with what the table itself has; without a name where the table has no columns.
struct catalog_column {
    std::int64_t relation;
    std::string kind;
    bool is_partition;
    bool has_row_triggers;
    std::int64_t estimated_rows;
    std::string name;
    std::string type;
    bool not_null;
    std::string default_value;
    std::string identity;
    bool generated;
};

/// An index, a check or a foreign key of the catalogue.
struct catalog_constraint {
    std::string name;
    bool is_index;
    std::string definition;
    bool is_unique;
    bool is_primary;
    bool is_valid;
    bool is_plain;
    std::vector<std::string> columns;
    std::vector<std::string> mentioned;
    std::string constraint_name;
};

/// $1: schema, $2: name. The triggers are those that fire before rows are written, or instead of it. Source: `tgtype`'s bits in
/// src/include/catalog/pg_trigger.h.
inline constexpr std::string_view catalog_columns_sql =
    "SELECT c.oid::bigint AS relation, c.relkind::text AS kind, c.relispartition AS is_partition,"
    " EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
    " AND (t.tgtype & 1) <> 0 AND (t.tgtype & 66) <> 0 AND (t.tgtype & 20) <> 0) AS has_row_triggers,"
    " c.reltuples::bigint AS estimated_rows, coalesce(a.attname::text, '') AS name,"
    " coalesce(pg_catalog.substring(pg_catalog.format_type(a.atttypid, a.atttypmod), '[^.]*$'), '') AS type,"
    " coalesce(a.attnotnull, false) AS not_null,"
    " CASE WHEN a.attgenerated = '' THEN coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') ELSE '' END AS default_value,"
    " coalesce(a.attidentity::text, '') AS identity, coalesce(a.attgenerated <> '', false) AS generated"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY a.attnum";

/// $1: the table's OID. What a column takes with it when it is dropped is known to `pg_depend`, for an index that backs a constraint by
/// way of this one.
inline constexpr std::string_view catalog_constraints_sql =
    "SELECT c.relname::text AS name, true AS is_index, pg_catalog.pg_get_indexdef(i.indexrelid) AS definition,"
    " i.indisunique AS is_unique, i.indisprimary AS is_primary, i.indisvalid AS is_valid,"
    " i.indpred IS NULL AND i.indexprs IS NULL AS is_plain,"
    " ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY p(number, place)"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.number ORDER BY p.place) AS columns,"
    " ARRAY(SELECT DISTINCT a.attname::text FROM pg_catalog.pg_depend d"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
    " WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid > 0"
    " AND (d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid"
    " OR d.classid = 'pg_catalog.pg_constraint'::regclass AND d.objid = k.oid)) AS mentioned,"
    " coalesce(k.conname::text, '') AS constraint_name"
    " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
    " LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')"
    " WHERE i.indrelid = $1::bigint::oid"
    " UNION ALL SELECT k.conname::text, false, '', false, false, true, true,"
    " ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.conkey) p(number)"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.number), '{}', k.conname::text"
    " FROM pg_catalog.pg_constraint k WHERE k.conrelid = $1::bigint::oid AND k.contype IN ('c', 'f') ORDER BY 1";

[[nodiscard]] inline live_column to_live_column(catalog_column&& column) {
    return {.name = std::move(column.name),
            .type = std::move(column.type),
            .not_null = column.not_null,
            .default_value = std::move(column.default_value),
            .identity = !column.identity.empty(),
            .identity_always = column.identity == "a",
            .generated = column.generated};
}

[[nodiscard]] inline live_index to_live_index(catalog_constraint&& index) {
    return {.name = std::move(index.name),
            .definition = std::move(index.definition),
            .unique = index.is_unique,
            .primary = index.is_primary,
            .valid = index.is_valid,
            .plain = index.is_plain,
            .columns = std::move(index.columns),
            .mentioned = std::move(index.mentioned),
            .constraint = std::move(index.constraint_name)};
}

}  // namespace detail

ISOROW_DECL std::optional<live_table> read_table(database_ref const& where, std::string_view schema, std::string_view name) {
    auto columns = query<detail::catalog_column>(where, detail::catalog_columns_sql, schema, name);
    if (columns.empty()) return std::nullopt;
    auto const& first = columns.front();
    live_table table{.relation = static_cast<oid>(first.relation),
                     .kind = first.kind.front(),
                     .is_partition = first.is_partition,
                     .has_row_triggers = first.has_row_triggers,
                     .estimated_rows = first.estimated_rows};
    auto constraints = query<detail::catalog_constraint>(where, detail::catalog_constraints_sql, first.relation);
    for (auto& column : columns)
        if (!column.name.empty()) table.columns.push_back(detail::to_live_column(std::move(column)));
    for (auto& one : constraints) {
        if (one.is_index) table.indexes.push_back(detail::to_live_index(std::move(one)));
        else table.constraints.push_back({std::move(one.name), std::move(one.columns)});
    }
    return table;
}

#endif

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
[[nodiscard]] std::vector<difference> compare_columns(table_description const& table, live_table const& live, table_use use,
                                                      std::vector<std::string> const& wanted = {}, readable_type readable = nullptr);

/// Throws `mismatch` with all differences where the live table cannot take a struct's rows, and `usage_error` where it does not exist.
void require_columns(database_ref const& where, table_description const& table, table_use use, std::vector<std::string> const& wanted = {},
                     readable_type readable = nullptr);

#if ISOROW_HAS_CODE

ISOROW_DECL std::vector<difference> compare_columns(table_description const& table, live_table const& live, table_use use,
                                                    std::vector<std::string> const& wanted, readable_type readable) {
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
        bool const will_do = readable != nullptr && read_live_type(found->type, other) && readable(place, other);
        if (!is_type(column.type, found->type) && !will_do) report(to_sql(column.type), found->type);
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
        if (!is_ours && column.not_null && !column.has_default())
            differences.push_back(
                {std::string(table.struct_name), column.name, "a field for it, or a default", "NOT NULL without a default"});
    }
    return differences;
}

ISOROW_DECL void require_columns(database_ref const& where, table_description const& table, table_use use,
                                 std::vector<std::string> const& wanted, readable_type readable) {
    auto const live = read_table(where, table.schema, table.name);
    if (!live) throw usage_error(text("the table {} does not exist", quote_identifier(table.schema, table.name)));
    auto differences = compare_columns(table, *live, use, wanted, readable);
    if (!differences.empty())
        throw mismatch(table.struct_name, text("the table {}", quote_identifier(table.schema, table.name)), std::move(differences));
}

#endif

}  // namespace isorow::inline v1
