#pragma once

#include <isorow/app/detail/app_run.hpp>
#include <isorow/app/detail/kept_outputs.hpp>
#include <isorow/app/detail/table_identity.hpp>
#include <isorow/app/detail/visits.hpp>
#include <isorow/app/detail/writer.hpp>
#include <isorow/codec/row_encoder.hpp>
#include <isorow/error/declaration_error.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/target/detail/app_tables.hpp>
#include <isorow/target/detail/audit.hpp>
#include <isorow/target/detail/commit.hpp>
#include <isorow/target/detail/spilled_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

/// Whether schema isorow is there, and the app in it.
[[nodiscard]] inline bool is_entered(connection& connection, limits const& limits, declared_state const& state) {
    return installed_version(connection) == tracking_version && find_app(database_ref(connection, limits), state.database_key, state.app);
}

ISOROW_DECL app_run::app_run(std::shared_ptr<registration const> const& where, std::string app, std::shared_ptr<context const> resources,
                             run_options options, std::string under, purpose why)
    : options_(std::move(options)),
      resources_(std::move(resources)),
      why_(why),
      writer_(std::make_unique<writer>(where, app, options_)),
      kept_(std::make_unique<kept_outputs>(*writer_, why == purpose::plan ? keep_outputs::never : options_.keep_outputs)),
      queue_(options_.threads),
      record_(std::make_unique<app_record>()) {
    state_.database_key = where->key();
    state_.app = std::move(app);
    state_.under = std::move(under);
}

ISOROW_DECL app_run::~app_run() = default;

template <class Report>
void app_run::tell_of_components(Report& done) {
    auto const removed = done.components.removed;
    done.components = counts();
    done.components.removed = removed;
    std::lock_guard const lock(mutex_);
    done.failures = failures_;
    std::sort(done.failures.begin(), done.failures.end(), [](auto const& left, auto const& right) { return left.path < right.path; });
}

template <class Work>
auto app_run::write(Work&& work) {
    drop_empty_tables();
    state_.has_kept_outputs = kept_->exist();
    writer_->renew_if_lost();
    require_spilled();
    auto const limits = writer_->commit_limits();
    auto done = writer_->use([&](connection& connection) { return work(connection, limits); });
    tell_of_components(done);
    return done;
}

// What app does

ISOROW_DECL void app_run::follow(live_sources& sources, std::string followed, std::vector<std::string> extents) {
    sources_ = &sources;
    followed_ = std::move(followed);
    extents_.insert(extents.begin(), extents.end());
    state_.extents = std::move(extents);
}

ISOROW_DECL app_run::part app_run::part_of(std::string_view path) const {
    if (extents_.empty()) return part::whole;
    for (auto above = std::string(path);; above.erase(above.rfind('/'))) {
        if (extents_.contains(above)) return part::whole;
        if (above.empty()) break;
    }
    bool const leads = path.empty() || (followed_.starts_with(path) && (followed_.size() == path.size() || followed_[path.size()] == '/'));
    return leads ? part::some : part::none;
}

ISOROW_DECL void app_run::with_commit(std::function<void(connection&, limits const&)> work) {
    turn::hold const held(state_turn_);
    state_.with_commit.push_back(std::move(work));
}

ISOROW_DECL void app_run::open() {
    writer_->begin();
    writer_->use([&](connection& connection) {
        if (why_ == purpose::plan && !is_entered(connection, writer_->step_limits(), state_)) return;
        *record_ = open_app(connection, writer_->step_limits(), state_.database_key, state_.app, state_.extents);
        if (state_.extents.empty()) kept_->open(connection, record_->id);
    });
    visits_ = std::make_unique<visits>(record_->owners, state_.owners);
}

ISOROW_DECL void app_run::require_drifted() {
    std::vector<std::int64_t> owners;
    writer_->use([&](connection& connection) {
        for (auto const& table : audit_state(connection, writer_->step_limits(), *record_))
            owners.insert(owners.end(), table.owners.begin(), table.owners.end());
    });
    visits_->require(owners, "its rows were changed by somebody else");
}

ISOROW_DECL report app_run::commit() {
    try {
        return write([&](connection& connection, auto const& limits) {
            return commit_state(connection, limits, *record_, state_, options_.commit);
        });
    } catch (...) {
        kept_->write_rest();
        throw;
    }
}

