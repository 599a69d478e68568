#pragma once

#include <isorow/pq/pool.hpp>
#include <isorow/pq/statement.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace isorow::inline v1 {

enum class isolation : std::uint8_t { server_default, read_committed, repeatable_read, serializable };

struct transaction_options {
    isorow::isolation isolation = isorow::isolation::server_default;
    bool read_only = false;
    bool deferrable = false;  ///< with serializable and read only: waits for a snapshot that cannot fail
};

/// A transaction, or, inside another one, a savepoint. Rolled back where it is not committed. Not thread-safe.
///
/// A COMMIT whose answer is lost is settled on a new connection by the transaction's id: `commit` then returns where it was committed,
/// throws `connection_lost` where it was not, and `commit_unknown` where that cannot be found out.
class transaction {
public:
    /// Begins. The connection must outlive the transaction. Options are for outermost transactions: a savepoint has none.
    explicit transaction(isorow::connection& connection, transaction_options options = {}) : connection_(&connection) { begin(options); }

    /// Begins on a connection of the pool, which goes back at the end.
    explicit transaction(pool& pool, transaction_options options = {}) : lease_(pool.acquire()), connection_(&**lease_) { begin(options); }

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
        } catch (...) {
            ended();
            throw;
        }
        ended();
        if (command == "ROLLBACK")
            throw usage_error("the transaction could not be committed: a statement in it had failed, so the server rolled it back");
    }

    /// Rolls back, to the savepoint where it is one.
    void rollback() {
        require_open();
        if (!connection_->is_open()) return ended();
        if (savepoint_.empty()) run("ROLLBACK");
        else run(text("ROLLBACK TO SAVEPOINT {}; RELEASE SAVEPOINT {}", savepoint_, savepoint_));
        ended();
    }

    /// Whether it was neither committed nor rolled back.
    [[nodiscard]] bool is_open() const noexcept { return open_; }

private:
    void begin(transaction_options const& options) {
        if (connection_->in_transaction()) {
            savepoint_ = text("isorow_{}", connection_->transaction_depth() + 1);
            run("SAVEPOINT " + savepoint_);
        } else {
            run(begin_sql(options));
        }
        ++connection_->transaction_depth();
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

    result run(std::string_view sql) { return execute_script(*connection_, sql, connection_->default_limits()); }

    void require_open() const {
        if (!open_) throw usage_error("the transaction has ended");
    }
    void ended() noexcept {
        open_ = false;
        --connection_->transaction_depth();
    }

    /// The id under which the server remembers the transaction's end; empty where it has written nothing, or has failed.
    [[nodiscard]] std::string assigned_id() {
        if (PQtransactionStatus(connection_->native_handle()) != PQTRANS_INTRANS) return {};
        address_ = remembered_conninfo(*connection_);
        auto const answer = run("SELECT pg_catalog.pg_current_xact_id_if_assigned()");
        auto const value = answer.value(0, 0);
        return value.data() == nullptr ? std::string{} : std::string(reinterpret_cast<char const*>(value.data()), value.size());
    }

    /// Where the connection went, password included, to ask there again.
    [[nodiscard]] static detail::conninfo remembered_conninfo(isorow::connection const& connection) {
        detail::owned_conninfo const used(PQconninfo(connection.native_handle()));
        detail::conninfo info;
        if (used)
            for (auto const* option = used.get(); option->keyword != nullptr; ++option)
                if (option->val != nullptr) info.set(option->keyword, option->val);
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
                isorow::connection witness(address_.as_dsn(),
                                           {.connect_timeout = std::chrono::seconds(5), .timeout = std::chrono::seconds(5)});
                auto const answer =
                    execute_script(witness, text("SELECT pg_catalog.pg_xact_status('{}'::xid8)", id), witness.default_limits());
                auto const value = answer.value(0, 0);
                std::string const outcome(reinterpret_cast<char const*>(value.data()), value.size());
                if (outcome != "in progress") return outcome;
            } catch (error const& failure) {
                if (!failure.retryable()) return failure.what();
            }
            std::this_thread::sleep_for(pause);
        }
        return "unknown";
    }

    std::optional<lease> lease_{};
    isorow::connection* connection_;
    std::string savepoint_{};
    detail::conninfo address_{};
    bool open_ = false;
};

}  // namespace isorow::inline v1
