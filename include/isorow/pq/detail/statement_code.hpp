#pragma once

#include <isorow/pq/statement.hpp>
#include <isorow/schema/ddl_statements.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

ISOROW_DECL std::string checked_sql(std::string_view sql) {
    if (sql.find('\0') != std::string_view::npos) throw usage_error("the SQL has a NUL byte");
    return std::string(sql);
}

ISOROW_DECL limits limits_of_step(connection const& connection, std::optional<limits> const& whole, std::stop_token const& stop) {
    if (whole) return *whole;
    auto own = connection.default_limits();
    own.stop = stop;
    return own;
}

ISOROW_DECL void require_sent(connection& connection, int sent) {
    if (sent == 1) return;
    auto const message = one_line(PQerrorMessage(connection.native_handle()));
    if (PQstatus(connection.native_handle()) != CONNECTION_OK)
        throw connection_lost(text("the connection to {} was lost: {}", connection.endpoint(), message));
    throw usage_error(message);
}

ISOROW_DECL parameter_arrays::parameter_arrays(parameters const& given) {
    if (given.size() <= few) {
        given.values(few_values_.data());
        return;
    }
    if (given.size() > parameter_limit)
        throw usage_error(text("a statement takes at most {} parameters, not {}", parameter_limit, given.size()));
    many_ = std::make_unique<many>();
    many_->values.resize(given.size());
    many_->formats.assign(given.size(), 1);
    given.values(many_->values.data());
}

ISOROW_DECL void send_unprepared(connection& connection, std::string const& sql, parameters const& parameters) {
    parameter_arrays const arrays(parameters);
    require_sent(connection, PQsendQueryParams(connection.native_handle(), sql.c_str(), static_cast<int>(parameters.size()),
                                               parameters.types(), arrays.values(), parameters.lengths(), arrays.formats(), 1));
}

ISOROW_DECL void send_prepared(connection& connection, std::string const& name, parameters const& parameters) {
    parameter_arrays const arrays(parameters);
    require_sent(connection, PQsendQueryPrepared(connection.native_handle(), name.c_str(), static_cast<int>(parameters.size()),
                                                 arrays.values(), parameters.lengths(), arrays.formats(), 1));
}

ISOROW_DECL void send_statement(connection& connection, std::string const& sql, parameters const& parameters) {
    connection.require_ready();
    require_no_session_state(connection, sql);
    send_unprepared(connection, sql, parameters);
}

ISOROW_DECL bool makes_plans_stale(std::string_view command) noexcept {
    if (command.empty() || (command.front() != 'D' && command.front() != 'A')) [[likely]]
        return false;
    return command.starts_with("DROP") || command.starts_with("ALTER") || command.starts_with("DISCARD") ||
           command.starts_with("DEALLOCATE ALL");
}

ISOROW_DECL result collect(connection& connection, std::string_view sql, limits const& limits) {
    result last(nullptr);
    result failed(nullptr);
    while (auto* const received = connection.receive(limits, "waiting for the answer to a statement")) {
        result next(received);
        switch (next.status()) {
            case PGRES_FATAL_ERROR:
            case PGRES_BAD_RESPONSE:
                if (failed.native_handle() == nullptr) failed = std::move(next);
                break;
            case PGRES_COPY_IN:
            case PGRES_COPY_OUT:
            case PGRES_COPY_BOTH:
                connection.abandon();
                throw usage_error(text("COPY … FROM STDIN and TO STDOUT are run by copy_in and copy_out; in: {}", sql));
            default:
                if (makes_plans_stale(next.command())) [[unlikely]]
                    connection.forget_statements();
                last = std::move(next);
        }
        if (PQstatus(connection.native_handle()) != CONNECTION_OK) [[unlikely]]
            break;
    }
    if (failed.native_handle() != nullptr) [[unlikely]]
        connection.raise(failed, sql);
    if (last.native_handle() == nullptr) [[unlikely]]
        throw connection_lost(text("the connection to {} was lost", connection.endpoint()));
    return last;
}

