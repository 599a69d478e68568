#pragma once

#include <isorow/codec/text_policy.hpp>
#include <isorow/target/detail/commit.hpp>
#include <isorow/target/detail/shape.hpp>
#include <isorow/target/options.hpp>
#include <isorow/target/plan.hpp>
#include <isorow/target/report.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <utility>

namespace isorow::inline v1 {

/// Declares the rows that a table should have, and makes it have them.
///
/// Each `declare` keeps the row's image; nothing is sent but what is more than `commit_options::memory`. `commit` makes the table equal to
/// what was declared since the last commit, in one transaction: the table is created, or altered to fit; new rows are inserted, changed
/// ones updated, undeclared ones that this target owns deleted, unchanged ones not written. On an error the table is as before and the
/// declared rows are kept.
///
/// Refers to the pool, connection or transaction that it was made with, which must outlive it. Not thread-safe.
template <class T>
class target {
public:
    /// Nothing is sent yet. Throws `usage_error` for names that Postgres cannot take.
    explicit target(database_ref const& where, target_options options = {}) : where_(where) {
        check_keyed<T>();
        state_.owners.push_back({options.owner});
        auto shape = detail::shape_of<T>(options);
        state_.tables.push_back(
            std::make_unique<detail::declared_table>(detail::declared_table{std::move(shape), std::move(options), {0}}));
    }
    target(target&&) noexcept = default;
    target& operator=(target&&) = delete;
    ~target() { forget_declared(); }

    /// Declares one row. Throws `unrepresentable` with struct, field and row number for a value that its column cannot hold, and
    /// `duplicate_key` where a row with this key was declared; what was declared before stands in both cases. Among rows that were sent
    /// ahead because they are many, a key that occurs twice is told by the commit.
    void declare(T const& row) {
        image_.clear();
        try {
            encode(row);
        } catch (value_error const& failure) {
            failure.rethrow_at(text("row {}", size() + 1));
        }
        auto const image = image_.bytes();
        if (auto const first = table().add(image, detail::end_of_key(image, description_of<T>.key.size()), 0))
            throw duplicate_key(text("two declared rows of {} have the key {}: row {} and row {}", name(), detail::key_text(row),
                                     *first + 1 + static_cast<std::size_t>(table().spilled), size() + 1));
        if (table().rows.memory() > table().options.commit.memory) [[unlikely]]
            send_ahead();
    }

    /// Declares each row of a range.
    template <std::ranges::input_range Rows>
    void declare_all(Rows&& rows) {
        for (auto&& row : rows) declare(row);
    }

    /// How many rows are declared.
    [[nodiscard]] std::size_t size() const noexcept { return table().rows.size() + static_cast<std::size_t>(table().spilled); }

    /// Makes the table equal to the declared rows and forgets these. Throws `not_owned` for a table that isorow did not make and may not
    /// adopt, `mismatch` where the table does not fit T and cannot be altered to, `destructive_change` where altering it would lose values
    /// and that is not allowed, `too_many_deletions`, `untracked_key` where a declared key is somebody else's row, `missing_privilege` with
    /// the SQL to ask for, and the server's errors with table and key.
    report commit() {
        auto const done = on_connection([&](connection& connection, std::optional<limits> const& given, detail::app_record const& app) {
            return detail::commit_state(connection, given, app, state_, table().options.commit);
        });
        forget_declared();
        return done;
    }

    /// What `commit` would do: rows, and changes of the table. Writes and locks nothing.
    [[nodiscard]] isorow::plan plan() {
        return on_connection(
            [&](connection& connection, std::optional<limits> const& given, detail::app_record const& app) {
                // Schema isorow may have to be there for it, but it is not to stay.
                transaction dry_run(connection);
                auto const known = app.id != 0 ? app : detail::open_app(connection, given ? *given : connection.default_limits(), "", "");
                return detail::plan_state(connection, given, known, state_, table().options.commit);
            },
            true);
    }

    /// Commits if that does what the plan says, else throws `plan_outdated` and writes nothing.
    report apply(isorow::plan const& plan) {
        auto const done = on_connection([&](connection& connection, std::optional<limits> const& given, detail::app_record const& app) {
            return detail::apply_plan(connection, given, app, state_, plan, table().options.commit);
        });
        forget_declared();
        return done;
    }

private:
    [[nodiscard]] detail::declared_table& table() noexcept { return *state_.tables.front(); }
    [[nodiscard]] detail::declared_table const& table() const noexcept { return *state_.tables.front(); }
    [[nodiscard]] std::string name() const { return quote_identifier(table().shape.table.schema, table().shape.table.name); }

    void encode(T const& row) {
        auto const policy = table().options.text;
        if (policy == text_policy::refuse) encode_row<T, row_order::key_first>(row, image_);
        else encode_row<T, row_order::key_first>(cleaned_row(row, policy), image_);
    }

    /// The rows that the server holds are its session's: that connection is kept until the commit.
    void send_ahead() {
        if (!holding_) holding_.emplace(where_);
        detail::spill(**holding_, holding_->given_limits(), state_, table().options.commit.drift == drift::mend);
    }

    template <class Work>
    auto on_connection(Work&& work, bool is_plan = false) {
        std::optional<database_ref::use> own;
        auto& use = holding_ ? *holding_ : own.emplace(where_);
        auto& connection = *use;
        auto const limits = use.limits();
        detail::app_record app;
        if (!is_plan || detail::installed_version(connection) == tracking_version) app = detail::open_app(connection, limits, "", "");
        if (app.id != 0)
            state_.owners.front().id = detail::find_owner(database_ref(connection, limits), app.id, state_.owners.front().path).value_or(0);
        return work(connection, use.given_limits(), app);
    }

    void forget_declared() noexcept {
        if (state_.tables.empty()) return;
        if (holding_) detail::discard_spilled(**holding_, state_);
        holding_.reset();
        table().rows = {};
        table().recorded.reset();
        table().was_looked_up = false;
    }

    database_ref where_;
    detail::declared_state state_{};
    byte_writer image_;
    std::optional<database_ref::use> holding_{};
};

/// Makes the table equal to a range of rows, in one transaction: see `target<T>`.
template <std::ranges::input_range Rows>
report synchronise(database_ref const& where, Rows&& rows, target_options options = {}) {
    target<std::ranges::range_value_t<Rows>> all(where, std::move(options));
    all.declare_all(rows);
    return all.commit();
}

/// Drops isorow's record of a table, not the table: it is then one that isorow does not know. Returns whether there was a record.
inline bool forget(database_ref const& where, std::string_view schema, std::string_view table) {
    auto const installed = query_one<std::optional<std::string>>(where, "SELECT pg_catalog.to_regclass('isorow.targets')::text");
    if (!installed) return false;
    execute(where, "DELETE FROM isorow.tracked k USING isorow.targets t WHERE k.target = t.id AND t.schema_name = $1 AND t.table_name = $2",
            schema, table);
    return execute(where, "DELETE FROM isorow.targets WHERE schema_name = $1 AND table_name = $2", schema, table) > 0;
}

}  // namespace isorow::inline v1
