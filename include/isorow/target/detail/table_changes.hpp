#pragma once

/// @file
/// The changes of a target's table: what they are, and making them before, in and after the transaction that writes the rows.

#include <isorow/error/declaration_error.hpp>
#include <isorow/pq/transaction.hpp>
#include <isorow/query/catalog.hpp>
#include <isorow/schema/detail/constraint_changes.hpp>
#include <isorow/schema/evolution.hpp>
#include <isorow/target/destructive_change.hpp>
#include <isorow/target/detail/extensions.hpp>
#include <isorow/target/detail/table_changes_attachments.hpp>
#include <isorow/target/detail/table_changes_indexes.hpp>
#include <isorow/target/detail/table_changes_record.hpp>
#include <isorow/target/install.hpp>
#include <isorow/target/options.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// One table's changes. In this order: `require_allowed`; `before`; in the transaction `part`, `before_rows`, the rows,
/// `check_references`, `after_rows`, `join`, `record`; then `after`. Errors of the server pass through: a lock that was not free has the
/// caller roll back and begin anew with another object.
///
/// Refers to the connection, the description's data and the options, which must outlive it. Not thread-safe.
class table_changes {
public:
    /// Reads the table, the extensions and the record, and finds the changes. `target`: in `isorow.targets`, none where it is new.
    /// `concurrently`: false where the transaction is the caller's own, so that nothing can be done after it.
    table_changes(isorow::connection& connection, std::optional<limits> given, table_description const& table,
                  target_options const& options, std::optional<std::int32_t> target, bool concurrently = true)
        : connection_(connection),
          given_(std::move(given)),
          table_(table),
          options_(options),
          target_(target),
          rules_{.concurrently = concurrently, .may_empty = options.ownership == ownership::exclusive},
          live_(read_table(here(), table.schema, table.name)),
          schemas_(read_extension_schemas(here(), table)) {
        rules_.known_types = read_user_types(here(), table);
        if (target_) stored_ = read_record(here(), *target_);
        find_changes();
    }

    /// Whether the table is there.
    [[nodiscard]] bool exists() const noexcept { return live_.has_value(); }
    /// The table as it was when this object was made. Only where it exists.
    [[nodiscard]] live_table const& live() const { return live_.value(); }
    [[nodiscard]] evolution const& planned() const noexcept { return planned_; }
    [[nodiscard]] extension_schemas const& schemas() const noexcept { return schemas_; }
    /// What was recorded of the table when this object was made.
    [[nodiscard]] table_record const& recorded() const noexcept { return stored_; }

    /// Throws `usage_error` where the user's table is not there, `mismatch` with all that no change is made for, and `destructive_change`
    /// with all that the user has not allowed.
    void require_allowed(allow allowed) const {
        if (options_.managed_by == managed_by::user && !live_)
            throw usage_error(text("the table {} does not exist, and by managed_by::user it is yours to make", quoted()));
        if (!planned_.refused.empty()) throw mismatch(table_.struct_name, text("the table {}", quoted()), planned_.refused);
        if (allowed == allow::destructive) return;
        std::vector<schema_change> destructive;
        std::copy_if(planned_.changes.begin(), planned_.changes.end(), std::back_inserter(destructive),
                     [](schema_change const& change) { return change.destructive; });
        if (!destructive.empty()) throw destructive_change(quoted(), std::move(destructive));
    }

    /// What has to stand before the transaction begins: extensions and types, after which the other changes are found anew.
    void before() {
        bool has_created = false;
        for (auto const& change : planned_.changes) {
            if (change.phase != change_phase::before) continue;
            if (change.object == changed_object::type) change_type(connection_, given_, change.sql);
            else detail::create_extension(connection_, given_, table_, change.name, change.sql);
            ddl_.push_back(change.sql);
            has_created = true;
        }
        if (!has_created) return;
        schemas_ = read_extension_schemas(here(), table_);
        rules_.known_types = read_user_types(here(), table_);
        find_changes();
    }