ISOROW_DECL isorow::plan app_run::plan() {
    return write([&](connection& connection, auto const& limits) {
        if (record_->id != 0) return plan_state(connection, limits, *record_, state_, options_.commit);
        // Schema isorow has to be there for it, and the app in it, but they are not to stay.
        transaction dry_run(connection);
        auto const entered = open_app(connection, writer_->step_limits(), state_.database_key, state_.app);
        return plan_state(connection, limits, entered, state_, options_.commit);
    });
}

ISOROW_DECL report app_run::apply(isorow::plan const& made, allow allowed) {
    if (!is_planned_) throw usage_error("the plan was applied already");
    ending const ends(*this);
    writer_->begin();
    auto done = writer_->use([&](connection& connection) {
        if (record_->id == 0) *record_ = open_app(connection, writer_->step_limits(), state_.database_key, state_.app);
        return apply_plan(connection, writer_->commit_limits(), *record_, state_, made, options_.commit, allowed);
    });
    is_planned_ = false;
    tell_of_components(done);
    return done;
}

ISOROW_DECL void app_run::keep_for_apply() noexcept {
    is_planned_ = true;
    writer_->end();
}

// What scopes and handles do

ISOROW_DECL void app_run::require_open() const {
    if (!is_open_)
        throw usage_error(text("the run of the app \"{}\" has ended: scopes and table handles are those of one run", state_.app));
}

ISOROW_DECL void app_run::require_usable(component& one) {
    std::lock_guard const lock(one.mutex_);
    require_usable_locked(one);
}

ISOROW_DECL void app_run::require_usable_locked(component const& one) const {
    require_open();
    if (one.has_ended_) throw usage_error(text("the scope of {} is used after its function has returned", shown_path(one.path_)));
    auto const* other = one.running_here_.load();
    if (auto const* const here = component_of_thread; here != nullptr && here != &one && here->run_.get() == this) other = here;
    if (other != nullptr)
        throw usage_error(text("the component {} uses the scope of {}: a component uses the scope that its function was given",
                               shown_path(other->path_), shown_path(one.path_)));
}

ISOROW_DECL std::shared_ptr<component> app_run::enter(std::shared_ptr<component> const& parent, std::string path,
                                                      std::optional<fingerprint> const& memo, bool is_awaited) {
    require_usable(*parent);
    throw_if_failed();
    if (options_.stop.stop_requested()) throw stopped(text("stopped while running the app \"{}\"", state_.app));
    if (path.size() > longest_path)
        throw usage_error(
            text("the scope path {} has {} bytes, which is more than {}", path.substr(0, 100) + "…", path.size(), longest_path));
    tick();
    if (auto const extent = part_of(path); extent != part::whole) {
        if (extent == part::none && !is_awaited) return nullptr;
        ++parent->pending_;
        return std::make_shared<component>(shared_from_this(), parent, std::move(path), component::no_owner, std::nullopt);
    }
    auto const visit = visits_->enter(path, memo);
    parent->only_rows_ = false;
    if (visit.stands) {
        ++unchanged_;
        return nullptr;
    }
    auto one = std::make_shared<component>(shared_from_this(), parent, std::move(path), visit.number, memo);
    ++parent->pending_;
    return memo && restore(one) ? nullptr : one;
}

ISOROW_DECL void app_run::run_somewhere(std::shared_ptr<component> const& one, component_queue::task task) {
    if (auto const left = queue_.offer(std::move(task))) {
        running_within const mark(*one);
        left->run();
    }
    throw_if_failed();
}

ISOROW_DECL run_table& app_run::declare_table(component& one, row_shape shape, target_options options) {
    require_usable(one);
    throw_if_failed();
    if (options.owner != target_options{}.owner)
        throw usage_error(text("the table {} has an option owner: in an app, rows belong to the scopes under which they are declared",
                               quote_identifier(shape.table.schema, shape.table.name)));
    if (!are_defaults(options.commit))
        throw usage_error(text("the table {} has options of a commit: in an app, they are said in run_options::commit, for all its tables",
                               quote_identifier(shape.table.schema, shape.table.name)));
    auto name = quote_identifier(shape.table.schema, shape.table.name);
    turn::hold const held(state_turn_);
    one.only_rows_ = false;
    auto* table = find_table(name);
    if (table == nullptr) table = &add_table(std::move(name), std::move(shape), std::move(options));
    else if (!same_table(table->declared->shape.table, shape.table) || !same_options(table->declared->options, options))
        throw usage_error(text("the table {} is declared twice in one run, with different columns or options", table->name));
    auto& declarers = table->declared->declarers;
    if (!one.only_leads() && std::find(declarers.begin(), declarers.end(), one.number_) == declarers.end())
        declarers.push_back(one.number_);
    return *table;
}

