#pragma once

#include <isorow/pq/connection.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace isorow::inline v1 {

class pool;

namespace detail {

/// A connection with what its pool remembers of it.
struct pooled_connection {
    std::unique_ptr<connection> open;
    std::chrono::steady_clock::time_point expires;
    std::uint64_t generation = 0;
};

class pool_state;

}  // namespace detail

/// A connection lent by a pool; goes back when this object is gone. Move-only.
class lease {
public:
    /// No connection.
    lease() = default;
    /// Acquires a connection, as `pool::acquire` does: in place, where a lease is kept by another object.
    explicit lease(pool& from, std::optional<limits> const& within = {});
    lease(lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), lent_(std::move(other.lent_)), holder_(other.holder_), since_(other.since_) {
        passed_on();
    }
    lease& operator=(lease&& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(lent_, other.lent_);
        std::swap(holder_, other.holder_);
        std::swap(since_, other.since_);
        passed_on();
        return *this;
    }
    ~lease();

    [[nodiscard]] connection& operator*() const noexcept { return *lent_.open; }
    [[nodiscard]] connection* operator->() const noexcept { return lent_.open.get(); }

private:
    friend class pool;
    lease(detail::pool_state& from, std::optional<limits> const& within);

    /// Whoever has a lease that was moved may be another thread than the one that acquired it.
    void passed_on() noexcept;

    detail::pool_state* pool_ = nullptr;
    detail::pooled_connection lent_{};
    void const* holder_ = nullptr;
    std::chrono::steady_clock::time_point since_{};
};

}  // namespace isorow::inline v1
