#pragma once

/// @file
/// One run of an app: its components, what they declare, and how all that comes to an end.

#include <isorow/app/context_key.hpp>
#include <isorow/app/detail/component.hpp>
#include <isorow/app/detail/component_queue.hpp>
#include <isorow/app/detail/output.hpp>
#include <isorow/app/errors.hpp>
#include <isorow/app/options.hpp>
#include <isorow/app/scope_path.hpp>
#include <isorow/config.hpp>
#include <isorow/pq/detail/turn.hpp>
#include <isorow/target/drift_report.hpp>
#include <isorow/target/plan.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

class kept_outputs;
class live_sources;
class registration;
class visits;
class writer;
struct app_record;

class app_run : public std::enable_shared_from_this<app_run> {
public:
    /// Whether what the run declares is to be committed at its end, or to be looked at first.
    enum class purpose : std::uint8_t { commit, plan };

    app_run(std::shared_ptr<registration const> const& where, std::string app, std::shared_ptr<context const> resources,
            run_options options, std::string under, purpose why);
    app_run(app_run const&) = delete;
    app_run& operator=(app_run const&) = delete;
    ~app_run();

    // What app does

    /// Makes it a run that follows sources, of a part of the app where `extents` are not empty: what is at or below these paths runs, and
    /// what of that is not mounted is gone; what leads to `followed`, a path above them or one of them, is called to get there.
    void follow(live_sources& sources, std::string followed = {}, std::vector<std::string> extents = {});

    /// Connects, locks, and reads what the database has of the app.
    void open();

    /// Has the owners of rows that somebody else has changed run again.
    void require_drifted();

    /// Runs the root and all that it mounts. Throws what fails the run.
    template <class Work>
    void run(Work&& work) {
        auto const root = make_root();
        perform(root, [&] { std::forward<Work>(work)(root); });
        finish(*root);
    }

    [[nodiscard]] report commit();
    [[nodiscard]] isorow::plan plan();
    [[nodiscard]] report apply(isorow::plan const& made, allow allowed);
    /// What the run declared is kept for `apply`.
    void keep_for_apply() noexcept;

    /// Gives the lock and the connection back, whatever happened; handles and scopes that are left are of no use then.
    class ending {
    public:
        explicit ending(app_run& whose) noexcept : whose_(whose) {}
        ending(ending const&) = delete;
        ending& operator=(ending const&) = delete;
        ~ending() { whose_.end(); }

    private:
        app_run& whose_;
    };

    // What scopes and handles do

    [[nodiscard]] context const& resources() const noexcept { return *resources_; }
    [[nodiscard]] std::stop_token const& stop() const noexcept { return options_.stop; }
    [[nodiscard]] bool has_room() { return queue_.has_workers() && queue_.has_room(); }

    void require_open() const;

    /// The sources that the run follows; null where it follows none.
    [[nodiscard]] live_sources* sources() const noexcept { return sources_; }
    /// Whether all of a path is run, some of what is below it, or nothing at all, as the run is one of another part of the app.
    enum class part : std::uint8_t { whole, some, none };
    [[nodiscard]] part part_of(std::string_view path) const;
    /// Whether only a part of the app is run.
    [[nodiscard]] bool is_of_a_part() const noexcept { return !extents_.empty(); }
    /// What else is done in the transaction of the commit.
    void with_commit(std::function<void(connection&, limits const&)> work);

    /// Enters the component of a path. Returns null where it need not run: nothing has changed, or its output was kept, or it is of another
    /// part of the app than the run; then one that is awaited for what it returns runs all the same.
    [[nodiscard]] std::shared_ptr<component> enter(std::shared_ptr<component> const& parent, std::string path,
                                                   std::optional<fingerprint> const& memo, bool is_awaited = false);

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
    void run_somewhere(std::shared_ptr<component> const& one, component_queue::task task);

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
        if (one.only_leads()) return require_usable(one);
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
    [[nodiscard]] run_table& declare_table(component& one, row_shape shape, target_options options);

    /// Holds a table against the database: whose rows have to be declared anew, because its change loses their values.
    void resolve(run_table& table);

