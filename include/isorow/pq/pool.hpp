#pragma once

#include <isorow/config.hpp>
#include <isorow/pq/lease.hpp>
#include <isorow/pq/pool_options.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace isorow::inline v1 {

namespace detail {
class pool_state;
}

/// Connections that are kept ready and lent in the order in which they are asked for. Thread-safe. Must outlive its leases.
///
/// Its workers fill it to `min_size` from the start and replace what breaks or grows old. Where more are needed, they make them one at a
/// time up to `max_size`. A connection that comes back in a transaction is rolled back. While the server cannot be reached, those who ask
/// wait until their deadline, but where it never was reached they are told at once.
class pool {
public:
    /// An empty `dsn`: libpq's environment. Throws `usage_error` for sizes that contradict each other and parameters that are not right.
    explicit pool(std::string const& dsn = {}, pool_options options = {});
    explicit pool(connection_parameters const& where, pool_options options = {});
    pool(pool const&) = delete;
    pool& operator=(pool const&) = delete;
    ~pool();

    /// Lends a connection, waiting for one where all are lent. Throws `timed_out` with the pool's numbers and settings,
    /// `too_many_requests`, `stopped`, what connecting threw, and `usage_error` after `close`, in a forked child, and where this thread
    /// holds all connections itself.
    [[nodiscard]] lease acquire() { return lease(*this); }
    [[nodiscard]] lease acquire(limits const& limits) { return lease(*this, limits); }

    /// Waits until `min_size` connections are there. Throws `timed_out`, and what connecting throws.
    void wait() { wait(limits::within(options().timeout)); }
    void wait(limits const& limits);

    /// Changes the sizes; connections above the new maximum are closed as they come back.
    void resize(std::size_t min_size, std::optional<std::size_t> max_size);

    /// Replaces all connections, those that are lent when they come back: after a change of the schema, or of a role's settings.
    void drain();

    /// Closes the idle connections, ends the workers and refuses to lend more; those who wait are told, and connections that are lent are
    /// closed when they come back.
    void close() noexcept;

    /// What the pool has done so far; `pop_statistics` also begins to count anew.
    [[nodiscard]] pool_statistics statistics() const;
    [[nodiscard]] pool_statistics pop_statistics();

    /// How many connections there are, lent, idle or being made.
    [[nodiscard]] std::size_t size() const { return statistics().pool_size; }
    /// How many are idle.
    [[nodiscard]] std::size_t available() const { return statistics().pool_available; }
    [[nodiscard]] pool_options options() const;

    /// Where its connections go, for one more outside of it, such as a listener's.
    [[nodiscard]] std::shared_ptr<detail::conninfo const> const& parameters() const noexcept;
    [[nodiscard]] std::shared_ptr<type_registry> const& types() const noexcept;

    /// A `check` that asks the server; costs a round trip at each acquire.
    static void check_connection(connection& idle);

private:
    friend class lease;

    std::unique_ptr<detail::pool_state> state_;
};

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/pq/detail/pool_code.hpp>
#endif
