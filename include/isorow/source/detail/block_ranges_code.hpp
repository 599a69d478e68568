#pragma once

#include <isorow/pq/transaction.hpp>
#include <isorow/query/query.hpp>
#include <isorow/source/detail/block_ranges.hpp>

namespace isorow::inline v1::detail {

ISOROW_DECL std::optional<std::int64_t> blocks_of(connection& connection, std::string const& schema, std::string const& name,
                                                  limits const& limits) {
    if (connection.server_version() < 140000) return std::nullopt;
    struct found {
        std::optional<std::int64_t> blocks;
        std::optional<bool> readable;
    };
    auto const table = query_one<found>(
        database_ref(connection, limits),
        "SELECT max(pg_catalog.pg_relation_size(part.oid) / pg_catalog.current_setting('block_size')::bigint) AS blocks,"
        " bool_and(coalesce(method.amname = 'heap', false)) AS readable"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " JOIN LATERAL (SELECT c.oid AS relid WHERE c.relkind IN ('r', 'm')"
        " UNION ALL SELECT tree.relid FROM pg_catalog.pg_partition_tree(c.oid) tree WHERE tree.isleaf AND c.relkind = 'p') leaf ON true"
        " JOIN pg_catalog.pg_class part ON part.oid = leaf.relid LEFT JOIN pg_catalog.pg_am method ON method.oid = part.relam"
        " WHERE n.nspname = $1 AND c.relname = $2",
        schema, name);
    return table.readable.value_or(false) ? table.blocks : std::nullopt;
}

ISOROW_DECL std::string export_snapshot(connection& connection, limits const& limits) {
    return scalar<std::string>(database_ref(connection, limits), "SELECT pg_catalog.pg_export_snapshot()");
}

ISOROW_DECL void use_snapshot(connection& connection, std::string_view snapshot, limits const& limits) {
    execute_script(connection, "SET TRANSACTION SNAPSHOT " + quote_literal(snapshot), limits);
}

ISOROW_DECL std::optional<std::string> block_ranges::take() {
    std::lock_guard const lock(mutex_);
    if (next_ >= std::max<std::int64_t>(1, blocks_)) return std::nullopt;
    auto const first = next_;
    next_ += size_;
    auto condition = text("ctid >= '({},0)'::pg_catalog.tid", first);
    if (next_ < blocks_) condition += text(" AND ctid < '({},0)'::pg_catalog.tid", next_);
    return condition;
}

ISOROW_DECL bool block_ranges::empty() const {
    std::lock_guard const lock(mutex_);
    return next_ >= std::max<std::int64_t>(1, blocks_);
}

}  // namespace isorow::inline v1::detail
