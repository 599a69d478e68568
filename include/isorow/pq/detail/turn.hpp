#pragma once

#include <isorow/pq/wait.hpp>

#include <algorithm>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace isorow::inline v1::detail {

/// A lock that may be held while its holder waits for the network, also by a coroutine that goes on on another thread: it belongs to nobody
/// in particular. Who waits for it does so in the way of all of isorow. First come, first served.
class turn {
public:
    [[nodiscard]] bool try_acquire() noexcept {
        std::lock_guard const lock(mutex_);
        return !std::exchange(taken_, true);
    }

    void acquire() {
        // Most who hold it do so for some microseconds.
        for (int attempt = 0; attempt < 32; ++attempt) {
            if (try_acquire()) return;
            std::this_thread::yield();
        }
        waker own;
        {
            std::lock_guard const lock(mutex_);
            if (!std::exchange(taken_, true)) return;
            waiting_.push_back(&own);
        }
        try {
            wait_for_socket(own.descriptor(), interest::read, limits::until_stopped({}), "waiting for another caller");
        } catch (...) {
            give_up(own);
            throw;
        }
        std::lock_guard const lock(mutex_);  // it is woken under the lock, and gone only after
    }

    /// Passes it on to the one who waits longest.
    void release() noexcept {
        std::lock_guard const lock(mutex_);
        if (waiting_.empty()) {
            taken_ = false;
            return;
        }
        waiting_.front()->wake();
        waiting_.pop_front();
    }

    /// Has it for as long as this object lives.
    class hold {
    public:
        explicit hold(turn& whose) : whose_(whose) { whose_.acquire(); }
        hold(turn& whose, std::adopt_lock_t) noexcept : whose_(whose) {}
        hold(hold const&) = delete;
        hold& operator=(hold const&) = delete;
        ~hold() { whose_.release(); }

    private:
        turn& whose_;
    };

private:
    /// One who was given it and does not want it any more passes it on.
    void give_up(waker& own) noexcept {
        {
            std::lock_guard const lock(mutex_);
            auto const place = std::find(waiting_.begin(), waiting_.end(), &own);
            if (place != waiting_.end()) {
                waiting_.erase(place);
                return;
            }
        }
        release();
    }

    std::mutex mutex_;
    bool taken_ = false;
    std::deque<waker*> waiting_{};
};

}  // namespace isorow::inline v1::detail
