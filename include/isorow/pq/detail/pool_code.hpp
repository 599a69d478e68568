#pragma once

#include <isorow/pq/detail/pool_state.hpp>
#include <isorow/pq/pool.hpp>

namespace isorow::inline v1 {

ISOROW_DECL pool::pool(std::string const& dsn, pool_options options) : pool(connection_parameters{.dsn = dsn}, std::move(options)) {}
ISOROW_DECL pool::pool(connection_parameters const& where, pool_options options)
    : state_(
          std::make_unique<detail::pool_state>(std::make_shared<detail::conninfo const>(detail::to_conninfo(where)), std::move(options))) {}
ISOROW_DECL pool::~pool() {
    // In a forked child the threads are gone and locks may be held for ever: it all stays with the parent.
    if (state_->is_forked()) static_cast<void>(state_.release());  // NOLINT(bugprone-unused-return-value)
}

ISOROW_DECL void pool::wait(limits const& limits) { state_->wait(limits); }
ISOROW_DECL void pool::resize(std::size_t min_size, std::optional<std::size_t> max_size) { state_->resize(min_size, max_size); }
ISOROW_DECL void pool::drain() { state_->drain(); }
ISOROW_DECL void pool::close() noexcept { state_->close(); }
ISOROW_DECL pool_statistics pool::statistics() const { return state_->statistics(false); }
ISOROW_DECL pool_statistics pool::pop_statistics() { return state_->statistics(true); }
ISOROW_DECL pool_options pool::options() const { return state_->options(); }
ISOROW_DECL std::shared_ptr<detail::conninfo const> const& pool::parameters() const noexcept { return state_->where(); }
ISOROW_DECL std::shared_ptr<type_registry> const& pool::types() const noexcept { return state_->types(); }
ISOROW_DECL void pool::check_connection(connection& idle) { execute_script(idle, "", limits::within(std::chrono::seconds(5))); }

ISOROW_DECL lease::lease(detail::pool_state& from, std::optional<limits> const& within)
    : pool_(&from), lent_(from.acquire(within)), holder_(detail::caller()), since_(std::chrono::steady_clock::now()) {}

ISOROW_DECL lease::~lease() {
    if (pool_ != nullptr && lent_.open) pool_->give_back(std::move(lent_), holder_, since_);
}

ISOROW_DECL void lease::passed_on() noexcept {
    if (pool_ != nullptr) pool_->passed_on(holder_);
}

ISOROW_DECL lease::lease(pool& from, std::optional<limits> const& within) : lease(*from.state_, within) {}

}  // namespace isorow::inline v1
