#pragma once

#include <isorow/pq/detail/chance.hpp>
#include <isorow/pq/detail/task_queue.hpp>
#include <isorow/pq/lease.hpp>
#include <isorow/pq/pool_options.hpp>
#include <isorow/pq/statement.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// What a pool is, apart from its threads. Each member takes the mutex unless it says that it is held.
class pool_state {
public:
    using clock = std::chrono::steady_clock;

    pool_state(std::shared_ptr<conninfo const> where, pool_options options) : where_(std::move(where)), options_(std::move(options)) {
        require_sizes(options_.min_size, options_.max_size);
        if (options_.num_workers == 0) throw usage_error("a pool has at least one worker");
        tasks_ = std::make_unique<task_queue>(options_.num_workers);
        std::lock_guard const lock(mutex_);
        grow();
        shrink_later();
    }
    pool_state(pool_state const&) = delete;
    pool_state& operator=(pool_state const&) = delete;
    ~pool_state() { close(); }

    [[nodiscard]] bool is_forked() const noexcept { return forks_ != fork_count(); }

    [[nodiscard]] pooled_connection acquire(std::optional<limits> const& given) {
        if (is_forked()) throw usage_error("the process was forked: a child makes a pool of its own, it must not use its parent's");
        auto const begun = clock::now();
        try {
            auto const within = given ? *given : limits{begun + options_.timeout, {}};
            auto lent = take(within);
            tell(pool_event::kind::acquired, clock::now() - begun);
            return lent;
        } catch (...) {
            {
                std::lock_guard const lock(mutex_);
                ++counted_.requests_errors;
            }
            auto const failure = std::current_exception();
            tell(is_late(failure) ? pool_event::kind::timed_out : pool_event::kind::refused, clock::now() - begun, failure);
            throw;
        }
    }

    void give_back(pooled_connection returned, void const* holder, clock::time_point since) noexcept {
        if (is_forked()) return;  // the connection knows not to say goodbye
        auto const used = clock::now() - since;
        {
            std::lock_guard const lock(mutex_);
            forget_holder(holder);
            --lent_;
            counted_.usage_ms += milliseconds_of(used);
            if (!returned.open->is_idle() || options_.reset) {
                // What takes time is done by a worker.
                auto const shared = std::make_shared<pooled_connection>(std::move(returned));
                if (closed_) --size_;
                else tasks_->add([this, shared, used] { clean(std::move(*shared), used); });
                return;
            }
            accept(std::move(returned));
        }
        tell(pool_event::kind::returned, used);
        tell_retired();
    }

    /// With the mutex held.
    void forget_holder(void const*& holder) noexcept {
        if (holder == nullptr) return;
        auto const found = holders_.find(holder);
        if (found != holders_.end() && --found->second == 0) holders_.erase(found);
        holder = nullptr;
    }
    void passed_on(void const*& holder) noexcept {
        if (is_forked()) return;
        std::lock_guard const lock(mutex_);
        forget_holder(holder);
    }

    void wait(limits const& within) {
        waker ready;
        {
            std::lock_guard const lock(mutex_);
            require_open();
            if (size_ - connecting_ >= options_.min_size) return;
            watching_.push_back(&ready);
        }
        auto const forget = [&] {
            std::lock_guard const lock(mutex_);
            std::erase(watching_, &ready);
        };
        try {
            for (;;) {
                wait_for_socket(ready.descriptor(), interest::read, within, "waiting for the connections of a pool");
                char taken[16];
                static_cast<void>(!::read(ready.descriptor(), taken, sizeof taken));
                std::lock_guard const lock(mutex_);
                require_open();
                if (size_ - connecting_ >= options_.min_size) break;
                if (last_failure_ && !ever_connected_) std::rethrow_exception(copy_of(last_failure_));
            }
        } catch (...) {
            forget();
            throw;
        }
        forget();
    }

