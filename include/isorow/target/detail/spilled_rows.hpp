#pragma once

/// @file
/// Declared rows that are too many for the client's memory wait on the server: in a temporary table of the run's connection, or, where
/// their table is not there yet, in what is to become it.

#include <isorow/codec/copy_format.hpp>
#include <isorow/pq/capabilities.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/ddl_statements.hpp>
#include <isorow/target/detail/extensions.hpp>
#include <isorow/target/detail/local_setting.hpp>
#include <isorow/target/detail/registry.hpp>
#include <isorow/target/detail/shadow_table.hpp>
#include <isorow/target/detail/table_clauses.hpp>
#include <isorow/target/detail/tracked_pages.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace isorow::inline v1::detail {

/// The bytes of memory that all declared rows take.
[[nodiscard]] inline std::size_t memory_of(declared_state const& state) noexcept {
    std::size_t bytes = 0;
    for (auto const& table : state.tables) bytes += table->rows.memory();
    return bytes;
}

/// The entry of a table whose rows are recorded one by one.
struct tracked_target {
    std::int32_t id = 0;
    std::optional<std::int64_t> row_count{};
    bool is_of_this_catalog = true;
};

[[nodiscard]] inline std::optional<tracked_target> find_tracked(database_ref const& here, declared_state const& state,
                                                                table_description const& table) {
    return query_optional<tracked_target>(here,
                                          "SELECT t.id, t.row_count, t.catalog = 'isorow.targets'::regclass AS is_of_this_catalog FROM "
                                          "isorow.targets t JOIN isorow.apps a ON a.id = t.app WHERE a.database_key = $1 AND a.name = $2 "
                                          "AND t.schema_name = $3 AND t.table_name = $4 AND t.record = 'rows'",
                                          state.database_key, state.app, table.schema, table.name);
}

/// Whether a record of the table's rows may be there, as far as it can be told before the commit.
[[nodiscard]] inline bool may_be_recorded(connection& connection, std::optional<limits> const& given, declared_state const& state,
                                          table_description const& table) {
    if (auto const version = installed_version(connection); version != tracking_version) return version != 0;
    auto const here = given ? database_ref(connection, *given) : database_ref(connection);
    auto const known = find_tracked(here, state, table);
    return known && known->row_count != 0;
}

/// Reads what is recorded of a table's rows; nothing where they are not recorded one by one, or are too many. `checks_table`: rows that
/// somebody else has written since are not among them.
[[nodiscard]] inline std::optional<recorded_rows> read_recorded_rows(connection& connection, std::optional<limits> const& given,
                                                                     declared_state const& state, table_description const& table,
                                                                     bool checks_table) {
    auto const here = [&] { return given ? database_ref(connection, *given) : database_ref(connection); };
    if (installed_version(connection) != tracking_version) return std::nullopt;
    auto const known = find_tracked(here(), state, table);
    if (!known || !known->is_of_this_catalog) return std::nullopt;
    auto const count = known->row_count.value_or(0);
    if (count < 1 || count > recorded_rows::limit) return std::nullopt;
    recorded_rows rows;
    rows.reserve(count);
    read_pages(connection, given, text("p.target = {}", known->id), [&](page_place, std::int64_t, std::span<tracked_row const> tracked) {
        for (auto const& row : tracked) rows.add(row.key, row.value, row.version);
    });
    auto const live = checks_table ? read_table(here(), table.schema, table.name) : std::nullopt;
    std::string key_columns;
    for (auto const place : table.key) {
        auto const& name = table.columns[place].name;
        if (!live || live->find(name) == nullptr) return rows;
        key_columns.append(key_columns.empty() ? "" : ", ").append(quote_identifier(name));
    }
    rows.expect_seen();
    read_tuples(
        connection, given, writers_sql(quote_identifier(table.schema, table.name), key_columns), [&](std::span<std::byte const> tuple) {
            take_writer(tuple, table.key.size(), [&](std::span<std::byte const> key, std::uint32_t writer) { rows.see(key, writer); });
        });
    return rows;
}

/// Makes what one table's rows wait in. They are bare where they will probably be written as they are: where they are loaded into what is
/// to become the table, and in the first load of a table in which others may have rows. Should they have to be compared with a record after
/// all, that of keys which do not compare as bytes could not be told.
inline void open_spilled(connection& connection, std::optional<limits> const& given, declared_state const& state, declared_table& table) {
    static std::atomic<std::uint64_t> last{0};
    auto const now = [&] { return given ? *given : connection.default_limits(); };
    auto const number = ++last;
    auto const create = [&](std::string const& name, std::string_view columns) {
        execute_script(connection, text("CREATE TEMPORARY TABLE {} ({})", quote_identifier(name), columns), now());
        return name;
    };
    std::vector<std::string> created;
    auto const& described = table.shape.table;
    auto const schemas = ensure_extensions(connection, given, described, created);
    auto& spilled = table.spilled;
    if (may_have_shadow(connection, now(), table)) spilled.shadow = make_shadow(connection, now(), described, schemas);
    bool const is_first_of_shared = table.options.ownership == ownership::shared && table.shape.keys_compare_as_bytes && !table.recorded &&
                                    !may_be_recorded(connection, given, state, described);
    if (spilled.shadow || is_first_of_shared)
        spilled.pages =
            create(text("isorow_pages_{}", number), "target integer, owner bigint, keys bytea[], fingerprints uuid[], versions xid[]");
    if (spilled.shadow) return;
    std::string columns;
    for (auto const place : table.shape.places)
        columns.append(columns.empty() ? "" : ", ")
            .append(quote_identifier(described.columns[place].name))
            .append(" ")
            .append(type_sql(described.columns[place].type, schemas));
    if (!spilled.is_bare()) columns += ", isorow_owner_number integer, isorow_fingerprint uuid, isorow_key bytea, isorow_is_thin boolean";
    spilled.table = create(text("isorow_spilled_{}", number), columns);
}

