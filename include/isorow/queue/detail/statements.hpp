#pragma once

/// @file
/// A queue's table as SQL: text only, nothing is run here.
///
/// One row is one job: the columns `isorow_…` keep the books, the others are the payload's. `isorow_due` is when a job may be taken: of a
/// leased one the end of its lease. `isorow_lease` counts how often a job has changed hands, and never goes back: who holds a job says
/// which number was given to it.

#include <isorow/config.hpp>
#include <isorow/pq/transaction.hpp>
#include <isorow/schema/ddl_statements.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// How columns of a queue's own begin.
inline constexpr std::string_view queue_prefix = "isorow_";

[[nodiscard]] constexpr column_description queue_column(std::string_view name, type_id type, std::string_view default_value,
                                                        bool nullable = false) {
    return {.field = name, .name = name, .type = column_type{type}, .nullable = nullable, .default_value = default_value};
}

/// Those beside `isorow_id`, which counts by itself. Each has a default, so that jobs can be put in by hand.
inline constexpr std::array queue_columns{
    queue_column("isorow_state", type_id::text, "'ready'"),
    queue_column("isorow_priority", type_id::int4, "0"),
    queue_column("isorow_due", type_id::timestamptz, "pg_catalog.now()"),
    queue_column("isorow_attempts", type_id::int4, "0"),
    queue_column("isorow_max_attempts", type_id::int4, "5"),
    queue_column("isorow_lease", type_id::int8, "0"),
    queue_column("isorow_dedupe_key", type_id::text, "", true),
    queue_column("isorow_last_error", type_id::text, "", true),
    queue_column("isorow_pushed_at", type_id::timestamptz, "pg_catalog.now()"),
};

/// Where a queue is, and what its payload's columns are.
struct queue_table {
    std::string schema;
    std::string name;
    std::string_view struct_name;
    std::vector<column_description> columns;  ///< the queue's own, then the payload's
    std::size_t payload = 0;                  ///< the place of the payload's first

    [[nodiscard]] std::string quoted() const { return quote_identifier(schema, name); }
    [[nodiscard]] table_description description() const;
    [[nodiscard]] std::string payload_columns() const;
};

[[nodiscard]] queue_table make_queue_table(std::string schema, std::string name, std::string_view struct_name,
                                           std::vector<column_description> const& payload);

[[nodiscard]] std::string create_queue_sql(queue_table const& table, extension_schemas const& schemas = {});

/// A job that is leased, but whose time is over and has no attempt left: dead, though nobody has looked yet.
inline constexpr std::string_view spent_sql =
    "(isorow_state = 'leased' AND isorow_due <= pg_catalog.statement_timestamp() AND isorow_attempts >= isorow_max_attempts)";

/// The priorities that jobs have, highest first. Each is found by one step down the index, so that jobs of a high priority which may not
/// be taken yet, however many, are passed over at once.
[[nodiscard]] std::string levels_sql(std::string const& quoted);

/// $1: for how long. The rows come with their place in the queue's order. A job whose last lease ended without an answer is found here too,
/// and becomes dead instead of being taken. The number is no parameter: not knowing it the server would take it for large, and find a plan
/// anew each time instead of keeping one.
[[nodiscard]] std::string take_sql(queue_table const& table, std::int64_t count);

/// $1: priority, $2: not before, $3: delay, $4: attempts, $5: dedupe key, then the payload.
[[nodiscard]] std::string insert_sql(queue_table const& table);

/// All that is asked of one queue's table.
struct queue_statements {
    queue_statements(queue_table const& table, std::string const& channel);

    std::string insert, push, tell, find_key, take_one, next_due, acknowledge, give_back, release, bury, extend, find, count, dead, revive,
        discard;
};

#if ISOROW_HAS_CODE

ISOROW_DECL table_description queue_table::description() const {
    return {.struct_name = struct_name, .schema = schema, .name = name, .columns = columns, .key = {}, .indexes = {}};
}

ISOROW_DECL std::string queue_table::payload_columns() const {
    std::string list;
    for (auto place = payload; place < columns.size(); ++place) list += ", " + quote_identifier(columns[place].name);
    return list;
}

