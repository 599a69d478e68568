#pragma once

#include <isorow/pq/transaction.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

ISOROW_DECL transaction::transaction(isorow::connection& connection, transaction_options const& options) : connection_(&connection) {
    begin(options);
}

ISOROW_DECL transaction::transaction(pool& pool, transaction_options const& options) : lease_(std::in_place, pool), connection_(&**lease_) {
    begin(options);
}

ISOROW_DECL transaction::~transaction() {
    if (!open_) return;
    try {
        rollback();
    } catch (error const&) {
        // The connection is of no use then, and the server rolls back by itself.
        connection_->close();
    }
}

ISOROW_DECL void transaction::commit() {
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

ISOROW_DECL void transaction::rollback() {
    require_open();
    if (!connection_->is_open()) return ended();
    require_innermost();
    limits_.reset();
    if (savepoint_.empty()) run("ROLLBACK");
    else run(text("ROLLBACK TO SAVEPOINT {}; RELEASE SAVEPOINT {}", savepoint_, savepoint_));
    ended();
}

ISOROW_DECL void transaction::prepare(std::string_view global_id) {
    require_open();
    if (!savepoint_.empty()) throw usage_error("a nested transaction cannot be prepared: only the outermost one");
    require_innermost();
    auto const command = std::string(run("PREPARE TRANSACTION " + detail::quote_literal(global_id)).command());
    ended();
    if (command == "ROLLBACK")
        throw usage_error("the transaction could not be prepared: a statement in it had failed, so the server rolled it back");
}

ISOROW_DECL void transaction::begin(transaction_options const& options) {
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

ISOROW_DECL std::string transaction::begin_sql(transaction_options const& options) {
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

ISOROW_DECL void transaction::require_open() const {
    if (!open_) throw usage_error("the transaction has ended");
}

ISOROW_DECL void transaction::require_innermost() const {
    if (connection_->transaction_depth() > depth_)
        throw usage_error("a transaction was begun inside this one and is still open: it ends first");
}

ISOROW_DECL void transaction::ended() noexcept {
    open_ = false;
    connection_->transaction_depth() = depth_ - 1;
}

ISOROW_DECL std::string transaction::assigned_id() {
    if (PQtransactionStatus(connection_->native_handle()) != PQTRANS_INTRANS) return {};
    if (address_ = connection_->parameters(); !address_) address_ = remembered_conninfo(*connection_);
    auto const answer = run("SELECT pg_catalog.pg_current_xact_id_if_assigned(), pg_catalog.now()");
    auto const time = answer.value(0, 1);
    begun_.assign(reinterpret_cast<char const*>(time.data()), time.size());
    auto const value = answer.value(0, 0);
    return value.data() == nullptr ? std::string{} : std::string(reinterpret_cast<char const*>(value.data()), value.size());
}

ISOROW_DECL std::shared_ptr<detail::conninfo const> transaction::remembered_conninfo(isorow::connection const& connection) {
    detail::owned_conninfo const used(PQconninfo(connection.native_handle()));
    auto info = std::make_shared<detail::conninfo>();
    if (used)
        for (auto const* option = used.get(); option->keyword != nullptr; ++option)
            if (option->val != nullptr) info->set(option->keyword, option->val);
    return info;
}

ISOROW_DECL void transaction::settle(std::string const& id) {
    if (id.empty()) throw connection_lost("the connection was lost at the COMMIT of a transaction that had written nothing");
    auto const outcome = asked_outcome(id);
    if (outcome == "committed") return;
    if (outcome == "aborted") throw connection_lost("the connection was lost at COMMIT, and the transaction was rolled back");
    throw commit_unknown(text("the connection was lost at COMMIT, and whether transaction {} was committed could not be found out", id));
}

ISOROW_DECL std::string transaction::asked_outcome(std::string const& id) const {
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

}  // namespace isorow::inline v1
