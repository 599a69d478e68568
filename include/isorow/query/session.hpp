#pragma once

#include <isorow/pq/connection.hpp>
#include <isorow/pq/pool.hpp>
#include <isorow/pq/transaction.hpp>
#include <isorow/pq/wait.hpp>

#include <optional>
#include <utility>

namespace isorow::inline v1 {

/// Where statements run: a pool, which lends a connection for each use, a connection, or an open transaction. Refers to it and does not
/// own it. Each of isorow's calls takes a session, so that a pool, a connection and a transaction are passed as they are.
///
/// A session may carry a deadline and a stop token for what runs on it: `session{db, limits::within(5s)}`. Without, each wait ends after
/// the connection's `timeout`.
class session {
public:
    session(isorow::pool& pool) noexcept : pool_(&pool) {}                          // NOLINT(google-explicit-constructor)
    session(isorow::connection& connection) noexcept : connection_(&connection) {}  // NOLINT(google-explicit-constructor)
    session(isorow::transaction& transaction) noexcept                              // NOLINT(google-explicit-constructor)
        : connection_(&transaction.connection()) {}

    template <class Where>
    session(Where& where, isorow::limits limits) noexcept : session(where) {
        limits_ = std::move(limits);
        limited_ = true;
    }

    /// A connection for as long as this object lives: lent by the pool, or the session's own.
    class use {
    public:
        explicit use(session const& session) : connection_(session.connection_) {
            if (session.limited_) limits_ = session.limits_;
            if (session.pool_ == nullptr) return;
            lease_.emplace(limits_ ? session.pool_->acquire(*limits_) : session.pool_->acquire());
            connection_ = &**lease_;
        }

        [[nodiscard]] isorow::connection& operator*() const noexcept { return *connection_; }
        [[nodiscard]] isorow::connection* operator->() const noexcept { return connection_; }

        /// The limits that the session was given, if any: streams without have the connection's own for each step.
        [[nodiscard]] std::optional<isorow::limits> const& given_limits() const noexcept { return limits_; }

        /// The limits of the session, or the connection's own, counted from now.
        [[nodiscard]] isorow::limits limits() const { return limits_ ? *limits_ : connection_->default_limits(); }

    private:
        std::optional<isorow::limits> limits_;
        std::optional<isorow::lease> lease_;
        isorow::connection* connection_;
    };

private:
    isorow::pool* pool_ = nullptr;
    isorow::connection* connection_ = nullptr;
    isorow::limits limits_{};
    bool limited_ = false;  // g++ 12 warns of a std::optional here that it is read uninitialised, which it is not
};

}  // namespace isorow::inline v1
