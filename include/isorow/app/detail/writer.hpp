#pragma once

/// @file
/// A run's own connection, and the lock that keeps other runs of the app away.

#include <isorow/app/errors.hpp>
#include <isorow/app/options.hpp>
#include <isorow/app/registration.hpp>
#include <isorow/pq/capabilities.hpp>
#include <isorow/pq/detail/turn.hpp>
#include <isorow/query/query.hpp>
#include <isorow/target/detail/fingerprint.hpp>

#include <bit>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace isorow::inline v1::detail {

/// The key of the advisory lock that a run of an app holds. Locks belong to one database of the server, so that its key alone tells apart
/// those who would share tables.
[[nodiscard]] inline std::int64_t run_lock_key(std::string_view database_key, std::string_view app) {
    std::string named("isorow run");
    named.append(1, '\0').append(database_key).append(1, '\0').append(app);
    return std::bit_cast<std::int64_t>(seed_of(named));
}

/// Lends one connection to whoever writes or asks for the run, one at a time, and holds the run's lock on it. A connection that is lost is
/// replaced. Behind a pooler in transaction mode there is no lock: that two runs went on at once is then noticed by the commit.
class writer {
public:
    writer(std::shared_ptr<registration const> where, std::string app, run_options const& options)
        : where_(std::move(where)),
          app_(std::move(app)),
          key_(run_lock_key(where_->key(), app_)),
          stop_(options.stop),
          conflict_(options.on_conflict),
          conflict_timeout_(options.conflict_timeout),
          commit_timeout_(options.commit_timeout) {}
    writer(writer const&) = delete;
    writer& operator=(writer const&) = delete;
    ~writer() { end(); }

    /// Connects, and takes the run's lock. Throws `run_in_progress`, `stopped`, and what connecting throws.
    void begin() {
        turn::hold const held(turn_);
        connect([&] {
            if (needs_lock_) wait_for_lock();
        });
        is_locked_ = true;
    }

    /// Calls `work(connection&)` when nobody else uses the connection. Throws `run_in_progress` where the connection, and the lock with it,
    /// was lost, and somebody else has it now.
    template <class Work>
    decltype(auto) use(Work&& work) {
        turn::hold const held(turn_);
        return std::forward<Work>(work)(ready());
    }
    /// Likewise, unless somebody uses it at this moment. Returns whether the work was done.
    template <class Work>
    bool try_use(Work&& work) {
        if (!turn_.try_acquire()) return false;
        turn::hold const held(turn_, std::adopt_lock);
        std::forward<Work>(work)(ready());
        return true;
    }

    /// Calls `work(connection&)`, which does not throw, where the connection still stands: for the end of a run.
    template <class Work>
    void use_if_open(Work&& work) noexcept {
        if (lease_ && (*lease_)->is_open()) std::forward<Work>(work)(**lease_);
    }

    /// Finds out whether the connection, which may have been idle for hours, still stands; another one is taken where not.
    void renew_if_lost() {
        turn::hold const held(turn_);
        try {
            if (lease_ && (*lease_)->is_open()) execute_script(**lease_, "", limits::within(std::chrono::seconds(10), stop_));
        } catch (timed_out const&) {
            (*lease_)->close();
        } catch (error const& failure) {
            if (!is_loss(failure)) throw;
            (*lease_)->close();
        }
        static_cast<void>(ready());
    }

    /// The limits of one step that begins now.
    [[nodiscard]] isorow::limits step_limits() const { return limits::within(where_->pool().options().connection.timeout, stop_); }
    /// The limits of the commit as a whole, where there are any. A stop token needs a deadline beside it: a day.
    [[nodiscard]] std::optional<isorow::limits> commit_limits() const {
        if (commit_timeout_) return limits::within(*commit_timeout_, stop_);
        if (stop_.stop_possible()) return limits::within(std::chrono::hours(24), stop_);
        return std::nullopt;
    }

    /// Counts the connections: what was made in the session of an earlier one is gone.
    [[nodiscard]] int generation() const noexcept { return generation_; }
    /// Whether tables of the session live as long as the connection does.
    [[nodiscard]] bool has_session() const noexcept { return has_session_; }

