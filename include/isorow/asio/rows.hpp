#pragma once

#include <isorow/asio/async.hpp>
#include <isorow/query/stream.hpp>
#include <isorow/source/source.hpp>

#include <boost/asio/post.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace isorow::inline v1 {

/// The rows of a query as an asynchronous generator, in bounded memory:
///
///     async_rows<Product> rows(executor, db, "select * from products");
///     while (auto product = co_await rows.async_next(use_awaitable)) …
///
/// `where` must outlive it. One `async_next` at a time. What was not read is cancelled when the object is gone, by closing the connection's
/// statement without waiting: read to the end, or call `async_close`, to keep a pool's connection.
template <class Row>
class async_rows {
public:
    template <class Executor, class... Arguments>
    async_rows(Executor const& executor, database_ref where, sql_text sql, std::tuple<Arguments...> arguments = {})
        : executor_(executor), state_(std::make_shared<state>()) {
        state_->open = [where, sql, arguments = std::move(arguments)] {
            return std::apply([&](auto const&... values) { return stream<Row>(where, sql, values...); }, arguments);
        };
    }

    /// The rows of a source, as its `rows()` gives them. The source is copied; what it was made with must outlive this object.
    template <class Executor>
    async_rows(Executor const& executor, source<Row> from) : executor_(executor), state_(std::make_shared<state>()) {
        state_->open = [from = std::move(from)] { return from.rows(); };
    }

    /// The next row; nothing at the end. Errors are those of `stream`, or of the source's `rows`.
    template <class CompletionToken = boost::asio::deferred_t>
    auto async_next(CompletionToken&& token = {}) {
        return boost::asio::async_initiate<CompletionToken, void(std::exception_ptr, std::optional<Row>)>(
            [executor = executor_, now = state_](auto handler) {
                if (now->ready.empty() && !now->ended) {
                    async_run(executor, [now] { return now->fetch(); }, std::move(handler));
                    return;
                }
                auto row = now->take();
                auto const home = boost::asio::get_associated_executor(handler, executor);
                boost::asio::post(home, [handler = std::move(handler), row = std::move(row)]() mutable {
                    std::move(handler)(std::exception_ptr{}, std::move(row));
                });
            },
            token);
    }

    /// Ends the query where rows are left, and gives the connection back.
    template <class CompletionToken = boost::asio::deferred_t>
    auto async_close(CompletionToken&& token = {}) {
        return async_run(executor_, [now = state_] { now->close(); }, std::forward<CompletionToken>(token));
    }

private:
    /// So many rows are decoded ahead at the most.
    static constexpr std::size_t most_ready = 256;

    struct state {
        std::function<row_range<Row>()> open;
        std::optional<row_range<Row>> rows;
        std::deque<Row> ready;
        bool ended = false;

        [[nodiscard]] std::optional<Row> take() {
            if (ready.empty()) return std::nullopt;
            std::optional<Row> first(std::move(ready.front()));
            ready.pop_front();
            return first;
        }

        [[nodiscard]] std::optional<Row> fetch() {
            if (!rows) rows.emplace(open());
            auto at = rows->begin();
            while (at != rows->end() && ready.size() < most_ready) {
                ready.push_back(std::move(*at));
                ++at;
            }
            if (at == rows->end()) close();
            return take();
        }

        void close() {
            ended = true;
            rows.reset();
        }
    };

    boost::asio::any_io_executor executor_;
    std::shared_ptr<state> state_;
};

}  // namespace isorow::inline v1
