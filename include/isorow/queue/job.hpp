#pragma once

#include <isorow/codec/text_policy.hpp>
#include <isorow/config.hpp>
#include <isorow/queue/detail/state.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

/// A job is not this worker's any more: its lease ended, and what was asked for was not done.
class lease_lost final : public error {
public:
    using error::error;
};

namespace detail {

/// A leased job, whatever it carries. Given back where it is gone without an answer.
class held_job {
public:
    held_job(std::shared_ptr<queue_state> queue, database_ref const& where, std::int64_t id, std::int64_t lease, std::int32_t attempt,
             std::int32_t max_attempts, bool in_transaction);
    held_job(held_job&&) noexcept = default;
    held_job& operator=(held_job&& other) noexcept;
    /// In the caller's transaction it is the transaction's end that decides.
    ~held_job();

    void acknowledge(database_ref const& where);
    void give_back(database_ref const& where, std::string_view reason, std::optional<std::chrono::milliseconds> delay);
    void release(database_ref const& where);
    void bury(database_ref const& where, std::string_view reason);
    void extend(std::chrono::milliseconds time);

    [[nodiscard]] database_ref const& where() const noexcept { return where_; }
    [[nodiscard]] std::int64_t id() const noexcept { return id_; }
    [[nodiscard]] std::int32_t attempt() const noexcept { return attempt_; }
    [[nodiscard]] std::int32_t max_attempts() const noexcept { return max_attempts_; }

private:
    [[nodiscard]] queue_state const& require_held() const;

    /// The job is settled also where it was lost; where the connection failed, it may be tried again.
    template <class... Arguments>
    void settle(database_ref const& where, std::string_view what, std::string const& sql, Arguments const&... arguments) {
        try {
            change(where, what, sql, arguments...);
        } catch (lease_lost const&) {
            queue_.reset();
            throw;
        }
        queue_.reset();
    }

    template <class... Arguments>
    void change(database_ref const& where, std::string_view what, std::string const& sql, Arguments const&... arguments) {
        database_ref::use const connection(where);
        if (find_by_index(*connection, connection.limits(), sql, id_, lease_, arguments...).affected_rows() > 0) return;
        auto const state = query_optional<std::string>(*connection, queue_->sql.find, id_);
        throw lease_lost(text("job {} of the queue \"{}\" was not {}: the lease of this attempt ended, and {}", id_, queue_->name, what,
                              !state              ? "another worker has acknowledged the job since, or it was deleted"
                              : *state == "dead"  ? "the job is dead"
                              : *state == "ready" ? "the job waits to be taken again"
                                                  : "another worker has taken the job since"));
    }

    std::shared_ptr<queue_state> queue_;  ///< null: settled, or moved from
    database_ref where_;
    std::int64_t id_;
    std::int64_t lease_;
    std::int32_t attempt_;
    std::int32_t max_attempts_;
    bool in_transaction_;
    int exceptions_;
};

}  // namespace detail

/// A job that was taken from a queue, for this worker alone until its lease ends. One that is destroyed without an answer is given back,
/// as by `nack`; one that was taken in a transaction is decided by the transaction's end instead. Move-only, not thread-safe; the queue's
/// pool must outlive it.
///
/// Each answer (`ack`, `nack`, `release`, `bury`) throws `lease_lost` where the lease ended and the job is not this worker's any more, and
/// does nothing then; `usage_error` for a second answer; and the server's errors, after which the answer may be tried again. A lease that
/// ended while nobody else took the job is still good.
template <class T>
class queue_job {
public:
    [[nodiscard]] T& payload() noexcept { return payload_; }
    [[nodiscard]] T const& payload() const noexcept { return payload_; }
    [[nodiscard]] std::int64_t id() const noexcept { return held_.id(); }
    /// Which attempt this is, from 1 on, and how many there are.
    [[nodiscard]] std::int32_t attempt() const noexcept { return held_.attempt(); }
    [[nodiscard]] std::int32_t max_attempts() const noexcept { return held_.max_attempts(); }
    /// Why the attempt before failed.
    [[nodiscard]] std::optional<std::string> const& last_error() const noexcept { return last_error_; }

