#pragma once

#include <isorow/pq/connection_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>

namespace isorow::inline v1 {

class connection;

struct pool_options {
    std::size_t min_size = 4;                                             ///< so many connections are kept ready
    std::optional<std::size_t> max_size{};                                ///< never more than these; nothing: unlimited
    std::chrono::milliseconds timeout = std::chrono::seconds(30);         ///< how long `acquire` waits for one
    std::size_t max_waiting = 0;                                          ///< how many may wait; 0: unlimited
    std::chrono::milliseconds max_lifetime = std::chrono::seconds(3600);  ///< a connection is replaced after 95 to 100 % of this
    std::chrono::milliseconds max_idle = std::chrono::seconds(600);       ///< in each such time one unused connection above min_size goes
    std::chrono::milliseconds reconnect_timeout = std::chrono::seconds(300);  ///< for so long a lost server is tried again
    std::size_t num_workers = 3;                                              ///< threads that connect, clean and replace connections

    /// Called once on each new connection, in this order, after the types of extensions were looked up. Must leave it outside of a
    /// transaction. Where one throws, the connection is closed and making it has failed.
    std::function<void(connection&)> configure{};
    std::function<void(connection&)> init{};
    /// Called on each connection that comes back. Must leave it outside of a transaction; where it throws, the connection is replaced.
    std::function<void(connection&)> reset{};
    /// Called on each connection before it is lent; one that throws is replaced, and the next is tried. `pool::check_connection` asks the
    /// server. A connection whose socket was closed is noticed without.
    std::function<void(connection&)> check{};
    /// Called where the server could not be reached for `reconnect_timeout`, with the last failure.
    std::function<void(std::exception_ptr)> reconnect_failed{};

    connection_options connection{};
};

/// What a pool has done, counted from its start or from the last `pop_statistics`, and how it is now (the first five).
struct pool_statistics {
    std::size_t pool_min = 0;
    std::optional<std::size_t> pool_max{};
    std::size_t pool_size = 0;           ///< connections that are there or being made
    std::size_t pool_available = 0;      ///< idle ones
    std::size_t requests_waiting = 0;    ///< who wait now
    std::uint64_t requests_num = 0;      ///< connections asked for
    std::uint64_t requests_queued = 0;   ///< of them those that had to wait
    std::uint64_t requests_wait_ms = 0;  ///< how long, together
    std::uint64_t requests_errors = 0;   ///< of them those that got none
    std::uint64_t usage_ms = 0;          ///< how long connections were lent, together
    std::uint64_t returns_bad = 0;       ///< connections that came back broken
    std::uint64_t connections_num = 0;   ///< attempts to connect
    std::uint64_t connections_ms = 0;    ///< how long they took, together
    std::uint64_t connections_errors = 0;
    std::uint64_t connections_lost = 0;  ///< connections that were found broken before they were lent
};

}  // namespace isorow::inline v1
