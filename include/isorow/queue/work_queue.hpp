#pragma once

/// @file
/// A durable queue of jobs in a table of the database: pushed in the transaction that makes the work, taken by any number of workers, each
/// job by one of them, and kept until it is acknowledged.

#include <isorow/query/stack.hpp>
#include <isorow/queue/detail/payload.hpp>
#include <isorow/queue/detail/statements.hpp>
#include <isorow/queue/job.hpp>
#include <isorow/queue/options.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// How many jobs a queue has.
struct queue_counts {
    std::int64_t pending = 0;  ///< may be taken, now or when they fall due; also those whose lease ended without an answer
    std::int64_t leased = 0;   ///< are being handled
    std::int64_t dead = 0;     ///< have failed as often as they may

    friend bool operator==(queue_counts const&, queue_counts const&) = default;
};

/// A job that has failed as often as it may. It stays in the table until it is revived or discarded.
template <class T>
struct dead_job {
    std::int64_t id;
    T payload;
    std::int32_t attempts;
    std::string last_error;
};

/// A durable queue of T: of a struct, whose fields are the columns of the queue's table, or of one value such as `std::string`, in the
/// column `payload`.
///
///     work_queue<Order> orders{db, "orders"};
///     orders.install();
///     orders.push({1, "ada", 10.0});
///     while (auto job = orders.take(30s, stop)) {
///         handle(job->payload());
///         job->ack();
///     }
///
/// Each job is handled at least once: a worker that dies, or is slower than its lease, has handled it perhaps, and another gets it.
/// Whatever a job does in the same database happens exactly once where it is committed together with `ack(transaction)`, or with
/// `take(transaction)`. Jobs are taken by priority, then by the time they fell due, then by id.
///
/// Thread-safe; the pool must outlive the queue and its jobs. The first who waits for a job makes one connection beside the pool, which
/// listens for all that wait on this object; behind PgBouncer in transaction mode, where nobody can listen, they poll.
/// A role that uses the queue needs USAGE on the schema and SELECT, INSERT, UPDATE, DELETE on the table.
template <class T>
class work_queue {
public:
    using job = queue_job<T>;

    /// Nothing is sent yet. Throws `usage_error` for a name that makes no table's name of at most 63 bytes, and for options that make no
    /// sense.
    explicit work_queue(pool& db, std::string const& name, queue_options options = {})
        : state_(std::make_shared<detail::queue_state>(db, name, std::move(options), type_name<T>(), detail::payload_columns_of<T>())) {}
    work_queue(work_queue const&) = delete;
    work_queue& operator=(work_queue const&) = delete;

    /// Makes the queue's table, and its schema, where they do not exist; several may do so at once. Throws `mismatch` where the table is
    /// there with other columns, and `missing_privilege`, with the SQL to ask for, where the role may not.
    void install() const { state_->install(); }
    /// The SQL that makes the table, for those who install it by hand. Running it again changes nothing.
    [[nodiscard]] std::string install_sql() const { return state_->install_sql(); }

    /// Puts a job in and wakes who waits. Returns the job's id, or, where its dedupe key is in the queue already, that job's. Throws
    /// `unrepresentable` with the field for a value that its column cannot hold, `usage_error` for options that contradict each other, and
    /// the server's errors.
    std::int64_t push(T const& payload, push_options const& options = {}) const { return push(*state_->db, payload, options); }
    /// The job is there, and workers are woken, when the caller's transaction commits. `where`: a transaction, session or connection.
    std::int64_t push(database_ref const& where, T const& payload, push_options const& options = {}) const;

    /// Puts in a job for each payload of a range, all or none, and wakes workers once. Returns their ids. The options are for all of them,
    /// so a dedupe key is a `usage_error`.
    template <std::ranges::input_range Payloads>
    std::vector<std::int64_t> push_many(Payloads&& payloads, push_options const& options = {}) const {
        return push_many(*state_->db, payloads, options);
    }
    template <std::ranges::input_range Payloads>
    std::vector<std::int64_t> push_many(database_ref const& where, Payloads&& payloads, push_options const& options = {}) const;

    /// Takes a job if there is one, and leases it. Throws `mismatch` where the table does not fit T, before a job is taken, and the
    /// server's errors. A job whose values T cannot hold is given back with the error as its reason, and the error is thrown.
    [[nodiscard]] std::optional<job> take() const { return one(look(*state_->db, 1)); }
    /// Waits for a job so long; nothing where none came, or where the stop token asked to stop.
    [[nodiscard]] std::optional<job> take(limits const& limits) const { return one(wait(1, limits)); }
    template <class Rep, class Period>
    [[nodiscard]] std::optional<job> take(std::chrono::duration<Rep, Period> time, std::stop_token stop = {}) const {
        return take(limits::within(time, std::move(stop)));
    }
    /// Takes a job in the caller's transaction, which must outlive the job. All that is said of the job becomes true when the transaction
    /// commits; until then nobody else gets it, however long that takes. Where it is rolled back, the job is as it was before, this attempt
    /// not counted. A job that is committed without an answer is taken by another after the lease.
    [[nodiscard]] std::optional<job> take(transaction& within) const { return one(look(within, 1)); }

