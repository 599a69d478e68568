#pragma once

#include <isorow/pq/wait.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace isorow::inline v1::records::detail {

/// A lock of whoever calls: of the coroutine where there is one, else of the thread. Its owner may take it again. A coroutine that has it
/// may go on on another thread, and one that waits for it leaves its thread to others; a thread that waits for it blocks.
class store_lock {
public:
    /// The lock, for the object's lifetime.
    class hold {
    public:
        /// Waits until the lock is free. Throws `stopped` where the coroutine is cancelled meanwhile.
        explicit hold(store_lock& of) : of_(of) { of.acquire(); }
        hold(hold const&) = delete;
        hold& operator=(hold const&) = delete;
        ~hold() { of_.release(); }

    private:
        store_lock& of_;
    };

private:
    void acquire() {
        auto const* const who = isorow::detail::caller();
        std::unique_lock guard(mutex_);
        if (owner_ != who) {
            wait_until_free(guard);
            owner_ = who;
        }
        ++depth_;
    }

    void release() noexcept {
        std::lock_guard const guard(mutex_);
        if (--depth_ > 0) return;
        owner_ = nullptr;
        freed_.notify_one();
    }

    void wait_until_free(std::unique_lock<std::mutex>& guard) {
        if (isorow::detail::current_waiter() == nullptr) return freed_.wait(guard, [this] { return owner_ == nullptr; });
        while (owner_ != nullptr) {
            guard.unlock();
            pause_for(std::chrono::milliseconds(1), limits::until_stopped({}), "waiting for a store of records");
            guard.lock();
        }
    }

    std::mutex mutex_{};  ///< held for a moment only, and never while a coroutine waits
    std::condition_variable freed_{};
    void const* owner_ = nullptr;
    std::size_t depth_ = 0;  ///< how often its owner has it
};

}  // namespace isorow::inline v1::records::detail