    /// Throws `usage_error` where a component's scope is used by another one, or after its function has returned.
    void require_usable(component& one);

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

    void require_usable_locked(component const& one) const;

    // Tables

    [[nodiscard]] run_table* find_table(std::string_view name) noexcept;

    [[nodiscard]] run_table& add_table(std::string name, row_shape shape, target_options options);

    // The ends of components

    [[nodiscard]] bool keeps_previous() const noexcept { return options_.on_failure == on_failure::keep_previous; }

    /// Whether a component's rows may be merged before it has ended: nobody will discard them or keep them.
    [[nodiscard]] bool merges_early(component const& one) const noexcept;

    /// The function has returned.
    void end_function(component& one);

    /// Where one above may fail, and this one with it, the rows wait for its end.
    void hand_on(component& one, output rows);

    void fail(component& one, std::exception_ptr const& thrown) noexcept;

    /// The failure with the component's name, and the exception that is being handled nested in it.
    [[nodiscard]] static std::exception_ptr named(component const& one, std::exception const& failure);

    void let_previous_stand(component& one, std::exception const& failure);

    /// The first failure counts. What waits for a thread does not run any more.
    void fail_run(std::exception_ptr thrown) noexcept;
    void throw_if_failed() {
        if (has_failed_) [[unlikely]]
            rethrow_failure();
    }
    [[noreturn]] void rethrow_failure();

    /// A component, or one below it, has ended: with the last of them all has.
    void complete(component& one) noexcept;

    /// The component runs again in the next run, also where it only leads to those of this one.
    void forget_memo(component const& one);

    /// All below a component has ended, and so what becomes of its rows is certain as far as it goes itself.
    void settle(component& one);

    // Rows

    void merge(std::uint32_t number, output const& rows);

    void spill_all();
    /// Rows that a connection held which was lost are lost.
    void require_spilled() const;

    [[noreturn]] void throw_duplicate(run_table const& table, std::size_t first, std::span<std::byte const> image, std::uint32_t number);

    /// Takes a component's rows from what an earlier run has kept. Returns false where there is nothing, or not for the tables as they are.
    [[nodiscard]] bool restore(std::shared_ptr<component> const& one);
    void perform_restored(std::shared_ptr<component> const& one, output rows);

    // The root, and waiting

    [[nodiscard]] std::shared_ptr<component> make_root();
    void finish(component const& root);

    /// Waits for a component and all below it, running what waits for a thread meanwhile.
    void wait_for(component const& one);

    /// Likewise for the root; after a failure for what is still running.
    void wait_for_all(component const& root);

    /// What is done now and then: outputs that are due are kept, and progress is told on the run's own thread.
    void tick();

    // The end of the run

    /// A table that only failed components declared is as it was before.
    void drop_empty_tables();

    [[nodiscard]] component_counts counts();

    /// Calls `work(connection, limits)` with a connection that stands, and tells what it returns of the components.
    template <class Work>
    auto write(Work&& work);

    /// `removed` is the commit's to tell.
    template <class Report>
    void tell_of_components(Report& done);

    void end() noexcept;

    static constexpr std::chrono::milliseconds wait_time{200};

    run_options options_;
    std::shared_ptr<context const> resources_;
    purpose why_;
    live_sources* sources_ = nullptr;
    std::string followed_{};                     ///< the path that a run of a part is for
    std::unordered_set<std::string> extents_{};  ///< of a run of a part; the same as the state's
    std::unique_ptr<writer> writer_;
    std::unique_ptr<kept_outputs> kept_;
    component_queue queue_;
    std::unique_ptr<app_record> record_;
    turn state_turn_{};  ///< whose holder may change the state's tables and their rows
    declared_state state_{};
    std::vector<std::unique_ptr<run_table>> tables_{};
    std::unique_ptr<visits> visits_{};
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

[[nodiscard]] std::vector<table_drift> audit_app(std::shared_ptr<registration const> const& where, std::string const& app,
                                                 run_options const& options);
report end_app(std::shared_ptr<registration const> const& where, std::string const& app, run_options const& options);

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/app/detail/app_run_code.hpp>
#endif