ISOROW_DECL void app_run::resolve(run_table& table) {
    require_open();
    throw_if_failed();
    if (record_->id != 0) {
        auto const found = writer_->use([&](connection& connection) {
            return resolve_table(connection, writer_->step_limits(), *record_, *table.declared, options_.commit, why_ == purpose::plan);
        });
        if (!extents_.empty() && !found.must_run.empty())
            throw needs_whole_run(
                text("the table {} is not as the app has left it: a run of the whole app has to make it anew", table.name));
        visits_->require(
            found.must_run,
            text("the table {} changes so that its rows are needed again; declare it before components that fill it are mounted",
                 table.name));
    }
    turn::hold const held(state_turn_);
    table.is_resolved = true;
}

ISOROW_DECL run_table* app_run::find_table(std::string_view name) noexcept {
    for (auto const& one : tables_)
        if (one->name == name) return one.get();
    return nullptr;
}

ISOROW_DECL run_table& app_run::add_table(std::string name, row_shape shape, target_options options) {
    auto const seed = columns_seed(shape, options);
    auto& declared = state_.tables.emplace_back(std::make_unique<declared_table>());
    declared->shape = std::move(shape);
    declared->options = std::move(options);
    tables_.push_back(std::make_unique<run_table>(run_table{.declared = declared.get(), .name = std::move(name), .columns_seed = seed}));
    return *tables_.back();
}

ISOROW_DECL bool app_run::merges_early(component const& one) const noexcept {
    return (one.is_root() || !keeps_previous()) && (!one.memo_ || !kept_->wants_outputs());
}

ISOROW_DECL void app_run::end_function(component& one) {
    output rows;
    {
        std::lock_guard const lock(one.mutex_);
        one.has_ended_ = true;
        std::swap(rows, one.rows_);
    }
    if (one.memo_ && one.only_rows_ && kept_->wants_outputs()) kept_->add(one.path_, *one.memo_, to_payload(rows));
    hand_on(one, std::move(rows));
}

ISOROW_DECL void app_run::hand_on(component& one, output rows) {
    if (one.only_leads()) return;
    row_count_ += static_cast<std::int64_t>(rows.rows());
    if (one.is_root() || !keeps_previous()) return merge(one.number_, rows);
    std::lock_guard const lock(one.mutex_);
    one.held_.push_back({one.number_, std::move(rows)});
}

ISOROW_DECL void app_run::fail(component& one, std::exception_ptr const& thrown) noexcept {
    {
        std::lock_guard const lock(one.mutex_);
        one.has_ended_ = true;
        one.rows_ = output{};
    }
    one.failed_ = true;
    if (has_failed_) return;  // it passes through the components that mounted the one that failed
    try {
        std::rethrow_exception(thrown);
    } catch (usage_error const&) {
        fail_run(thrown);
    } catch (duplicate_key const&) {
        fail_run(thrown);
    } catch (needs_whole_run const&) {
        fail_run(thrown);
    } catch (std::exception const& failure) {
        if (one.is_root() || one.only_leads() || options_.stop.stop_requested()) return fail_run(thrown);
        one.thrown_ = named(one, failure);
        if (!keeps_previous()) return fail_run(one.thrown_);
        let_previous_stand(one, failure);
    } catch (...) {
        fail_run(thrown);  // what is no std::exception is not ours to keep, such as the end of a coroutine
    }
}

ISOROW_DECL std::exception_ptr app_run::named(component const& one, std::exception const& failure) {
    auto const* const own = dynamic_cast<error const*>(&failure);
    try {
        std::throw_with_nested(component_failed(shown_path(one.path_), failure.what(), own != nullptr && own->retryable()));
    } catch (...) {
        return std::current_exception();
    }
}

ISOROW_DECL void app_run::let_previous_stand(component& one, std::exception const& failure) {
    for (auto* above = one.parent_.get(); above != nullptr; above = above->parent_.get()) above->failed_below_ = true;
    std::lock_guard const lock(mutex_);
    failures_.push_back({shown_path(one.path_), failure.what()});
}