    /// Takes up to so many jobs at once, in the queue's order.
    [[nodiscard]] std::vector<job> take_many(std::int64_t count) const { return look(*state_->db, count); }
    /// Waits until there is at least one.
    [[nodiscard]] std::vector<job> take_many(std::int64_t count, limits const& limits) const { return wait(count, limits); }
    template <class Rep, class Period>
    [[nodiscard]] std::vector<job> take_many(std::int64_t count, std::chrono::duration<Rep, Period> time, std::stop_token stop = {}) const {
        return wait(count, limits::within(time, std::move(stop)));
    }
    [[nodiscard]] std::vector<job> take_many(transaction& within, std::int64_t count) const { return look(within, count); }

    /// Counts the jobs at one moment; reads the whole table.
    [[nodiscard]] queue_counts counts() const { return query_one<queue_counts>(*state_->db, state_->sql.count); }
    [[nodiscard]] std::int64_t pending() const { return counts().pending; }
    [[nodiscard]] std::int64_t leased() const { return counts().leased; }
    [[nodiscard]] std::int64_t dead_count() const { return counts().dead; }

    /// The dead jobs, oldest first, at most so many.
    [[nodiscard]] std::vector<dead_job<T>> dead(std::int64_t most = 1000) const;
    /// Makes a dead job wait again, with all its attempts. Throws `usage_error` where no dead job has this id, and
    /// `integrity_constraint_violation` where its dedupe key was pushed again since.
    void revive(std::int64_t id) const { change_dead(state_->sql.revive, id); }
    /// Deletes a dead job; throws likewise.
    void discard(std::int64_t id) const { change_dead(state_->sql.discard, id); }

    /// The table, quoted: `"isorow"."queue_orders"`.
    [[nodiscard]] std::string table() const { return state_->table.quoted(); }

private:
    /// What the books say of a job that was taken, in the order of the statement's columns.
    using book_entry = std::tuple<std::int64_t, std::int64_t, std::int32_t, std::int32_t, bool, std::int32_t, std::optional<std::string>>;

    [[nodiscard]] static std::optional<job> one(std::vector<job> jobs) {
        if (jobs.empty()) return std::nullopt;
        return std::move(jobs.front());
    }

    [[nodiscard]] parameters bind(connection& connection, limits const& limits, T const& payload, push_options const& options) const {
        parameters bound;
        bind_parameters(bound, connection, limits, options.priority, options.not_before, detail::interval_of(options.delay, "delay"),
                        options.max_attempts.value_or(state_->options.max_attempts), options.dedupe_key);
        detail::bind_payload(bound, connection, limits, payload);
        return bound;
    }

    [[nodiscard]] std::vector<job> look(database_ref const& where, std::int64_t count) const {
        database_ref::use const connection(where);
        return look_on(*connection, where, count);
    }
    /// The stop token ends the wait for a connection, but not the statement, which might have leased a job already.
    [[nodiscard]] std::vector<job> look(std::int64_t count, std::stop_token const& stop) const {
        auto const lent = state_->db->acquire(limits::within(state_->db->options().timeout, stop));
        return look_on(*lent, *state_->db, count);
    }
    [[nodiscard]] std::vector<job> look_on(connection& connection, database_ref const& answers_to, std::int64_t count) const;
    [[nodiscard]] std::vector<job> wait(std::int64_t count, limits const& limits) const;
    [[nodiscard]] std::vector<job> jobs_of(connection& connection, database_ref const& answers_to, result const& answer) const;

    void change_dead(std::string const& sql, std::int64_t id) const {
        if (execute(*state_->db, sql, id) == 0) throw usage_error(text("the queue \"{}\" has no dead job {}", state_->name, id));
    }

    std::shared_ptr<detail::queue_state> state_;
};

template <class T>
std::int64_t work_queue<T>::push(database_ref const& where, T const& payload, push_options const& options) const {
    detail::check_push(options);
    database_ref::use const connection(where);
    auto const limits = connection.limits();
    state_->check_table(*connection);
    auto const bound = bind(*connection, limits, payload, options);
    for (;;) {
        auto const answer = execute_statement(*connection, state_->sql.push, bound, limits);
        if (answer.rows() > 0) return detail::alone<std::int64_t>::decode(detail::incoming(*connection), answer, 0, 0);
        // It may be acknowledged right now: then the next try puts this one in.
        auto const there = detail::find_by_index(*connection, limits, state_->sql.find_key, options.dedupe_key);
        if (there.rows() > 0) return detail::alone<std::int64_t>::decode(detail::incoming(*connection), there, 0, 0);
    }
}