ISOROW_DECL void tell(connection const& connection, void (observer::*member)(operation_event const&), operation_event event,
                      std::chrono::steady_clock::time_point begun) {
    auto* const handle = connection.native_handle();
    event.database = handle == nullptr ? std::string_view{} : or_empty(PQdb(handle));
    event.server_address = handle == nullptr ? std::string_view{} : or_empty(PQhost(handle));
    event.server_port = handle == nullptr ? std::string_view{} : or_empty(PQport(handle));
    event.duration = std::chrono::steady_clock::now() - begun;
    if (!connection.options().observe_values) event.values = nullptr;
    (*connection.options().observer.*member)(event);
}

ISOROW_DECL void close_unwanted(connection& connection, limits const& limits) {
    for (auto const& name : connection.statements().take_unwanted()) {
#if defined(LIBPQ_HAS_CLOSE_PREPARED)
        require_sent(connection, PQsendClosePrepared(connection.native_handle(), name.c_str()));
        static_cast<void>(collect(connection, "(closing a prepared statement)", limits));
#else
        auto const sql = text("DEALLOCATE \"{}\"", name);
        require_sent(connection, PQsendQuery(connection.native_handle(), sql.c_str()));
        try {
            static_cast<void>(collect(connection, sql, limits));
        } catch (invalid_sql_statement_name const&) {
            // It is gone already: DISCARD ALL.
        }
#endif
    }
}

ISOROW_DECL void prepare(connection& connection, statement_cache::entry& entry, limits const& limits) {
    try {
        static_cast<void>(observed(
            connection, &observer::on_prepare, [&] { return operation_event{.name = "PREPARE", .sql = entry.sql}; },
            [&] {
                require_sent(connection, PQsendPrepare(connection.native_handle(), entry.name.c_str(), entry.sql.c_str(),
                                                       static_cast<int>(entry.types.size()), entry.types.data()));
                return collect(connection, entry.sql, limits);
            }));
    } catch (server_error const&) {
        connection.statements().rename(entry);
        throw;
    }
    entry.prepared = true;
}

ISOROW_DECL result run_statement(connection& connection, std::string_view sql, parameters const& parameters, limits const& limits) {
    bool const in_transaction = connection.require_ready();
    require_no_session_state(connection, sql);
    connection.set_last_prepared(nullptr);
    for (int attempt = 1;; ++attempt) {
        auto& statements = connection.statements();
        if (statements.has_unwanted() && !in_transaction) [[unlikely]]
            close_unwanted(connection, limits);
        auto* const entry = statements.use(sql, parameters);
        if (entry == nullptr) {
            auto const statement = checked_sql(sql);
            send_unprepared(connection, statement, parameters);
            return collect(connection, statement, limits);
        }
        try {
            if (!entry->prepared) prepare(connection, *entry, limits);
            send_prepared(connection, entry->name, parameters);
            auto answer = collect(connection, sql, limits);
            connection.set_last_prepared(entry);
            return answer;
        } catch (server_error const& failure) {
            bool const duplicate = failure.sqlstate() == sqlstate::duplicate_statement;
            if (!failure.is_stale_plan() && !duplicate) throw;
            // Nothing was done yet. Where it happens twice in a row, statements do not stay: a pooler that knows nothing of them.
            if (duplicate || attempt > 1) statements.disable();
            else connection.forget_statements();
            if (!in_transaction) continue;
            auto fields = failure.diagnostics();
            fields.stale_plan = true;
            if (fields.hint.empty())
                fields.hint = duplicate ? "somebody else has a prepared statement of this name: run the transaction again, and none is used"
                                        : "the statement was prepared before the schema changed: run the transaction again, and it is "
                                          "prepared anew";
            throw_server_error(std::move(fields));
        }
    }
}

}  // namespace detail