    void close() noexcept {
        if (is_forked()) return;
        std::vector<pooled_connection> ended;
        {
            std::lock_guard const lock(mutex_);
            if (closed_) return;
            closed_ = true;
            for (auto& one : idle_) ended.push_back(std::move(one));
            size_ -= idle_.size();
            idle_.clear();
            for (auto* const one : waiting_) one->arrived.wake();
            waiting_.clear();
            for (auto* const one : watching_) one->wake();
            closing_.request_stop();
        }
        tasks_->stop();
        std::lock_guard const lock(mutex_);
        size_ = lent_;  // what the workers were at is gone
        connecting_ = 0;
    }

    void resize(std::size_t least, std::optional<std::size_t> most) {
        require_sizes(least, most);
        {
            std::lock_guard const lock(mutex_);
            options_.min_size = least;
            options_.max_size = most;
            while (size_ > limit() && !idle_.empty()) retire_one();
            grow();
        }
        tell_retired();
    }

    void drain() {
        std::deque<pooled_connection> old;
        {
            std::lock_guard const lock(mutex_);
            ++generation_;
            old.swap(idle_);
            size_ -= old.size();
            retired_ += old.size();
            grow();
        }
        tell_retired();
    }

    [[nodiscard]] pool_statistics statistics(bool restart) {
        std::lock_guard const lock(mutex_);
        auto now = counted_;
        now.pool_min = options_.min_size;
        now.pool_max = options_.max_size;
        now.pool_size = size_;
        now.pool_available = idle_.size();
        now.requests_waiting = waiting_.size();
        if (restart) counted_ = {};
        return now;
    }

    [[nodiscard]] pool_options options() const {
        std::lock_guard const lock(mutex_);
        return options_;
    }
    [[nodiscard]] std::shared_ptr<conninfo const> const& where() const noexcept { return where_; }
    [[nodiscard]] std::shared_ptr<type_registry> const& types() const noexcept { return types_; }

private:
    /// Somebody who waits: is given a connection, or a reason why there is none, in the order of arrival.
    struct request {
        waker arrived;
        pooled_connection given;
        std::exception_ptr failure;
    };

    static void require_sizes(std::size_t least, std::optional<std::size_t> most) {
        if (most && (*most == 0 || *most < least))
            throw usage_error(text("a pool's max_size is at least 1 and at least its min_size ({}), not {}", least, *most));
    }
    [[nodiscard]] static std::uint64_t milliseconds_of(clock::duration time) {
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
    }

    /// With the mutex held.
    [[nodiscard]] std::size_t limit() const noexcept { return options_.max_size ? *options_.max_size : SIZE_MAX; }
    void require_open() const {
        if (closed_) throw usage_error("the pool is closed");
    }

    [[nodiscard]] pooled_connection take(limits const& within) {
        {
            std::lock_guard const lock(mutex_);
            ++counted_.requests_num;
        }
        for (;;) {
            auto one = take_idle_or_wait(within);
            if (passes_check(one)) {
                std::lock_guard const lock(mutex_);
                ++holders_[caller()];
                return one;
            }
            if (clock::now() >= within.deadline) throw timed_out("no connection of the pool passed its check in time");
        }
    }

    /// An idle connection whose server has not closed it; empty where there is none. With the mutex held.
    [[nodiscard]] pooled_connection take_idle() {
        while (!idle_.empty() && waiting_.empty()) {
            auto one = std::move(idle_.front());
            idle_.pop_front();
            least_idle_ = std::min(least_idle_, idle_.size());
            if (is_alive(*one.open)) {
                ++lent_;
                return one;
            }
            ++counted_.connections_lost;
            --size_;
            grow();
        }
        return {};
    }

    /// Whether nothing has come over an idle connection that ended it.
    [[nodiscard]] static bool is_alive(connection& idle) {
        if (!idle.is_idle()) return false;
        pollfd readable{PQsocket(idle.native_handle()), POLLIN, 0};
        return ::poll(&readable, 1, 0) <= 0 || (idle.take_in() && idle.is_idle());
    }

    [[nodiscard]] bool passes_check(pooled_connection& one) {
        if (!options_.check) return true;
        try {
            options_.check(*one.open);
            if (one.open->is_idle()) return true;
        } catch (std::exception const&) {  // NOLINT(bugprone-empty-catch)
            // Any failure says that the connection is of no use; the next one is tried.
        }
        std::lock_guard const lock(mutex_);
        ++counted_.connections_lost;
        --lent_;
        --size_;
        one.open.reset();
        grow();
        return false;
    }

