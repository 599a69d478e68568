#pragma once

#include <isorow/pq/pool.hpp>
#include <isorow/pq/transaction.hpp>

#include <optional>
#include <utility>

namespace isorow::inline v1 {

struct session_options {
    bool autocommit = false;            ///< false: the first statement begins a transaction, which lasts until `commit` or `rollback`
    transaction_options transaction{};  ///< of transactions that are begun without options of their own
};

/// A connection for a piece of work, with its transactions begun and ended by calls. What was not committed when it is gone is rolled back.
/// All of isorow's calls take it as the place where they run. Not thread-safe.
///
/// Without `autocommit` a transaction is begun by BEGIN alone: a `SET TRANSACTION` may be the first statement in it.
class session {
public:
    /// With a connection of the pool, which must outlive the session.
    explicit session(pool& pool, session_options options = {})
        : options_(std::move(options)), lease_(std::in_place, pool), connection_(&**lease_) {}
    /// On a connection of the caller's, which must outlive the session.
    explicit session(isorow::connection& connection, session_options options = {})
        : options_(std::move(options)), connection_(&connection) {}
    session(session const&) = delete;
    session& operator=(session const&) = delete;
    ~session() = default;

    /// Begins a transaction. Throws `usage_error` where one is under way.
    void begin() { begin(options_.transaction); }
    void begin(transaction_options const& options) {
        if (transaction_) throw usage_error("the session is in a transaction already: commit or roll back first");
        transaction_.emplace(*connection_, options);
    }

    /// Commits the transaction; without one, as where nothing was run since the last, does nothing. Errors are those of
    /// `transaction::commit`.
    void commit() {
        end([](isorow::transaction& open) { open.commit(); });
    }

    /// Rolls the transaction back; without one does nothing.
    void rollback() {
        end([](isorow::transaction& open) { open.rollback(); });
    }

    [[nodiscard]] bool in_transaction() const noexcept { return transaction_.has_value(); }
    [[nodiscard]] isorow::connection& connection() const noexcept { return *connection_; }
    [[nodiscard]] session_options const& options() const noexcept { return options_; }

    /// Whether each statement that runs outside of a transaction commits by itself. Throws `usage_error` in a transaction.
    void autocommit(bool on) {
        if (transaction_) throw usage_error("autocommit is changed between transactions, not in one");
        options_.autocommit = on;
    }

    /// What comes before a statement: without `autocommit` the transaction that it runs in. isorow's calls do this themselves.
    void before_statement() {
        if (!options_.autocommit && !transaction_ && !connection_->in_transaction()) begin();
    }

private:
    /// The transaction is over also where ending it fails.
    template <class End>
    void end(End const& ending) {
        if (!transaction_) return;
        try {
            ending(*transaction_);
        } catch (...) {
            if (!transaction_->is_open()) transaction_.reset();
            throw;
        }
        transaction_.reset();
    }

    session_options options_;
    std::optional<lease> lease_{};
    isorow::connection* connection_;
    std::optional<isorow::transaction> transaction_{};
};

}  // namespace isorow::inline v1
