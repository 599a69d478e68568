#pragma once

#include <isorow/asio/async.hpp>
#include <isorow/source/follow.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace isorow::inline v1 {

/// A followed source as an asynchronous generator of batches:
///
///     async_events<Product> events(executor, [&] { return follow(source, changelog{}, {.consumer = "prices"}); });
///     while (auto batch = co_await events.async_next(use_awaitable)) …
///
/// What `open` refers to must outlive it. One `async_next` at a time. Nothing is read ahead: who is slow is waited for.
template <class T>
class async_events {
public:
    /// `open()` returns the `followed<T>`; it is called by the first `async_next`.
    template <class Executor, std::invocable Open>
    async_events(Executor const& executor, Open open) : executor_(executor), state_(std::make_shared<state>()) {
        state_->open = [open = std::move(open)] { return std::make_unique<followed<T>>(open()); };
    }

    /// The next batch, whenever it comes. Cancellation, by the token's slot, throws `stopped`; after it the next call goes on. The batch
    /// before it is saved, unless its user has done so. Errors are those of `followed::next`.
    template <class CompletionToken = boost::asio::deferred_t>
    auto async_next(CompletionToken&& token = {}) {
        return async_run(
            executor_,
            [now = state_]() -> std::optional<event_batch<T>> {
                if (!now->from) now->from = now->open();
                return now->from->next(limits::until_stopped({}));
            },
            std::forward<CompletionToken>(token));
    }

private:
    struct state {
        std::function<std::unique_ptr<followed<T>>()> open;
        std::unique_ptr<followed<T>> from;
    };

    boost::asio::any_io_executor executor_;
    std::shared_ptr<state> state_;
};

}  // namespace isorow::inline v1