    /// The job is done: deletes it.
    void ack() { held_.acknowledge(held_.where()); }
    /// The job is done when the caller's transaction commits: what is written in that transaction happens exactly once. Where it is rolled
    /// back, the job is taken again after its lease.
    void ack(transaction& within) { held_.acknowledge(within); }

    /// The attempt failed: the job waits for the next, so long as `delay` says, or the queue's `first_pause`, doubled for each attempt
    /// before. After its last attempt it is dead, with the reason as its last error.
    void nack(std::string_view reason = {}, std::optional<std::chrono::milliseconds> delay = {}) {
        held_.give_back(held_.where(), reason, delay);
    }
    /// Gives the job back as if it had not been taken: for a worker that is told to end. It may be taken at once.
    void release() { held_.release(held_.where()); }
    /// No attempt will do better: the job is dead at once, with the reason as its last error.
    void bury(std::string_view reason) { held_.bury(held_.where(), reason); }

    /// The lease ends so long from now instead. Throws `lease_lost` and the server's errors.
    void extend(std::chrono::milliseconds time) { held_.extend(time); }

private:
    template <class>
    friend class work_queue;
    queue_job(detail::held_job held, T payload, std::optional<std::string> last_error)
        : held_(std::move(held)), payload_(std::move(payload)), last_error_(std::move(last_error)) {}

    detail::held_job held_;
    T payload_;
    std::optional<std::string> last_error_;
};

#if ISOROW_HAS_CODE

namespace detail {

ISOROW_DECL held_job::held_job(std::shared_ptr<queue_state> queue, database_ref const& where, std::int64_t id, std::int64_t lease,
                               std::int32_t attempt, std::int32_t max_attempts, bool in_transaction)
    : queue_(std::move(queue)),
      where_(where),
      id_(id),
      lease_(lease),
      attempt_(attempt),
      max_attempts_(max_attempts),
      in_transaction_(in_transaction),
      exceptions_(std::uncaught_exceptions()) {}

ISOROW_DECL held_job& held_job::operator=(held_job&& other) noexcept {
    std::swap(queue_, other.queue_);
    std::swap(where_, other.where_);
    std::swap(id_, other.id_);
    std::swap(lease_, other.lease_);
    std::swap(attempt_, other.attempt_);
    std::swap(max_attempts_, other.max_attempts_);
    std::swap(in_transaction_, other.in_transaction_);
    std::swap(exceptions_, other.exceptions_);
    return *this;
}

ISOROW_DECL held_job::~held_job() {
    if (!queue_ || in_transaction_) return;
    try {
        give_back(within(*queue_->db, std::chrono::seconds(10)),
                  std::uncaught_exceptions() > exceptions_ ? "an exception was thrown while the job was handled"
                                                           : "the worker neither acknowledged the job nor gave it back",
                  {});
    } catch (...) {  // NOLINT(bugprone-empty-catch)
        // A destructor cannot tell. The lease ends by itself, and the job is taken again then.
    }
}

ISOROW_DECL void held_job::give_back(database_ref const& where, std::string_view reason, std::optional<std::chrono::milliseconds> delay) {
    auto const rest = interval_of(delay ? *delay : queue_state::pause_after(attempt_, require_held().options), "delay");
    settle(where, "given back", require_held().sql.give_back, rest, cleaned_text(reason, text_policy::replace));
}

ISOROW_DECL void held_job::bury(database_ref const& where, std::string_view reason) {
    settle(where, "buried", require_held().sql.bury, cleaned_text(reason, text_policy::replace));
}

ISOROW_DECL queue_state const& held_job::require_held() const {
    if (!queue_) throw usage_error(text("job {} was acknowledged or given back already", id_));
    return *queue_;
}

ISOROW_DECL void held_job::acknowledge(database_ref const& where) { settle(where, "acknowledged", require_held().sql.acknowledge); }

ISOROW_DECL void held_job::release(database_ref const& where) { settle(where, "released", require_held().sql.release); }

ISOROW_DECL void held_job::extend(std::chrono::milliseconds time) {
    change(where_, "extended", require_held().sql.extend, interval_of(time, "extension"));
}

}  // namespace detail

#endif

}  // namespace isorow::inline v1
