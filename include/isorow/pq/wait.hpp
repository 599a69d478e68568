#pragma once

/// @file
/// The one place where isorow waits: for the network, for another thread and for time to pass, always with a deadline and a stop token.
/// Operations are steps that never block and say what they wait for; `drive` runs such steps to their end. A `waiter` that is installed on
/// a thread waits in its own way instead, such as by suspending a coroutine: so the same steps serve blocking and asynchronous programs.
/// POSIX only: another system gets its own version of this file.

#include <isorow/config.hpp>
#include <isorow/error/connection_error.hpp>
#include <isorow/error/text.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <concepts>
#include <cstdint>
#include <stop_token>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace isorow::inline v1 {

/// How long an operation may take, and who may stop it.
struct limits {
    std::chrono::steady_clock::time_point deadline;
    std::stop_token stop{};

    /// A deadline so far from now.
    template <class Rep, class Period>
    [[nodiscard]] static limits within(std::chrono::duration<Rep, Period> time, std::stop_token stop = {}) {
        auto const now = std::chrono::steady_clock::now();
        auto const longest = std::chrono::steady_clock::time_point::max() - now;
        if (time >= longest) return {std::chrono::steady_clock::time_point::max(), std::move(stop)};
        return {now + std::chrono::ceil<std::chrono::steady_clock::duration>(time), std::move(stop)};
    }

    /// No deadline: only the stop token ends the wait.
    [[nodiscard]] static limits until_stopped(std::stop_token stop) {
        return {std::chrono::steady_clock::time_point::max(), std::move(stop)};
    }
};

/// What a step waits for.
enum class interest : std::uint8_t {
    none = 0,  ///< nothing: the operation is done
    read = 1,
    write = 2,
    read_or_write = 3,
};

/// A way to wait other than blocking the thread.
class waiter {
public:
    /// Waits until the descriptor is ready as `what` asks and returns what it is ready for, or `interest::none` when the deadline passed.
    /// A negative descriptor: until the deadline passes. Throws `stopped` when the waiter itself was told to stop; `doing` completes its
    /// text. May go on on another thread than the one it was called on.
    virtual interest wait(int descriptor, interest what, limits const& limits, std::string_view doing) = 0;

protected:
    waiter() = default;
    waiter(waiter const&) = default;
    waiter& operator=(waiter const&) = default;
    ~waiter() = default;
};

namespace detail {

/// The waiter of this thread, null where waits block. Read through functions that are not inlined: a coroutine may go on on another
/// thread, and the address of a thread's variable must not be kept over that.
inline thread_local waiter* installed_waiter = nullptr;
[[gnu::noinline]] inline waiter* current_waiter() noexcept {
    asm volatile("" ::: "memory");
    return installed_waiter;
}
[[gnu::noinline]] inline void install_waiter(waiter* one) noexcept {
    asm volatile("" ::: "memory");
    installed_waiter = one;
}

/// Who calls: the coroutine that waits in its own way, or the thread.
[[nodiscard]] inline void const* caller() noexcept {
    static thread_local char const here = 0;
    auto const* const coroutine = current_waiter();
    return coroutine == nullptr ? static_cast<void const*>(&here) : coroutine;
}

/// Wakes a wait from another thread: makes a descriptor readable.
class waker {
public:
    waker();
    waker(waker const&) = delete;
    waker& operator=(waker const&) = delete;
    ~waker();

    void wake() const noexcept { static_cast<void>(!::write(ends_[1], "", 1)); }
    [[nodiscard]] int descriptor() const noexcept { return ends_[0]; }

private:
    int ends_[2]{-1, -1};
};

/// The milliseconds until the deadline, rounded up so that a wait never spins; 0 where it has passed.
[[nodiscard]] int milliseconds_until(std::chrono::steady_clock::time_point deadline);

/// Polls until the descriptor is ready, the pipe is readable or the deadline passes. Returns the descriptor's events, 0 for none. A
/// negative descriptor or pipe is passed over.
[[nodiscard]] short poll_until(int descriptor, short events, int pipe, std::chrono::steady_clock::time_point deadline);

[[nodiscard]] interest wait_by_polling(int descriptor, interest what, limits const& limits);

/// As `wait_for_socket`, but the deadline's passing is told by `interest::none`.
interest wait_until_ready(int descriptor, interest what, limits const& limits, std::string_view doing);

}  // namespace detail

