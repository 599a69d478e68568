#pragma once

#include <isorow/asio/async.hpp>
#include <isorow/source/source.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace isorow::inline v1 {

/// The batches of a source as an asynchronous generator:
///
///     async_batches<Product> batches(executor, products, {.connections = 4});
///     while (auto batch = co_await batches.async_next(use_awaitable)) …
///
/// The source is copied; what it was made with must outlive this object. One `async_next` at a time. What was not read is cancelled when
/// the object is gone, by waiting on its thread for the connections to become idle: read to the end, or call `async_close`.
template <class Row>
class async_batches {
public:
    template <class Executor>
    async_batches(Executor const& executor, source<Row> from, batch_options const& options = {})
        : executor_(executor), state_(std::make_shared<state>()) {
        state_->open = [from = std::move(from), options] { return from.batches(options); };
    }

    /// The next batch, which is the caller's; nothing at the end. Errors are those of the source's `batches`.
    template <class CompletionToken = boost::asio::deferred_t>
    auto async_next(CompletionToken&& token = {}) {
        return async_run(executor_, [now = state_] { return now->fetch(); }, std::forward<CompletionToken>(token));
    }

    /// Ends the reading where batches are left, and gives the connections back.
    template <class CompletionToken = boost::asio::deferred_t>
    auto async_close(CompletionToken&& token = {}) {
        return async_run(executor_, [now = state_] { now->close(); }, std::forward<CompletionToken>(token));
    }

private:
    struct state {
        std::function<batch_range<Row>()> open;
        std::optional<batch_range<Row>> batches{};
        bool ended = false;

        [[nodiscard]] std::optional<row_batch<Row>> fetch() {
            if (ended) return std::nullopt;
            bool const is_first = !batches;
            if (is_first) batches.emplace(open());
            auto at = batches->begin();
            if (!is_first) ++at;
            if (at != batches->end()) return std::optional(std::move(*at));
            close();
            return std::nullopt;
        }

        void close() {
            ended = true;
            batches.reset();
        }
    };

    boost::asio::any_io_executor executor_;
    std::shared_ptr<state> state_;
};

}  // namespace isorow::inline v1