    /// Has the foreign keys that refer to a table of the run be dropped and made again, as that table's key changes. Before `part`.
    void rejoin(table_description const& other) {
        auto const reference = text(" REFERENCES {} (", quote_identifier(other.schema, other.name));
        std::vector<schema_change> drops;
        std::vector<schema_change> additions;
        for (auto const& one : now_recorded_.constraints) {
            if (one.definition.find(reference) == std::string::npos || !is_standing_reference(one)) continue;
            drops.push_back(drop_of_constraint(table_, one.name, one.definition));
            additions.push_back(addition_of_constraint(table_, {one.name, one.definition}));
            additions.back().after_rows = true;
            drops.back().joins = additions.back().joins = true;
        }
        auto& changes = planned_.changes;
        auto const is_after = [](auto const& change) { return change.phase == change_phase::after; };
        changes.insert(std::find_if(changes.begin(), changes.end(), is_after), additions.begin(), additions.end());
        changes.insert(changes.begin(), drops.begin(), drops.end());
    }

    /// In the transaction, before any table of the run is altered: drops the foreign keys that are declared no longer, or otherwise, and
    /// has those that stay be looked at when `check_references` says so: till then rows may refer to some that are not there yet.
    void part() {
        make_joins(false);
        deferred_ = standing_references();
        if (!deferred_.empty()) set_references("DEFERRED");
    }

    /// In the transaction, once all rows of the run are written.
    void check_references() {
        if (!deferred_.empty()) set_references("IMMEDIATE");
    }

    /// In the transaction, once all tables of the run have their rows and keys: makes the foreign keys.
    void join() { make_joins(true); }

    /// In the transaction: makes the table, or alters it so far that the rows can be written. `loaded`: the name of a table beside it that
    /// has been made and loaded already, and takes its name where it is not there; empty: there is none.
    void before_rows(std::string_view loaded = {}) {
        loaded_ = loaded;
        postponed_.insert(postponed_.end(), planned_.postponed.begin(), planned_.postponed.end());
        if (attached_.undone_early) undo_attached();
        make(false);
    }

    /// In the transaction, once the rows are written: what all of them must satisfy, and what is attached.
    void after_rows() {
        make(true);
        if (!attached_.undone_early) undo_attached();
        for (auto const& change : attached_.made) run(change.sql);
    }

    /// In the transaction: makes the record what is now so. Writes nothing where nothing has changed.
    void record(std::int32_t target) {
        target_ = target;
        write_record(here(), target, stored_, now_recorded_);
    }

    /// Outside of any transaction: builds the indexes that `record` has left pending. What the server refuses is told in `postponed`.
    void after() {
        bool const is_pending = std::any_of(now_recorded_.indexes.begin(), now_recorded_.indexes.end(),
                                            [](recorded_object const& index) { return index.pending; });
        if (!is_pending || !target_) return;
        auto work = finish_pending(connection_, given_, *target_);
        std::move(work.ddl.begin(), work.ddl.end(), std::back_inserter(ddl_));
        std::move(work.postponed.begin(), work.postponed.end(), std::back_inserter(postponed_));
    }

    /// The transaction is rolled back: what the connection has learned of types that were made in it is of no use.
    void forget_made_types() const {
        auto const makes_types = [](std::string const& sql) {
            return sql.starts_with("CREATE TYPE") || sql.starts_with("CREATE EXTENSION");
        };
        if (std::none_of(ddl_.begin(), ddl_.end(), makes_types)) return;
        for (auto const& column : table_.columns) connection_.types().forget(column.type);
    }

    /// What was run, in its order.
    [[nodiscard]] std::vector<std::string> const& ddl() const noexcept { return ddl_; }
    /// What could not be done and is left to the next run, with the reasons.
    [[nodiscard]] std::vector<std::string> const& postponed() const noexcept { return postponed_; }

    /// The columns at these places as a list for SELECT from `projected_table()`, before anything is changed: each as it will be. Only
    /// where the table exists.
    [[nodiscard]] std::string projected_columns(std::span<std::uint16_t const> places) const {
        std::string list;
        for (auto const place : places)
            list +=
                text("{}{} AS {}", list.empty() ? "" : ", ", planned_.projection.at(place), quote_identifier(table_.columns[place].name));
        return list;
    }
    /// What stands behind FROM for `projected_columns`.
    [[nodiscard]] std::string const& projected_table() const noexcept { return planned_.projected_table; }

private:
    [[nodiscard]] std::string quoted() const { return quote_identifier(table_.schema, table_.name); }
    [[nodiscard]] database_ref here() const { return reference_to(connection_, given_); }

