#pragma once

/// @file
/// One run of an app: its components, what they declare, and how all that comes to an end.

#include <isorow/app/context_key.hpp>
#include <isorow/app/detail/component.hpp>
#include <isorow/app/detail/component_queue.hpp>
#include <isorow/app/detail/kept_outputs.hpp>
#include <isorow/app/detail/output.hpp>
#include <isorow/app/detail/table_identity.hpp>
#include <isorow/app/detail/visits.hpp>
#include <isorow/app/detail/writer.hpp>
#include <isorow/app/errors.hpp>
#include <isorow/app/options.hpp>
#include <isorow/error/declaration_error.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/target/detail/app_tables.hpp>
#include <isorow/target/detail/audit.hpp>
#include <isorow/target/detail/commit.hpp>
#include <isorow/target/detail/readable_key.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

class app_run : public std::enable_shared_from_this<app_run> {
public:
    /// Whether what the run declares is to be committed at its end, or to be looked at first.
    enum class purpose : std::uint8_t { commit, plan };

    app_run(std::shared_ptr<registration const> where, std::string app, std::shared_ptr<context const> resources, run_options options,
            std::string under, purpose why)
        : options_(std::move(options)),
          resources_(std::move(resources)),
          why_(why),
          writer_(where, app, options_),
          kept_(writer_, why == purpose::plan ? keep_outputs::never : options_.keep_outputs),
          queue_(options_.threads) {
        state_.database_key = where->key();
        state_.app = std::move(app);
        state_.under = std::move(under);
    }
    app_run(app_run const&) = delete;
    app_run& operator=(app_run const&) = delete;

private:
    /// Calls `work(connection, limits)` with a connection that stands, and tells what it returns of the components.
    template <class Work>
    auto write(Work&& work) {
        drop_empty_tables();
        state_.has_kept_outputs = kept_.exist();
        writer_.renew_if_lost();
        require_spilled();
        auto const limits = writer_.commit_limits();
        auto done = writer_.use([&](connection& connection) { return work(connection, limits); });
        tell_of_components(done);
        return done;
    }

public:
    // What app does

    /// Connects, locks, and reads what the database has of the app.
    void open() {
        writer_.begin();
        writer_.use([&](connection& connection) {
            if (why_ == purpose::plan && !is_entered(connection)) return;
            record_ = open_app(connection, writer_.step_limits(), state_.database_key, state_.app);
            kept_.open(connection, record_.id);
        });
        visits_.emplace(record_.owners, state_.owners);
    }

    /// Has the owners of rows that somebody else has changed run again.
    void require_drifted() {
        std::vector<std::int64_t> owners;
        writer_.use([&](connection& connection) {
            for (auto const& table : audit_state(connection, writer_.step_limits(), record_))
                owners.insert(owners.end(), table.owners.begin(), table.owners.end());
        });
        visits_->require(owners, "its rows were changed by somebody else");
    }

    /// Runs the root and all that it mounts. Throws what fails the run.
    template <class Work>
    void run(Work&& work) {
        auto const root =
            std::make_shared<component>(shared_from_this(), nullptr, state_.under, visits_->enter(state_.under, {}).number, std::nullopt);
        perform(root, [&] { std::forward<Work>(work)(root); });
        wait_for_all(*root);
        queue_.stop();
        is_open_ = false;
        if (has_failed_) kept_.write_rest();
        throw_if_failed();
    }

    [[nodiscard]] report commit() {
        try {
            return write([&](connection& connection, auto const& limits) {
                return commit_state(connection, limits, record_, state_, options_.commit);
            });
        } catch (...) {
            kept_.write_rest();
            throw;
        }
    }
    [[nodiscard]] isorow::plan plan() {
        return write([&](connection& connection, auto const& limits) {
            if (record_.id != 0) return plan_state(connection, limits, record_, state_, options_.commit);
            // Schema isorow has to be there for it, and the app in it, but they are not to stay.
            transaction dry_run(connection);
            auto const entered = open_app(connection, writer_.step_limits(), state_.database_key, state_.app);
            return plan_state(connection, limits, entered, state_, options_.commit);
        });
    }
    [[nodiscard]] report apply(isorow::plan const& made, run_options const& options) {
        if (!is_planned_) throw usage_error("the plan was applied already");
        ending const ends(*this);
        writer_.begin();
        auto done = writer_.use([&](connection& connection) {
            if (record_.id == 0) record_ = open_app(connection, writer_.step_limits(), state_.database_key, state_.app);
            return apply_plan(connection, writer_.commit_limits(), record_, state_, made, options.commit);
        });
        is_planned_ = false;
        tell_of_components(done);
        return done;
    }
    /// What the run declared is kept for `apply`.
    void keep_for_apply() noexcept {
        is_planned_ = true;
        writer_.end();
    }

