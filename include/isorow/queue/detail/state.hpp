#pragma once

#include <isorow/config.hpp>
#include <isorow/error/declaration_error.hpp>
#include <isorow/pq/pipeline.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/query/query.hpp>
#include <isorow/queue/detail/bell.hpp>
#include <isorow/queue/detail/statements.hpp>
#include <isorow/queue/options.hpp>
#include <isorow/schema/ddl_statements.hpp>
#include <isorow/target/install.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// A time for an interval of the server. Throws `usage_error` for a negative one, and for one of more than a hundred years.
[[nodiscard]] std::chrono::microseconds interval_of(std::chrono::milliseconds time, std::string_view what);

void check_push(push_options const& options);

/// Runs a statement that finds its rows by an index, in one round trip. The server keeps the plans of prepared statements, and one that was
/// made while the queue was empty would read the whole table, each time, when a hundred thousand jobs have come: so plans that do this
/// are out of the question here. The settings are as before afterwards, in a transaction of the caller's too.
[[nodiscard]] result run_by_index(connection& connection, std::string_view sql, parameters bound, limits const& limits);

/// Likewise, with the arguments bound.
template <class... Arguments>
[[nodiscard]] result find_by_index(connection& connection, limits const& limits, std::string_view sql, Arguments const&... arguments) {
    parameters bound;
    bind_parameters(bound, connection, limits, arguments...);
    return run_by_index(connection, sql, std::move(bound), limits);
}

/// What a queue object and its jobs share.
struct queue_state {
    queue_state(pool& pool, std::string queue_name, queue_options given, std::string_view struct_name,
                std::vector<column_description> const& payload);

    /// Notifications are the database's: the channel has the schema's name too.
    [[nodiscard]] std::string channel() const { return shortened(table.schema + "." + table.name); }

    void check() const;

    [[nodiscard]] std::string install_sql(extension_schemas const& schemas = {}) const;

    void install() const;

    /// Once for each queue object, at its first use: a job must not be leased for somebody who cannot read it.
    void check_table(connection& connection);

    void create(connection& connection) const;

    [[nodiscard]] extension_schemas schemas_of_extensions(connection& connection) const;

    /// Under an isolation above READ COMMITTED two who take at once may collide; outside of a transaction the next try helps.
    [[nodiscard]] result take(connection& connection, std::int64_t count, limits const& limits) const;

    /// When one who found no job looks again, whether it is woken or not.
    [[nodiscard]] std::chrono::steady_clock::time_point time_to_look_again() const;

    [[nodiscard]] static std::chrono::milliseconds pause_after(std::int32_t attempt, queue_options const& options);

    pool* db;
    std::string name;
    queue_options options;
    queue_table table;
    queue_statements sql;
    std::atomic<bool> checked{false};
    queue_bell bell;
};

#if ISOROW_HAS_CODE

ISOROW_DECL std::chrono::microseconds interval_of(std::chrono::milliseconds time, std::string_view what) {
    if (time < std::chrono::milliseconds::zero() || time > std::chrono::years(100))
        throw usage_error(text("a job's {} is between nothing and a hundred years, not {} ms", what, time.count()));
    return time;
}

ISOROW_DECL void check_push(push_options const& options) {
    if (options.not_before && options.delay != std::chrono::milliseconds::zero())
        throw usage_error("a job has a delay or a time not to be taken before, not both");
    if (options.max_attempts && *options.max_attempts < 1)
        throw usage_error(text("a job has at least one attempt, not {}", *options.max_attempts));
    if (options.dedupe_key && options.dedupe_key->size() > 2000)
        throw usage_error(text("a dedupe key has at most 2000 bytes, not {}", options.dedupe_key->size()));
}

ISOROW_DECL result run_by_index(connection& connection, std::string_view sql, parameters bound, limits const& limits) {
    std::array<pipeline_statement, 3> statements{
        pipeline_statement{"SELECT pg_catalog.set_config('isorow.scans', pg_catalog.current_setting('enable_seqscan') || ' ' ||"
                           " pg_catalog.current_setting('enable_bitmapscan'), true), pg_catalog.set_config('enable_seqscan', 'off', true),"
                           " pg_catalog.set_config('enable_bitmapscan', 'off', true)"},
        pipeline_statement{sql, std::move(bound)},
        pipeline_statement{"SELECT pg_catalog.set_config('enable_seqscan', "
                           "pg_catalog.split_part(pg_catalog.current_setting('isorow.scans'), ' ', 1), true),"
                           " pg_catalog.set_config('enable_bitmapscan', pg_catalog.split_part(pg_catalog.current_setting('isorow.scans'), "
                           "' ', 2), true)"}};
    auto answers = run_pipeline(connection, statements, on_error::stop, limits);
    return std::move(*answers[1].rows);
}

