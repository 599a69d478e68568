#pragma once

/// @file
/// Statements as text with parameters in bytes.

#include <isorow/pq/connection.hpp>
#include <isorow/pq/parameters.hpp>
#include <isorow/pq/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// SQL goes to libpq as a C string, which would end at a NUL byte.
[[nodiscard]] inline std::string checked_sql(std::string_view sql) {
    if (sql.find('\0') != std::string_view::npos) throw usage_error("the SQL has a NUL byte");
    return std::string(sql);
}

inline void require_sent(connection& connection, int sent) {
    if (sent == 1) return;
    auto const message = one_line(PQerrorMessage(connection.native_handle()));
    if (PQstatus(connection.native_handle()) != CONNECTION_OK)
        throw connection_lost(text("the connection to {} was lost: {}", connection.endpoint(), message));
    throw usage_error(message);
}

inline void send_statement(connection& connection, std::string const& sql, parameters const& parameters) {
    connection.require_ready();
    if (parameters.size() > parameter_limit)
        throw usage_error(text("a statement takes at most {} parameters, not {}", parameter_limit, parameters.size()));
    auto const values = parameters.values();
    std::vector<int> const formats(parameters.size(), 1);
    require_sent(connection, PQsendQueryParams(connection.native_handle(), sql.c_str(), static_cast<int>(parameters.size()),
                                               parameters.types(), values.data(), parameters.lengths(), formats.data(), 1));
}

/// Takes in all results; returns the last, or throws the first error.
[[nodiscard]] inline result collect(connection& connection, std::string_view sql, limits const& limits) {
    std::optional<result> last;
    std::optional<result> failed;
    while (auto* const received = connection.receive(limits, "waiting for the answer to a statement")) {
        result next(received);
        switch (next.status()) {
            case PGRES_FATAL_ERROR:
            case PGRES_BAD_RESPONSE:
                if (!failed) failed.emplace(std::move(next));
                break;
            case PGRES_COPY_IN:
            case PGRES_COPY_OUT:
            case PGRES_COPY_BOTH:
                connection.abandon();
                throw usage_error(text("COPY … FROM STDIN and TO STDOUT are run by copy_in and copy_out; in: {}", sql));
            default:
                last.emplace(std::move(next));
        }
        if (PQstatus(connection.native_handle()) != CONNECTION_OK) break;
    }
    if (failed) connection.raise(*failed, sql);
    if (!last) throw connection_lost(text("the connection to {} was lost", connection.endpoint()));
    return std::move(*last);
}

}  // namespace detail

/// Runs one statement with parameters; its rows come back in binary. Throws the server's errors by their class, `connection_lost`,
/// `timed_out` and `stopped`; after the last two the statement was cancelled.
inline result execute_statement(connection& connection, std::string_view sql, parameters const& parameters, limits const& limits) {
    auto const statement = detail::checked_sql(sql);
    detail::send_statement(connection, statement, parameters);
    return detail::collect(connection, statement, limits);
}

/// Runs statements without parameters, separated by semicolons, in one transaction unless they say otherwise. Rows come back as text, those
/// of the last statement. Errors are those of `execute_statement`.
inline result execute_script(connection& connection, std::string_view sql, limits const& limits) {
    auto const script = detail::checked_sql(sql);
    connection.require_ready();
    detail::require_sent(connection, PQsendQuery(connection.native_handle(), script.c_str()));
    return detail::collect(connection, script, limits);
}

inline oid type_registry::learn(connection& connection, std::string_view name, limits const& limits) {
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

inline std::optional<std::string> type_registry::name_of(connection& connection, oid type) const {
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
