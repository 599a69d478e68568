#pragma once

/// @file
/// A commit of all that a run declared: tables, rows and the record of them in one transaction, or nothing.

#include <isorow/pq/detail/chance.hpp>
#include <isorow/pq/transaction.hpp>
#include <isorow/target/detail/dropped_tables.hpp>
#include <isorow/target/detail/local_setting.hpp>
#include <isorow/target/detail/table_commit.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// One attempt to commit, or to find out what a commit would do.
class commit_attempt {
public:
    explicit commit_attempt(commit_context& context) : context_(context), connection_(context.connection) {}

    /// Inside a transaction, all of it.
    void run() {
        lock_app(connection_, context_.app, context_.state);
        if (!context_.is_plan) enter_owners(connection_, context_.given, context_.app.id, context_.state.owners);
        for (auto const& owner : context_.state.owners) context_.fates.enter(owner);
        auto records = read_targets(database_ref(connection_, context_.now()), context_.app.id);
        for (std::size_t number = 0; number < context_.state.tables.size(); ++number)
            tables_.push_back(open_table(*context_.state.tables[number], records, number));
        for (auto& table : tables_) table->look();
        rejoin();
        find_undeclared(std::move(records));
        for (auto& table : tables_) table->part();
        for (auto& table : tables_) table->set_up();
        for (auto& table : tables_) table->compare();
        for (auto table = tables_.rbegin(); table != tables_.rend(); ++table) (*table)->remove();
        remove_left();
        for (auto& table : tables_) table->write();
        for (auto& table : tables_) table->check_references();
        for (auto& table : tables_) table->finish();
        for (auto& table : tables_) table->settle();
        if (!context_.is_plan) settle();
    }

    /// Once it is committed.
    void after() {
        for (auto& table : tables_) table->after();
    }

    [[nodiscard]] isorow::report report() {
        isorow::report done;
        for (auto& table : tables_) {
            done.add(table->report());
            auto const& postponed = table->changes().postponed();
            done.postponed.insert(done.postponed.end(), postponed.begin(), postponed.end());
        }
        for (auto const& one : left_) {
            table_report share{.table = quote_identifier(one.record.schema_name, one.record.table_name)};
            share.rows.deleted = one.count;
            done.add(std::move(share));
        }
        for (auto const& one : taken_away_.tables) done.add(one);
        done.postponed.insert(done.postponed.end(), taken_away_.postponed.begin(), taken_away_.postponed.end());
        done.components.removed = static_cast<std::int64_t>(context_.fates.gone().size());
        return done;
    }

    /// Where all is rolled back.
    void forget_made_types() const {
        for (auto const& table : tables_)
            if (table->has_looked()) table->changes().forget_made_types();
    }

    [[nodiscard]] isorow::plan plan() {
        isorow::plan planned;
        for (auto& table : tables_) {
            auto one = table->planned();
            one.table = table->report().table;
            one.rows = table->report().rows;
            one.changes = table->changes().planned().changes;
            static_cast<row_counts&>(planned) += one.rows;
            planned.tables.push_back(std::move(one));
        }
        for (auto const& one : left_) add(planned, {.table = quote_identifier(one.record.schema_name, one.record.table_name)}, one.count);
        for (auto const& record : undeclared_) add(planned, plan_of_undeclared(record), record.row_count.value_or(0));
        planned.components.removed = static_cast<std::int64_t>(context_.fates.gone().size());
        planned.digest = digest();
        return planned;
    }

    [[nodiscard]] fingerprint digest() const {
        fingerprint sum;
        for (auto const& table : tables_) {
            sum += table->digest();
            sum += {seed_of(to_string(table->report().rows)), 0};
        }
        for (auto const& one : left_) sum += {seed_of(text("{}.{}", one.record.schema_name, one.record.table_name)), 2};
        for (auto const& record : undeclared_) sum += {seed_of(text("{}.{}", record.schema_name, record.table_name)), 1};
        return sum;
    }

private:
    [[nodiscard]] std::unique_ptr<table_commit> open_table(declared_table& table, std::vector<target_record>& records, std::size_t number) {
        std::optional<target_record> record;
        auto const found = std::ranges::find_if(records, [&](auto const& one) { return one.is_for(table.shape.table); });
        if (found != records.end()) {
            record = std::move(*found);
            records.erase(found);
        }
        return std::make_unique<table_commit>(context_, table, std::move(record), number);
    }

    /// What refers to a table whose key changes is parted from it until it has the new one.
    void rejoin() {
        for (auto const& changing : tables_) {
            if (!changing->changes().planned().rebuilds) continue;
            for (auto& table : tables_) table->changes().rejoin(changing->description());
        }
    }

    // Tables that are declared no longer

