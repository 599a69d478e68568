#pragma once

#include <isorow/pq/pool.hpp>
#include <isorow/pq/statement.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

enum class isolation : std::uint8_t { server_default, read_committed, repeatable_read, serializable };

struct transaction_options {
    isorow::isolation isolation = isorow::isolation::server_default;
    bool read_only = false;
    bool deferrable = false;                 ///< with serializable and read only: waits for a snapshot that cannot fail
    std::optional<isorow::limits> limits{};  ///< for BEGIN and COMMIT; unset: the connection's own. ROLLBACK always has those
};

namespace detail {

/// Text as a literal of SQL, for the few commands that take no parameters.
[[nodiscard]] inline std::string quote_literal(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) throw usage_error("the text has a NUL byte");
    std::string quoted = text.find('\\') == std::string_view::npos ? "'" : " E'";
    for (char const character : text) {
        if (character == '\'' || character == '\\') quoted += character;
        quoted += character;
    }
    return quoted += '\'';
}

}  // namespace detail

/// A transaction, or, inside another one, a savepoint. Rolled back where it is not committed. Not thread-safe.
///
/// A COMMIT whose answer is lost is settled on a new connection by the transaction's id: `commit` then returns where it was committed,
/// throws `connection_lost` where it was not, and `commit_unknown` where that cannot be found out.
class transaction {
public:
    /// Begins. The connection must outlive the transaction. Options are for outermost transactions: a savepoint has none.
    explicit transaction(isorow::connection& connection, transaction_options const& options = {}) : connection_(&connection) {
        begin(options);
    }

    /// Begins on a connection of the pool, which goes back at the end.
    explicit transaction(pool& pool, transaction_options const& options = {}) : lease_(std::in_place, pool), connection_(&**lease_) {
        begin(options);
    }

    transaction(transaction const&) = delete;
    transaction& operator=(transaction const&) = delete;
    ~transaction() {
        if (!open_) return;
        try {
            rollback();
        } catch (error const&) {
            // The connection is of no use then, and the server rolls back by itself.
            connection_->close();
        }
    }

    [[nodiscard]] isorow::connection& connection() const noexcept { return *connection_; }

    /// Commits, or releases the savepoint. Throws `usage_error` where the transaction has ended, `transaction_rollback` and others by the
    /// server's SQLSTATE, and `commit_unknown`.
    void commit() {
        require_open();
        require_innermost();
        if (!savepoint_.empty()) {
            run("RELEASE SAVEPOINT " + savepoint_);
            return ended();
        }
        auto const id = assigned_id();
        std::string command;
        try {
            command = run("COMMIT").command();
        } catch (connection_error const&) {
            ended();
            return settle(id);
        } catch (timed_out const&) {
            ended();
            return settle(id);
        } catch (stopped const&) {
            // COMMIT may have been done all the same.
            ended();
            auto const outcome = id.empty() ? std::string("aborted") : asked_outcome(id);
            if (outcome == "committed") return;
            if (outcome == "aborted") throw;
            throw commit_unknown(text("a COMMIT was stopped, and whether transaction {} was committed could not be found out", id));
        } catch (...) {
            ended();
            throw;
        }
        ended();
        if (command == "ROLLBACK")
            throw usage_error("the transaction could not be committed: a statement in it had failed, so the server rolled it back");
    }

    /// Rolls back, to the savepoint where it is one. A transaction inside this one that is still open is an error.
    void rollback() {
        require_open();
        if (!connection_->is_open()) return ended();
        require_innermost();
        limits_.reset();
        if (savepoint_.empty()) run("ROLLBACK");
        else run(text("ROLLBACK TO SAVEPOINT {}; RELEASE SAVEPOINT {}", savepoint_, savepoint_));
        ended();
    }

    /// Ends this transaction by PREPARE TRANSACTION under a global id of at most 199 bytes: it is then committed or rolled back by that id,
    /// on any connection and also after a crash (`commit_prepared`, `rollback_prepared`). The server's max_prepared_transactions must allow
    /// it.
    void prepare(std::string_view global_id) {
        require_open();
        if (!savepoint_.empty()) throw usage_error("a nested transaction cannot be prepared: only the outermost one");
        require_innermost();
        auto const command = std::string(run("PREPARE TRANSACTION " + detail::quote_literal(global_id)).command());
        ended();
        if (command == "ROLLBACK")
            throw usage_error("the transaction could not be prepared: a statement in it had failed, so the server rolled it back");
    }

    /// Whether it was neither committed nor rolled back.
    [[nodiscard]] bool is_open() const noexcept { return open_; }

private:
    void begin(transaction_options const& options) {
        limits_ = options.limits;
        if (connection_->in_transaction()) {
            savepoint_ = text("isorow_{}", connection_->transaction_depth() + 1);
            run("SAVEPOINT " + savepoint_);
        } else {
            run(begin_sql(options));
        }
        depth_ = ++connection_->transaction_depth();
        open_ = true;
    }