    /// Gives the lock and the connection back, whatever happened; handles and scopes that are left are of no use then.
    class ending {
    public:
        explicit ending(app_run& whose) noexcept : whose_(whose) {}
        ending(ending const&) = delete;
        ending& operator=(ending const&) = delete;
        ~ending() {
            whose_.queue_.stop();
            whose_.is_open_ = false;
            whose_.writer_.end();
            if (!whose_.is_planned_) whose_.forget();
        }

    private:
        app_run& whose_;
    };

    // What scopes and handles do

    [[nodiscard]] context const& resources() const noexcept { return *resources_; }
    [[nodiscard]] std::stop_token const& stop() const noexcept { return options_.stop; }
    [[nodiscard]] bool has_room() { return queue_.has_workers() && queue_.has_room(); }

    void require_open() const {
        if (!is_open_)
            throw usage_error(text("the run of the app \"{}\" has ended: scopes and table handles are those of one run", state_.app));
    }

    /// Enters the component of a path. Returns null where it need not run: nothing has changed, or its output was kept.
    [[nodiscard]] std::shared_ptr<component> enter(std::shared_ptr<component> const& parent, std::string path,
                                                   std::optional<fingerprint> const& memo) {
        require_usable(*parent);
        throw_if_failed();
        if (options_.stop.stop_requested()) throw stopped(text("stopped while running the app \"{}\"", state_.app));
        if (path.size() > longest_path)
            throw usage_error(
                text("the scope path {} has {} bytes, which is more than {}", path.substr(0, 100) + "…", path.size(), longest_path));
        tick();
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

    /// Runs a component within the call that mounts it. Throws what fails the run.
    template <class Work>
    void run_here(std::shared_ptr<component> const& one, Work&& work) {
        {
            running_within const mark(*one);
            perform(one, std::forward<Work>(work));
        }
        throw_if_failed();
    }

    /// Has one of the queue's threads run a component, or runs it here where they have enough to do.
    void run_somewhere(std::shared_ptr<component> const& one, component_queue::task task) {
        if (auto const left = queue_.offer(std::move(task))) {
            running_within const mark(*one);
            left->run();
        }
        throw_if_failed();
    }

    /// Runs a component to its end, with all that it mounts; throws where it failed.
    template <class Work>
    void run_to_its_end(std::shared_ptr<component> const& one, Work&& work) {
        run_here(one, std::forward<Work>(work));
        wait_for(*one);
        throw_if_failed();
        if (one->failed_) std::rethrow_exception(one->thrown_);
    }

    /// Calls a component's function and deals with how it ends.
    template <class Work>
    void perform(std::shared_ptr<component> const& one, Work&& work) noexcept {
        auto const* const outer = component_of_thread;
        if (is_queue_thread) component_of_thread = one.get();
        try {
            throw_if_failed();  // it may have waited for its turn while another one failed
            std::forward<Work>(work)();
            end_function(*one);
            ++ran_;
        } catch (...) {
            fail(*one, std::current_exception());
        }
        if (is_queue_thread) component_of_thread = outer;
        complete(*one);
    }

    /// Declares a row for a component; `encode(byte_writer&)` writes its image.
    template <class Encode>
    void declare_row(component& one, run_table& table, Encode&& encode) {
        output full;
        {
            std::lock_guard const lock(one.mutex_);
            require_usable_locked(one);
            auto& rows = one.rows_.of(table);
            try {
                rows.append(std::forward<Encode>(encode));
            } catch (value_error const& failure) {
                failure.rethrow_at(text("row {} of {}", rows.rows() + 1, shown_path(one.path_)));
            }
            if (!merges_early(one) || one.rows_.bytes() < early_bytes) return;
            std::swap(full, one.rows_);
        }
        merge(one.number_, full);
    }

    /// Declares a table. The same one with the same columns and options is the same; anything else of its name is refused.
    [[nodiscard]] run_table& declare_table(component& one, row_shape shape, target_options options) {
        require_usable(one);
        throw_if_failed();
        if (options.owner != target_options{}.owner)
            throw usage_error(text("the table {} has an option owner: in an app, rows belong to the scopes under which they are declared",
                                   quote_identifier(shape.table.schema, shape.table.name)));
        auto name = quote_identifier(shape.table.schema, shape.table.name);
        turn::hold const held(state_turn_);
        one.only_rows_ = false;
        auto* table = find_table(name);
        if (table == nullptr) table = &add_table(std::move(name), std::move(shape), std::move(options));
        else if (!same_table(table->declared->shape.table, shape.table) || !same_options(table->declared->options, options))
            throw usage_error(text("the table {} is declared twice in one run, with different columns or options", table->name));
        auto& declarers = table->declared->declarers;
        if (std::find(declarers.begin(), declarers.end(), one.number_) == declarers.end()) declarers.push_back(one.number_);
        return *table;
    }

    /// Holds a table against the database: whose rows have to be declared anew, because its change loses their values.
    void resolve(run_table& table) {
        require_open();
        throw_if_failed();
        if (record_.id != 0) {
            auto const found = writer_.use([&](connection& connection) {
                return resolve_table(connection, writer_.step_limits(), record_, *table.declared, options_.commit, why_ == purpose::plan);
            });
            visits_->require(
                found.must_run,
                text("the table {} changes so that its rows are needed again; declare it before components that fill it are mounted",
                     table.name));
        }
        turn::hold const held(state_turn_);
        table.is_resolved = true;
    }

    /// Throws `usage_error` where a component's scope is used by another one, or after its function has returned.
    void require_usable(component& one) {
        std::lock_guard const lock(one.mutex_);
        require_usable_locked(one);
    }

private:
    /// An index entry holds no more than a third of a page.
    static constexpr std::size_t longest_path = 2000;
    /// So many bytes of rows are merged before their component has ended, where nobody needs them by themselves.
    static constexpr std::size_t early_bytes = std::size_t{256} << 10;

    /// Marks the parent of a component that runs within the parent's own call.
    class running_within {
    public:
        explicit running_within(component const& one) : parent_(*one.parent_), outer_(parent_.running_here_.exchange(&one)) {}
        running_within(running_within const&) = delete;
        running_within& operator=(running_within const&) = delete;
        ~running_within() { parent_.running_here_ = outer_; }

    private:
        component& parent_;
        component const* outer_;
    };

    void require_usable_locked(component const& one) const {
        require_open();
        if (one.has_ended_) throw usage_error(text("the scope of {} is used after its function has returned", shown_path(one.path_)));
        auto const* other = one.running_here_.load();
        if (auto const* const here = component_of_thread; here != nullptr && here != &one && here->run_.get() == this) other = here;
        if (other != nullptr)
            throw usage_error(text("the component {} uses the scope of {}: a component uses the scope that its function was given",
                                   shown_path(other->path_), shown_path(one.path_)));
    }

    /// Whether schema isorow is there, and the app in it.
    [[nodiscard]] bool is_entered(connection& connection) const {
        return installed_version(connection) == tracking_version &&
               query_optional<std::int32_t>(database_ref(connection, writer_.step_limits()),
                                            "SELECT id FROM isorow.apps WHERE database_key = $1 AND name = $2", state_.database_key,
                                            state_.app);
    }

    // Tables

    [[nodiscard]] run_table* find_table(std::string_view name) noexcept {
        for (auto const& one : tables_)
            if (one->name == name) return one.get();
        return nullptr;
    }

    [[nodiscard]] run_table& add_table(std::string name, row_shape shape, target_options options) {
        auto const seed = columns_seed(shape, options);
        auto& declared = state_.tables.emplace_back(std::make_unique<declared_table>());
        declared->shape = std::move(shape);
        declared->options = std::move(options);
        tables_.push_back(
            std::make_unique<run_table>(run_table{.declared = declared.get(), .name = std::move(name), .columns_seed = seed}));
        return *tables_.back();
    }

    // The ends of components

    [[nodiscard]] bool keeps_previous() const noexcept { return options_.on_failure == on_failure::keep_previous; }

    /// Whether a component's rows may be merged before it has ended: nobody will discard them or keep them.
    [[nodiscard]] bool merges_early(component const& one) const noexcept {
        return (one.is_root() || !keeps_previous()) && (!one.memo_ || !kept_.wants_outputs());
    }

    /// The function has returned.
    void end_function(component& one) {
        output rows;
        {
            std::lock_guard const lock(one.mutex_);
            one.has_ended_ = true;
            std::swap(rows, one.rows_);
        }
        if (one.memo_ && one.only_rows_ && kept_.wants_outputs()) kept_.add(one.path_, *one.memo_, to_payload(rows));
        hand_on(one, std::move(rows));
    }

    /// Where one above may fail, and this one with it, the rows wait for its end.
    void hand_on(component& one, output rows) {
        row_count_ += static_cast<std::int64_t>(rows.rows());
        if (one.is_root() || !keeps_previous()) return merge(one.number_, rows);
        std::lock_guard const lock(one.mutex_);
        one.held_.push_back({one.number_, std::move(rows)});
    }

    void fail(component& one, std::exception_ptr thrown) noexcept {
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
        } catch (std::exception const& failure) {
            if (one.is_root() || options_.stop.stop_requested()) return fail_run(thrown);
            one.thrown_ = named(one, failure);
            if (!keeps_previous()) return fail_run(one.thrown_);
            let_previous_stand(one, failure);
        } catch (...) {
            fail_run(thrown);  // what is no std::exception is not ours to keep, such as the end of a coroutine
        }
    }