ISOROW_DECL void app_run::fail_run(std::exception_ptr thrown) noexcept {
    {
        std::lock_guard const lock(mutex_);
        if (has_failed_) return;
        failure_ = std::move(thrown);
        has_failed_ = true;
    }
    queue_.close();
    queue_.tell();
}

ISOROW_DECL void app_run::rethrow_failure() {
    std::exception_ptr first;
    {
        std::lock_guard const lock(mutex_);
        first = failure_;
    }
    std::rethrow_exception(first);
}

ISOROW_DECL void app_run::complete(component& one) noexcept {
    for (auto* ended = &one; ended != nullptr && --ended->pending_ == 0; ended = ended->parent_.get()) {
        try {
            if (!has_failed_) settle(*ended);
        } catch (...) {
            fail_run(std::current_exception());
        }
        ended->settled_ = true;
    }
    if (queue_.has_workers()) queue_.tell();
}

ISOROW_DECL void app_run::forget_memo(component const& one) {
    if (!one.only_leads()) return visits_->forget_memo(one.number_);
    with_commit([app = record_->id, path = one.path_](connection& connection, limits const& limits) {
        execute(database_ref(connection, limits),
                "UPDATE isorow.owners SET fingerprint = NULL WHERE app = $1 AND path = $2 AND fingerprint IS NOT NULL", app, path);
    });
}

ISOROW_DECL void app_run::settle(component& one) {
    if (one.is_root()) return;
    std::vector<component::held_output> held;
    {
        std::lock_guard const lock(one.mutex_);
        std::swap(held, one.held_);
    }
    if (one.failed_) {
        visits_->let_stand(one.number_);
        for (auto const& below : held) visits_->let_stand(below.number);
        return;
    }
    if (one.failed_below_) forget_memo(one);
    if (one.parent_->is_root()) {
        for (auto const& rows : held) merge(rows.number, rows.rows);
        return;
    }
    std::lock_guard const lock(one.parent_->mutex_);
    std::move(held.begin(), held.end(), std::back_inserter(one.parent_->held_));
}

ISOROW_DECL void app_run::merge(std::uint32_t number, output const& rows) {
    if (rows.tables().empty()) return;
    turn::hold const held(state_turn_);
    for (auto const& table : rows.tables())
        table.for_each([&](std::span<std::byte const> image, std::size_t key_end) {
            if (auto const first = table.table().declared->add(image, key_end, number))
                throw_duplicate(table.table(), *first, image, number);
        });
    if (why_ == purpose::commit && memory_of(state_) > options_.commit.memory && writer_->has_session()) spill_all();
}

ISOROW_DECL void app_run::spill_all() {
    writer_->use([&](connection& connection) {
        require_spilled();
        spill(connection, writer_->commit_limits(), state_, options_.commit.drift == drift::mend);
        spilled_in_ = writer_->generation();
    });
}

ISOROW_DECL void app_run::require_spilled() const {
    if (spilled_in_ != 0 && spilled_in_ != writer_->generation())
        throw connection_lost("the run's connection was lost, and with it the rows that the server held for the run; run it again");
}

ISOROW_DECL void app_run::throw_duplicate(run_table const& table, std::size_t first, std::span<std::byte const> image,
                                          std::uint32_t number) {
    auto const key = isorow::key_text(table.declared->shape.table, image);
    auto const rows = table.declared->rows.rows();
    if (rows[first].owner != number)
        throw duplicate_key(text("two components declare the row of {} with the key {}: {} and {}", table.name, key,
                                 shown_path(visits_->path_of(rows[first].owner)), shown_path(visits_->path_of(number))));
    auto const is_own = [&](declared_row const& row) { return row.owner == number; };
    auto const place = std::count_if(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(first) + 1, is_own);
    throw duplicate_key(text("two declared rows of {} have the key {}: row {} and row {} of {}", table.name, key, place,
                             std::count_if(rows.begin(), rows.end(), is_own) + 1, shown_path(visits_->path_of(number))));
}