ISOROW_DECL queue_table make_queue_table(std::string schema, std::string name, std::string_view struct_name,
                                         std::vector<column_description> const& payload) {
    queue_table table{std::move(schema), std::move(name), struct_name, {queue_columns.begin(), queue_columns.end()}, queue_columns.size()};
    for (auto one : payload) {
        // What the struct's own table asks for of its rows is not asked of jobs: the same order may be queued twice.
        one.default_value = {};
        one.unique = false;
        table.columns.push_back(one);
    }
    return table;
}

ISOROW_DECL std::string create_queue_sql(queue_table const& table, extension_schemas const& schemas) {
    auto const quoted = table.quoted();
    auto sql = "CREATE TABLE IF NOT EXISTS " + quoted + " (\n    isorow_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
    for (auto const& column : table.columns) sql.append(",\n    ").append(column_sql(column, schemas));
    sql += ",\n    CHECK (isorow_state IN ('ready', 'leased', 'dead'))\n);\n";
    sql += text("CREATE INDEX IF NOT EXISTS {} ON {} (isorow_priority DESC, isorow_due, isorow_id) WHERE isorow_state <> 'dead';\n",
                quote_identifier(shortened("take_" + table.name)), quoted);
    sql += text(
        "CREATE UNIQUE INDEX IF NOT EXISTS {} ON {} (isorow_dedupe_key) WHERE isorow_dedupe_key IS NOT NULL AND isorow_state <> 'dead';\n",
        quote_identifier(shortened("dedupe_" + table.name)), quoted);
    return sql;
}

ISOROW_DECL std::string levels_sql(std::string const& quoted) {
    return text(
        "RECURSIVE levels (priority) AS ("
        "(SELECT isorow_priority FROM {} WHERE isorow_state <> 'dead' ORDER BY isorow_priority DESC LIMIT 1)"
        " UNION ALL SELECT (SELECT isorow_priority FROM {} WHERE isorow_state <> 'dead' AND isorow_priority < levels.priority"
        " ORDER BY isorow_priority DESC LIMIT 1) FROM levels WHERE levels.priority IS NOT NULL)",
        quoted, quoted);
}

ISOROW_DECL std::string take_sql(queue_table const& table, std::int64_t count) {
    auto const quoted = table.quoted();
    return text(
               "WITH {}, chosen AS MATERIALIZED (SELECT ARRAY(SELECT next.isorow_id FROM levels CROSS JOIN LATERAL ("
               "SELECT isorow_id FROM {} WHERE isorow_state <> 'dead' AND isorow_priority = levels.priority"
               " AND isorow_due <= pg_catalog.statement_timestamp() ORDER BY isorow_due, isorow_id LIMIT {} FOR UPDATE SKIP LOCKED) next"
               " LIMIT {}) AS ids)"
               " UPDATE {} AS job SET isorow_lease = isorow_lease + 1,"
               " isorow_state = CASE WHEN isorow_attempts < isorow_max_attempts THEN 'leased' ELSE 'dead' END,"
               " isorow_attempts = CASE WHEN isorow_attempts < isorow_max_attempts THEN isorow_attempts + 1 ELSE isorow_attempts END,"
               " isorow_due = pg_catalog.statement_timestamp() + $1,"
               " isorow_last_error = CASE WHEN isorow_attempts < isorow_max_attempts THEN isorow_last_error"
               " ELSE 'the lease of the last attempt ended without an answer' END"
               " WHERE job.isorow_id = ANY ((SELECT ids FROM chosen)::bigint[])"
               " RETURNING isorow_id, isorow_lease, isorow_attempts, isorow_max_attempts, isorow_state = 'dead' AS isorow_dead,"
               " pg_catalog.array_position((SELECT ids FROM chosen), isorow_id) AS isorow_place, isorow_last_error",
               levels_sql(quoted), quoted, count, count, quoted) +
           table.payload_columns();
}