    [[nodiscard]] pooled_connection take_idle_or_wait(limits const& within) {
        {  // without what a wait needs, where there is none
            std::lock_guard const lock(mutex_);
            require_open();
            if (auto one = take_idle(); one.open) return one;
        }
        return wait_for_turn(within);
    }

    [[nodiscard]] pooled_connection wait_for_turn(limits const& within) {
        request self;
        auto const begun = clock::now();
        {
            std::lock_guard const lock(mutex_);
            require_open();
            if (auto one = take_idle(); one.open) return one;  // one has come in meanwhile
            if (options_.max_waiting != 0 && waiting_.size() >= options_.max_waiting)
                throw too_many_requests(text("the pool's queue is full: {} wait already (max_waiting); {}", waiting_.size(), settings()));
            auto const held = holders_.find(caller());
            if (held != holders_.end() && held->second == size_ && size_ >= limit())
                throw usage_error(text(
                    "this thread holds all {} connections of the pool and asks for one more, which would wait for itself for ever: use "
                    "the connection at hand, or raise max_size",
                    size_));
            ++counted_.requests_queued;
            waiting_.push_back(&self);
            grow();
        }
        std::exception_ptr ended;
        try {
            wait_for_socket(self.arrived.descriptor(), interest::read, within, "waiting for a connection of the pool");
        } catch (...) {
            ended = std::current_exception();
        }
        std::lock_guard const lock(mutex_);
        std::erase(waiting_, &self);
        counted_.requests_wait_ms += milliseconds_of(clock::now() - begun);
        if (self.given.open) return std::move(self.given);  // also where it came at the last moment
        if (self.failure) std::rethrow_exception(self.failure);
        require_open();
        try {
            std::rethrow_exception(ended);
        } catch (timed_out const&) {
            throw timed_out(exhausted());
        }
    }

    /// An error like one that a worker has caught, for a thread of its own: of one that several hold, the last destroys what others have
    /// read. An error of the user's is the same for all.
    [[nodiscard]] static std::exception_ptr copy_of(std::exception_ptr const& failure) {
        try {
            try {
                std::rethrow_exception(failure);
            } catch (server_error const& one) {
                throw_server_error(one.diagnostics());
            } catch (connection_lost const& one) {
                throw connection_lost(one.what());
            } catch (connection_error const& one) {
                throw connection_error(one.what());
            } catch (timed_out const& one) {
                throw timed_out(one.what());
            }
        } catch (...) {
            return std::current_exception();
        }
    }

    /// With the mutex held.
    [[nodiscard]] std::string exhausted() const {
        auto report = text("no connection of the pool became free in time: {} of at most {} are lent, {} others wait; {}", lent_,
                           options_.max_size ? std::to_string(*options_.max_size) : std::string("any number"), waiting_.size(), settings());
        if (last_failure_) report += text("; the last attempt to connect: {}", message_of(last_failure_));
        return report;
    }
    [[nodiscard]] std::string settings() const {
        return text(
            "the pool's settings: min_size {}, max_size {}, timeout {} ms, max_waiting {}; raise max_size or timeout, or hold "
            "connections for less time",
            options_.min_size, options_.max_size ? std::to_string(*options_.max_size) : std::string("unlimited"), options_.timeout.count(),
            options_.max_waiting);
    }
    [[nodiscard]] static std::string message_of(std::exception_ptr const& failure) {
        try {
            std::rethrow_exception(failure);
        } catch (std::exception const& thrown) {
            return thrown.what();
        }
    }

    /// Starts as many connections as are wanted: up to min_size at once, for those who wait one at a time. With the mutex held.
    void grow() {
        if (closed_) return;
        auto const now = clock::now();
        // A server that was lost is tried in growing steps; one that was never reached when somebody asks, who is told at once.
        if (failures_ > 0 && now < retry_at_ && (ever_connected_ || waiting_.empty())) return;
        while (size_ < options_.min_size) start_connecting();
        if (!waiting_.empty() && connecting_ == 0 && size_ < limit()) start_connecting();
    }
    void start_connecting() {
        ++size_;
        ++connecting_;
        tasks_->add([this] { connect(); });
    }