ISOROW_DECL queue_state::queue_state(pool& pool, std::string queue_name, queue_options given, std::string_view struct_name,
                                     std::vector<column_description> const& payload)
    : db(&pool),
      name(std::move(queue_name)),
      options(std::move(given)),
      table(make_queue_table(options.schema, options.table.empty() ? "queue_" + name : options.table, struct_name, payload)),
      sql((check(), table), channel()),
      bell(pool, channel()) {}

ISOROW_DECL void queue_state::check() const {
    if (name.empty()) throw usage_error("a queue has a name");
    static_cast<void>(table.quoted());
    if (options.max_attempts < 1) throw usage_error(text("a job has at least one attempt, not {}", options.max_attempts));
    if (options.lease <= std::chrono::milliseconds::zero()) throw usage_error("a lease lasts longer than nothing");
    static_cast<void>(interval_of(options.lease, "lease"));
    static_cast<void>(interval_of(options.first_pause, "first pause"));
    static_cast<void>(interval_of(options.longest_pause, "longest pause"));
    if (options.poll_interval <= std::chrono::milliseconds::zero() || options.longest_sleep <= std::chrono::milliseconds::zero())
        throw usage_error("one who waits for jobs sleeps longer than nothing between two looks");
}

ISOROW_DECL std::string queue_state::install_sql(extension_schemas const& schemas) const {
    return "CREATE SCHEMA IF NOT EXISTS " + quote_identifier(table.schema) + ";\n" + create_queue_sql(table, schemas);
}

ISOROW_DECL void queue_state::install() const {
    database_ref::use const connection(*db);
    if (!read_table(*connection, table.schema, table.name)) create(*connection);
    require_columns(*connection, table.description(), table_use::writing);
}

ISOROW_DECL void queue_state::check_table(connection& connection) {
    if (checked.load(std::memory_order_acquire)) return;
    if (!read_table(connection, table.schema, table.name))
        throw usage_error(text("the queue \"{}\" has no table {}; install() makes it", name, table.quoted()));
    require_columns(connection, table.description(), table_use::writing);
    require_columns(connection, table.description(), table_use::reading);
    checked.store(true, std::memory_order_release);
}

ISOROW_DECL void queue_state::create(connection& connection) const {
    try {
        transaction inner(connection);
        lock_setup(connection);
        // A role may be allowed to make tables in a schema that is there, but not schemas.
        auto const there =
            query_one<std::int64_t>(connection, "SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = $1", table.schema) > 0;
        auto const schemas = schemas_of_extensions(connection);
        execute_script(connection, there ? create_queue_sql(table, schemas) : install_sql(schemas), connection.default_limits());
        inner.commit();
    } catch (server_error const& failure) {
        if (failure.sqlstate() != sqlstate::insufficient_privilege) throw;
        throw missing_privilege(
            text("the table {} of the queue \"{}\" does not exist and this role may not create it ({}); ask an administrator to run:\n{}",
                 table.quoted(), name, failure.message(), install_sql()));
    }
}

ISOROW_DECL extension_schemas queue_state::schemas_of_extensions(connection& connection) const {
    extension_schemas schemas;
    for (auto const extension : needed_extensions(table.description()))
        if (auto const schema = query_optional<std::string>(
                connection,
                "SELECT n.nspname::text FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace"
                " WHERE e.extname = $1",
                extension))
            schemas.push_back({std::string(extension), *schema});
    return schemas;
}

ISOROW_DECL result queue_state::take(connection& connection, std::int64_t count, limits const& limits) const {
    auto const several = count == 1 ? std::string{} : take_sql(table, count);
    for (int attempt = 1;; ++attempt) {
        try {
            return find_by_index(connection, limits, count == 1 ? sql.take_one : several, interval_of(options.lease, "lease"));
        } catch (transaction_rollback const&) {
            if (connection.in_transaction() || attempt == 100) throw;
        }
    }
}

ISOROW_DECL std::chrono::steady_clock::time_point queue_state::time_to_look_again() const {
    std::chrono::duration<double> sleep = bell.hears() ? options.longest_sleep : options.poll_interval;
    database_ref::use const connection(*db);
    auto const answer = find_by_index(*connection, connection.limits(), sql.next_due);
    std::optional<double> due;
    row_plan<std::optional<double>>(*connection, answer).decode(answer, 0, due);
    if (due) sleep = std::min(sleep, std::chrono::duration<double>(*due));
    return std::chrono::steady_clock::now() + std::chrono::ceil<std::chrono::steady_clock::duration>(sleep);
}

ISOROW_DECL std::chrono::milliseconds queue_state::pause_after(std::int32_t attempt, queue_options const& options) {
    auto pause = options.first_pause;
    for (std::int32_t i = 1; i < attempt && pause < options.longest_pause && pause.count() > 0; ++i) pause *= 2;
    return std::min(pause, options.longest_pause);
}

#endif

}  // namespace isorow::inline v1::detail