template <class T>
template <std::ranges::input_range Payloads>
std::vector<std::int64_t> work_queue<T>::push_many(database_ref const& where, Payloads&& payloads, push_options const& options) const {
    detail::check_push(options);
    if (options.dedupe_key) throw usage_error("a dedupe key is one job's: push_many gives its options to all");
    database_ref::use const connection(where);
    std::vector<std::int64_t> ids;
    std::vector<pipeline_statement> chunk;
    auto const flush = [&] {
        detail::row_plan<std::int64_t>::prepare(*connection, connection.limits());
        for (auto const& answer : run_pipeline(*connection, chunk, on_error::stop, connection.limits()))
            ids.push_back(detail::alone<std::int64_t>::decode(detail::incoming(*connection), *answer.rows, 0, 0));
        chunk.clear();
    };
    state_->check_table(*connection);
    detail::in_one_transaction(*connection, [&] {
        for (T const& payload : payloads) {
            try {
                chunk.push_back({state_->sql.insert, bind(*connection, connection.limits(), payload, options)});
            } catch (value_error const& failure) {
                failure.rethrow_at(text("job {}", ids.size() + chunk.size() + 1));
            }
            if (chunk.size() == detail::batch_size) flush();
        }
        if (!chunk.empty()) flush();
        if (!ids.empty()) execute(*connection, state_->sql.tell);
    });
    return ids;
}

template <class T>
auto work_queue<T>::look_on(connection& connection, database_ref const& answers_to, std::int64_t count) const -> std::vector<job> {
    if (count < 1) throw usage_error(text("at least one job is taken at a time, not {}", count));
    detail::payload_plan<T>::prepare(connection, connection.default_limits());
    state_->check_table(connection);
    for (;;) {
        auto const answer = state_->take(connection, count, connection.default_limits());
        auto jobs = jobs_of(connection, answers_to, answer);
        // Rows but no jobs: all of them were found dead, and there may be others behind them.
        if (!jobs.empty() || answer.rows() == 0) return jobs;
    }
}

template <class T>
auto work_queue<T>::jobs_of(connection& connection, database_ref const& answers_to, result const& answer) const -> std::vector<job> {
    detail::payload_plan<T> const payload(connection, answer);
    detail::row_plan<book_entry> const books(connection, answer);
    std::vector<std::pair<std::int32_t, job>> placed;
    std::exception_ptr unreadable;
    for (int row = 0; row < answer.rows(); ++row) {
        book_entry entry;
        books.decode(answer, row, entry);
        auto const [id, lease, attempt, max_attempts, dead, place, last_error] = entry;
        if (dead) continue;
        detail::held_job held(state_, answers_to, id, lease, attempt, max_attempts, connection.in_transaction());
        try {
            T value{};
            payload.decode(answer, row, value);
            placed.emplace_back(place, job(std::move(held), std::move(value), last_error));
        } catch (value_error const& failure) {
            unreadable = std::current_exception();
            held.give_back(connection, failure.what(), {});
        }
    }
    if (unreadable) {
        for (auto& [place, innocent] : placed) innocent.held_.release(connection);
        std::rethrow_exception(unreadable);
    }
    std::sort(placed.begin(), placed.end(), [](auto const& left, auto const& right) { return left.first < right.first; });
    std::vector<job> jobs;
    for (auto& [place, one] : placed) jobs.push_back(std::move(one));
    return jobs;
}

template <class T>
auto work_queue<T>::wait(std::int64_t count, limits const& limits) const -> std::vector<job> {
    try {
        auto jobs = look(count, limits.stop);
        while (jobs.empty() && std::chrono::steady_clock::now() < limits.deadline) {
            // The sleeper is there before the look, so that what is pushed between the two wakes it.
            detail::queue_bell::sleeper const sleeper(state_->bell);
            jobs = look(count, limits.stop);
            if (!jobs.empty()) break;
            sleeper.sleep({std::min(limits.deadline, state_->time_to_look_again()), limits.stop});
            state_->bell.rethrow_failure();
        }
        return jobs;
    } catch (stopped const&) {
        if (!limits.stop.stop_requested()) throw;
        return {};
    }
}

template <class T>
std::vector<dead_job<T>> work_queue<T>::dead(std::int64_t most) const {
    database_ref::use const connection(*state_->db);
    auto const limits = connection.limits();
    detail::payload_plan<T>::prepare(*connection, limits);
    parameters bound;
    bind_parameters(bound, *connection, limits, most);
    auto const answer = execute_statement(*connection, state_->sql.dead, bound, limits);
    detail::payload_plan<T> const payload(*connection, answer);
    detail::row_plan<std::tuple<std::int64_t, std::int32_t, std::optional<std::string>>> const books(*connection, answer);
    std::vector<dead_job<T>> jobs;
    for (int row = 0; row < answer.rows(); ++row) {
        std::tuple<std::int64_t, std::int32_t, std::optional<std::string>> entry;
        books.decode(answer, row, entry);
        auto const& [id, attempts, last_error] = entry;
        T value{};
        payload.decode(answer, row, value);
        jobs.push_back({id, std::move(value), attempts, last_error.value_or("the lease of the last attempt ended without an answer")});
    }
    return jobs;
}

}  // namespace isorow::inline v1