    void connect() noexcept {
        auto const begun = clock::now();
        pooled_connection made;
        std::exception_ptr failure;
        try {
            made.open = std::make_unique<connection>(where_, options_.connection, limits::until_stopped(closing_.get_token()));
            prepare(*made.open);
            made.expires = begun + by_chance<clock::duration>(options_.max_lifetime, 0.95, 1.0);
        } catch (...) {
            failure = std::current_exception();
            made.open.reset();
        }
        auto const took = clock::now() - begun;
        bool given_up = false;
        int attempt = 0;
        {
            std::lock_guard const lock(mutex_);
            ++counted_.connections_num;
            counted_.connections_ms += milliseconds_of(took);
            --connecting_;
            attempt = failures_ + 1;
            if (failure) given_up = failed(failure);
            else succeeded(std::move(made));
        }
        tell(failure ? pool_event::kind::connect_failed : pool_event::kind::connected, took, failure);
        if (failure || attempt > 1) tell_reconnect(attempt, given_up, failure);
        if (given_up && options_.reconnect_failed) options_.reconnect_failed(failure);
    }

    /// Types of extensions, then the user's two steps.
    void prepare(connection& fresh) {
        fresh.share_types(types_);
        types_->look_around(fresh, fresh.default_limits());
        auto const run = [&](std::function<void(connection&)> const& step, std::string_view name) {
            if (!step) return;
            step(fresh);
            if (!fresh.is_idle()) throw usage_error(text("the pool's {} left the connection in a transaction", name));
        };
        run(options_.configure, "configure");
        run(options_.init, "init");
    }

    /// With the mutex held.
    void succeeded(pooled_connection made) {
        ever_connected_ = true;
        failures_ = 0;
        last_failure_ = nullptr;
        made.generation = generation_;
        for (auto* const one : watching_) one->wake();
        accept(std::move(made));
        grow();
    }

    /// Plans the next attempt. Returns whether the time for them is over. With the mutex held.
    [[nodiscard]] bool failed(std::exception_ptr const& failure) {
        auto const now = clock::now();
        ++counted_.connections_errors;
        --size_;
        last_failure_ = copy_of(failure);
        if (failures_++ == 0) first_failure_ = now;
        bool const given_up = now - first_failure_ >= options_.reconnect_timeout;
        if (!ever_connected_ || given_up) {
            for (auto* const one : waiting_) {
                one->failure = copy_of(failure);
                one->arrived.wake();
            }
            waiting_.clear();
        }
        for (auto* const one : watching_) one->wake();
        if (given_up) {
            failures_ = 0;
            return true;
        }
        // 250 ms, doubled each time up to 4 s, each 10 % more or less.
        auto const step = std::chrono::milliseconds(250) * (1 << std::min(failures_ - 1, 4));
        retry_at_ = now + by_chance<clock::duration>(step, 0.9, 1.1);
        tasks_->add(
            [this] {
                std::lock_guard const lock(mutex_);
                grow();
            },
            retry_at_);
        return false;
    }

    /// Takes a connection at rest in: for whoever waits first, or as idle. With the mutex held.
    void accept(pooled_connection one) {
        bool const wanted =
            !closed_ && one.open->is_idle() && one.generation == generation_ && clock::now() < one.expires && size_ <= limit();
        if (!wanted) {
            --size_;
            ++retired_;
            return grow();
        }
        if (waiting_.empty()) {
            one.open->transaction_depth() = 0;
            return idle_.push_back(std::move(one));
        }
        auto& next = *waiting_.front();
        waiting_.pop_front();
        next.given = std::move(one);
        ++lent_;
        next.arrived.wake();
    }

