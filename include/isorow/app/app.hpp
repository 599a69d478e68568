#pragma once

/// @file
/// Tables as functions of something that changes: an app declares rows under scopes, component by component, and each run commits what has
/// become of them.

#include <isorow/app/context_key.hpp>
#include <isorow/app/detail/app_run.hpp>
#include <isorow/app/detail/live_runs.hpp>
#include <isorow/app/errors.hpp>
#include <isorow/app/follow_options.hpp>
#include <isorow/app/mount_each.hpp>
#include <isorow/app/options.hpp>
#include <isorow/app/registration.hpp>
#include <isorow/app/schema_target.hpp>
#include <isorow/app/scope.hpp>
#include <isorow/app/scope_path.hpp>
#include <isorow/app/table_target.hpp>
#include <isorow/target/drift_report.hpp>
#include <isorow/target/errors.hpp>
#include <isorow/target/plan.hpp>
#include <isorow/target/report.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// What a run would do, with the rows that it declared, so that exactly this can be done: `app::apply`. Move-only.
class planned_run : public plan {
public:
    planned_run(planned_run&&) noexcept = default;
    planned_run& operator=(planned_run&&) noexcept = default;
    planned_run(planned_run const&) = delete;
    planned_run& operator=(planned_run const&) = delete;
    ~planned_run() = default;

private:
    friend class app;
    planned_run(plan made, std::shared_ptr<detail::app_run> declared) : plan(std::move(made)), declared_(std::move(declared)) {}

    std::shared_ptr<detail::app_run> declared_;
};

/// Keeps tables of one database as its runs declare them.
///
///     app catalogue{register_db("main_db", db), "catalogue"};
///     report done = catalogue.run([&](scope root) {
///         auto products = root.target<Product>();
///         for (SourceProduct const& row : source.rows())
///             root.mount({"product", row.id}, version{2}, row,
///                        [=](scope here, SourceProduct const& in) { products.row(here, to_product(in)); });
///     });
///
/// A run makes the tables equal to what it declares: rows that a component declared in an earlier run and declares no longer, or whose
/// component is mounted no longer, are deleted, and tables that are declared no longer are dropped, where that is allowed. Rows and the
/// record of them are written in one transaction at the end, or not at all; none is open while components run.
///
/// Two apps of one database do not share tables that isorow makes. Two runs of one app, wherever they are started, follow each other, or
/// the second is refused. A run holds one connection of the pool; components that use the same pool need others.
///
/// Runs of one object may be started by several threads; `provide` not at the same time as they.
class app {
public:
    /// Connects to nothing yet. `name`: stable, as the database's key is: by both the app's tables are recognised. The database stays
    /// registered for as long as the app lives. Throws `usage_error` for a name that is empty or no text.
    app(database const& where, std::string name) : where_(where.registered_), name_(std::move(name)) {
        detail::check_stable_name(name_, "an app");
    }

    [[nodiscard]] std::string const& name() const noexcept { return name_; }

    /// Gives components a resource: `scope::use` finds it by the key. A value that was provided under the key before is replaced for later
    /// runs. What is not copied or moved in is given as `std::ref`, and must outlive the runs.
    template <class T, class Value>
    void provide(context_key<T> const& key, Value&& value) {
        using stored = std::remove_const_t<T>;
        static_assert(std::constructible_from<stored, Value&&>,
                      "isorow: the value provided is not one of the key's type, or it cannot be copied: move it in, or give it as "
                      "std::ref, and keep it");
        change([&](detail::context& all) { all.provide<T>(key, std::make_shared<stored>(std::forward<Value>(value))); });
    }
    template <class T, class Value>
        requires std::convertible_to<Value&, T&>
    void provide(context_key<T> const& key, std::reference_wrapper<Value> value) {
        change([&](detail::context& all) { all.provide(key, std::shared_ptr<T>(std::shared_ptr<void>(), &static_cast<T&>(value.get()))); });
    }

    /// Runs the app: `main(scope)` is the root component, which declares tables and mounts components. Commits what they declare. Throws
    /// what `main` throws, `component_failed` where a component did, `duplicate_key` where two rows have one key, naming it and whose they
    /// are, `run_in_progress`, `stopped`, and what the commit throws, such as `destructive_change`, `too_many_deletions`, `untracked_key`;
    /// nothing is written then.
    template <std::invocable<scope> Main>
    report run(Main&& main, run_options const& options = {}) {
        return run_under({}, std::forward<Main>(main), options);
    }

