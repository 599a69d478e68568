#pragma once

#include <isorow/pq/detail/turn.hpp>
#include <isorow/pq/wait.hpp>

#include <atomic>
#include <cstddef>

namespace isorow::inline v1::records::detail {

/// A `turn` that its owner may take again: the coroutine where there is one, else the thread. A coroutine that has it may go on on another
/// thread, and one that waits for it leaves its thread to others; a thread that waits for it blocks.
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
        // Nobody but the caller itself makes this the owner, or another one of it.
        if (owner_.load(std::memory_order_relaxed) != who) {
            turn_.acquire();
            owner_.store(who, std::memory_order_relaxed);
        }
        ++depth_;
    }

    void release() noexcept {
        if (--depth_ > 0) return;
        owner_.store(nullptr, std::memory_order_relaxed);
        turn_.release();
    }

    isorow::detail::turn turn_{};
    std::atomic<void const*> owner_ = nullptr;
    std::size_t depth_ = 0;  ///< how often its owner has it
};

}  // namespace isorow::inline v1::records::detail