    /// Brings a connection that came back to rest: ends what is under way, rolls back, calls `reset`.
    void clean(pooled_connection returned, clock::duration used) noexcept {
        bool usable = returned.open->is_open();
        std::exception_ptr failure;
        try {
            auto& open = *returned.open;
            if (usable && PQtransactionStatus(open.native_handle()) == PQTRANS_ACTIVE) open.abandon();
            if (open.in_transaction()) execute_script(open, "ROLLBACK", limits::within(std::chrono::seconds(5)));
            open.transaction_depth() = 0;
            usable = open.is_idle();
            if (usable && options_.reset) {
                options_.reset(open);
                usable = open.is_idle();
            }
        } catch (...) {
            failure = std::current_exception();
            usable = false;
        }
        if (!usable) returned.open.reset();
        {
            std::lock_guard const lock(mutex_);
            if (usable) {
                accept(std::move(returned));
            } else {
                ++counted_.returns_bad;
                --size_;
                grow();
            }
        }
        tell(usable ? pool_event::kind::returned : pool_event::kind::discarded, used, failure);
        tell_retired();
    }

    /// With the mutex held.
    void retire_one() {
        idle_.pop_front();
        --size_;
        ++retired_;
    }

    /// Once in each `max_idle` a connection that nobody needed in that time is closed. With the mutex held.
    void shrink_later() {
        least_idle_ = idle_.size();
        tasks_->add(
            [this] {
                shrink();
                tell_retired();
            },
            clock::now() + options_.max_idle);
    }

    void shrink() {
        std::lock_guard const lock(mutex_);
        if (closed_) return;
        if (least_idle_ > 0 && !idle_.empty() && size_ > options_.min_size) retire_one();
        // Those that are too old go even where nobody asks for them.
        auto const now = clock::now();
        auto const gone = std::erase_if(idle_, [&](pooled_connection const& one) { return one.expires <= now; });
        size_ -= gone;
        retired_ += gone;
        grow();
        shrink_later();
    }

    [[nodiscard]] static bool is_late(std::exception_ptr const& failure) {
        try {
            std::rethrow_exception(failure);
        } catch (timed_out const&) {
            return true;
        } catch (...) {
            return false;
        }
    }

    /// What was retired with the mutex held is told without it.
    void tell_retired() {
        if (!options_.connection.observer) return;
        std::size_t count = 0;
        {
            std::lock_guard const lock(mutex_);
            count = std::exchange(retired_, 0);
        }
        for (; count > 0; --count) tell(pool_event::kind::retired, {});
    }

    void tell(pool_event::kind what, clock::duration took, std::exception_ptr const& failure = {}) {
        auto const& watching = options_.connection.observer;
        if (!watching) [[likely]]
            return;
        auto const error = failure ? name_of(failure) : std::string{};
        pool_event event{.what = what, .duration = took, .error = error};
        {
            std::lock_guard const lock(mutex_);
            event.size = size_;
            event.available = idle_.size();
            event.waiting = waiting_.size();
        }
        watching->on_pool(event);
    }
    void tell_reconnect(int attempt, bool given_up, std::exception_ptr const& failure) {
        auto const& watching = options_.connection.observer;
        if (!watching) return;
        auto const error = failure ? name_of(failure) : std::string{};
        watching->on_reconnect({.attempt = attempt, .succeeded = !failure, .given_up = given_up, .error = error});
    }

    std::shared_ptr<conninfo const> where_;
    pool_options options_;
    std::shared_ptr<type_registry> types_ = std::make_shared<type_registry>();
    unsigned forks_ = fork_count();
    mutable std::mutex mutex_;
    std::deque<pooled_connection> idle_;
    std::deque<request*> waiting_;
    std::vector<waker*> watching_;
    std::map<void const*, std::size_t> holders_;  ///< how many connections each thread holds
    std::size_t size_ = 0;                        ///< those that are there and those that are being made
    std::size_t lent_ = 0;
    std::size_t connecting_ = 0;
    std::size_t least_idle_ = 0;
    std::size_t retired_ = 0;  ///< so many are still to be told
    std::uint64_t generation_ = 0;
    bool closed_ = false;
    bool ever_connected_ = false;
    int failures_ = 0;  ///< one after another
    clock::time_point first_failure_{};
    clock::time_point retry_at_{};
    std::exception_ptr last_failure_;
    pool_statistics counted_;
    std::stop_source closing_;
    std::unique_ptr<task_queue> tasks_;
};

}  // namespace isorow::inline v1::detail