ISOROW_DECL result execute_statement(connection& connection, std::string_view sql, parameters const& parameters, limits const& limits) {
    return detail::observed(
        connection, &observer::on_query,
        [&] { return operation_event{.name = detail::first_word(sql), .sql = sql, .values = &parameters}; },
        [&] { return detail::run_statement(connection, sql, parameters, limits); });
}

ISOROW_DECL result execute_script(connection& connection, std::string_view sql, limits const& limits) {
    return detail::observed(
        connection, &observer::on_query, [&] { return operation_event{.name = detail::first_word(sql), .sql = sql}; },
        [&] {
            auto const script = detail::checked_sql(sql);
            connection.require_ready();
            detail::require_no_session_state(connection, sql);
            detail::require_sent(connection, PQsendQuery(connection.native_handle(), script.c_str()));
            return detail::collect(connection, script, limits);
        });
}

ISOROW_DECL result describe_statement(connection& connection, std::string_view sql, std::vector<oid> const& types, limits const& limits) {
    auto const statement = detail::checked_sql(sql);
    connection.require_ready();
    auto* const handle = connection.native_handle();
    // Both steps go together: behind a pooler the second might reach another connection of the server.
    detail::require_sent(connection, PQenterPipelineMode(handle));
    detail::require_sent(connection, PQsendPrepare(handle, "", statement.c_str(), static_cast<int>(types.size()), types.data()));
    detail::require_sent(connection, PQsendDescribePrepared(handle, ""));
    detail::require_sent(connection, PQpipelineSync(handle));
    std::optional<result> described;
    std::optional<result> failed;
    for (bool synced = false; !synced;) {
        result received(connection.receive(limits, "waiting for the description of a statement"));
        if (received.native_handle() == nullptr) {
            if (PQstatus(handle) != CONNECTION_OK) throw connection_lost(text("the connection to {} was lost", connection.endpoint()));
            continue;
        }
        if (received.status() == PGRES_PIPELINE_SYNC) synced = true;
        else if (received.status() == PGRES_FATAL_ERROR) failed.emplace(std::move(received));
        else described.emplace(std::move(received));
    }
    detail::require_sent(connection, PQexitPipelineMode(handle));
    if (failed) connection.raise(*failed, sql);
    return std::move(*described);
}

ISOROW_DECL oid type_registry::learn(connection& connection, std::string_view name, limits const& limits) {
    if (connection.options().enable_pgvector == pgvector_support::off && (name == "vector" || name == "halfvec" || name == "sparsevec"))
        throw usage_error(text("the type \"{}\" is pgvector's, which connection_options.enable_pgvector turns off", name));
    if (auto const known = oid_of(name)) return *known;
    parameters asked;
    asked.add(entry_of(type_id::text).oid).put_bytes(name);
    asked.end();
    // The type is looked for through the extensions that it may come from, so that search_path and look-alikes have no say.
    auto const answer = execute_statement(
        connection,
        "SELECT t.oid, t.typarray FROM pg_catalog.pg_type t JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_type'::regclass"
        " AND d.objid = t.oid AND d.deptype = 'e' WHERE t.typname = $1 ORDER BY t.oid LIMIT 1",
        asked, limits);
    if (answer.rows() == 0) {
        std::string_view extension = name;
        for (auto const& entry : type_catalog)
            if (entry.catalog_name == name && !entry.extension.empty()) extension = entry.extension;
        throw usage_error(text("the database has no type \"{}\"; it comes with an extension: CREATE EXTENSION {}", name, extension));
    }
    auto const number = [&](int column) {
        auto const bytes = answer.value(0, column);
        return byte_reader(bytes).take_uint32();
    };
    oids const found{number(0), number(1)};
    std::lock_guard const lock(mutex_);
    entries_.insert_or_assign(std::string(name), found);
    return found.type;
}

