#pragma once

#include <isorow/query/database_ref.hpp>

#include <optional>
#include <utility>

namespace isorow::inline v1::detail {

/// A connection in a transaction: one of its own, unless the caller's is open there. Rolled back where it was not ended.
class read_transaction {
public:
    explicit read_transaction(database_ref const& where, transaction_options options = {}) : connection_(where) {
        if (connection_->in_transaction()) return;
        options.limits = connection_.given_limits();
        own_.emplace(*connection_, options);
    }

    [[nodiscard]] connection& operator*() const noexcept { return *connection_; }
    [[nodiscard]] database_ref::use const& use() const noexcept { return connection_; }

    /// Commits: a query may have called functions that wrote.
    void end() {
        if (own_) own_->commit();
    }

private:
    database_ref::use connection_;
    std::optional<transaction> own_{};
};

}  // namespace isorow::inline v1::detail
