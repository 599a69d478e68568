#pragma once

#include <isorow/error/declaration_error.hpp>
#include <isorow/error/replication_error.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/source/publication.hpp>

#include <algorithm>

namespace isorow::inline v1 {

namespace detail {

/// A table as a publication sees it.
struct table_to_publish {
    bool partitioned;
    bool has_identity;
    bool published;
};

/// $1: schema, $2: table, $3: publication. A partitioned table's partitions are what must have an identity; they have the key of their
/// root. The manual, "ALTER TABLE", "REPLICA IDENTITY"; `relreplident` of pg_class.
inline constexpr std::string_view table_to_publish_sql =
    "SELECT c.relkind = 'p' AS partitioned, c.relreplident = 'f' OR c.relreplident IN ('d', 'i') AND EXISTS (SELECT FROM "
    "pg_catalog.pg_index "
    "i"
    " WHERE i.indrelid = c.oid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END) AS has_identity,"
    " EXISTS (SELECT FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid"
    " WHERE p.pubname = $3 AND r.prrelid = c.oid) AS published"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";

struct publication_there {
    bool all_tables;
    bool updates;
    bool removals;
};

[[nodiscard]] inline std::string no_identity_text(std::string const& table) {
    return text(
        "the table {} has no replica identity, by which an update or delete tells which row was meant: once they are published, every "
        "UPDATE "
        "and DELETE on it fails. Give it a primary key, or say ALTER TABLE {} REPLICA IDENTITY USING INDEX … or FULL",
        table, table);
}

/// Runs what needs rights that a reader does not have.
inline void run_as_owner(database_ref const& where, std::string const& sql) {
    try {
        execute(where, sql);
    } catch (server_error const& failure) {
        if (failure.sqlstate() != sqlstate::insufficient_privilege) throw;
        throw missing_privilege(
            text("{}. It takes the owner of the tables, with CREATE on the database, to run: {}", failure.message(), sql));
    }
}

}  // namespace detail

ISOROW_DECL void create_publication(database_ref const& where, std::string_view name, std::vector<published_table> const& tables,
                                    publication_options const& options) {
    if (tables.empty()) throw usage_error("a publication has at least one table");
    auto const quoted = quote_identifier(name);
    auto const there = query_optional<detail::publication_there>(
        where,
        "SELECT puballtables AS all_tables, pubupdate AS updates, pubdelete AS removals FROM pg_catalog.pg_publication WHERE pubname = $1",
        name);
    bool const needs_identity = there ? there->updates || there->removals : options.updates || options.removals;
    std::string list;
    for (auto const& table : tables) {
        auto const table_name = quote_identifier(table.schema, table.name);
        auto const found = query_optional<detail::table_to_publish>(where, detail::table_to_publish_sql, table.schema, table.name, name);
        if (!found) throw replication_not_set_up(text("the table {} does not exist", table_name));
        if (needs_identity && !found->has_identity && !found->partitioned)
            throw replication_not_set_up(detail::no_identity_text(table_name));
        if (there && (there->all_tables || found->published)) continue;
        list.append(list.empty() ? "" : ", ").append(table_name);
    }
    if (there && !options.exists_ok)
        throw usage_error(text("there is a publication {} already; publication_options.exists_ok adds the tables that it lacks", quoted));
    if (there) {
        if (!list.empty()) detail::run_as_owner(where, text("ALTER PUBLICATION {} ADD TABLE {}", quoted, list));
        return;
    }
    std::string kinds;
    auto const publish = [&](bool wanted, std::string_view kind) {
        if (wanted) kinds.append(kinds.empty() ? "" : ", ").append(kind);
    };
    publish(options.inserts, "insert");
    publish(options.updates, "update");
    publish(options.removals, "delete");
    publish(options.truncations, "truncate");
    detail::run_as_owner(where, text("CREATE PUBLICATION {} FOR TABLE {} WITH (publish = '{}', publish_via_partition_root = {})", quoted,
                                     list, kinds, options.via_partition_root));
}

ISOROW_DECL void drop_publication(database_ref const& where, std::string_view name, bool missing_ok) {
    detail::run_as_owner(where, text("DROP PUBLICATION {}{}", missing_ok ? "IF EXISTS " : "", quote_identifier(name)));
}

}  // namespace isorow::inline v1