ISOROW_DECL oid type_registry::learn(connection& connection, column_type const& type, limits const& limits) {
    if (type.user != nullptr)
        for (auto const& attribute : type.user->attributes) static_cast<void>(learn(connection, attribute.type, limits));
    if (auto const known = known_oid_of(type)) return *known;
    if (type.user != nullptr) ask_for(connection, *type.user, limits);
    else static_cast<void>(learn(connection, entry_of(type.id).catalog_name, limits));
    return oid_of(type);
}

ISOROW_DECL void type_registry::ask_for(connection& connection, user_type const& type, limits const& limits) {
    parameters asked;
    for (auto const name : {type.schema, type.name}) {
        asked.add(entry_of(type_id::text).oid).put_bytes(name);
        asked.end();
    }
    auto const answer = execute_statement(connection,
                                          "SELECT t.oid, t.typarray FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n"
                                          " ON n.oid = t.typnamespace WHERE n.nspname = $1 AND t.typname = $2",
                                          asked, limits);
    auto key = quote_identifier(type.schema, type.name);
    if (answer.rows() == 0) throw usage_error(text("the database has no type {}; to make it: {}", key, create_type_sql(type)));
    auto const number = [&](int column) { return byte_reader(answer.value(0, column)).take_uint32(); };
    std::lock_guard const lock(mutex_);
    entries_.insert_or_assign(std::move(key), oids{number(0), number(1)});
}

ISOROW_DECL void type_registry::look_around(connection& connection, limits const& limits) {
    auto const& options = connection.options();
    bool const asks_pooler = options.pooler == pooler::detect && !pooled();
    bool const asks_types = options.enable_pgvector != pgvector_support::off && !oid_of("vector");
    if (options.pooler != pooler::detect) set_pooled(options.pooler == pooler::transaction);
    if (asks_pooler || asks_types) {
        // The number of the backend that a pooler made up for the client is not that of the backend that answers.
        auto const answer = execute_statement(
            connection,
            "SELECT pg_catalog.pg_backend_pid(), t.oid, t.typarray, t.typname::text FROM (SELECT 1) one LEFT JOIN (pg_catalog.pg_type t"
            " JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')"
            " ON t.typname IN ('vector', 'halfvec', 'sparsevec')",
            parameters{}, limits);
        auto const number = [&](int row, int column) { return byte_reader(answer.value(row, column)).take_uint32(); };
        if (asks_pooler) set_pooled(static_cast<int>(number(0, 0)) != connection.backend_pid());
        std::lock_guard const lock(mutex_);
        for (int row = 0; asks_types && row < answer.rows() && answer.value(row, 1).data() != nullptr; ++row)
            entries_.insert_or_assign(std::string(byte_reader(answer.value(row, 3)).take_rest_as_text()),
                                      oids{number(row, 1), number(row, 2)});
    }
    connection.set_pooled(pooled().value_or(false));
    if (asks_types && !oid_of("vector") && first_to_tell())
        connection.warn(options.enable_pgvector == pgvector_support::on ? "WARNING" : "DEBUG",
                        "the database has no pgvector: CREATE EXTENSION vector; it is looked for again when a vector is first used");
}

ISOROW_DECL std::optional<std::string> type_registry::name_of(connection& connection, oid type) const {
    if (!connection.is_open() || PQtransactionStatus(connection.native_handle()) == PQTRANS_ACTIVE) return std::nullopt;
    try {
        parameters asked;
        asked.add(entry_of(type_id::int8).oid).put_int64(type);
        asked.end();
        auto const answer =
            execute_statement(connection, "SELECT pg_catalog.format_type($1::oid, NULL)", asked, connection.default_limits());
        return std::string(byte_reader(answer.value(0, 0)).take_rest_as_text());
    } catch (error const&) {
        return std::nullopt;  // in a failed transaction nothing can be asked; the report then shows the OID
    }
}

}  // namespace isorow::inline v1
