#pragma once

#include <isorow/config.hpp>
#include <isorow/pq/pool.hpp>
#include <isorow/pq/statement.hpp>
#include <isorow/schema/literal.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

enum class isolation : std::uint8_t { server_default, read_committed, repeatable_read, serializable };

struct transaction_options {
    isorow::isolation isolation = isorow::isolation::server_default;
    bool read_only = false;
    bool deferrable = false;                 ///< with serializable and read only: waits for a snapshot that cannot fail
    std::optional<isorow::limits> limits{};  ///< for BEGIN and COMMIT; unset: the connection's own. ROLLBACK always has those
};

/// A transaction, or, inside another one, a savepoint. Rolled back where it is not committed. Not thread-safe.
///
/// A COMMIT whose answer is lost is settled on a new connection by the transaction's id: `commit` then returns where it was committed,
/// throws `connection_lost` where it was not, and `commit_unknown` where that cannot be found out.
class transaction {
public:
    /// Begins. The connection must outlive the transaction. Options are for outermost transactions: a savepoint has none.
    explicit transaction(isorow::connection& connection, transaction_options const& options = {});

    /// Begins on a connection of the pool, which goes back at the end.
    explicit transaction(pool& pool, transaction_options const& options = {});

    transaction(transaction const&) = delete;
    transaction& operator=(transaction const&) = delete;
    ~transaction();

    [[nodiscard]] isorow::connection& connection() const noexcept { return *connection_; }

    /// Commits, or releases the savepoint. Throws `usage_error` where the transaction has ended, `transaction_rollback` and others by the
    /// server's SQLSTATE, and `commit_unknown`.
    void commit();

    /// Rolls back, to the savepoint where it is one. A transaction inside this one that is still open is an error.
    void rollback();

    /// Ends this transaction by PREPARE TRANSACTION under a global id of at most 199 bytes: it is then committed or rolled back by that id,
    /// on any connection and also after a crash (`commit_prepared`, `rollback_prepared`). The server's max_prepared_transactions must allow
    /// it.
    void prepare(std::string_view global_id);

    /// Whether it was neither committed nor rolled back.
    [[nodiscard]] bool is_open() const noexcept { return open_; }

private:
    void begin(transaction_options const& options);
    [[nodiscard]] static std::string begin_sql(transaction_options const& options);

    result run(std::string_view sql) { return execute_script(*connection_, sql, limits_ ? *limits_ : connection_->default_limits()); }

    void require_open() const;
    /// Transactions end in the reverse order of their beginning.
    void require_innermost() const;
    void ended() noexcept;

    /// The id under which the server remembers the transaction's end; empty where it has written nothing, or has failed.
    [[nodiscard]] std::string assigned_id();

    /// Where the connection went, password included, to ask there again.
    [[nodiscard]] static std::shared_ptr<detail::conninfo const> remembered_conninfo(isorow::connection const& connection);
    void settle(std::string const& id);

    /// `committed`, `aborted`, or anything else where the server cannot be asked or does not know within ten seconds.
    [[nodiscard]] std::string asked_outcome(std::string const& id) const;

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

#if ISOROW_HAS_CODE
#include <isorow/pq/detail/transaction_code.hpp>
#endif