    void find_changes() {
        planned_ = options_.managed_by == managed_by::user ? verified() : evolved();
        now_recorded_ = planned_.record;
        add_attachments();
    }

    [[nodiscard]] evolution evolved() const { return evolve(table_, live_ ? &*live_ : nullptr, applying_record(), schemas_, rules_); }

    /// What is recorded of the table that is there: nothing where somebody has made it anew.
    [[nodiscard]] table_record applying_record() const {
        if (is_replaced()) return {};
        bool const has_no_record = live_ && stored_.created && stored_.columns.empty();
        return has_no_record ? assumed_record(table_, *live_, schemas_) : stored_;
    }
    [[nodiscard]] bool is_replaced() const noexcept { return live_ && stored_.relation != 0 && stored_.relation != live_->relation; }
    /// Whether what was attached to the table went with it.
    [[nodiscard]] bool is_gone() const noexcept { return planned_.creates || is_replaced(); }

    /// A table of the user's is only looked at.
    [[nodiscard]] evolution verified() const {
        evolution found{.record = stored_, .projected_table = quoted()};
        found.record.key = key_names(table_);
        for (auto const& column : table_.columns) found.projection.push_back(quote_identifier(column.name));
        if (!live_) return found;
        found.refused = compare_columns(table_, *live_, table_use::writing);
        for (auto differences : {compare_key(table_, *live_), compare_indexes(table_, *live_, schemas_),
                                 compare_constraints(table_, *live_), compare_column_rules(table_, *live_)})
            std::move(differences.begin(), differences.end(), std::back_inserter(found.refused));
        return found;
    }

    void add_attachments() {
        attached_ = find_attachment_changes(options_.attachments, stored_.attachments, is_gone(), planned_.alters_columns());
        now_recorded_.attachments = attached_.record;
        auto& changes = planned_.changes;
        auto const insert = [&](change_phase last, std::vector<schema_change> const& added) {
            auto const place = std::find_if(changes.begin(), changes.end(), [&](auto const& change) { return change.phase > last; });
            changes.insert(place, added.begin(), added.end());
        };
        insert(attached_.undone_early ? change_phase::before : change_phase::with_rows, attached_.undone);
        insert(change_phase::with_rows, attached_.made);
    }

    void undo_attached() {
        std::vector<std::string> undos;
        undos.reserve(attached_.undone.size());
        for (auto const& change : attached_.undone) undos.push_back(change.sql);
        undo_all(connection_, given_, std::move(undos), is_gone(), ddl_);
    }

    void make(bool after_rows) {
        for (auto const& change : planned_.changes)
            if (change.phase == change_phase::with_rows && change.after_rows == after_rows && !change.joins &&
                change.object != changed_object::attachment)
                make(change);
    }

    void make_joins(bool after_rows) {
        for (auto const& change : planned_.changes)
            if (change.joins && change.after_rows == after_rows) run(change.sql);
    }

    /// Whether a constraint is a foreign key of isorow's own that stays as it is.
    [[nodiscard]] bool is_standing_reference(recorded_object const& constraint) const {
        if (!live_ || live_->find_constraint(constraint.name) == nullptr || !constraint.definition.starts_with("FOREIGN KEY")) return false;
        return std::none_of(planned_.changes.begin(), planned_.changes.end(),
                            [&](auto const& change) { return change.joins && change.name == constraint.name; });
    }

    /// The names of those whose check can wait.
    [[nodiscard]] std::string standing_references() const {
        std::string names;
        for (auto const& one : now_recorded_.constraints)
            if (is_standing_reference(one) && live_->find_constraint(one.name)->is_deferrable)
                names.append(names.empty() ? "" : ", ").append(quote_identifier(table_.schema, one.name));
        return names;
    }

    void set_references(std::string_view when) { execute_script(connection_, text("SET CONSTRAINTS {} {}", deferred_, when), now()); }