    /// Gives the lock up and the connection back.
    void end() noexcept {
        if (!lease_) return;
        try {
            if (is_locked_ && needs_lock_ && (*lease_)->is_open())
                static_cast<void>(
                    query_one<bool>(within(**lease_, std::chrono::seconds(5)), "SELECT pg_catalog.pg_advisory_unlock($1)", key_));
        } catch (std::exception const&) {
            // Closed, it gives up the lock by itself.
            (*lease_)->close();
        }
        lease_.reset();
        is_locked_ = false;
    }

private:
    /// Takes a connection with which `first_use()` succeeds: that one broke while the pool had it may show at its first statement only.
    template <class FirstUse>
    void connect(FirstUse&& first_use) {
        for (int attempts = 1;; ++attempts) {
            lease_.reset();
            auto& pool = where_->pool();
            lease_.emplace(pool, limits::within(pool.options().timeout, stop_));
            try {
                auto const can = capabilities_of(**lease_, step_limits());
                has_session_ = can->session_state;
                needs_lock_ = can->session_state && can->advisory_locks;
                ++generation_;
                return first_use();
            } catch (error const& failure) {
                if (attempts >= 3 || !is_loss(failure)) throw;
                (*lease_)->close();
            }
        }
    }

    /// Whether the connection was lost, as told by itself or by the server's farewell.
    [[nodiscard]] static bool is_loss(error const& failure) noexcept {
        if (dynamic_cast<connection_error const*>(&failure) != nullptr) return true;
        auto const* const farewell = dynamic_cast<server_error const*>(&failure);
        return farewell != nullptr && std::string_view(farewell->sqlstate()).starts_with("57P0");
    }

    [[nodiscard]] connection& ready() {
        if (lease_ && (*lease_)->is_open()) return **lease_;
        bool is_overtaken = false;
        connect([&] { is_overtaken = needs_lock_ && is_locked_ && !try_lock(); });
        if (is_overtaken) {
            lease_.reset();
            throw run_in_progress(text("the run of {} lost its connection, and somebody else runs the app now", shown_app()));
        }
        return **lease_;
    }

    [[nodiscard]] bool try_lock() {
        return query_one<bool>(database_ref(**lease_, step_limits()), "SELECT pg_catalog.pg_try_advisory_lock($1)", key_);
    }

    /// Asks again and again rather than wait in the server, where a statement that waits holds back the cleaning of all tables.
    void wait_for_lock() {
        auto const end = conflict_timeout_ ? limits::within(*conflict_timeout_, stop_) : limits::until_stopped(stop_);
        for (auto pause = std::chrono::milliseconds(20); !try_lock(); pause = std::min(2 * pause, std::chrono::milliseconds(1000))) {
            if (conflict_ == on_conflict::refuse || std::chrono::steady_clock::now() >= end.deadline)
                throw run_in_progress(describe_holder());
            auto const left = std::chrono::ceil<std::chrono::milliseconds>(std::min<std::chrono::steady_clock::duration>(
                pause, std::max<std::chrono::steady_clock::duration>(end.deadline - std::chrono::steady_clock::now(), {})));
            pause_for(left, limits::until_stopped(stop_), "waiting for another run of the app");
        }
    }

    [[nodiscard]] std::string shown_app() const { return text("the app \"{}\" of the database \"{}\"", app_, where_->key()); }

    [[nodiscard]] std::string describe_holder() {
        auto const word = std::bit_cast<std::uint64_t>(key_);
        auto const holder = first<std::tuple<std::int32_t, std::string, std::string>>(
            database_ref(**lease_, step_limits()),
            "SELECT l.pid, coalesce(a.application_name, ''), coalesce(to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SSOF'), '')"
            " FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid::bigint = $1 AND l.objid::bigint = $2"
            " AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
            static_cast<std::int64_t>(word >> 32), static_cast<std::int64_t>(word & 0xffffffffU));
        if (!holder) return text("{} was being run, and the run has just ended", shown_app());
        auto const& [pid, name, since] = *holder;
        return text("{} is being run already: by the server's process {}{}{}", shown_app(), pid,
                    name.empty() ? std::string{} : text(", application \"{}\"", name),
                    since.empty() ? std::string{} : text(", connected since {}", since));
    }

    std::shared_ptr<registration const> where_;
    std::string app_;
    std::int64_t key_;
    std::stop_token stop_;
    on_conflict conflict_;
    std::optional<std::chrono::milliseconds> conflict_timeout_;
    std::optional<std::chrono::milliseconds> commit_timeout_;
    turn turn_{};
    std::optional<lease> lease_{};
    int generation_ = 0;
    bool has_session_ = true;
    bool needs_lock_ = true;
    bool is_locked_ = false;
};

}  // namespace isorow::inline v1::detail
