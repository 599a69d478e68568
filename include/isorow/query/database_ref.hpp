#pragma once

#include <isorow/pq/session.hpp>
#include <isorow/pq/wait.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>

namespace isorow::inline v1 {

/// Where statements run: a pool, which lends a connection for each use, a connection, a session, or an open transaction. Refers to it and
/// does not own it. Each of isorow's calls takes a database_ref, so that all of them are passed as they are.
///
/// It may carry a deadline and a stop token for what runs on it: `within(db, 5s)`. Without, each wait ends after the connection's
/// `timeout`.
class database_ref {
public:
    database_ref(isorow::pool& pool) noexcept : pool_(&pool) {}                          // NOLINT(google-explicit-constructor)
    database_ref(isorow::connection& connection) noexcept : connection_(&connection) {}  // NOLINT(google-explicit-constructor)
    database_ref(isorow::transaction& transaction) noexcept                              // NOLINT(google-explicit-constructor)
        : connection_(&transaction.connection()) {}
    database_ref(isorow::session& session) noexcept  // NOLINT(google-explicit-constructor)
        : connection_(&session.connection()), session_(&session) {}

    template <class Where>
    database_ref(Where& where, isorow::limits limits) noexcept : database_ref(where) {
        limits_ = std::move(limits);
        limited_ = true;
    }

    /// The pool that lends connections, null where it is one connection that is used.
    [[nodiscard]] isorow::pool* lender() const noexcept { return pool_; }

    /// The limits that it carries, if any.
    [[nodiscard]] std::optional<isorow::limits> given_limits() const { return limited_ ? std::optional(limits_) : std::nullopt; }

    /// A connection for as long as this object lives: lent by the pool, or the one that is referred to.
    class use {
    public:
        explicit use(database_ref const& where) : connection_(where.connection_) {
            if (where.limited_) limits_ = where.limits_;
            if (where.session_ != nullptr) where.session_->before_statement();
            if (where.pool_ == nullptr) return;
            lease_.emplace(*where.pool_, limits_);
            connection_ = &**lease_;
        }

        [[nodiscard]] isorow::connection& operator*() const noexcept { return *connection_; }
        [[nodiscard]] isorow::connection* operator->() const noexcept { return connection_; }

        /// The limits that the reference was given, if any: streams without have the connection's own for each step.
        [[nodiscard]] std::optional<isorow::limits> const& given_limits() const noexcept { return limits_; }

        /// The limits of the reference, or the connection's own, counted from now.
        [[nodiscard]] isorow::limits limits() const { return limits_ ? *limits_ : connection_->default_limits(); }

    private:
        std::optional<isorow::limits> limits_;
        std::optional<isorow::lease> lease_;
        isorow::connection* connection_;
    };

private:
    isorow::pool* pool_ = nullptr;
    isorow::connection* connection_ = nullptr;
    isorow::session* session_ = nullptr;
    isorow::limits limits_{};
    bool limited_ = false;  // g++ 12 warns of a std::optional here that it is read uninitialised, which it is not
};

/// The same place, with a deadline so far from now, and a stop token, for what runs there: `query<Row>(within(db, 5s), "…")`.
template <class Where, class Rep, class Period>
[[nodiscard]] database_ref within(Where& where, std::chrono::duration<Rep, Period> time, std::stop_token stop = {}) {
    return database_ref(where, limits::within(time, std::move(stop)));
}

}  // namespace isorow::inline v1
