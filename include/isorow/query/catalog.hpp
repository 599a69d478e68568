#pragma once

/// @file
/// A table as the server's catalogue has it, held against a struct's description.

#include <isorow/config.hpp>
#include <isorow/error/mismatch.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/compare_table.hpp>
#include <isorow/schema/live_table.hpp>
#include <isorow/schema/type_change.hpp>

#include <cstddef>
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
    std::string collation;
    std::string comment;
    std::string table_comment;
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
    bool is_deferrable;
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
    " coalesce(a.attidentity::text, '') AS identity, coalesce(a.attgenerated <> '', false) AS generated,"
    " CASE WHEN a.attcollation <> y.typcollation THEN l.collname::text ELSE '' END AS collation,"
    " coalesce(pg_catalog.col_description(c.oid, a.attnum), '') AS comment,"
    " coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '') AS table_comment"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " LEFT JOIN pg_catalog.pg_type y ON y.oid = a.atttypid LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation"
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
    " coalesce(k.conname::text, '') AS constraint_name, coalesce(k.condeferrable, false) AS is_deferrable"
    " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
    " LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')"
    " WHERE i.indrelid = $1::bigint::oid"
    " UNION ALL SELECT k.conname::text, false, CASE k.contype WHEN 'c' THEN pg_catalog.pg_get_constraintdef(k.oid) ELSE 'FOREIGN KEY ('"
    " || (SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY p.place) FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY p(number, place)"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.number)"
    " || ') REFERENCES ' || (SELECT n.nspname || '.' || r.relname FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n"
    " ON n.oid = r.relnamespace WHERE r.oid = k.confrelid)"
    " || ' (' || (SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY p.place) FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY"
    " p(number, place) JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.number) || ')'"
    " || CASE k.confupdtype WHEN 'r' THEN ' ON UPDATE RESTRICT' WHEN 'c' THEN ' ON UPDATE CASCADE' WHEN 'n' THEN ' ON UPDATE SET NULL'"
    " WHEN 'd' THEN ' ON UPDATE SET DEFAULT' ELSE '' END"
    " || CASE k.confdeltype WHEN 'r' THEN ' ON DELETE RESTRICT' WHEN 'c' THEN ' ON DELETE CASCADE' WHEN 'n' THEN ' ON DELETE SET NULL'"
    " WHEN 'd' THEN ' ON DELETE SET DEFAULT' ELSE '' END END, false, false, true, true,"
    " ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.conkey) p(number)"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.number), '{}', k.conname::text, k.condeferrable"
    " FROM pg_catalog.pg_constraint k WHERE k.conrelid = $1::bigint::oid AND k.contype IN ('c', 'f') ORDER BY 1";

[[nodiscard]] inline live_column to_live_column(catalog_column&& column) {
    return {.name = std::move(column.name),
            .type = std::move(column.type),
            .not_null = column.not_null,
            .default_value = std::move(column.default_value),
            .identity = !column.identity.empty(),
            .identity_always = column.identity == "a",
            .generated = column.generated,
            .collation = std::move(column.collation),
            .comment = std::move(column.comment)};
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
                     .estimated_rows = first.estimated_rows,
                     .comment = first.table_comment};
    auto constraints = query<detail::catalog_constraint>(where, detail::catalog_constraints_sql, first.relation);
    for (auto& column : columns)
        if (!column.name.empty()) table.columns.push_back(detail::to_live_column(std::move(column)));
    for (auto& one : constraints) {
        if (one.is_index) table.indexes.push_back(detail::to_live_index(std::move(one)));
        else table.constraints.push_back({std::move(one.name), std::move(one.columns), std::move(one.definition), one.is_deferrable});
    }
    return table;
}

#endif

namespace detail {

template <class T, std::size_t... Place>
[[nodiscard]] bool reads_type(std::size_t place, column_type const& found, std::index_sequence<Place...>) {
    auto const reads = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        using codec = codec_at<T, I>;
        constexpr auto own = columns_of<T>[I].type;
        constexpr bool has_dimension =
            own.id == type_id::vector || own.id == type_id::halfvec || own.id == type_id::sparsevec || own.id == type_id::bit;
        if (found.array != own.array || has_dimension) return false;  // whose dimension counts
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

/// The table, as `read_table`. Throws `usage_error` where it does not exist.
[[nodiscard]] live_table require_table(database_ref const& where, std::string_view schema, std::string_view name);

/// Throws `mismatch` with all differences where the live table does not fit a struct's rows.
void require_columns(table_description const& table, live_table const& live, table_use use, std::vector<std::string> const& wanted = {},
                     readable_type readable = nullptr);
/// The same of the table that the struct names, and `usage_error` where it does not exist.
void require_columns(database_ref const& where, table_description const& table, table_use use, std::vector<std::string> const& wanted = {},
                     readable_type readable = nullptr);

#if ISOROW_HAS_CODE

ISOROW_DECL live_table require_table(database_ref const& where, std::string_view schema, std::string_view name) {
    auto live = read_table(where, schema, name);
    if (!live) throw usage_error(text("the table {} does not exist", quote_identifier(schema, name)));
    return std::move(*live);
}

ISOROW_DECL void require_columns(database_ref const& where, table_description const& table, table_use use,
                                 std::vector<std::string> const& wanted, readable_type readable) {
    require_columns(table, require_table(where, table.schema, table.name), use, wanted, readable);
}

ISOROW_DECL void require_columns(table_description const& table, live_table const& live, table_use use,
                                 std::vector<std::string> const& wanted, readable_type readable) {
    auto differences = compare_columns(table, live, use, wanted, readable);
    if (!differences.empty())
        throw mismatch(table.struct_name, text("the table {}", quote_identifier(table.schema, table.name)), std::move(differences));
}

#endif

}  // namespace isorow::inline v1
