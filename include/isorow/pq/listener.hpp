#pragma once

#include <isorow/config.hpp>
#include <isorow/pq/detail/session_state.hpp>
#include <isorow/pq/pool.hpp>
#include <isorow/pq/statement.hpp>
#include <isorow/schema/identifier.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// What a listener hands out.
struct listener_event {
    /// The connection was lost and made again, and the channels are listened to again: what was sent between is missing. Look at the state
    /// itself now. `received` is empty then.
    bool gap = false;
    notification received{};
};

struct listener_options {
    connection_options connection{};
    std::chrono::milliseconds first_pause = std::chrono::milliseconds(100);  ///< between attempts to connect again, doubled each time
    std::chrono::milliseconds longest_pause = std::chrono::seconds(10);
};

/// A connection of its own that listens to channels. Notifications that come between two calls of `next` are kept. When the connection is
/// lost, `next` connects again, listens to all channels again, and then hands out a gap.
///
/// `next` is called by one thread at a time; `listen`, `unlisten` and `channels` by any, also while another one waits in `next`.
class listener {
public:
    /// Connects to where the pool goes; takes none of its connections.
    explicit listener(pool& beside, std::vector<std::string> const& channels = {}, listener_options options = {});

    /// Throws what connecting throws, and `usage_error` where a pooler stands between: what it lends listens to nothing.
    explicit listener(std::string const& dsn, std::vector<std::string> const& channels = {}, listener_options options = {});
    listener(listener const&) = delete;
    listener& operator=(listener const&) = delete;
    ~listener();

    /// Listens to one more channel; in effect when this returns. Throws `usage_error` for a name that Postgres does not take.
    void listen(std::string const& channel);
    /// Listens to a channel no more. What it has sent before may still come.
    void unlisten(std::string const& channel) { change(channel, false); }

    [[nodiscard]] std::vector<std::string> channels() const;

    /// The next notification or gap; nothing when the deadline passes. Throws `stopped`, and what cannot be helped by connecting again.
    [[nodiscard]] std::optional<listener_event> next(limits const& limits);

    template <class Rep, class Period>
    [[nodiscard]] std::optional<listener_event> next(std::chrono::duration<Rep, Period> time, std::stop_token stop = {}) {
        return next(limits::within(time, std::move(stop)));
    }

    /// The connection, for tests and diagnosis.
    [[nodiscard]] isorow::connection& connection() noexcept { return *connection_; }

private:
    struct change_request {
        std::string channel;
        bool listens;
        detail::waker done{};
        std::exception_ptr failure{};
    };
    /// Lets others in again.
    struct release {
        std::atomic<bool>& flag;
        explicit release(std::atomic<bool>& of) noexcept : flag(of) {}
        release(release const&) = delete;
        release& operator=(release const&) = delete;
        ~release() { flag = false; }
    };

    listener(std::shared_ptr<detail::conninfo const> where, listener_options options, std::vector<std::string> const& channels);

    [[nodiscard]] static listener_options with_pool(listener_options options, pool const& beside);

    void connect(limits const& limits);

    /// Until it succeeds; false where the deadline passes before.
    [[nodiscard]] bool reconnect(limits const& limits);

    /// Waits for something to read or to change; false when the deadline passes.
    [[nodiscard]] bool wait(limits const& limits);

    void change(std::string const& channel, bool listens);

    /// Called by whoever has the connection.
    void apply_changes();

    std::shared_ptr<detail::conninfo const> where_;
    listener_options options_;
    mutable std::mutex mutex_;
    std::set<std::string> channels_;
    std::deque<std::shared_ptr<change_request>> changes_;
    std::stop_source wake_;
    std::atomic<bool> waits_{false};
    std::atomic<bool> in_use_{false};
    bool gap_ = false;
    std::unique_ptr<isorow::connection> connection_;
};

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/pq/detail/listener_code.hpp>
#endif
