#pragma once

#include <atomic>

#include <pthread.h>

namespace isorow::inline v1::detail {

/// How many forks lie between this process and the first that asked. A connection of the parent's must not be used, nor ended, by a child:
/// both would speak on one socket.
[[nodiscard]] inline unsigned fork_count() noexcept {
    static std::atomic<unsigned> count{0};
    static bool const registered = ::pthread_atfork(nullptr, nullptr, [] { count.fetch_add(1, std::memory_order_relaxed); }) == 0;
    static_cast<void>(registered);
    return count.load(std::memory_order_relaxed);
}

}  // namespace isorow::inline v1::detail