    [[nodiscard]] static std::string begin_sql(transaction_options const& options) {
        std::string sql = "BEGIN";
        switch (options.isolation) {
            case isolation::server_default:
                break;
            case isolation::read_committed:
                sql += " ISOLATION LEVEL READ COMMITTED";
                break;
            case isolation::repeatable_read:
                sql += " ISOLATION LEVEL REPEATABLE READ";
                break;
            case isolation::serializable:
                sql += " ISOLATION LEVEL SERIALIZABLE";
                break;
        }
        if (options.read_only) sql += " READ ONLY";
        if (options.deferrable) sql += " DEFERRABLE";
        return sql;
    }

    result run(std::string_view sql) { return execute_script(*connection_, sql, limits_ ? *limits_ : connection_->default_limits()); }

    void require_open() const {
        if (!open_) throw usage_error("the transaction has ended");
    }
    /// Transactions end in the reverse order of their beginning.
    void require_innermost() const {
        if (connection_->transaction_depth() > depth_)
            throw usage_error("a transaction was begun inside this one and is still open: it ends first");
    }
    void ended() noexcept {
        open_ = false;
        connection_->transaction_depth() = depth_ - 1;
    }

    /// The id under which the server remembers the transaction's end; empty where it has written nothing, or has failed.
    [[nodiscard]] std::string assigned_id() {
        if (PQtransactionStatus(connection_->native_handle()) != PQTRANS_INTRANS) return {};
        if (address_ = connection_->parameters(); !address_) address_ = remembered_conninfo(*connection_);
        auto const answer = run("SELECT pg_catalog.pg_current_xact_id_if_assigned(), pg_catalog.now()");
        auto const time = answer.value(0, 1);
        begun_.assign(reinterpret_cast<char const*>(time.data()), time.size());
        auto const value = answer.value(0, 0);
        return value.data() == nullptr ? std::string{} : std::string(reinterpret_cast<char const*>(value.data()), value.size());
    }

    /// Where the connection went, password included, to ask there again.
    [[nodiscard]] static std::shared_ptr<detail::conninfo const> remembered_conninfo(isorow::connection const& connection) {
        detail::owned_conninfo const used(PQconninfo(connection.native_handle()));
        auto info = std::make_shared<detail::conninfo>();
        if (used)
            for (auto const* option = used.get(); option->keyword != nullptr; ++option)
                if (option->val != nullptr) info->set(option->keyword, option->val);
        return info;
    }

    void settle(std::string const& id) {
        if (id.empty()) throw connection_lost("the connection was lost at the COMMIT of a transaction that had written nothing");
        auto const outcome = asked_outcome(id);
        if (outcome == "committed") return;
        if (outcome == "aborted") throw connection_lost("the connection was lost at COMMIT, and the transaction was rolled back");
        throw commit_unknown(
            text("the connection was lost at COMMIT, and whether transaction {} was committed could not be found out", id));
    }

    /// `committed`, `aborted`, or anything else where the server cannot be asked or does not know within ten seconds.
    [[nodiscard]] std::string asked_outcome(std::string const& id) const {
        auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        for (auto pause = std::chrono::milliseconds(10); std::chrono::steady_clock::now() < end;
             pause = std::min(2 * pause, std::chrono::milliseconds(1000))) {
            try {
                auto options = connection_->options();
                options.connect_timeout = std::chrono::seconds(5);
                options.timeout = std::chrono::seconds(5);
                isorow::connection witness(address_, std::move(options), limits::within(std::chrono::seconds(5)));
                auto const answer = execute_script(witness,
                                                   text("SELECT CASE WHEN s = 'committed' AND (SELECT stats_reset FROM "
                                                        "pg_catalog.pg_stat_bgwriter) > '{}' THEN 'unknown' ELSE s END"
                                                        " FROM (SELECT pg_catalog.pg_xact_status('{}'::xid8) AS s) status",
                                                        begun_, id),
                                                   witness.default_limits());
                auto const value = answer.value(0, 0);
                std::string const outcome(reinterpret_cast<char const*>(value.data()), value.size());
                if (outcome != "in progress") return outcome;
            } catch (error const& failure) {
                if (!failure.retryable()) return failure.what();
            }
            pause_for(pause, limits::within(2 * pause), "waiting for the server to come back");
        }
        return "unknown";
    }

    std::string begun_{};
    std::optional<lease> lease_{};
    isorow::connection* connection_;
    std::string savepoint_{};
    std::shared_ptr<detail::conninfo const> address_{};
    std::optional<isorow::limits> limits_{};
    int depth_ = 0;
    bool open_ = false;
};

}  // namespace isorow::inline v1
