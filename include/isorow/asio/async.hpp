#pragma once

/// @file
/// isorow's calls as asynchronous operations of Boost.Asio.

#include <isorow/asio/coroutine_waiter.hpp>
#include <isorow/pq/pool.hpp>
#include <isorow/pq/transact.hpp>
#include <isorow/query/query.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/strand.hpp>
#include <boost/context/fixedsize_stack.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// The stack of a coroutine: memory is taken as it is used. TLS handshakes are what needs most.
inline constexpr std::size_t coroutine_stack_size = std::size_t{512} * 1024;

/// A fresh strand, so that what a coroutine waits for is told on one thread at a time.
template <class Executor>
[[nodiscard]] boost::asio::any_io_executor strand_on(Executor const& executor) {
    return boost::asio::any_io_executor(boost::asio::make_strand(executor));
}

}  // namespace detail

/// Runs `work()` as an asynchronous operation: each call of isorow in it that would block suspends it instead, so that every operation of
/// isorow, and any sequence of them, can be awaited, with the same code that blocks elsewhere.
///
///     std::vector<Product> cheap = co_await async_run(executor, [&] { return isorow::query<Product>(db, "…"); }, use_awaitable);
///
/// `work` is moved into the operation; what it refers to must outlive that. Its result must be default-constructible, its exceptions come
/// as `std::exception_ptr`. Cancellation, by the token's slot (any type), throws `stopped` at the next wait: what was under way is
/// cancelled on the server, too. It must not block otherwise, as it would block the executor's thread. Runs on `executor`, on one thread at
/// a time. Needs the compiled library Boost.Context (CMake: isorow::asio).
template <class Executor, std::invocable Work, class CompletionToken = boost::asio::deferred_t>
auto async_run(Executor const& executor, Work work, CompletionToken&& token = {}) {
    using result_type = std::invoke_result_t<Work&>;
    auto const strand = detail::strand_on(executor);
    return boost::asio::spawn(
        strand, std::allocator_arg, boost::context::fixedsize_stack(detail::coroutine_stack_size),
        [work = std::move(work)](boost::asio::yield_context yield) mutable -> result_type {
            detail::coroutine_waiter const waits(std::move(yield));
            return std::invoke(work);
        },
        std::forward<CompletionToken>(token));
}

/// Connects. Gives a `std::unique_ptr<connection>`.
template <class Executor, class CompletionToken = boost::asio::deferred_t>
auto async_connect(Executor const& executor, connection_parameters where, connection_options options = {}, CompletionToken&& token = {}) {
    return async_run(
        executor, [where = std::move(where), options = std::move(options)] { return std::make_unique<connection>(where, options); },
        std::forward<CompletionToken>(token));
}

/// Lends a connection of a pool. Gives a `lease`.
template <class Executor, class CompletionToken = boost::asio::deferred_t>
auto async_acquire(Executor const& executor, pool& from, CompletionToken&& token = {}) {
    return async_run(executor, [&from] { return from.acquire(); }, std::forward<CompletionToken>(token));
}

/// As `query`: gives a `std::vector<Row>`. `arguments`: copied.
template <class Row, class Executor, class... Arguments, class CompletionToken = boost::asio::deferred_t>
auto async_query(Executor const& executor, database_ref where, sql_text sql, std::tuple<Arguments...> arguments = {},
                 CompletionToken&& token = {}) {
    return async_run(
        executor,
        [where, sql, arguments = std::move(arguments)] {
            return std::apply([&](auto const&... values) { return query<Row>(where, sql, values...); }, arguments);
        },
        std::forward<CompletionToken>(token));
}

/// As `execute`: gives the number of rows.
template <class Executor, class... Arguments, class CompletionToken = boost::asio::deferred_t>
auto async_execute(Executor const& executor, database_ref where, sql_text sql, std::tuple<Arguments...> arguments = {},
                   CompletionToken&& token = {}) {
    return async_run(
        executor,
        [where, sql, arguments = std::move(arguments)] {
            return std::apply([&](auto const&... values) { return execute(where, sql, values...); }, arguments);
        },
        std::forward<CompletionToken>(token));
}

/// As `transact`: runs `work(transaction&)` in a transaction, again after a lost race, and gives what it returns.
template <class Executor, class Where, std::invocable<transaction&> Work, class CompletionToken = boost::asio::deferred_t>
auto async_transact(Executor const& executor, Where& where, Work work, retry_options options = {}, CompletionToken&& token = {}) {
    return async_run(
        executor,
        [&where, work = std::move(work), options = std::move(options)]() mutable { return transact(where, std::ref(work), options); },
        std::forward<CompletionToken>(token));
}

}  // namespace isorow::inline v1
