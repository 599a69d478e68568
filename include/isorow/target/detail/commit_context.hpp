#pragma once

#include <isorow/target/detail/owners.hpp>
#include <isorow/target/errors.hpp>
#include <isorow/target/options.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace isorow::inline v1::detail {

/// What a commit hands to each of its tables.
struct commit_context {
    isorow::connection& connection;
    std::optional<limits> given;  ///< for the whole; without, each call has the connection's own
    app_record const& app;
    declared_state& state;
    owner_fates& fates;
    commit_options const& options;
    bool is_plan = false;
    bool wants_digest = false;  ///< what is done is to be compared with a plan
    bool is_nested = false;     ///< inside a transaction of the user's
    bool names_keys = false;    ///< a row that is refused is looked for, which takes savepoints

    [[nodiscard]] limits now() const { return given ? *given : connection.default_limits(); }
    [[nodiscard]] bool is_plain() const noexcept { return state.app.empty(); }
};

/// Throws `too_many_deletions` where the guard says so. `present`: how many rows there are; `name`: the table's.
inline void require_few_deletions(deletion_guard const& guard, std::int64_t deleted, std::int64_t present, std::string_view name) {
    if (present <= guard.above || static_cast<double>(deleted) <= guard.share * static_cast<double>(present)) return;
    throw too_many_deletions(
        text("{} of {} rows of {} are declared no longer and would be deleted, which is more than the guard allows; say "
             "how many may go by commit_options::guard",
             deleted, present, name));
}

}  // namespace isorow::inline v1::detail
