#pragma once

/// @file
/// The seam between isorow's waits and Boost.Asio: a waiter that suspends a stackful coroutine until the descriptor is ready.

#include <isorow/pq/wait.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cxxabi.h>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace isorow::inline v1::detail {

/// The exceptions that a thread is handling. A coroutine may be suspended in a handler, as where a failed statement is cancelled, and its
/// thread then runs others: each has to find its own again. Source: the Itanium C++ ABI, "Exception Handling", 2.2.2.
class handled_exceptions {
public:
    handled_exceptions() noexcept {
        std::memcpy(saved_, of_this_thread(), sizeof saved_);
        std::memset(of_this_thread(), 0, sizeof saved_);
    }
    handled_exceptions(handled_exceptions const&) = delete;
    handled_exceptions& operator=(handled_exceptions const&) = delete;
    ~handled_exceptions() { std::memcpy(of_this_thread(), saved_, sizeof saved_); }

private:
    /// Asked anew each time: the function is declared as one whose value never changes, but after a suspension the thread may be another.
    [[gnu::noinline]] static void* of_this_thread() noexcept {
        asm volatile("" ::: "memory");
        return static_cast<void*>(abi::__cxa_get_globals());
    }

    std::byte saved_[2 * sizeof(void*)];
};

/// One wait: for a descriptor, a deadline, a stop token and the cancellation of the operation, whichever comes first. All its handlers run
/// on the coroutine's strand.
class asio_wait : public std::enable_shared_from_this<asio_wait> {
public:
    enum class end : std::uint8_t { ready_to_read, ready_to_write, late, stopped, cancelled };
    using handler = boost::asio::any_completion_handler<void(end)>;

    explicit asio_wait(boost::asio::any_io_executor const& executor) : executor_(executor), descriptor_(executor), timer_(executor) {}

    void begin(int descriptor, interest what, limits const& limits, handler done) {
        done_ = std::move(done);
        if (auto slot = boost::asio::get_associated_cancellation_slot(done_); slot.is_connected())
            slot.assign([self = shared_from_this()](boost::asio::cancellation_type) { self->finish(end::cancelled); });
        if (limits.deadline != std::chrono::steady_clock::time_point::max()) {
            timer_.expires_at(limits.deadline);
            timer_.async_wait([self = shared_from_this()](boost::system::error_code const& failure) {
                if (!failure) self->finish(end::late);
            });
        }
        if (limits.stop.stop_possible()) {
            auto const weak = weak_from_this();
            stop_.emplace(limits.stop, [weak, executor = executor_] {
                boost::asio::post(executor, [weak] {
                    if (auto const self = weak.lock()) self->finish(end::stopped);
                });
            });
        }
        if (descriptor < 0) return;
        descriptor_.assign(descriptor);
        watch(what, interest::read, boost::asio::posix::descriptor_base::wait_read, end::ready_to_read);
        watch(what, interest::write, boost::asio::posix::descriptor_base::wait_write, end::ready_to_write);
    }

private:
    void watch(interest what, interest one, boost::asio::posix::descriptor_base::wait_type type, end means) {
        if ((static_cast<int>(what) & static_cast<int>(one)) == 0) return;
        descriptor_.async_wait(type, [self = shared_from_this(), means](boost::system::error_code const& failure) {
            // What the descriptor itself has to say, libpq finds out by reading.
            if (failure != boost::asio::error::operation_aborted) self->finish(means);
        });
    }

    /// The first end counts; what else was begun is given up.
    void finish(end how) {
        if (!done_) return;
        auto done = std::move(done_);
        done_ = nullptr;
        stop_.reset();
        timer_.cancel();
        if (descriptor_.is_open()) descriptor_.release();  // it is libpq's
        boost::asio::dispatch(executor_, [done = std::move(done), how]() mutable { std::move(done)(how); });
    }

    boost::asio::any_io_executor executor_;
    boost::asio::posix::stream_descriptor descriptor_;
    boost::asio::steady_timer timer_;
    std::optional<std::stop_callback<std::function<void()>>> stop_;
    handler done_;
};

/// Waits by suspending a coroutine; lives on its stack.
class coroutine_waiter final : public waiter {
public:
    explicit coroutine_waiter(boost::asio::yield_context yield) : yield_(std::move(yield)), outer_(current_waiter()) {
        yield_.throw_if_cancelled(false);
        yield_.reset_cancellation_state(boost::asio::enable_total_cancellation());
        install_waiter(this);
    }
    coroutine_waiter(coroutine_waiter const&) = delete;
    coroutine_waiter& operator=(coroutine_waiter const&) = delete;
    ~coroutine_waiter() { install_waiter(outer_); }

    interest wait(int descriptor, interest what, limits const& limits, std::string_view doing) override {
        // The first wait after a cancellation ends by it; those that clean up behind it are let through.
        if (!cancelled_ && yield_.cancelled() != boost::asio::cancellation_type::none) cancel(doing);
        auto const how = suspend(descriptor, what, limits);
        if (how == asio_wait::end::cancelled) cancel(doing);
        if (how == asio_wait::end::ready_to_read) return interest::read;
        return how == asio_wait::end::ready_to_write ? interest::write : interest::none;
    }

private:
    /// The thread is somebody else's meanwhile, and the coroutine may go on on another one.
    [[gnu::noinline]] asio_wait::end suspend(int descriptor, interest what, limits const& limits) {
        install_waiter(outer_);
        asio_wait::end how{};
        {
            handled_exceptions const kept;
            auto const one = std::make_shared<asio_wait>(yield_.get_executor());
            how = boost::asio::async_initiate<boost::asio::yield_context, void(asio_wait::end)>(
                [&](auto handler) { one->begin(descriptor, what, limits, asio_wait::handler(std::move(handler))); }, yield_);
        }
        outer_ = current_waiter();
        install_waiter(this);
        return how;
    }

    [[noreturn]] void cancel(std::string_view doing) {
        cancelled_ = true;
        throw stopped(text("cancelled while {}", doing));
    }

    boost::asio::yield_context yield_;
    waiter* outer_;
    bool cancelled_ = false;
};

}  // namespace isorow::inline v1::detail