ISOROW_DECL bool app_run::restore(std::shared_ptr<component> const& one) {
    if (options_.keep_outputs == keep_outputs::never) return false;
    auto const payload = kept_->find(one->path_, *one->memo_);
    if (!payload) return false;
    output rows;
    try {
        auto const table_of = [&](std::string_view name) {
            auto* const table = find_table(name);
            return table != nullptr && table->is_resolved ? table : nullptr;
        };
        turn::hold const held(state_turn_);
        if (!from_payload(*payload, table_of, rows)) return false;
    } catch (malformed const&) {
        return false;  // written by somebody else, or by another version: the component runs
    }
    perform_restored(one, std::move(rows));
    return true;
}

ISOROW_DECL void app_run::perform_restored(std::shared_ptr<component> const& one, output rows) {
    {
        std::lock_guard const lock(one->mutex_);
        one->has_ended_ = true;
    }
    ++ran_;
    ++restored_;
    try {
        hand_on(*one, std::move(rows));
    } catch (...) {
        fail(*one, std::current_exception());
    }
    complete(*one);
    throw_if_failed();
}

// The root, and waiting

ISOROW_DECL std::shared_ptr<component> app_run::make_root() {
    if (part_of(state_.under) != part::whole)
        return std::make_shared<component>(shared_from_this(), nullptr, state_.under, component::no_owner, std::nullopt);
    return std::make_shared<component>(shared_from_this(), nullptr, state_.under, visits_->enter(state_.under, {}).number, std::nullopt);
}

ISOROW_DECL void app_run::finish(component const& root) {
    wait_for_all(root);
    queue_.stop();
    is_open_ = false;
    if (has_failed_) kept_->write_rest();
    throw_if_failed();
}

ISOROW_DECL void app_run::wait_for(component const& one) {
    while (!one.settled_ && !has_failed_) {
        if (queue_.help(one)) continue;
        queue_.wait([&] { return one.settled_ || has_failed_; }, wait_time, options_.stop);
        tick();
    }
}

ISOROW_DECL void app_run::wait_for_all(component const& root) {
    try {
        wait_for(root);
    } catch (...) {
        fail_run(std::current_exception());
    }
    while (has_failed_ && queue_.running() > 0) {
        try {
            queue_.wait([] { return false; }, std::chrono::milliseconds(50), {});
        } catch (...) {
            return;  // the coroutine was cancelled: the threads are waited for as threads are
        }
    }
}

ISOROW_DECL void app_run::tick() {
    kept_->write_if_due();
    if (!options_.progress || is_queue_thread) return;
    auto const now = std::chrono::steady_clock::now();
    if (now - last_told_ < std::chrono::milliseconds(250)) return;
    last_told_ = now;
    options_.progress({.components = counts(), .rows = row_count_, .elapsed = now - begun_});
}

ISOROW_DECL void app_run::drop_empty_tables() {
    auto const stands = [&](std::uint32_t number) { return state_.owners[number].state == owner_state::stands; };
    std::erase_if(state_.tables, [&](std::unique_ptr<declared_table> const& one) {
        return one->rows.empty() && one->spilled.count == 0 && std::all_of(one->declarers.begin(), one->declarers.end(), stands);
    });
}

ISOROW_DECL component_counts app_run::counts() {
    std::lock_guard const lock(mutex_);
    return {.ran = ran_, .unchanged = unchanged_, .kept = restored_, .failed = static_cast<std::int64_t>(failures_.size())};
}

ISOROW_DECL void app_run::end() noexcept {
    queue_.stop();
    is_open_ = false;
    state_.with_commit.clear();
    if (!is_planned_) writer_->use_if_open([&](connection& connection) { discard_spilled(connection, state_); });
    writer_->end();
    if (is_planned_) return;
    state_.owners.clear();
    state_.tables.clear();
}

// What needs no run

ISOROW_DECL std::vector<table_drift> audit_app(std::shared_ptr<registration const> const& where, std::string const& app,
                                               run_options const& options) {
    writer asking(where, app, options);
    return asking.use([&](connection& connection) {
        auto const limits = asking.step_limits();
        return audit_state(connection, limits, open_app(connection, limits, where->key(), app));
    });
}

ISOROW_DECL report end_app(std::shared_ptr<registration const> const& where, std::string const& app, run_options const& options) {
    writer removing(where, app, options);
    removing.begin();
    return removing.use([&](connection& connection) {
        auto const limits = removing.commit_limits().value_or(connection.default_limits());
        return remove_app(connection, limits, open_app(connection, limits, where->key(), app), options.commit);
    });
}

}  // namespace isorow::inline v1::detail
