#pragma once

#include <isorow/error/declaration_error.hpp>
#include <isorow/target/detail/owners.hpp>
#include <isorow/target/options.hpp>

#include <optional>

namespace isorow::inline v1 {

/// A commit would delete a greater share of a table's rows than the guard allows. Nothing was written.
class too_many_deletions final : public declaration_error {
public:
    using declaration_error::declaration_error;
};

namespace detail {

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

}  // namespace detail

}  // namespace isorow::inline v1
