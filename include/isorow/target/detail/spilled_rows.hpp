#pragma once

/// @file
/// Declared rows that are too many for the client's memory wait on the server, in a temporary table of the run's connection.

#include <isorow/codec/copy_format.hpp>
#include <isorow/pq/capabilities.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/query/query.hpp>
#include <isorow/schema/ddl.hpp>
#include <isorow/target/detail/extensions.hpp>
#include <isorow/target/detail/registry.hpp>
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

/// Reads what is recorded of a table's rows; nothing where they are not recorded one by one, or are too many. `checks_table`: rows that
/// somebody else has written since are not among them.
[[nodiscard]] inline std::optional<recorded_rows> read_recorded_rows(connection& connection, std::optional<limits> const& given,
                                                                     declared_state const& state, table_description const& table,
                                                                     bool checks_table) {
    auto const here = [&] { return given ? database_ref(connection, *given) : database_ref(connection); };
    if (installed_version(connection) != tracking_version) return std::nullopt;
    auto const known = query_optional<std::tuple<std::int32_t, std::int64_t>>(
        here(),
        "SELECT t.id, t.row_count FROM isorow.targets t JOIN isorow.apps a ON a.id = t.app WHERE a.database_key = $1 AND a.name = $2 AND "
        "t.schema_name = $3 AND t.table_name = $4 AND t.record = 'rows' AND t.row_count BETWEEN 1 AND $5 AND t.catalog = "
        "'isorow.targets'::regclass",
        state.database_key, state.app, table.schema, table.name, recorded_rows::limit);
    if (!known) return std::nullopt;
    auto const [target, count] = *known;
    recorded_rows rows;
    rows.reserve(count);
    read_pages(connection, given, text("p.target = {}", target), [&](page_place, std::int64_t, std::span<tracked_row const> tracked) {
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

/// Sends the rows that one table was told of so far to the server. They are held by this connection's session: the commit has to be on it.
inline void spill(connection& connection, std::optional<limits> const& given, declared_table& table) {
    static std::atomic<std::uint64_t> last{0};
    auto const now = [&] { return given ? *given : connection.default_limits(); };
    if (table.spilled.table.empty()) {
        auto const name = text("isorow_spilled_{}", ++last);
        std::string columns;
        std::vector<std::string> created;
        auto const schemas = ensure_extensions(connection, given, table.shape.table, created);
        for (auto const place : table.shape.places) {
            auto const& column = table.shape.table.columns[place];
            columns += text("{} {}, ", quote_identifier(column.name), type_sql(column.type, schemas));
        }
        execute_script(connection,
                       text("CREATE TEMPORARY TABLE {} ({}isorow_owner_number integer, isorow_fingerprint uuid, isorow_key bytea, "
                            "isorow_is_thin boolean)",
                            quote_identifier(name), columns),
                       now());
        table.spilled.table = name;
    }
    std::size_t const values = table.shape.places.size() - table.shape.table.key.size();
    copy_in sent(connection, text("COPY pg_temp.{} FROM STDIN (FORMAT binary)", quote_identifier(table.spilled.table)), given);
    copy_format::put_header(sent.buffer());
    for (auto const& row : table.rows.rows()) {
        if (!table.spilled.owner) table.spilled.owner = row.owner;
        table.spilled.has_several_owners = table.spilled.has_several_owners || *table.spilled.owner != row.owner;
        table.spilled.has_thin = table.spilled.has_thin || row.thin;
        auto& out = sent.buffer();
        out.put_int16(static_cast<std::int16_t>(table.shape.places.size() + 4));
        out.put_bytes(row.thin ? row.key() : row.bytes().subspan(sizeof(std::int16_t)));
        for (std::size_t i = 0; row.thin && i < values; ++i) encode_null(out);
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
    table.spilled.count += sent.finish();
    table.spilled.is_rising = table.spilled.is_rising && table.rows.is_rising(table.spilled.last_key);
    auto const last_key = table.rows.rows().back().key();
    table.spilled.last_key.assign(last_key.begin(), last_key.end());
    table.rows = {};
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
    bool const is_pooled = connection.options().pooler == pooler::transaction || connection.types().pooled().value_or(false);
    if (is_pooled || memory_of(state) < before - before / 5) return;
    for (auto& table : state.tables)
        if (!table->rows.empty()) spill(connection, given, *table);
}

/// Drops the temporary tables of a run that has ended. Does not throw: the session's end drops them, too.
inline void discard_spilled(connection& connection, declared_state& state) noexcept {
    for (auto& table : state.tables) {
        if (table->spilled.table.empty()) continue;
        try {
            if (connection.is_open())
                execute_script(connection, text("DROP TABLE IF EXISTS pg_temp.{}", quote_identifier(table->spilled.table)),
                               connection.default_limits());
        } catch (error const&) {  // NOLINT(bugprone-empty-catch)
            // It goes with the session.
        }
        table->spilled = {};
    }
}

/// A table expression for the rows that the server holds, with what is recorded of them: the owners' numbers have become their ids.
[[nodiscard]] inline std::string spilled_source(connection& connection, std::optional<limits> const& given, declared_table& table,
                                                declared_state const& state, std::size_t number) {
    if (!table.rows.empty()) spill(connection, given, table);
    auto const now = given ? *given : connection.default_limits();
    execute_script(connection, text("ANALYZE pg_temp.{}", quote_identifier(table.spilled.table)), now);
    std::vector<std::int64_t> ids;
    ids.reserve(state.owners.size());
    for (auto const& one : state.owners) ids.push_back(one.id);
    if (ids.size() == 1)
        return text("(SELECT d.*, {}::bigint AS isorow_owner, d.ctid AS isorow_place FROM pg_temp.{} d)", ids.front(),
                    quote_identifier(table.spilled.table));
    auto const owners = quote_identifier(text("isorow_owner_ids_{}", number));
    execute_script(connection, text("CREATE TEMPORARY TABLE {} (number integer PRIMARY KEY, id bigint NOT NULL) ON COMMIT DROP", owners),
                   now);
    execute(database_ref(connection, now),
            text("INSERT INTO pg_temp.{} SELECT place - 1, id FROM pg_catalog.unnest($1::bigint[]) WITH ORDINALITY o (id, place)", owners),
            ids);
    return text(
        "(SELECT d.*, o.id AS isorow_owner, d.ctid AS isorow_place FROM pg_temp.{} d JOIN pg_temp.{} o ON o.number = "
        "d.isorow_owner_number)",
        quote_identifier(table.spilled.table), owners);
}

}  // namespace isorow::inline v1::detail
