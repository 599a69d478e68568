#pragma once

#include <isorow/pq/pipeline.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// One run of a pipeline: sends while there is room and takes in answers as they come, so that neither side waits for the other however
/// large both directions are.
class pipeline_run {
public:
    pipeline_run(connection& connection, std::span<pipeline_statement const> statements, on_error mode, limits const& limits)
        : connection_(&connection), statements_(statements), mode_(mode), limits_(limits), answers_(statements.size()) {}

    [[nodiscard]] std::vector<pipeline_answer> run() {
        connection_->require_ready();
        if (connection_->statements().has_unwanted() && !connection_->in_transaction()) close_unwanted(*connection_, limits_);
        if (PQenterPipelineMode(connection_->native_handle()) != 1) throw usage_error("libpq did not enter pipeline mode");
        try {
            if (std::exchange(connection_->was_read_in_chunks(), false)) sync(false);
            drive([&] { return step(); }, [&] { return PQsocket(connection_->native_handle()); }, limits_,
                  "waiting for the answers of a pipeline");
            if (PQexitPipelineMode(connection_->native_handle()) != 1) throw connection_lost(lost());
        } catch (...) {
            give_up(std::current_exception());
        }
        return std::move(answers_);
    }

private:
    /// What is to come for something that was sent.
    struct expected {
        enum class kind : std::uint8_t { statement, preparation, sync } what;
        std::size_t statement = 0;
    };

    static constexpr std::size_t most_in_flight = 4096;
    static constexpr std::size_t packet = std::size_t{16} * 1024;

    [[nodiscard]] interest step() {
        auto* const handle = connection_->native_handle();
        if (waited_ && PQconsumeInput(handle) == 0) throw connection_lost(lost());
        waited_ = true;
        for (;;) {
            take_answers();
            bool const sent = send_some();
            if (next_ == statements_.size() && expected_.empty()) return interest::none;
            if (PQstatus(handle) != CONNECTION_OK) throw connection_lost(lost());
            if (!sent && PQisBusy(handle) != 0) break;
        }
        auto const unsent = PQflush(handle);
        if (unsent < 0) throw connection_lost(lost());
        return unsent == 1 ? interest::read_or_write : interest::read;
    }

    /// Sends until libpq keeps something back or enough is under way.
    bool send_some() {
        bool sent = false;
        auto* const handle = connection_->native_handle();
        while (next_ < statements_.size() && expected_.size() < most_in_flight) {
            // Not each alone: a packet is worth sending when it is full.
            if (unsent_ >= packet && (PQflush(handle) != 0 || std::exchange(unsent_, 0) == 0)) break;
            send(next_);
            unsent_ += statements_[next_].values.bytes() + statements_[next_].values.size() * 8 + 64;
            ++next_;
            bool const last = next_ == statements_.size();
            if (mode_ == on_error::go_on || last) sync(last);
            sent = true;
        }
        return sent;
    }

    void send(std::size_t place) {
        auto const& one = statements_[place];
        require_no_session_state(*connection_, one.sql);
        auto* const entry = connection_->statements().use(one.sql, one.values);
        if (entry == nullptr) {
            send_unprepared(*connection_, checked_sql(one.sql), one.values);
        } else {
            if (!entry->prepared) {
                require_sent(*connection_, PQsendPrepare(connection_->native_handle(), entry->name.c_str(), entry->sql.c_str(),
                                                         static_cast<int>(entry->types.size()), entry->types.data()));
                expected_.push_back({expected::kind::preparation, place});
                entry->prepared = true;  // where it fails, all are forgotten
            }
            send_prepared(*connection_, entry->name, one.values);
        }
        expected_.push_back({expected::kind::statement, place});
    }

    void sync([[maybe_unused]] bool flush) {
#if defined(LIBPQ_HAS_SEND_PIPELINE_SYNC)
        auto const sent = flush ? PQpipelineSync(connection_->native_handle()) : PQsendPipelineSync(connection_->native_handle());
#else
        auto const sent = PQpipelineSync(connection_->native_handle());
#endif
        require_sent(*connection_, sent);
        expected_.push_back({expected::kind::sync});
    }

    void take_answers() {
        auto* const handle = connection_->native_handle();
        while (!expected_.empty() && PQisBusy(handle) == 0) {
            result received(PQgetResult(handle));
            if (received.native_handle() == nullptr) {
                // The end of one statement's answers; the next PQgetResult begins with the following one's.
                if (!std::exchange(between_, true)) finish_statement();
                else if (PQstatus(handle) != CONNECTION_OK) throw connection_lost(lost());
                if (expected_.empty()) return;
                continue;
            }
            between_ = false;
            take(std::move(received));
        }
    }