/// Sends the rows that the client has to the temporary table, with what is to be recorded of each.
inline void send_with_record(connection& connection, std::optional<limits> const& given, declared_table& table) {
    std::size_t const values = table.shape.places.size() - table.shape.table.key.size();
    auto const oids = filler_for(connection, given, table.shape.types());
    copy_in sent(connection, text("COPY pg_temp.{} FROM STDIN (FORMAT binary)", quote_identifier(table.spilled.table)), given);
    copy_format::put_header(sent.buffer());
    for (auto const& row : table.rows.rows()) {
        auto& out = sent.buffer();
        auto const start = out.size();
        out.put_int16(static_cast<std::int16_t>(table.shape.places.size() + 4));
        out.put_bytes(row.thin ? row.key() : row.bytes().subspan(sizeof(std::int16_t)));
        for (std::size_t i = 0; row.thin && i < values; ++i) encode_null(out);
        oids.fill(out, start);
        out.put_int32(sizeof row.owner);
        out.put_uint32(row.owner);
        put_fingerprint(table.fingerprints().of(row), out);
        out.put_int32(static_cast<std::int32_t>(row.key().size()));
        out.put_bytes(row.key());
        out.put_int32(1);
        out.put_int8(row.thin ? 1 : 0);
        sent.flush_if_full();
    }
    copy_format::put_trailer(sent.buffer());
    sent.finish();
}

/// The same of bare rows: both they and their pages are there then, or neither.
inline void send_bare(connection& connection, std::optional<limits> const& given, declared_table& table) {
    transaction whole(connection);
    load_bare(connection, given, table, "pg_temp", table.spilled.table);
    send_pages(connection, given, table, 0);
    whole.commit();
}

/// Sends the rows that one table was told of so far to the server. This connection's session holds them: the commit has to be on it.
inline void spill(connection& connection, std::optional<limits> const& given, declared_state const& state, declared_table& table) {
    auto& spilled = table.spilled;
    if (!spilled.is_open()) open_spilled(connection, given, state, table);
    if (spilled.shadow) load_shadow(connection, given, table, *spilled.shadow);
    else if (spilled.is_bare()) send_bare(connection, given, table);
    else send_with_record(connection, given, table);
    for (auto const& row : table.rows.rows()) {
        if (!spilled.owner) spilled.owner = row.owner;
        spilled.has_several_owners = spilled.has_several_owners || *spilled.owner != row.owner;
        spilled.has_thin = spilled.has_thin || row.thin;
        if (!row.thin && table.options.ownership == ownership::exclusive) spilled.digest += table.fingerprints().in_digest(row.bytes());
    }
    spilled.may_be_lost = spilled.may_be_lost || connection.in_transaction();
    spilled.count += static_cast<std::int64_t>(table.rows.size());
    spilled.is_rising = spilled.is_rising && table.rows.is_rising(spilled.last_key);
    auto const last_key = table.rows.rows().back().key();
    spilled.last_key.assign(last_key.begin(), last_key.end());
    // The memory of one table's rows would be missing to another's.
    if (state.tables.size() == 1) table.rows.clear();
    else table.rows = {};
}

/// Makes room. Rows that are equal to what is recorded are thinned out, those that come later at once; where that does not help enough, all
/// rows that were declared so far go to the server. Behind a pooler that hands each transaction to another session there is no place for
/// them there: they stay with the client then. `checks_tables`: rows that somebody else has written since they were recorded are kept
/// whole.
inline void spill(connection& connection, std::optional<limits> const& given, declared_state& state, bool checks_tables = false) {
    auto const before = memory_of(state);
    for (auto& table : state.tables) {
        if (table->rows.empty() || std::exchange(table->was_looked_up, true)) continue;
        bool const checks = checks_tables || (state.app.empty() && table->options.ownership == ownership::exclusive);
        table->recorded = read_recorded_rows(connection, given, state, table->shape.table, checks);
        if (!table->recorded) continue;
        table->rows.thin_out([&](declared_row const& row) -> std::optional<fingerprint> {
            auto const value = table->fingerprints().of(row);
            return table->recorded->contains(row.key(), value) ? std::optional(value) : std::nullopt;
        });
    }
    if (memory_of(state) < before - before / 5) return;
    if (!connection.types().pooled()) connection.types().look_around(connection, given ? *given : connection.default_limits());
    if (connection.types().pooled().value_or(false)) return;
    for (auto& table : state.tables)
        if (!table->rows.empty()) spill(connection, given, state, *table);
}