    /// Those that no owner which stands declares; a run of a part of the app leaves all tables. From those that stay the rows of owners go
    /// that were compared: they have not declared any there.
    void find_undeclared(std::vector<target_record> rest) {
        if (context_.is_plain()) return;
        bool const is_partial = context_.state.is_partial();
        auto const compared = context_.fates.compared();
        for (auto& record : rest) {
            bool const stands =
                is_partial || std::ranges::any_of(record.declarers, [&](auto id) { return context_.fates.of(id) == owner_fate::stands; });
            if (!stands) undeclared_.push_back(std::move(record));
            else if (auto const count = rows_of_owners({connection_, context_.now()}, record, compared); count > 0)
                left_.push_back({std::move(record), count});
        }
        for (auto const& one : left_)
            require_few_deletions(context_.options.guard, one.count, one.count,
                                  quote_identifier(one.record.schema_name, one.record.table_name));
        if (!context_.is_plan) require_drops_allowed(undeclared_, context_.options.allow);
    }

    void remove_left() {
        if (context_.is_plan || left_.empty()) return;
        auto const owners = context_.fates.compared();
        for (auto& one : left_) delete_left_rows(connection_, context_.given, one, owners);
    }

    [[nodiscard]] table_plan plan_of_undeclared(target_record const& record) const {
        table_plan one;
        one.table = quote_identifier(record.schema_name, record.table_name);
        if (record.created) one.changes.push_back(drop_of_table(record.schema_name, record.table_name));
        return one;
    }
    static void add(isorow::plan& planned, table_plan one, std::int64_t deleted) {
        one.rows.deleted = deleted;
        planned.deleted += deleted;
        planned.tables.push_back(std::move(one));
    }

    /// Owners that stand, and whose rows go with a table, have to run again when the table is declared again; so have all above them,
    /// without whom they would not be mounted.
    void forget_memos(database_ref const& here, std::vector<std::int64_t> const& of_rows) {
        if (of_rows.empty()) return;
        std::unordered_map<std::int64_t, std::string_view> paths;
        std::unordered_map<std::string_view, std::int64_t> ids;
        for (auto const& one : context_.app.owners) {
            paths.emplace(one.id, one.path);
            ids.emplace(one.path, one.id);
        }
        std::unordered_set<std::int64_t> forgotten;
        for (auto const id : of_rows) {
            auto const found = paths.find(id);
            if (found == paths.end()) continue;
            for (auto path = found->second;; path = path.substr(0, path.rfind('/'))) {
                if (auto const one = ids.find(path); one != ids.end()) forgotten.insert(one->second);
                if (path.empty()) break;
            }
        }
        std::vector<std::int64_t> const all(forgotten.begin(), forgotten.end());
        static_cast<void>(update_memos(here, all, std::vector<std::optional<isorow::uuid>>(all.size())));
    }

    // What is written beside tables and rows

    void settle() {
        database_ref const here(connection_, context_.now());
        std::vector<std::int64_t> owners;
        for (auto const& record : undeclared_)
            for (auto const id : owners_of_rows(here, record))
                if (context_.fates.of(id) == owner_fate::stands) owners.push_back(id);
        take_away(connection_, context_.given, undeclared_, taken_away_);
        bool wrote = !undeclared_.empty() || !left_.empty() || !context_.fates.gone().empty();
        for (auto const& table : tables_) wrote = wrote || table->wrote();
        if (!context_.is_plain()) wrote = write_memos(here) || wrote;
        forget_memos(here, owners);
        delete_owners(here, context_.fates.gone());
        if (context_.state.has_kept_outputs) execute(here, "DELETE FROM isorow.kept_outputs WHERE app = $1", context_.app.id);
        for (auto const& work : context_.state.with_commit) work(connection_, context_.now());
        if (wrote && !context_.is_plain()) execute(here, "UPDATE isorow.apps SET runs = runs + 1 WHERE id = $1", context_.app.id);
    }

    /// Writes down what the owners ran with, where that is not what the record says. Those that were just entered have it already.
    bool write_memos(database_ref const& here) {
        std::unordered_map<std::int64_t, std::optional<fingerprint>> known;
        for (auto const& one : context_.app.owners) known.emplace(one.id, one.memo);
        bool has_entered = false;
        std::vector<std::int64_t> ids;
        std::vector<std::optional<isorow::uuid>> memos;
        for (auto const& owner : context_.state.owners) {
            if (owner.state != owner_state::ran) continue;
            auto const found = known.find(owner.id);
            if (found == known.end()) {
                has_entered = true;
            } else if (found->second != owner.memo) {
                ids.push_back(owner.id);
                memos.push_back(owner.memo ? std::optional(as_uuid(*owner.memo)) : std::nullopt);
            }
        }
        return update_memos(here, ids, memos) > 0 || has_entered;
    }

    commit_context& context_;
    connection& connection_;
    std::vector<std::unique_ptr<table_commit>> tables_{};
    std::vector<target_record> undeclared_{};
    std::vector<left_rows> left_{};
    isorow::report taken_away_{};  ///< what became of these
};

