#pragma once

#include <isorow/pq/statement.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>

namespace isorow::inline v1 {

class pool;

/// A connection lent by a pool; goes back when this object is gone. Move-only.
class lease {
public:
    lease(lease&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), connection_(std::move(other.connection_)) {}
    lease& operator=(lease&& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(connection_, other.connection_);
        return *this;
    }
    ~lease();

    [[nodiscard]] connection& operator*() const noexcept { return *connection_; }
    [[nodiscard]] connection* operator->() const noexcept { return connection_.get(); }

private:
    friend class pool;
    lease(pool& owner, std::unique_ptr<connection> lent) noexcept : pool_(&owner), connection_(std::move(lent)) {}

    pool* pool_;
    std::unique_ptr<connection> connection_;
};

struct pool_options {
    std::size_t size = 4;                                                  ///< how many connections at the most
    std::chrono::milliseconds acquire_timeout = std::chrono::seconds(30);  ///< how long `acquire` waits for one
    connection_options connection{};
};

/// A fixed number of connections, made when they are first needed and lent in the order in which they are asked for. Thread-safe. Must
/// outlive its leases.
class pool {
public:
    /// Nothing is connected yet. Throws `usage_error` for a size of 0 and a DSN that cannot be read. An empty `dsn`: libpq's environment.
    explicit pool(std::string dsn = {}, pool_options options = {}) : dsn_(std::move(dsn)), options_(std::move(options)) {
        if (options_.size == 0) throw usage_error("a pool has at least one connection");
        static_cast<void>(detail::parse_conninfo(dsn_));
    }
    pool(pool const&) = delete;
    pool& operator=(pool const&) = delete;

    /// Lends a connection, waiting for one where all are lent. Throws `timed_out` with the pool's size and the number of those who wait,
    /// `stopped`, `usage_error` after `close`, and what connecting throws.
    [[nodiscard]] lease acquire() { return acquire(limits::within(options_.acquire_timeout)); }
    [[nodiscard]] lease acquire(limits const& limits) {
        auto lent = take(limits);
        if (!lent) lent = connect(limits);
        return {*this, std::move(lent)};
    }

    /// Closes the idle connections and refuses to lend more; those that are lent are closed when they come back.
    void close() noexcept {
        std::lock_guard const lock(mutex_);
        closed_ = true;
        total_ -= idle_.size();
        idle_.clear();
        for (auto* const one : waiting_) one->arrived.notify_one();
    }

    /// How many connections there are, lent or idle.
    [[nodiscard]] std::size_t size() const {
        std::lock_guard const lock(mutex_);
        return total_;
    }
    /// How many are idle.
    [[nodiscard]] std::size_t available() const {
        std::lock_guard const lock(mutex_);
        return idle_.size();
    }
    [[nodiscard]] pool_options const& options() const noexcept { return options_; }

private:
    friend class lease;

    /// Somebody who waits: is given a connection, or the right to make one, in the order of arrival.
    struct waiter {
        std::condition_variable_any arrived;
        std::unique_ptr<connection> given;
        bool may_connect = false;
    };

    /// An idle connection, or null where the caller is to make a new one.
    [[nodiscard]] std::unique_ptr<connection> take(limits const& limits) {
        std::unique_lock lock(mutex_);
        require_open();
        while (!idle_.empty()) {
            auto lent = std::move(idle_.front());
            idle_.pop_front();
            if (lent->is_idle()) return lent;
            --total_;  // it broke while it lay idle
        }
        if (total_ < options_.size) {
            ++total_;
            return nullptr;
        }
        return wait_for_turn(lock, limits);
    }

    [[nodiscard]] std::unique_ptr<connection> wait_for_turn(std::unique_lock<std::mutex>& lock, limits const& limits) {
        waiter self;
        waiting_.push_back(&self);
        bool const served =
            self.arrived.wait_until(lock, limits.stop, limits.deadline, [&] { return self.given || self.may_connect || closed_; });
        if (self.given || self.may_connect) return std::move(self.given);
        std::erase(waiting_, &self);
        require_open();
        if (!served && limits.stop.stop_requested()) throw stopped("stopped while waiting for a connection of the pool");
        throw timed_out(
            text("no connection of the pool became free in time: all {} are lent, {} others wait", options_.size, waiting_.size()));
    }

    [[nodiscard]] std::unique_ptr<connection> connect(limits const& limits) {
        try {
            auto const soonest = std::min(limits.deadline, std::chrono::steady_clock::now() + options_.connection.connect_timeout);
            auto options = options_.connection;
            options.connect_timeout = std::chrono::milliseconds(detail::milliseconds_until(soonest));
            auto made = std::make_unique<connection>(dsn_, std::move(options), limits.stop);
            made->share_types(types_);
            return made;
        } catch (...) {
            std::lock_guard const lock(mutex_);
            pass_on_right();
            throw;
        }
    }

    /// One connection is gone: the next who waits may make another. Called with the mutex held.
    void pass_on_right() noexcept {
        if (waiting_.empty()) {
            --total_;
            return;
        }
        auto& next = *waiting_.front();
        waiting_.pop_front();
        next.may_connect = true;
        next.arrived.notify_one();
    }

    void give_back(std::unique_ptr<connection> returned) noexcept {
        bool const usable = make_idle(*returned);
        std::lock_guard const lock(mutex_);
        if (closed_) {
            --total_;
            return;
        }
        if (!usable) return pass_on_right();
        if (waiting_.empty()) return idle_.push_back(std::move(returned));
        auto& next = *waiting_.front();
        waiting_.pop_front();
        next.given = std::move(returned);
        next.arrived.notify_one();
    }

    /// A connection that comes back in a transaction, or with a statement under way, is brought to rest; false where that fails.
    [[nodiscard]] static bool make_idle(connection& returned) noexcept {
        if (!returned.is_open()) return false;
        if (returned.is_idle()) return true;
        try {
            if (PQtransactionStatus(returned.native_handle()) == PQTRANS_ACTIVE) returned.abandon();
            if (returned.in_transaction()) execute_script(returned, "ROLLBACK", limits::within(std::chrono::seconds(5)));
            returned.transaction_depth() = 0;
            return returned.is_idle();
        } catch (error const&) {
            return false;
        }
    }

    void require_open() const {
        if (closed_) throw usage_error("the pool is closed");
    }

    std::string dsn_;
    pool_options options_;
    std::shared_ptr<type_registry> types_ = std::make_shared<type_registry>();
    mutable std::mutex mutex_;
    std::deque<std::unique_ptr<connection>> idle_;
    std::deque<waiter*> waiting_;
    std::size_t total_ = 0;
    bool closed_ = false;
};

inline lease::~lease() {
    if (pool_ != nullptr && connection_) pool_->give_back(std::move(connection_));
}

}  // namespace isorow::inline v1