/// Sends the rest of the rows after those that the server holds already, before the transaction whose end may be a rollback.
inline void spill_rest(connection& connection, std::optional<limits> const& given, declared_state& state) {
    for (auto& table : state.tables)
        if (table->spilled.is_open() && !table->rows.empty()) spill(connection, given, state, *table);
}

/// Drops what is left of the tables that rows waited in, of a run that has ended. Does not throw: the session's end drops temporary tables,
/// too, and the next run the others.
inline void discard_spilled(connection& connection, declared_state& state) noexcept {
    for (auto& table : state.tables) {
        if (!table->spilled.is_open()) continue;
        try {
            std::string script;
            for (auto const& name : {table->spilled.table, table->spilled.pages})
                if (!name.empty()) script += text("DROP TABLE IF EXISTS pg_temp.{}; ", quote_identifier(name));
            if (auto const& shadow = table->spilled.shadow)
                script += text("DROP TABLE IF EXISTS {}; SELECT pg_catalog.pg_advisory_unlock({})",
                               quote_identifier(table->shape.table.schema, shadow->name), shadow->number);
            if (connection.is_open()) execute_script(connection, script, connection.default_limits());
        } catch (error const&) {  // NOLINT(bugprone-empty-catch)
            // As said above.
        }
        table->spilled = {};
    }
}

/// Tells the planner about a table of ours. A small sample will do: what matters is how many rows there are.
inline void analyze(connection& connection, limits const& now, std::string_view table) {
    local_setting target(connection, now, "default_statistics_target", "10");
    execute_script(connection, text("ANALYZE {}", table), now);
    target.restore();
}

/// Throws `run_conflict` where rows that waited on the server are not there any more.
inline void require_all_spilled(declared_table const& table, std::int64_t count) {
    if (count != table.spilled.count)
        throw run_conflict(text("of the declared rows of {} that waited on the server not all are there any more; declare them again",
                                quote_identifier(table.shape.table.schema, table.shape.table.name)));
}

/// The table that has the rows that the server holds, as SQL. Throws `run_conflict` where they are not all there.
[[nodiscard]] inline std::string spilled_source(connection& connection, std::optional<limits> const& given, declared_table const& table) {
    auto const now = given ? *given : connection.default_limits();
    auto const& spilled = table.spilled;
    auto const rows =
        spilled.shadow ? quote_identifier(table.shape.table.schema, spilled.shadow->name) : "pg_temp." + quote_identifier(spilled.table);
    if (spilled.may_be_lost || spilled.shadow)
        require_all_spilled(table, query_one<std::int64_t>(database_ref(connection, now), "SELECT count(*) FROM " + rows));
    analyze(connection, now, rows);
    return rows;
}

/// A temporary table that has bare rows with what is to be recorded of each, as those that are not bare have it: they meet by their keys.
[[nodiscard]] inline std::string join_pages(connection& connection, limits const& now, declared_table const& table, std::string_view rows,
                                            std::size_t number) {
    auto const here = database_ref(connection, now);
    auto const relation = query_one<std::int64_t>(here, "SELECT $1::regclass::oid::bigint", rows);
    auto const joined = quote_identifier(text("isorow_joined_{}", number));
    require_all_spilled(
        table, execute(here, text("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT t.*, k.owner::integer AS isorow_owner_number, "
                                  "k.fingerprint AS isorow_fingerprint, k.key AS isorow_key, false AS isorow_is_thin FROM {} t JOIN {} k "
                                  "ON k.key = {}",
                                  joined, rows, unpacked("pg_temp." + quote_identifier(table.spilled.pages)),
                                  key_image_sql(here, relation, key_names(table.shape.table), "t."))));
    analyze(connection, now, "pg_temp." + joined);
    return "pg_temp." + joined;
}

/// A table expression for rows with what is to be recorded of each: the owners' numbers have become their ids.
[[nodiscard]] inline std::string with_owner_ids(connection& connection, limits const& now, declared_state const& state,
                                                std::string_view rows, std::size_t number) {
    auto const here = database_ref(connection, now);
    auto const ids = ids_of(state.owners);
    if (ids.size() == 1) return text("(SELECT d.*, {}::bigint AS isorow_owner, d.ctid AS isorow_place FROM {} d)", ids.front(), rows);
    auto const owners = quote_identifier(text("isorow_owner_ids_{}", number));
    execute_script(connection, text("CREATE TEMPORARY TABLE {} (number integer PRIMARY KEY, id bigint NOT NULL) ON COMMIT DROP", owners),
                   now);
    execute(here,
            text("INSERT INTO pg_temp.{} SELECT place - 1, id FROM pg_catalog.unnest($1::bigint[]) WITH ORDINALITY o (id, place)", owners),
            ids);
    return text(
        "(SELECT d.*, o.id AS isorow_owner, d.ctid AS isorow_place FROM {} d JOIN pg_temp.{} o ON o.number = d.isorow_owner_number)", rows,
        owners);
}

}  // namespace isorow::inline v1::detail
