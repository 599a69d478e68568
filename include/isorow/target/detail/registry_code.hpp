#pragma once

#include <isorow/codec/copy_format.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/target/detail/registry.hpp>
#include <isorow/target/errors.hpp>
#include <isorow/target/install.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace isorow::inline v1::detail {

ISOROW_DECL std::vector<target_record> read_targets(database_ref const& where, std::int32_t app) {
    return query<target_record>(where,
                                "SELECT id, schema_name, table_name, relation::bigint AS relation, catalog = 'isorow.targets'::regclass AS "
                                "is_of_this_catalog, created, ownership, record, owner, row_count, writers, declarers, key_columns, digest"
                                " FROM isorow.targets WHERE app = $1 ORDER BY id",
                                app);
}

ISOROW_DECL std::tuple<std::int64_t, std::int64_t> count_foreign(database_ref const& where, std::string_view name,
                                                                 target_record const& record) {
    std::string writers = "{";
    for (auto const writer : record.writers) writers.append(writers.size() == 1 ? "" : ",").append(std::to_string(writer));
    return query_one<std::tuple<std::int64_t, std::int64_t>>(
        where, text("SELECT count(*), count(*) FILTER (WHERE NOT t.xmin = ANY ('{}'::xid[])) FROM {} t", writers + "}", name));
}

ISOROW_DECL std::vector<std::int64_t> owners_of_rows(database_ref const& where, target_record const& record) {
    if (!record.tracks_rows()) return record.owner ? std::vector{*record.owner} : std::vector<std::int64_t>{};
    return query<std::int64_t>(where, "SELECT DISTINCT owner FROM isorow.tracked WHERE target = $1", record.id);
}

ISOROW_DECL std::optional<std::string> other_keeper(database_ref const& where, std::int32_t app, table_description const& table) {
    return first<std::string>(where,
                              "SELECT CASE WHEN a.name = '' THEN 'a plain target' ELSE 'the app \"' || a.name || '\"' END"
                              " FROM isorow.targets t JOIN isorow.apps a ON a.id = t.app"
                              " WHERE t.schema_name = $1 AND t.table_name = $2 AND t.app <> $3 AND t.created",
                              table.schema, table.name, app);
}

ISOROW_DECL std::vector<recorded_owner> read_owners(connection& connection, limits const& limits, std::int32_t app) {
    std::vector<recorded_owner> owners;
    read_tuples(connection, limits, text("SELECT id, path, fingerprint FROM isorow.owners WHERE app = {}", app),
                [&](std::span<std::byte const> tuple) {
                    byte_reader in(tuple);
                    static_cast<void>(in.take_int16());
                    static_cast<void>(in.take_int32());
                    auto& one = owners.emplace_back();
                    one.id = in.take_int64();
                    auto const path = in.take_bytes(static_cast<std::size_t>(in.take_int32()));
                    one.path.assign(reinterpret_cast<char const*>(path.data()), path.size());
                    if (in.take_int32() == 16) one.memo = as_fingerprint(in.take_bytes(16));
                });
    return owners;
}

ISOROW_DECL std::vector<recorded_owner> read_owners_under(database_ref const& where, std::int32_t app,
                                                          std::vector<std::string> const& paths) {
    auto const rows = query<std::tuple<std::int64_t, std::string, std::optional<isorow::uuid>>>(
        where,
        "SELECT o.id, o.path, o.fingerprint FROM pg_catalog.unnest($2::text[]) e(path) JOIN isorow.owners o ON o.app = $1 AND o.path "
        "COLLATE "
        "\"C\" = e.path UNION ALL SELECT o.id, o.path, o.fingerprint FROM pg_catalog.unnest($2::text[]) e(path) JOIN isorow.owners o ON "
        "o.app = "
        "$1 AND o.path COLLATE \"C\" > e.path || '/' AND o.path COLLATE \"C\" < e.path || '0'",
        app, paths);
    std::vector<recorded_owner> owners;
    owners.reserve(rows.size());
    for (auto const& [id, path, memo] : rows)
        owners.push_back({id, path, memo ? std::optional(as_fingerprint(std::as_bytes(std::span(memo->bytes())))) : std::nullopt});
    return owners;
}

