#pragma once

#include <isorow/pq/listener.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

ISOROW_DECL listener::listener(pool& beside, std::vector<std::string> const& channels, listener_options options)
    : listener(beside.parameters(), with_pool(std::move(options), beside), channels) {}

ISOROW_DECL listener::listener(std::string const& dsn, std::vector<std::string> const& channels, listener_options options)
    : listener(std::make_shared<detail::conninfo const>(detail::to_conninfo({.dsn = dsn})), std::move(options), channels) {}

ISOROW_DECL listener::~listener() = default;

ISOROW_DECL void listener::listen(std::string const& channel) {
    static_cast<void>(quote_identifier(channel));
    change(channel, true);
}

ISOROW_DECL std::vector<std::string> listener::channels() const {
    std::lock_guard const lock(mutex_);
    return {channels_.begin(), channels_.end()};
}

ISOROW_DECL std::optional<listener_event> listener::next(limits const& limits) {
    if (waits_.exchange(true)) throw usage_error("the listener is waited for by another thread already");
    release const no_longer_waits{waits_};
    // Somebody who changes the channels has the connection for a moment.
    while (in_use_.exchange(true)) {
        if (std::chrono::steady_clock::now() >= limits.deadline) return std::nullopt;
        pause_for(std::chrono::milliseconds(1), isorow::limits::until_stopped(limits.stop),
                  "waiting for a listener to change its channels");
    }
    release const at_end{in_use_};
    for (;;) {
        if (!connection_->is_open()) {
            if (!reconnect(limits)) return std::nullopt;
            continue;
        }
        try {
            apply_changes();
            if (std::exchange(gap_, false)) return listener_event{.gap = true};
            if (auto received = connection_->take_notification()) return listener_event{.gap = false, .received = std::move(*received)};
            if (!wait(limits)) return std::nullopt;
            continue;
        } catch (connection_error const&) {  // NOLINT(bugprone-empty-catch)
            // Below, as the handler must not wait.
        } catch (operator_intervention const&) {  // NOLINT(bugprone-empty-catch)
            // Likewise: the server ended the session.
        }
        if (!reconnect(limits)) return std::nullopt;
    }
}

ISOROW_DECL listener::listener(std::shared_ptr<detail::conninfo const> where, listener_options options,
                               std::vector<std::string> const& channels)
    : where_(std::move(where)), options_(std::move(options)), channels_(channels.begin(), channels.end()) {
    connect(limits::until_stopped({}));
}

ISOROW_DECL listener_options listener::with_pool(listener_options options, pool const& beside) {
    auto const of_pool = beside.options().connection;
    if (!options.connection.on_notice) options.connection.on_notice = of_pool.on_notice;
    if (!options.connection.observer) options.connection.observer = of_pool.observer;
    if (!options.connection.credentials) options.connection.credentials = of_pool.credentials;
    options.connection.secure = options.connection.secure || of_pool.secure;
    options.connection.pooler = of_pool.pooler;
    options.connection.resolve = of_pool.resolve;
    return options;
}

ISOROW_DECL void listener::connect(limits const& limits) {
    auto fresh = std::make_unique<isorow::connection>(where_, options_.connection, limits);
    fresh->types().look_around(*fresh, fresh->default_limits());
    std::string sql;
    {
        std::lock_guard const lock(mutex_);
        for (auto const& channel : channels_) sql += "LISTEN " + quote_identifier(channel) + "; ";
    }
    detail::require_no_session_state(*fresh, "LISTEN");
    if (!sql.empty()) execute_script(*fresh, sql, fresh->default_limits());
    connection_ = std::move(fresh);
}

ISOROW_DECL bool listener::reconnect(limits const& limits) {
    auto pause = options_.first_pause;
    auto const& watching = options_.connection.observer;
    for (int attempt = 1;; ++attempt) {
        std::string failure;
        try {
            connect(limits);
            gap_ = true;
        } catch (error const& thrown) {
            if (!thrown.retryable()) throw;
            failure = thrown.what();
        }
        if (watching) watching->on_reconnect({.attempt = attempt, .succeeded = failure.empty(), .given_up = false, .error = failure});
        if (failure.empty()) return true;
        if (std::chrono::steady_clock::now() + pause >= limits.deadline) {
            auto const rest = limits.deadline - std::chrono::steady_clock::now();
            pause_for(rest, isorow::limits{limits.deadline + std::chrono::seconds(1), limits.stop}, "connecting a listener again");
            return false;
        }
        pause_for(pause, limits, "connecting a listener again");
        pause = std::min(2 * pause, options_.longest_pause);
    }
}

ISOROW_DECL bool listener::wait(limits const& limits) {
    std::stop_source woken;
    {
        std::lock_guard const lock(mutex_);
        if (!changes_.empty()) return true;
        wake_ = woken;
    }
    std::stop_callback const callback(limits.stop, [&] { woken.request_stop(); });
    interest ready = interest::none;
    try {
        ready = detail::wait_until_ready(PQsocket(connection_->native_handle()), interest::read, {limits.deadline, woken.get_token()},
                                         "waiting for notifications");
    } catch (stopped const&) {
        if (!woken.stop_requested() || limits.stop.stop_requested()) throw;
        return true;  // there is something to change
    }
    if (ready == interest::none) return false;
    // What came before the end is handed out first.
    if (!connection_->take_in() && !connection_->has_notification()) throw connection_lost("the listener's connection was lost");
    return true;
}

ISOROW_DECL void listener::change(std::string const& channel, bool listens) {
    auto const request = std::make_shared<change_request>();
    request->channel = channel;
    request->listens = listens;
    {
        std::lock_guard const lock(mutex_);
        changes_.push_back(request);
        wake_.request_stop();
    }
    // Whoever waits in `next` has the connection and sees to it; but it may stop waiting at any time.
    auto const end = limits::within(options_.connection.timeout).deadline;
    for (interest done = interest::none; done == interest::none;) {
        if (!in_use_.exchange(true)) {
            release const at_end{in_use_};
            apply_changes();
        }
        auto const step = std::min(end, std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
        done = detail::wait_until_ready(request->done.descriptor(), interest::read, {step, {}}, "changing a listener's channels");
        if (done == interest::none && step == end) throw timed_out("the deadline passed while changing a listener's channels");
    }
    if (request->failure) std::rethrow_exception(request->failure);
}

ISOROW_DECL void listener::apply_changes() {
    for (;;) {
        std::shared_ptr<change_request> one;
        {
            std::lock_guard const lock(mutex_);
            if (changes_.empty()) return;
            one = changes_.front();
            changes_.pop_front();
            // A channel is listened to again after a loss, also where the loss comes right now.
            if (one->listens) channels_.insert(one->channel);
            else channels_.erase(one->channel);
        }
        std::exception_ptr lost;
        try {
            execute_script(*connection_, (one->listens ? "LISTEN " : "UNLISTEN ") + quote_identifier(one->channel),
                           connection_->default_limits());
        } catch (connection_error const&) {
            lost = std::current_exception();  // it is in effect when the connection is made again
        } catch (operator_intervention const&) {
            lost = std::current_exception();
        } catch (...) {
            one->failure = std::current_exception();
        }
        one->done.wake();
        if (lost) std::rethrow_exception(lost);
    }
}

}  // namespace isorow::inline v1