    /// The failure with the component's name, and the exception that is being handled nested in it.
    [[nodiscard]] static std::exception_ptr named(component const& one, std::exception const& failure) {
        auto const* const own = dynamic_cast<error const*>(&failure);
        try {
            std::throw_with_nested(component_failed(shown_path(one.path_), failure.what(), own != nullptr && own->retryable()));
        } catch (...) {
            return std::current_exception();
        }
    }

    void let_previous_stand(component& one, std::exception const& failure) {
        for (auto* above = one.parent_.get(); above != nullptr; above = above->parent_.get()) above->failed_below_ = true;
        std::lock_guard const lock(mutex_);
        failures_.push_back({shown_path(one.path_), failure.what()});
    }

    /// The first failure counts. What waits for a thread does not run any more.
    void fail_run(std::exception_ptr thrown) noexcept {
        {
            std::lock_guard const lock(mutex_);
            if (has_failed_) return;
            failure_ = std::move(thrown);
            has_failed_ = true;
        }
        queue_.close();
        queue_.tell();
    }
    void throw_if_failed() {
        if (!has_failed_) [[likely]]
            return;
        std::exception_ptr first;
        {
            std::lock_guard const lock(mutex_);
            first = failure_;
        }
        std::rethrow_exception(first);
    }

    /// A component, or one below it, has ended: with the last of them all has.
    void complete(component& one) noexcept {
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

    /// All below a component has ended, and so what becomes of its rows is certain as far as it goes itself.
    void settle(component& one) {
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
        if (one.failed_below_) visits_->forget_memo(one.number_);
        if (one.parent_->is_root()) {
            for (auto const& rows : held) merge(rows.number, rows.rows);
            return;
        }
        std::lock_guard const lock(one.parent_->mutex_);
        std::move(held.begin(), held.end(), std::back_inserter(one.parent_->held_));
    }

    // Rows

    void merge(std::uint32_t number, output const& rows) {
        if (rows.tables().empty()) return;
        turn::hold const held(state_turn_);
        for (auto const& table : rows.tables())
            table.for_each([&](std::span<std::byte const> image, std::size_t key_end) {
                if (auto const first = table.table().declared->rows.add(image, key_end, number))
                    throw_duplicate(table.table(), *first, image, number);
            });
        if (why_ == purpose::commit && memory() > options_.commit.memory && writer_.has_session()) spill_all();
    }

    [[nodiscard]] std::size_t memory() const noexcept {
        std::size_t sum = 0;
        for (auto const& one : tables_) sum += one->declared->rows.memory();
        return sum;
    }

    void spill_all() {
        writer_.use([&](connection& connection) {
            require_spilled();
            spill(connection, writer_.commit_limits(), state_);
            spilled_in_ = writer_.generation();
        });
    }
    /// Rows that a connection held which was lost are lost.
    void require_spilled() const {
        if (spilled_in_ != 0 && spilled_in_ != writer_.generation())
            throw connection_lost("the run's connection was lost, and with it the rows that the server held for the run; run it again");
    }

    [[noreturn]] void throw_duplicate(run_table const& table, std::size_t first, std::span<std::byte const> image, std::uint32_t number) {
        auto const key = readable_key(table.declared->shape, image.subspan(sizeof(std::int16_t)));
        auto const rows = table.declared->rows.rows();
        if (rows[first].owner != number)
            throw duplicate_key(text("two components declare the row of {} with the key {}: {} and {}", table.name, key,
                                     shown_path(visits_->path_of(rows[first].owner)), shown_path(visits_->path_of(number))));
        auto const is_own = [&](declared_row const& row) { return row.owner == number; };
        auto const place = std::count_if(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(first) + 1, is_own);
        throw duplicate_key(text("two declared rows of {} have the key {}: row {} and row {} of {}", table.name, key, place,
                                 std::count_if(rows.begin(), rows.end(), is_own) + 1, shown_path(visits_->path_of(number))));
    }

    /// Takes a component's rows from what an earlier run has kept. Returns false where there is nothing, or not for the tables as they are.
    [[nodiscard]] bool restore(std::shared_ptr<component> const& one) {
        if (options_.keep_outputs == keep_outputs::never) return false;
        auto const payload = kept_.find(one->path_, *one->memo_);
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
    void perform_restored(std::shared_ptr<component> const& one, output rows) {
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

    // Waiting

    /// Waits for a component and all below it, running what waits for a thread meanwhile.
    void wait_for(component const& one) {
        while (!one.settled_ && !has_failed_) {
            if (queue_.help(one)) continue;
            queue_.wait([&] { return one.settled_ || has_failed_; }, wait_time, options_.stop);
            tick();
        }
    }

    /// Likewise for the root; after a failure for what is still running.
    void wait_for_all(component const& root) {
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

    /// What is done now and then: outputs that are due are kept, and progress is told on the run's own thread.
    void tick() {
        kept_.write_if_due();
        if (!options_.progress || is_queue_thread) return;
        auto const now = std::chrono::steady_clock::now();
        if (now - last_told_ < std::chrono::milliseconds(250)) return;
        last_told_ = now;
        options_.progress({.components = counts(), .rows = row_count_, .elapsed = now - begun_});
    }

    // The end of the run

    /// A table that only failed components declared is as it was before.
    void drop_empty_tables() {
        auto const stands = [&](std::uint32_t number) { return state_.owners[number].state == owner_state::stands; };
        std::erase_if(state_.tables, [&](std::unique_ptr<declared_table> const& one) {
            return one->rows.empty() && one->spilled == 0 && std::all_of(one->declarers.begin(), one->declarers.end(), stands);
        });
    }

    [[nodiscard]] component_counts counts() {
        std::lock_guard const lock(mutex_);
        return {.ran = ran_, .unchanged = unchanged_, .kept = restored_, .failed = static_cast<std::int64_t>(failures_.size())};
    }

    /// `removed` is the commit's to tell.
    template <class Report>
    void tell_of_components(Report& done) {
        auto const removed = done.components.removed;
        done.components = counts();
        done.components.removed = removed;
        std::lock_guard const lock(mutex_);
        done.failures = failures_;
        std::sort(done.failures.begin(), done.failures.end(), [](auto const& left, auto const& right) { return left.path < right.path; });
    }

    void forget() noexcept {
        state_.owners.clear();
        state_.tables.clear();
    }

    static constexpr std::chrono::milliseconds wait_time{200};

    run_options options_;
    std::shared_ptr<context const> resources_;
    purpose why_;
    writer writer_;
    kept_outputs kept_;
    component_queue queue_;
    app_record record_{};
    turn state_turn_{};  ///< whose holder may change the state's tables and their rows
    declared_state state_{};
    std::vector<std::unique_ptr<run_table>> tables_{};
    std::optional<visits> visits_{};
    int spilled_in_ = 0;  ///< the connection that holds spilled rows
    std::atomic<bool> is_open_{true};
    bool is_planned_ = false;
    std::mutex mutex_{};  ///< of failures
    std::atomic<bool> has_failed_{false};
    std::exception_ptr failure_{};
    std::vector<component_failure> failures_{};
    std::atomic<std::int64_t> ran_{0};
    std::atomic<std::int64_t> unchanged_{0};
    std::atomic<std::int64_t> restored_{0};
    std::atomic<std::int64_t> row_count_{0};
    std::chrono::steady_clock::time_point const begun_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last_told_ = begun_;
};

}  // namespace isorow::inline v1::detail