    void make(schema_change const& change) {
        if (change.object == changed_object::table && planned_.creates && !loaded_.empty()) {
            execute_script(connection_,
                           text("ALTER TABLE {} RENAME TO {}; COMMENT ON TABLE {} IS NULL", quote_identifier(table_.schema, loaded_),
                                quote_identifier(table_.name), quoted()),
                           now());
            return ddl_.push_back(change.sql);  // which was run under the other name
        }
        if (!change.violations_sql.empty()) return make_check(change);
        bool const may_give_way = change.object == changed_object::column && !attached_.standing.empty();
        if (!change.may_be_postponed && !may_give_way) return run(change.sql);
        try {
            transaction inner(connection_);
            run(change.sql);
            inner.commit();
        } catch (server_error const& failure) {
            if (change.may_be_postponed && failure.sqlstate() == sqlstate::dependent_objects_still_exist)
                return postpone(change, dependence(failure));
            bool const is_in_the_way =
                failure.sqlstate() == sqlstate::feature_not_supported || failure.sqlstate() == sqlstate::dependent_objects_still_exist;
            if (!may_give_way || !is_in_the_way) throw;
            give_way();
            run(change.sql);
        }
    }

    /// Adds the check of a column's labels. Throws `mismatch` with the values of rows that are none of them.
    void make_check(schema_change const& change) {
        try {
            transaction inner(connection_);
            run(change.sql);
            inner.commit();
        } catch (server_error const& failure) {
            if (failure.sqlstate() != sqlstate::check_violation) throw;
            std::vector<difference> differences;
            for (auto const& [value, rows] : query<std::tuple<std::string, std::int64_t>>(here(), change.violations_sql))
                differences.push_back({label_of(change.name), change.name, "one of the labels of its type",
                                       text("'{}' in {} row{}", value, rows, rows == 1 ? "" : "s")});
            throw mismatch(table_.struct_name, text("the rows of table {}", quoted()), std::move(differences));
        }
    }

    /// `Product.mood`.
    [[nodiscard]] std::string label_of(std::string_view column) const {
        auto const found = std::find_if(table_.columns.begin(), table_.columns.end(), [&](auto const& one) { return one.name == column; });
        return text("{}.{}", table_.struct_name, found == table_.columns.end() ? column : found->field);
    }

    /// A column's type cannot be changed under views, triggers and policies: those that are attached are undone, and attached again once
    /// the rows are written.
    void give_way() {
        std::vector<std::string> undos;
        undos.reserve(attached_.standing.size());
        for (auto const& change : attached_.standing) undos.push_back(change.undo);
        undo_all(connection_, given_, std::move(undos), false, ddl_);
        for (auto& change : attached_.standing) attached_.made.push_back(attachment_change("attach", change.name, change.definition, true));
        attached_.standing.clear();
    }

    /// What could not be dropped stays in the record, so that it is tried again.
    void postpone(schema_change const& change, std::string_view reason) {
        postponed_.push_back(text("{} of {}: {}", change.description, quoted(), reason));
        if (!change.instead.empty()) run(change.instead);
        if (change.object == changed_object::index) {
            if (auto const* const index = find_named(stored_.indexes, change.name)) now_recorded_.indexes.push_back(*index);
            return;
        }
        recorded_column column{.name = change.name};
        if (auto const* const known = find_named(stored_.columns, change.name)) column = *known;
        column.to_be_dropped = true;
        now_recorded_.columns.push_back(std::move(column));
    }

    void run(std::string const& sql) {
        execute_script(connection_, sql, now());
        ddl_.push_back(sql);
    }

    [[nodiscard]] limits now() const { return given_ ? *given_ : connection_.default_limits(); }

    isorow::connection& connection_;
    std::optional<limits> given_;
    table_description table_;
    target_options const& options_;
    std::optional<std::int32_t> target_;
    evolution_rules rules_;
    std::optional<live_table> live_;
    extension_schemas schemas_;
    table_record stored_{};
    evolution planned_{};
    table_record now_recorded_{};
    attachment_changes attached_{};
    std::string loaded_{};
    std::string deferred_{};  ///< the foreign keys that are not looked at yet
    std::vector<std::string> ddl_{};
    std::vector<std::string> postponed_{};
};

}  // namespace isorow::inline v1::detail
