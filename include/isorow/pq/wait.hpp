#pragma once

/// @file
/// The one place where isorow waits for the network: with a deadline and a stop token. Operations are steps that never block and say what
/// they wait for; `drive` runs such steps to their end. POSIX only: another system gets its own version of this file.

#include <isorow/error/connection_error.hpp>
#include <isorow/error/text.hpp>

#include <cerrno>
#include <chrono>
#include <climits>
#include <concepts>
#include <cstdint>
#include <optional>
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
        return {std::chrono::steady_clock::now() + std::chrono::ceil<std::chrono::steady_clock::duration>(time), std::move(stop)};
    }
};

/// What a step waits for.
enum class interest : std::uint8_t {
    none = 0,  ///< nothing: the operation is done
    read = 1,
    write = 2,
    read_or_write = 3,
};

namespace detail {

/// A pipe that a stop request makes readable, so that it wakes a wait for a socket.
class stop_pipe {
public:
    stop_pipe() {
        if (::pipe(ends_) != 0) throw std::system_error(errno, std::generic_category(), "isorow: a pipe for the stop token");
        for (int const end : ends_) {
            static_cast<void>(::fcntl(end, F_SETFD, FD_CLOEXEC));
            static_cast<void>(::fcntl(end, F_SETFL, O_NONBLOCK));
        }
    }
    stop_pipe(stop_pipe const&) = delete;
    stop_pipe& operator=(stop_pipe const&) = delete;
    ~stop_pipe() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }

    void wake() const noexcept { static_cast<void>(!::write(ends_[1], "", 1)); }
    [[nodiscard]] int descriptor() const noexcept { return ends_[0]; }

private:
    int ends_[2]{-1, -1};
};

/// The milliseconds until the deadline, rounded up so that a wait never spins; 0 where it has passed.
[[nodiscard]] inline int milliseconds_until(std::chrono::steady_clock::time_point deadline) {
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    return left <= 0 ? 0 : static_cast<int>(std::min<std::int64_t>(left, INT_MAX));
}

/// Polls until the socket is ready, the pipe is readable or the deadline passes. Returns the socket's events, 0 for none.
[[nodiscard]] inline short poll_until(int socket, short events, int pipe, std::chrono::steady_clock::time_point deadline) {
    pollfd watched[2]{{socket, events, 0}, {pipe, POLLIN, 0}};
    for (;;) {
        auto const ready = ::poll(watched, pipe < 0 ? 1 : 2, milliseconds_until(deadline));
        if (ready > 0) return watched[0].revents;
        if (ready == 0 && std::chrono::steady_clock::now() >= deadline) return 0;
        if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "isorow: waiting for the server");
    }
}

}  // namespace detail

/// Waits until the socket is ready as `what` asks. Throws `timed_out` when the deadline passes and `stopped` when the stop token says so;
/// `doing` completes their texts: "… while connecting to h:5432". Returns what the socket is ready for.
inline interest wait_for_socket(int socket, interest what, limits const& limits, std::string_view doing) {
    auto const stopped_by_user = [&] { return stopped(text("stopped while {}", doing)); };
    if (limits.stop.stop_requested()) throw stopped_by_user();
    short events = 0;
    if ((static_cast<int>(what) & static_cast<int>(interest::read)) != 0) events |= POLLIN;
    if ((static_cast<int>(what) & static_cast<int>(interest::write)) != 0) events |= POLLOUT;
    short ready = 0;
    if (limits.stop.stop_possible()) {
        detail::stop_pipe const pipe;
        std::stop_callback const callback(limits.stop, [&] { pipe.wake(); });
        ready = detail::poll_until(socket, events, pipe.descriptor(), limits.deadline);
        if (limits.stop.stop_requested()) throw stopped_by_user();
    } else {
        ready = detail::poll_until(socket, events, -1, limits.deadline);
    }
    if (ready == 0) throw timed_out(text("the deadline passed while {}", doing));
    int result = 0;
    if ((ready & ~POLLOUT) != 0) result |= static_cast<int>(interest::read);  // errors and hang-ups are noticed by reading
    if ((ready & POLLOUT) != 0) result |= static_cast<int>(interest::write);
    return static_cast<interest>(result);
}

/// Runs a step until it waits for nothing more. `step()` returns an `interest`; `socket()` is asked before each wait, as it may change.
template <std::invocable Step, std::invocable Socket>
void drive(Step&& step, Socket&& socket, limits const& limits, std::string_view doing) {
    for (interest what = step(); what != interest::none; what = step()) wait_for_socket(socket(), what, limits, doing);
}

}  // namespace isorow::inline v1
