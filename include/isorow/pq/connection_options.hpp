#pragma once

#include <isorow/error/server_error.hpp>
#include <isorow/pq/connection_parameters.hpp>
#include <isorow/pq/observer.hpp>
#include <isorow/pq/resolve.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// Whether pgvector's types are looked up when a pool connects.
enum class pgvector_support : std::uint8_t {
    automatic,  ///< looked up; where the extension is not there, one debug message, and again when a vector is first used
    on,         ///< likewise, with a warning
    off,        ///< vectors cannot be used
};

/// Whether a pooler stands between here and the server that gives each transaction another of its connections, as PgBouncer does in
/// transaction mode: what belongs to a session (LISTEN, SET, temporary tables, session advisory locks) is then refused with a clear error.
enum class pooler : std::uint8_t { detect, none, transaction };

/// What is said of a connection beside where it goes.
struct connection_options {
    /// For names, connecting and authentication, counted anew for each host. Unset: `connect_timeout` of the parameters, else 10 s.
    std::optional<std::chrono::milliseconds> connect_timeout{};
    std::chrono::milliseconds timeout = std::chrono::minutes(10);  ///< for each later call that is not given limits of its own
    std::function<void(diagnostics const&)> on_notice{};           ///< the server's notices; must not throw. Unset: they are dropped
    isorow::resolver resolve = &resolve_by_system;                 ///< how host names become addresses
    std::function<isorow::credentials()> credentials{};            ///< asked at each connecting, for passwords that change
    bool secure = false;  ///< a verified server, TLS bound to the authentication, SCRAM only; what says otherwise is an error
    std::optional<int> prepare_threshold = 5;  ///< a statement is prepared when it is run more often than this; nothing: never
    std::size_t prepared_max = 100;            ///< how many statements are kept prepared
    int chunk_rows = 256;                      ///< how many rows of a stream are held at a time; fewer where rows are huge
    pgvector_support enable_pgvector = pgvector_support::automatic;
    isorow::pooler pooler = isorow::pooler::detect;
    /// Pass the text of each json and jsonb value on its way to parameters and from rows of queries, as to add to documents or to take
    /// older forms of them in. COPY and targets do not use them. Must not throw but `isorow::error`, and must be thread-safe in a pool.
    std::function<std::string(std::string_view)> json_serializer{};
    std::function<std::string(std::string_view)> json_deserializer{};
    std::shared_ptr<isorow::observer> observer{};  ///< is told what is done; unset: costs nothing
    bool observe_values = false;                   ///< whether the observer is shown the values of parameters
};

}  // namespace isorow::inline v1