    void take(result received) {
        auto const& now = expected_.front();
        switch (received.status()) {
            case PGRES_PIPELINE_SYNC:
                expected_.pop_front();
                between_ = true;
                return;
            case PGRES_PIPELINE_ABORTED:
                return;
            case PGRES_FATAL_ERROR:
            case PGRES_BAD_RESPONSE:
                return fail(now.statement, received);
            case PGRES_COPY_IN:
            case PGRES_COPY_OUT:
            case PGRES_COPY_BOTH:
                throw usage_error(
                    text("COPY … FROM STDIN and TO STDOUT are run by copy_in and copy_out; in: {}", statements_[now.statement].sql));
            default:
                if (now.what != expected::kind::statement) return;
                if (makes_plans_stale(received.command())) [[unlikely]]
                    connection_->forget_statements();
                answers_[now.statement].outcome = outcome::done;
                answers_[now.statement].rows.emplace(std::move(received));
        }
    }
    void finish_statement() {
        if (!expected_.empty() && expected_.front().what != expected::kind::sync) expected_.pop_front();
    }

    void fail(std::size_t place, result const& failed) {
        auto& answer = answers_[place];
        answer.outcome = outcome::failed;
        auto fields = diagnostics_of(failed.native_handle(), statements_[place].sql);
        fields.place = text("statement {} of {}", place + 1, statements_.size());
        if (PQstatus(connection_->native_handle()) != CONNECTION_OK && fields.sqlstate.empty()) throw connection_lost(lost());
        try {
            throw_server_error(std::move(fields));
        } catch (server_error const& failure) {
            answer.failure = std::current_exception();
            if (failure.is_stale_plan() || failure.sqlstate() == sqlstate::duplicate_statement) connection_->forget_statements();
        }
        // A preparation that failed took the ones that were sent behind it along.
        if (expected_.front().what == expected::kind::preparation) connection_->forget_statements();
    }

    [[nodiscard]] std::string lost() const { return text("the connection to {} was lost in a pipeline", connection_->endpoint()); }

    /// The connection is of no use then: what had no answer is unknown where it may have been sent.
    void give_up(std::exception_ptr const& failure) {
        if (connection_->is_open()) {
            try {
                cancel(connection_->native_handle(), limits::within(time_to_end));
            } catch (error const&) {  // NOLINT(bugprone-empty-catch)
                // The server finds out when the connection is closed.
            }
        }
        connection_->close();
        if (mode_ == on_error::stop) std::rethrow_exception(failure);
        for (auto const& one : expected_) {
            if (one.what != expected::kind::statement) continue;
            auto& answer = answers_[one.statement];
            if (answer.outcome != outcome::failed) answer = {.outcome = outcome::unknown, .rows = {}, .failure = failure};
        }
    }

    connection* connection_;
    std::span<pipeline_statement const> statements_;
    on_error mode_;
    limits limits_;
    std::vector<pipeline_answer> answers_;
    std::deque<expected> expected_;
    std::size_t next_ = 0;
    std::size_t unsent_ = 0;
    bool waited_ = false;
    bool between_ = true;
};

}  // namespace detail

ISOROW_DECL std::vector<pipeline_answer> run_pipeline(connection& connection, std::span<pipeline_statement const> statements, on_error mode,
                                                      limits const& limits) {
    if (statements.empty()) return {};
    bool const in_transaction = connection.in_transaction();
    if (mode == on_error::go_on && in_transaction)
        throw usage_error("in a transaction one error fails all that follows: run the statements with on_error::stop, or outside of it");
    std::vector<pipeline_answer> answers;
    auto const& watching = connection.options().observer;
    auto const run = [&] {
        auto const begun = std::chrono::steady_clock::now();
        operation_event event{
            .name = "PIPELINE", .sql = statements.front().sql, .statements = static_cast<std::int64_t>(statements.size())};
        std::string failure;
        try {
            answers = detail::pipeline_run(connection, statements, mode, limits).run();
        } catch (...) {
            if (watching) failure = detail::name_of(std::current_exception());
            event.error = failure;
            if (watching) detail::tell(connection, &observer::on_pipeline, event, begun);
            throw;
        }
        if (!watching) return;
        for (auto const& one : answers) {
            if (one.rows) event.rows += one.rows->affected_rows();
            if (one.failure && failure.empty()) failure = detail::name_of(one.failure);
        }
        event.error = failure;
        detail::tell(connection, &observer::on_pipeline, event, begun);
    };
    run();
    if (mode == on_error::go_on) return answers;
    for (bool again = true;; again = false) {
        auto const failed = std::find_if(answers.begin(), answers.end(), [](auto const& one) { return one.failure != nullptr; });
        if (failed == answers.end()) return answers;
        try {
            std::rethrow_exception(failed->failure);
        } catch (server_error const& failure) {
            if (!again || in_transaction || !failure.is_stale_plan()) throw;
        }
        run();
    }
}

}  // namespace isorow::inline v1
