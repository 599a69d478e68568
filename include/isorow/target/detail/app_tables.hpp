#pragma once

/// @file
/// What an app asks of its tables beside commits: how each is found when it is declared, and their end.

#include <isorow/target/detail/commit.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// A table as it is found when it is declared in a run, before its rows are.
struct table_resolution {
    bool exists = false;
    std::vector<std::int64_t> must_run{};  ///< owners whose rows have to be declared anew, as a change of the table loses their values
};

/// Finds out whether a table may be used as it is declared. Throws what the commit would: `not_owned`, `mismatch`, `destructive_change`
/// where it is not allowed and this is no plan.
[[nodiscard]] inline table_resolution resolve_table(connection& connection, limits const& limits, app_record const& app,
                                                    declared_table& table, commit_options const& options, bool is_plan = false) {
    declared_state state;
    state.app = ".";  // no plain target: nothing else is asked of it here
    owner_fates fates(app, state);
    commit_context context{connection, limits, app, state, fates, options, is_plan};
    std::optional<target_record> record;
    for (auto& one : read_targets(database_ref(connection, limits), app.id))
        if (one.is_for(table.shape.table)) record = std::move(one);
    table_commit found(context, table, record, 0);
    found.look();
    table_resolution resolution{found.changes().exists()};
    auto const& planned = found.changes().planned();
    bool const is_lost = record && (!resolution.exists || planned.rebuilds || planned.loses_values || planned.needs_values);
    if (is_lost) resolution.must_run = owners_of_rows(database_ref(connection, limits), *record);
    return resolution;
}

/// Drops the tables that the app made, takes its rows out of the others, and forgets it. What cannot be dropped now keeps its entry, and is
/// told in `postponed`: removing the app again tries it again. Throws `destructive_change` unless that is allowed.
inline report remove_app(connection& connection, limits const& limits, app_record const& app, commit_options const& options) {
    database_ref const here(connection, limits);
    report done;
    transaction whole(connection);
    auto const records = read_targets(here, app.id);
    require_drops_allowed(records, options.allow);
    take_away(connection, limits, records, done);
    if (done.postponed.empty()) {
        execute(here, "DELETE FROM isorow.kept_outputs WHERE app = $1", app.id);
        execute(here, "DELETE FROM isorow.apps WHERE id = $1", app.id);
    }
    whole.commit();
    return done;
}

}  // namespace isorow::inline v1::detail