ISOROW_DECL std::string insert_sql(queue_table const& table) {
    auto const payload = table.columns.size() - table.payload;
    std::string values;
    for (std::size_t i = 0; i < payload; ++i) values += text(", ${}", i + 6);
    return text(
        "INSERT INTO {} (isorow_priority, isorow_due, isorow_max_attempts, isorow_dedupe_key{})"
        " VALUES ($1, coalesce($2, pg_catalog.statement_timestamp() + $3), $4, $5{})"
        " ON CONFLICT (isorow_dedupe_key) WHERE isorow_dedupe_key IS NOT NULL AND isorow_state <> 'dead' DO NOTHING RETURNING isorow_id",
        table.quoted(), table.payload_columns(), values);
}

ISOROW_DECL queue_statements::queue_statements(queue_table const& table, std::string const& channel) {
    auto const quoted = table.quoted();
    auto const notify = text("pg_catalog.pg_notify({}, '')::text", quote_literal(channel));
    // Each change that others may wait for tells them, in the same transaction.
    auto const telling = [&](std::string const& change) {
        return text("WITH changed AS ({} RETURNING isorow_id) SELECT isorow_id, {} FROM changed", change, notify);
    };
    std::string const held = " WHERE isorow_id = $1 AND isorow_lease = $2 AND isorow_state = 'leased'";
    insert = insert_sql(table);
    push = text("WITH pushed AS ({}) SELECT isorow_id, {} FROM pushed", insert, notify);
    tell = "SELECT " + notify;
    find_key = text("SELECT isorow_id FROM {} WHERE isorow_dedupe_key = $1 AND isorow_state <> 'dead'", quoted);
    take_one = take_sql(table, 1);
    next_due = text(
        "WITH {} SELECT min(extract(epoch FROM next.isorow_due - pg_catalog.statement_timestamp()))::double precision FROM levels"
        " CROSS JOIN LATERAL (SELECT isorow_due FROM {} WHERE isorow_state <> 'dead' AND isorow_priority = levels.priority"
        " AND isorow_due > pg_catalog.statement_timestamp() ORDER BY isorow_due LIMIT 1) next",
        levels_sql(quoted), quoted);
    acknowledge = text("DELETE FROM {}{}", quoted, held);
    give_back =
        telling(text("UPDATE {} SET isorow_state = CASE WHEN isorow_attempts < isorow_max_attempts THEN 'ready' ELSE 'dead' END,"
                     " isorow_due = pg_catalog.statement_timestamp() + $3, isorow_last_error = $4{}",
                     quoted, held));
    release = telling(
        text("UPDATE {} SET isorow_state = 'ready', isorow_due = pg_catalog.statement_timestamp(), isorow_attempts = isorow_attempts - 1{}",
             quoted, held));
    bury = text("UPDATE {} SET isorow_state = 'dead', isorow_last_error = $3{}", quoted, held);
    extend = text("UPDATE {} SET isorow_due = pg_catalog.statement_timestamp() + $3{}", quoted, held);
    find = text("SELECT isorow_state FROM {} WHERE isorow_id = $1", quoted);
    count = text(
        "SELECT count(*) FILTER (WHERE isorow_state <> 'dead' AND NOT {} AND NOT leased) AS pending, count(*) FILTER (WHERE leased)"
        " AS leased, count(*) FILTER (WHERE isorow_state = 'dead' OR {}) AS dead FROM {} CROSS JOIN LATERAL"
        " (SELECT isorow_state = 'leased' AND isorow_due > pg_catalog.statement_timestamp() AS leased) AS now",
        spent_sql, spent_sql, quoted);
    dead = text(
        "SELECT isorow_id, isorow_attempts, isorow_last_error{} FROM {} WHERE isorow_state = 'dead' OR {}"
        " ORDER BY isorow_id LIMIT $1",
        table.payload_columns(), quoted, spent_sql);
    auto const is_dead = text(" WHERE isorow_id = $1 AND (isorow_state = 'dead' OR {})", spent_sql);
    revive =
        telling(text("UPDATE {} SET isorow_state = 'ready', isorow_attempts = 0, isorow_lease = isorow_lease + 1,"
                     " isorow_due = pg_catalog.statement_timestamp(){}",
                     quoted, is_dead));
    discard = text("DELETE FROM {}{}", quoted, is_dead);
}

#endif

}  // namespace isorow::inline v1::detail