/// Waits until the descriptor is ready as `what` asks. Throws `timed_out` when the deadline passes and `stopped` when the stop token says
/// so; `doing` completes their texts: "… while connecting to h:5432". Returns what the descriptor is ready for.
interest wait_for_socket(int descriptor, interest what, limits const& limits, std::string_view doing);

/// Lets time pass, no longer than the limits allow. Throws `timed_out` where they end before, and `stopped`.
void pause_for(std::chrono::steady_clock::duration time, limits const& limits, std::string_view doing);

/// Runs a step until it waits for nothing more. `step()` returns an `interest`; `socket()` is asked before each wait, as it may change.
template <std::invocable Step, std::invocable Socket>
void drive(Step&& step, Socket&& socket, limits const& limits, std::string_view doing) {
    for (interest what = step(); what != interest::none; what = step()) wait_for_socket(socket(), what, limits, doing);
}

#if ISOROW_HAS_CODE

namespace detail {

ISOROW_DECL waker::waker() {
    if (::pipe(ends_) != 0) throw std::system_error(errno, std::generic_category(), "isorow: a pipe to wake a wait");
    for (int const end : ends_) {
        static_cast<void>(::fcntl(end, F_SETFD, FD_CLOEXEC));
        static_cast<void>(::fcntl(end, F_SETFL, O_NONBLOCK));
    }
}

ISOROW_DECL waker::~waker() {
    ::close(ends_[0]);
    ::close(ends_[1]);
}

ISOROW_DECL int milliseconds_until(std::chrono::steady_clock::time_point deadline) {
    if (deadline == std::chrono::steady_clock::time_point::max()) return INT_MAX;
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    return left <= 0 ? 0 : static_cast<int>(std::min<std::int64_t>(left, INT_MAX));
}

ISOROW_DECL short poll_until(int descriptor, short events, int pipe, std::chrono::steady_clock::time_point deadline) {
    pollfd watched[2]{{descriptor, events, 0}, {pipe, POLLIN, 0}};
    for (;;) {
        auto const ready = ::poll(watched, pipe < 0 ? 1 : 2, milliseconds_until(deadline));
        if (ready > 0) return watched[0].revents;
        if (ready == 0 && std::chrono::steady_clock::now() >= deadline) return 0;
        if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "isorow: waiting for the server");
    }
}

ISOROW_DECL interest wait_by_polling(int descriptor, interest what, limits const& limits) {
    short events = 0;
    if ((static_cast<int>(what) & static_cast<int>(interest::read)) != 0) events |= POLLIN;
    if ((static_cast<int>(what) & static_cast<int>(interest::write)) != 0) events |= POLLOUT;
    short ready = 0;
    if (limits.stop.stop_possible()) {
        waker const pipe;
        std::stop_callback const callback(limits.stop, [&] { pipe.wake(); });
        ready = poll_until(descriptor, events, pipe.descriptor(), limits.deadline);
    } else {
        ready = poll_until(descriptor, events, -1, limits.deadline);
    }
    int result = 0;
    if ((ready & ~POLLOUT) != 0) result |= static_cast<int>(interest::read);  // errors and hang-ups are noticed by reading
    if ((ready & POLLOUT) != 0) result |= static_cast<int>(interest::write);
    return static_cast<interest>(result);
}

ISOROW_DECL interest wait_until_ready(int descriptor, interest what, limits const& limits, std::string_view doing) {
    auto const stopped_by_user = [&] { return stopped(text("stopped while {}", doing)); };
    if (limits.stop.stop_requested()) throw stopped_by_user();
    auto* const own = current_waiter();
    auto const ready = own == nullptr ? wait_by_polling(descriptor, what, limits) : own->wait(descriptor, what, limits, doing);
    if (limits.stop.stop_requested()) throw stopped_by_user();
    return ready;
}

}  // namespace detail

ISOROW_DECL interest wait_for_socket(int descriptor, interest what, limits const& limits, std::string_view doing) {
    auto const ready = detail::wait_until_ready(descriptor, what, limits, doing);
    if (ready == interest::none) throw timed_out(text("the deadline passed while {}", doing));
    return ready;
}

ISOROW_DECL void pause_for(std::chrono::steady_clock::duration time, limits const& limits, std::string_view doing) {
    auto const end = std::chrono::steady_clock::now() + time;
    static_cast<void>(detail::wait_until_ready(-1, interest::none, {std::min(end, limits.deadline), limits.stop}, doing));
    if (limits.deadline < end) throw timed_out(text("the deadline passed while {}", doing));
}

#endif

}  // namespace isorow::inline v1
