#pragma once

#include <isorow/error/server_error.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

class parameters;

/// Something that was done on a connection. What it refers to lives as long as the call that receives it.
struct operation_event {
    std::string_view name{};            ///< the statement's first word, such as SELECT; COPY, PIPELINE or CONNECT
    std::string_view sql{};             ///< the statement's text, without the values of its parameters
    std::string_view database{};        ///< the database's name
    std::string_view server_address{};  ///< host or socket's directory
    std::string_view server_port{};
    std::chrono::nanoseconds duration{};
    std::int64_t rows = 0;               ///< returned, changed or copied
    std::int64_t statements = 1;         ///< how many a pipeline had
    std::string_view error{};            ///< empty where it succeeded; else the SQLSTATE, or what was thrown
    parameters const* values = nullptr;  ///< the bound values, only where `connection_options::observe_values` asks for them
};

/// Something that happened in a pool.
struct pool_event {
    enum class kind : std::uint8_t { connected, connect_failed, acquired, timed_out, refused, returned, discarded, retired };
    kind what;  ///< `refused`: somebody got no connection, but not for lack of time; `retired`: a connection is replaced, or not needed
    std::chrono::nanoseconds duration{};  ///< connecting, waiting for a connection, or using it
    std::size_t size = 0;
    std::size_t available = 0;
    std::size_t waiting = 0;
    std::string_view error{};
};

/// A connection was lost, and another one made or not.
struct reconnect_event {
    int attempt = 0;
    bool succeeded = false;
    bool given_up = false;
    std::string_view error{};
};

/// Is told what isorow does; each member does nothing unless overridden. Called on the threads that do it, at the end of the operation:
/// be quick, do not throw, be thread-safe where connections are used on several threads. Never holds a password, nor bound values unless
/// asked for.
class observer {
public:
    observer() = default;
    observer(observer const&) = delete;
    observer& operator=(observer const&) = delete;
    virtual ~observer() = default;

    virtual void on_connect(operation_event const&) {}
    virtual void on_query(operation_event const&) {}
    virtual void on_prepare(operation_event const&) {}
    virtual void on_copy(operation_event const&) {}
    virtual void on_pipeline(operation_event const&) {}
    virtual void on_pool(pool_event const&) {}
    /// The server's notices, and isorow's own warnings (severity WARNING) and debug messages (DEBUG).
    virtual void on_notice(diagnostics const&) {}
    virtual void on_reconnect(reconnect_event const&) {}
};

/// The event in the names of OpenTelemetry. Source: "Semantic conventions for database client spans" and "for PostgreSQL", version 1.33.
[[nodiscard]] inline std::vector<std::pair<std::string_view, std::string>> opentelemetry_attributes(operation_event const& event) {
    std::vector<std::pair<std::string_view, std::string>> attributes{{"db.system.name", "postgresql"}};
    auto const add = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) attributes.emplace_back(name, value);
    };
    add("db.namespace", event.database);
    add("db.operation.name", event.name);
    add("db.query.text", event.sql);
    add("server.address", event.server_address);
    add("server.port", event.server_port);
    if (event.statements > 1) attributes.emplace_back("db.operation.batch.size", std::to_string(event.statements));
    if (event.error.empty()) attributes.emplace_back("db.response.returned_rows", std::to_string(event.rows));
    else if (event.error.size() == 5) add("db.response.status_code", event.error);
    add("error.type", event.error);
    return attributes;
}

namespace detail {

/// What is left of a statement behind the comment that it begins with; comments nest.
[[nodiscard]] inline std::string_view behind_comment(std::string_view sql) {
    if (sql.starts_with("--")) {
        auto const end = sql.find_first_of("\r\n");
        return end == std::string_view::npos ? std::string_view{} : sql.substr(end);
    }
    int depth = 0;
    for (std::size_t at = 0; at + 1 < sql.size(); ++at) {
        auto const two = sql.substr(at, 2);
        if (two != "/*" && two != "*/") continue;
        depth += two == "/*" ? 1 : -1;
        ++at;
        if (depth == 0) return sql.substr(at + 1);
    }
    return {};
}

/// The first word of a statement, comments and blanks left out.
[[nodiscard]] inline std::string_view first_word(std::string_view sql) {
    for (;;) {
        auto const start = sql.find_first_not_of(" \t\r\n\f\v(;");
        if (start == std::string_view::npos) return {};
        sql.remove_prefix(start);
        if (!sql.starts_with("--") && !sql.starts_with("/*")) break;
        sql = behind_comment(sql);
    }
    std::size_t end = 0;
    while (end < sql.size() && ((sql[end] | 0x20) >= 'a' && (sql[end] | 0x20) <= 'z')) ++end;
    return sql.substr(0, end);
}

/// How an exception is named in an event: its SQLSTATE, or what it says.
[[nodiscard]] inline std::string name_of(std::exception_ptr const& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (server_error const& refused) {
        return refused.sqlstate().empty() ? std::string("server_error") : refused.sqlstate();
    } catch (std::exception const& other) {
        return other.what();
    }
}

}  // namespace detail

}  // namespace isorow::inline v1