ISOROW_DECL std::optional<std::tuple<std::int32_t, std::int64_t>> find_app(database_ref const& where, std::string_view database_key,
                                                                           std::string_view app) {
    return query_optional<std::tuple<std::int32_t, std::int64_t>>(
        where, "SELECT id, runs FROM isorow.apps WHERE database_key = $1 AND name = $2", database_key, app);
}

ISOROW_DECL app_record open_app(connection& connection, limits const& limits, std::string_view database_key, std::string_view app,
                                std::vector<std::string> const& paths) {
    install(database_ref(connection, limits));
    auto found = find_app(database_ref(connection, limits), database_key, app);
    if (!found) {
        execute(database_ref(connection, limits), "INSERT INTO isorow.apps (database_key, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                database_key, app);
        found = find_app(database_ref(connection, limits), database_key, app);
    }
    app_record record{std::get<0>(*found), std::get<1>(*found)};
    if (!paths.empty()) record.owners = read_owners_under(database_ref(connection, limits), record.id, paths);
    else if (!app.empty()) record.owners = read_owners(connection, limits, record.id);
    return record;
}

ISOROW_DECL std::optional<std::int64_t> find_owner(database_ref const& where, std::int32_t app, std::string_view path) {
    return query_optional<std::int64_t>(where, "SELECT id FROM isorow.owners WHERE app = $1 AND path = $2", app, path);
}

ISOROW_DECL void enter_owners(connection& connection, std::optional<limits> const& given, std::int32_t app, std::vector<owner>& owners) {
    std::vector<owner*> fresh;
    for (auto& one : owners)
        if (one.id == 0 && one.state == owner_state::ran) fresh.push_back(&one);
    if (fresh.empty()) return;
    auto const ids = query<std::int64_t>(
        connection, "SELECT nextval(pg_get_serial_sequence('isorow.owners', 'id')) FROM pg_catalog.generate_series(1, $1)",
        static_cast<std::int64_t>(fresh.size()));
    copy_in rows(connection, "COPY isorow.owners (id, app, path, fingerprint) FROM STDIN (FORMAT binary)", given);
    copy_format::put_header(rows.buffer());
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        auto& out = rows.buffer();
        fresh[i]->id = ids[i];
        out.put_int16(4);
        out.put_int32(8);
        out.put_int64(ids[i]);
        out.put_int32(4);
        out.put_int32(app);
        out.put_int32(static_cast<std::int32_t>(fresh[i]->path.size()));
        out.put_bytes(fresh[i]->path);
        if (fresh[i]->memo) put_fingerprint(*fresh[i]->memo, out);
        else encode_null(out);
        rows.flush_if_full();
    }
    copy_format::put_trailer(rows.buffer());
    rows.finish();
}

ISOROW_DECL std::int64_t update_memos(database_ref const& where, std::vector<std::int64_t> const& ids,
                                      std::vector<std::optional<isorow::uuid>> const& memos) {
    if (ids.empty()) return 0;
    return execute(where,
                   "UPDATE isorow.owners o SET fingerprint = n.memo FROM ROWS FROM (pg_catalog.unnest($1::bigint[]), "
                   "pg_catalog.unnest($2::uuid[])) AS n (id, memo)"
                   " WHERE o.id = n.id AND o.fingerprint IS DISTINCT FROM n.memo",
                   ids, memos);
}

ISOROW_DECL void delete_owners(database_ref const& where, std::vector<std::int64_t> const& ids) {
    if (!ids.empty()) execute(where, "DELETE FROM isorow.owners WHERE id = ANY ($1::bigint[])", ids);
}

ISOROW_DECL void lock_app(connection& connection, app_record const& app, declared_state const& state) {
    auto const lock = [&](std::int32_t kind, std::int32_t which) {
        static_cast<void>(query_one<std::string>(connection, "SELECT pg_catalog.pg_advisory_xact_lock($1, $2)::text", kind, which));
    };
    if (state.app.empty()) {
        for (auto const& table : state.tables) {
            auto const name = quote_identifier(table->shape.table.schema, table->shape.table.name);
            lock(1769172848, static_cast<std::int32_t>(seed_of(name)));
        }
        return;
    }
    lock(1769172847, app.id);
    auto const runs = query_optional<std::int64_t>(connection, "SELECT runs FROM isorow.apps WHERE id = $1", app.id);
    if (runs != app.runs)
        throw run_conflict(text("another run of the app \"{}\" of the database \"{}\" was committed since this one began; run it again",
                                state.app, state.database_key));
}

}  // namespace isorow::inline v1::detail