/// Remembers which owners had their ids before an attempt: those that it enters are gone with it where it fails.
class owner_ids {
public:
    explicit owner_ids(declared_state& state) : state_(state), ids_(ids_of(state.owners)) {}
    void restore() noexcept {
        for (std::size_t i = 0; i < ids_.size(); ++i) state_.owners[i].id = ids_[i];
    }

private:
    declared_state& state_;
    std::vector<std::int64_t> ids_;
};

/// What an attempt is for.
enum class commit_mode : std::uint8_t {
    commit,
    plan,   ///< nothing is written
    apply,  ///< to do what a plan says
};

/// Adds the labels that enum types lack, each in a transaction of its own: a new label cannot be used in the one that adds it. Returns what
/// was run.
[[nodiscard]] inline std::vector<std::string> add_missing_labels(connection& connection, std::optional<limits> const& given,
                                                                 declared_state const& state) {
    std::vector<std::string> ddl;
    for (auto const& table : state.tables)
        if (table->options.managed_by == managed_by::system)
            ensure_user_types(connection, given, table->shape.table, {}, ddl, missing_types::labels);
    return ddl;
}

/// Makes an attempt in a transaction, and calls `look(attempt)` before it is committed. Where a lock is not free, or another transaction is
/// in the way, all is rolled back and tried again; where a row is refused it is tried once more to name the row. Not so inside a
/// transaction of the user's, which is of no use then.
template <class Look>
report attempt_commit(connection& connection, std::optional<limits> const& given, app_record const& app, declared_state& state,
                      commit_options const& options, commit_mode mode, Look&& look) {
    bool const is_nested = connection.in_transaction();
    auto const labels = is_nested || mode == commit_mode::plan ? std::vector<std::string>{} : add_missing_labels(connection, given, state);
    spill_rest(connection, given, state);
    owner_ids before(state);
    bool names_keys = false;
    for (int attempts = 1;; ++attempts) {
        owner_fates fates(app, state);
        commit_context context{connection, given,     app, state, fates, options, mode == commit_mode::plan, mode != commit_mode::commit,
                               is_nested,  names_keys};
        commit_attempt attempt(context);
        bool is_committed = false;
        try {
            transaction whole(connection);
            local_setting timeout(connection, context.now(), "lock_timeout", text("{}ms", options.lock_timeout.count()));
            attempt.run();
            look(attempt);
            if (is_nested) timeout.restore();
            if (mode == commit_mode::plan) {
                whole.rollback();
                before.restore();
                return {};
            }
            whole.commit();
            is_committed = true;
        } catch (server_error const& failure) {
            before.restore();
            attempt.forget_made_types();
            if (is_nested || !connection.is_open()) throw;
            std::string_view const code = failure.sqlstate();
            bool const is_refused_row = code.starts_with("22") || code.starts_with("23");
            if (is_refused_row && !names_keys && mode == commit_mode::commit) {
                names_keys = true;
                continue;
            }
            bool const may_pass = code == sqlstate::lock_not_available || code.starts_with("40");
            if (!may_pass || attempts >= options.lock_attempts) throw;
        } catch (...) {
            before.restore();
            attempt.forget_made_types();
            throw;
        }
        if (is_committed) {
            if (!is_nested) attempt.after();
            auto done = attempt.report();
            done.ddl.insert(done.ddl.begin(), labels.begin(), labels.end());
            return done;
        }
        auto const pause = by_chance<std::chrono::milliseconds>(std::chrono::milliseconds(100 << std::min(attempts, 5)), 0.5, 1.0);
        pause_for(pause, given ? *given : limits::within(2 * pause), "waiting to try a commit again");
    }
}

/// Commits what a run declared.
[[nodiscard]] inline report commit_state(connection& connection, std::optional<limits> const& given, app_record const& app,
                                         declared_state& state, commit_options const& options) {
    return attempt_commit(connection, given, app, state, options, commit_mode::commit, [](commit_attempt&) {});
}

/// What `commit_state` would do. All happens in a transaction that is rolled back, and no table is locked or altered in it.
[[nodiscard]] inline plan plan_state(connection& connection, std::optional<limits> const& given, app_record const& app,
                                     declared_state& state, commit_options const& options) {
    plan planned;
    attempt_commit(connection, given, app, state, options, commit_mode::plan, [&](commit_attempt& attempt) { planned = attempt.plan(); });
    return planned;
}

/// Commits what a run declared if that is what the plan says, with the plan's options and, for what is destructive, the word that was given
/// since. Throws `plan_outdated` otherwise.
[[nodiscard]] inline report apply_plan(connection& connection, std::optional<limits> const& given, app_record const& app,
                                       declared_state& state, plan const& planned, commit_options options, allow allowed) {
    if (allowed == allow::destructive) options.allow = allowed;
    return attempt_commit(connection, given, app, state, options, commit_mode::apply, [&](commit_attempt& attempt) {
        if (attempt.digest() != planned.digest)
            throw plan_outdated(text("the database has moved on since the plan was made: there would be {}, where the plan says {}",
                                     to_string(attempt.report()), to_string(planned)));
    });
}

}  // namespace isorow::inline v1::detail
