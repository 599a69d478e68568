#pragma once

#include <isorow/codec/row_encoder.hpp>
#include <isorow/target/detail/commit.hpp>
#include <isorow/target/detail/plain_target.hpp>
#include <isorow/target/detail/spilled_rows.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

namespace detail {

ISOROW_DECL plain_target::plain_target(database_ref const& where, row_shape shape, target_options options) : where_(where) {
    state_.owners.push_back({options.owner});
    state_.tables.push_back(std::make_unique<declared_table>(declared_table{std::move(shape), std::move(options), {0}}));
}

ISOROW_DECL plain_target::~plain_target() { forget_declared(); }

ISOROW_DECL report plain_target::commit() {
    report done;
    on_connection(false, [&](connection& connection, std::optional<limits> const& given, app_record const& app) {
        done = commit_state(connection, given, app, state_, options().commit);
    });
    forget_declared();
    return done;
}

ISOROW_DECL isorow::plan plain_target::plan() {
    isorow::plan planned;
    on_connection(true, [&](connection& connection, std::optional<limits> const& given, app_record const& app) {
        spill_rest(connection, given, state_);
        // Schema isorow may have to be there for it, but it is not to stay.
        transaction dry_run(connection);
        auto const known = app.id != 0 ? app : open_app(connection, given ? *given : connection.default_limits(), "", "");
        planned = plan_state(connection, given, known, state_, options().commit);
    });
    return planned;
}

ISOROW_DECL report plain_target::apply(isorow::plan const& plan, allow allowed) {
    report done;
    on_connection(false, [&](connection& connection, std::optional<limits> const& given, app_record const& app) {
        done = apply_plan(connection, given, app, state_, plan, options().commit, allowed);
    });
    forget_declared();
    return done;
}

ISOROW_DECL void plain_target::throw_duplicate(std::size_t first, std::span<std::byte const> image) const {
    auto const& described = table().shape.table;
    throw duplicate_key(text("two declared rows of {} have the key {}: row {} and row {}",
                             quote_identifier(described.schema, described.name), key_text(described, image),
                             first + 1 + static_cast<std::size_t>(table().spilled.count), size() + 1));
}

/// The rows that the server holds are its session's: that connection is kept until the commit.
ISOROW_DECL void plain_target::make_room() {
    if (!holding_) holding_.emplace(where_);
    spill(**holding_, holding_->given_limits(), state_, options().commit.drift == drift::mend);
}

ISOROW_DECL void plain_target::on_connection(bool is_plan, work const& what) {
    std::optional<database_ref::use> own;
    auto& use = holding_ ? *holding_ : own.emplace(where_);
    auto& connection = *use;
    auto const limits = use.limits();
    app_record app;
    if (!is_plan || installed_version(connection) == tracking_version) app = open_app(connection, limits, "", "");
    auto& owner = state_.owners.front();
    if (app.id != 0) owner.id = find_owner(database_ref(connection, limits), app.id, owner.path).value_or(0);
    what(connection, use.given_limits(), app);
}

ISOROW_DECL void plain_target::forget_declared() noexcept {
    if (state_.tables.empty()) return;
    if (holding_) discard_spilled(**holding_, state_);
    holding_.reset();
    table().rows = {};
    table().recorded.reset();
    table().was_looked_up = false;
}

}  // namespace detail

ISOROW_DECL bool forget(database_ref const& where, std::string_view schema, std::string_view table) {
    auto const installed = query_one<std::optional<std::string>>(where, "SELECT pg_catalog.to_regclass('isorow.targets')::text");
    if (!installed) return false;
    execute(where, "DELETE FROM isorow.tracked k USING isorow.targets t WHERE k.target = t.id AND t.schema_name = $1 AND t.table_name = $2",
            schema, table);
    return execute(where, "DELETE FROM isorow.targets WHERE schema_name = $1 AND table_name = $2", schema, table) > 0;
}

}  // namespace isorow::inline v1
