#pragma once

#include <isorow/pq/detail/chance.hpp>
#include <isorow/pq/session.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace isorow::inline v1 {

/// When and how often a transaction is run again.
struct retry_options {
    transaction_options transaction{};
    int attempts = 10;                                                      ///< at the most, the first included
    std::chrono::milliseconds first_pause = std::chrono::milliseconds(10);  ///< doubled each time; of it, 50 to 100 % by chance
    std::chrono::milliseconds longest_pause = std::chrono::seconds(2);
    std::optional<isorow::limits> limits{};  ///< end of all attempts
};

namespace detail {

/// A lost race, which the same transaction may win when it is run again; nothing of it has stayed.
[[nodiscard]] inline bool lost_race(server_error const& failure) noexcept {
    return failure.sqlstate() == sqlstate::serialization_failure || failure.sqlstate() == sqlstate::deadlock_detected ||
           failure.is_stale_plan();
}

[[nodiscard]] inline std::chrono::steady_clock::duration pause_before(int attempt, retry_options const& options) {
    auto const whole = std::min<std::chrono::milliseconds>(options.longest_pause, options.first_pause * (1 << std::min(attempt, 16)));
    return by_chance<std::chrono::steady_clock::duration>(whole, 0.5, 1.0);
}

template <class Where, class Work>
auto transact_once(Where& where, Work& work, retry_options const& options) {
    transaction one(where, options.transaction);
    if constexpr (std::is_void_v<std::invoke_result_t<Work&, transaction&>>) {
        std::invoke(work, one);
        if (one.is_open()) one.commit();
    } else {
        auto outcome = std::invoke(work, one);
        if (one.is_open()) one.commit();
        return outcome;
    }
}

}  // namespace detail

/// Runs `work(transaction&)` in a transaction and commits it; returns what `work` returns. Where the server reports a lost race (40001,
/// 40P01, or a plan that a change of the schema made stale) the whole is run again from the start, after a pause that grows, with a random
/// part: so `work` must be able to run several times and do nothing outside of the transaction. Any other failure rolls back and is thrown,
/// also `commit_unknown`, as nobody knows then whether it has happened. `where`: a pool or a connection; inside of another transaction
/// nothing is retried, as that one has failed as a whole.
template <class Where, std::invocable<transaction&> Work>
    requires(std::same_as<Where, pool> || std::same_as<Where, connection>)
auto transact(Where& where, Work work, retry_options const& options = {}) {
    bool nested = false;
    if constexpr (std::same_as<Where, connection>) nested = where.in_transaction();
    for (int attempt = 1;; ++attempt) {
        try {
            return detail::transact_once(where, work, options);
        } catch (server_error const& failure) {
            if (nested || attempt >= options.attempts || !detail::lost_race(failure)) throw;
        }
        auto const pause = detail::pause_before(attempt - 1, options);
        pause_for(pause, options.limits ? *options.limits : limits::until_stopped({}), "waiting to run a transaction again");
    }
}

}  // namespace isorow::inline v1
