#pragma once

#include <isorow/config.hpp>
#include <isorow/pq/detail/fork.hpp>
#include <isorow/pq/listener.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Wakes those who wait for jobs when a queue's channel is notified: one listener, on a thread of its own, for all that wait on one queue
/// object. The thread begins with the first who sleeps. Thread-safe.
class queue_bell {
public:
    /// The pool must outlive the bell.
    queue_bell(pool& beside, std::string channel) : beside_(&beside), channel_(std::move(channel)) {}
    queue_bell(queue_bell const&) = delete;
    queue_bell& operator=(queue_bell const&) = delete;
    ~queue_bell();

    /// Whether notifications come; where not, who waits has to look again and again.
    [[nodiscard]] bool hears() const noexcept { return hears_; }

    /// Throws what keeps the listener from listening, where trying again does not help.
    void rethrow_failure() const;

    /// One who waits. What rings from its making on wakes it: so make it, look for jobs, then sleep.
    class sleeper {
    public:
        explicit sleeper(queue_bell& bell);
        sleeper(sleeper const&) = delete;
        sleeper& operator=(sleeper const&) = delete;
        ~sleeper();

        /// Sleeps until the bell rings or the deadline passes. Throws `stopped`.
        void sleep(limits const& limits) const;

    private:
        queue_bell* bell_;
        waker waker_;
    };

private:
    /// The mutex is held.
    void start();

    void ring() const;

    /// Listens until it is told to stop, or for good where a session cannot be had.
    void run(std::stop_token const& stop) noexcept;

    void listen(std::stop_token const& stop);

    void failed(std::exception_ptr failure);

    pool* beside_;
    std::string channel_;
    unsigned forks_ = fork_count();
    mutable std::mutex mutex_;
    std::vector<waker const*> sleepers_;
    std::exception_ptr failure_;
    std::atomic<bool> hears_{false};
    std::unique_ptr<std::jthread> thread_;  // last: it uses the others
};

#if ISOROW_HAS_CODE

ISOROW_DECL queue_bell::~queue_bell() {
    // In a forked child the thread is not there, and cannot be joined.
    if (forks_ != fork_count()) static_cast<void>(thread_.release());  // NOLINT(bugprone-unused-return-value)
}

ISOROW_DECL void queue_bell::rethrow_failure() const {
    std::lock_guard const lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
}

ISOROW_DECL queue_bell::sleeper::sleeper(queue_bell& bell) : bell_(&bell) {
    std::lock_guard const lock(bell.mutex_);
    bell.start();
    bell.sleepers_.push_back(&waker_);
}

ISOROW_DECL queue_bell::sleeper::~sleeper() {
    std::lock_guard const lock(bell_->mutex_);
    std::erase(bell_->sleepers_, &waker_);
}

ISOROW_DECL void queue_bell::sleeper::sleep(limits const& limits) const {
    static_cast<void>(wait_until_ready(waker_.descriptor(), interest::read, limits, "waiting for a job"));
}

ISOROW_DECL void queue_bell::start() {
    if (!thread_) thread_ = std::make_unique<std::jthread>([this](std::stop_token const& stop) { run(stop); });
}

ISOROW_DECL void queue_bell::ring() const {
    std::lock_guard const lock(mutex_);
    for (auto const* const one : sleepers_) one->wake();
}

ISOROW_DECL void queue_bell::run(std::stop_token const& stop) noexcept {
    constexpr std::chrono::milliseconds longest_pause = std::chrono::seconds(10);
    for (auto pause = std::chrono::milliseconds(100);; pause = std::min(2 * pause, longest_pause)) {
        try {
            try {
                return listen(stop);
            } catch (error const& failure) {
                if (stop.stop_requested()) return;
                failed(failure.retryable() ? nullptr : std::current_exception());
            }
            pause_for(pause, limits::until_stopped(stop), "trying to listen again");
        } catch (stopped const&) {
            return;
        } catch (...) {
            return failed(std::current_exception());  // such as no memory: whoever waits is told
        }
    }
}

ISOROW_DECL void queue_bell::listen(std::stop_token const& stop) {
    std::optional<listener> ears;
    try {
        ears.emplace(*beside_, std::vector{channel_});
    } catch (usage_error const&) {
        return;  // a pooler stands between: those who wait look again and again
    } catch (feature_not_supported const&) {
        return;  // an engine that has no LISTEN: likewise
    }
    {
        std::lock_guard const lock(mutex_);
        failure_ = nullptr;
    }
    hears_ = true;
    // What was sent before the channel was listened to is looked for now.
    for (ring();; ring()) static_cast<void>(ears->next(limits::until_stopped(stop)));
}

ISOROW_DECL void queue_bell::failed(std::exception_ptr failure) {
    hears_ = false;
    {
        std::lock_guard const lock(mutex_);
        failure_ = std::move(failure);
    }
    ring();
}

#endif

}  // namespace isorow::inline v1::detail