    /// Runs a part of the app: `main` is the component of the path. What is not at or below it stays as it is.
    template <std::invocable<scope> Main>
    report run_under(scope_path const& path, Main&& main, run_options const& options = {}) {
        auto const one = begin(options, path, detail::app_run::purpose::commit);
        detail::app_run::ending const ends(*one);
        one->open();
        declare(*one, main);
        return one->commit();
    }

    /// Runs the app, and then keeps its tables equal to what it declares of the sources that it mounts by `scope::mount_each`, until
    /// `options.run.stop` says so. Each batch of changes is a run of its own, of the components of the rows that changed, and is committed
    /// together with how far the source was followed: so each change has its effect once, whatever is interrupted where. For that, `main`
    /// is called again, on the thread that follows; what it mounts elsewhere is passed over, and what it declares itself stands, so that
    /// all that takes long belongs into components.
    ///
    /// What fails for a lost connection, a lock or a conflict is tried again; any other failure is thrown, and following may be begun
    /// again. A component that fails and keeps its former rows, where that is chosen, runs again when its row changes, or when following
    /// begins again. A run needs a connection of the pool, and each source one more while it reads, beside one of its own that listens.
    template <std::invocable<scope> Main>
    void follow(Main&& main, app_follow_options const& options = {}) {
        detail::live_sources sources(where_->pool(), name_, options.batch, options.run.stop);
        auto const run = [&](std::string followed, std::vector<std::string> extents) {
            auto how = options.run;
            if (!extents.empty()) how.keep_outputs = keep_outputs::never;
            auto const one = begin(how, {}, detail::app_run::purpose::commit);
            detail::app_run::ending const ends(*one);
            one->follow(sources, std::move(followed), std::move(extents));
            one->open();
            declare(*one, main);
            return one->commit();
        };
        auto whole = [&] { return run({}, {}); };
        auto part = [&](detail::live_source& source, std::vector<std::string> extents) { return run(source.path(), std::move(extents)); };
        detail::live_runs<decltype(whole), decltype(part)>(sources, database_ref(where_->pool()), options, whole, part).follow();
    }

    /// Runs the components and returns what the commit would do. Nothing is written. Keeps what they declared for `apply`.
    template <std::invocable<scope> Main>
    [[nodiscard]] planned_run plan(Main&& main, run_options const& options = {}) {
        auto one = begin(options, {}, detail::app_run::purpose::plan);
        detail::app_run::ending const ends(*one);
        one->open();
        declare(*one, main);
        planned_run made(one->plan(), one);
        one->keep_for_apply();
        return made;
    }

    /// Does exactly what a plan says, once, as the plan's options say. `allowed`: the word for a plan that is destructive, where its
    /// options did not have it. Throws `plan_outdated` where the database has moved on since, and writes nothing then.
    report apply(planned_run const& planned, allow allowed = allow::safe) { return planned.declared_->apply(planned, allowed); }

    /// What others have done to the app's rows since it wrote them.
    [[nodiscard]] std::vector<table_drift> audit(run_options const& options = {}) { return detail::audit_app(where_, name_, options); }

    /// Runs the app so that rows which others have changed or deleted are as declared again: their components run whatever their input.
    template <std::invocable<scope> Main>
    report repair(Main&& main, run_options options = {}) {
        options.commit.drift = drift::mend;
        auto const one = begin(options, {}, detail::app_run::purpose::commit);
        detail::app_run::ending const ends(*one);
        one->open();
        one->require_drifted();
        declare(*one, main);
        return one->commit();
    }

    /// Drops the tables that the app made, deletes its rows from others, and forgets it. Throws `destructive_change` unless
    /// `options.commit.allow` is `destructive`. What cannot be dropped now is told in `postponed` and tried again by the next call.
    report remove(run_options const& options = {}) { return detail::end_app(where_, name_, options); }

private:
    [[nodiscard]] std::shared_ptr<detail::app_run> begin(run_options const& options, scope_path const& under,
                                                         detail::app_run::purpose why) const {
        return std::make_shared<detail::app_run>(where_, name_, resources_, options, under.text(), why);
    }

    template <class Main>
    static void declare(detail::app_run& one, Main& main) {
        one.run([&](std::shared_ptr<detail::component> const& root) { std::invoke(main, scope(root)); });
    }

    /// A run that is under way keeps what it began with.
    template <class Change>
    void change(Change&& how) {
        auto next = std::make_shared<detail::context>(*resources_);
        how(*next);
        resources_ = std::move(next);
    }

    std::shared_ptr<detail::registration const> where_;
    std::string name_;
    std::shared_ptr<detail::context const> resources_ = std::make_shared<detail::context const>();
};

}  // namespace isorow::inline v1
