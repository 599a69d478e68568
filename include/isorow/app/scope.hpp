#pragma once

#include <isorow/app/context_key.hpp>
#include <isorow/app/detail/app_run.hpp>
#include <isorow/app/input_hasher.hpp>
#include <isorow/app/options.hpp>
#include <isorow/app/scope_path.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace isorow::inline v1 {

class scope;
class table_schema;
class pending_schema_target;
class schema_target;
template <class T>
class pending_target;
template <class T>
class table_target;
template <class T>
class source;

namespace detail {

template <class Function>
concept component_function = std::invocable<Function&, scope>;

/// A function of a scope and an input, or of a scope and the elements of an input that is a tuple.
template <class Function, class Input>
concept unpacked_function = !std::invocable<Function&, scope, Input const&> && requires { std::tuple_size<Input>::value; };

template <class Function, class Input>
decltype(auto) call_component(Function& function, scope here, Input const& input);

}  // namespace detail

/// Where in a run something is declared: a component, and names below it. Rows belong to the component, which is the nearest mount above,
/// or the root; `here / "row" / 17` only names.
///
/// Valid while the component's function runs; used later, or by another component, it throws `usage_error`. Copied freely. A component
/// may use its scope on several threads.
class scope {
public:
    /// A path below this one, of the same component.
    template <path_element_value Name>
    [[nodiscard]] scope operator/(Name const& name) const {
        scope below(*this);
        below.names_ += '/';
        below.names_ += path_element(name).text();
        return below;
    }

    [[nodiscard]] scope_path path() const { return scope_path::parse(full_path({})); }

    /// The resource that the app provides under a key. Throws `usage_error` where it provides none.
    template <class T>
    [[nodiscard]] T& use(context_key<T> const& key) const {
        component_->run().require_open();
        return component_->run().resources().use(key);
    }

    /// The run's stop token, to be passed to whatever takes long.
    [[nodiscard]] std::stop_token const& stop() const noexcept { return component_->run().stop(); }

    /// Declares T's table: created, or altered to fit, by the commit. Rows can be declared once it is resolved.
    template <class T>
    [[nodiscard]] pending_target<T> declare_target(target_options options = {}) const;
    /// Declares T's table and resolves it.
    template <class T>
    [[nodiscard]] table_target<T> target(target_options options = {}) const;

    /// Declares a table that is described at run time: its rows may be of any kind that has its columns. Throws `usage_error` where it has
    /// no name or no key.
    [[nodiscard]] pending_schema_target declare_target(table_schema const& schema, target_options options = {}) const;
    [[nodiscard]] schema_target target(table_schema const& schema, target_options options = {}) const;

    /// Mounts a component that runs in each run: `function(scope)` declares its rows, under the path below this scope. With threads, it may
    /// run after this call has returned, and at the same time as others. Throws `usage_error` where the path was mounted before in this
    /// run, and what fails the run.
    template <class Function>
    void mount(scope_path const& path, Function&& function) const {
        static_assert(
            detail::component_function<std::remove_reference_t<Function>>,
            "isorow: a component is mounted with a function that takes an isorow::scope; one with an input is mounted as mount(path, "
            "version{1}, input, function), and its function takes scope and input");
        start(component_->run().enter(component_, full_path(path), std::nullopt), std::tuple<>(), function);
    }

    /// Mounts a memoized component: `function(scope, input)` is called only if the input's fingerprint or the version is another one than
    /// in the last committed run; otherwise what it declared then, and all that it mounted, stands. What the function reads beside its
    /// input is not looked at: where that changes, raise the version. The input is copied or moved where the component runs on another
    /// thread; several are given as a tuple.
    template <class Input, class Function>
    void mount(scope_path const& path, version number, Input&& input, Function&& function) const {
        using stored = std::remove_cvref_t<Input>;
        static_assert(
            std::invocable<std::remove_reference_t<Function>&, scope, stored const&> ||
                detail::unpacked_function<std::remove_reference_t<Function>, stored>,
            "isorow: a memoized component's function takes an isorow::scope and the input, or the elements of a tuple, as constants");
        auto const one = component_->run().enter(component_, full_path(path), detail::memo_of(number.number, input));
        start(one, std::forward<Input>(input), function);
    }

    /// Mounts a memoized component without an input: it runs once for each version.
    template <class Function>
        requires detail::component_function<std::remove_reference_t<Function>>
    void mount(scope_path const& path, version number, Function&& function) const {
        start(component_->run().enter(component_, full_path(path), detail::memo_of(number.number, std::tuple<>())), std::tuple<>(),
              function);
    }

    /// Runs a component to its end, with all that it mounts, and returns what its function returns. Throws `component_failed` where it
    /// failed, also where a run keeps the former rows of components that fail.
    template <class Function>
    auto run(scope_path const& path, Function&& function) const -> std::invoke_result_t<Function&, scope> {
        using returned = std::invoke_result_t<Function&, scope>;
        auto const one = component_->run().enter(component_, full_path(path), std::nullopt, true);
        if constexpr (std::is_void_v<returned>) {
            component_->run().run_to_its_end(one, [&] { std::invoke(function, scope(one)); });
        } else {
            std::optional<returned> value;
            component_->run().run_to_its_end(one, [&] { value.emplace(std::invoke(function, scope(one))); });
            return std::move(*value);
        }
    }

    /// Mounts a memoized component for each row of a source: `function(scope, row)`, below the path by the row's primary key, as
    /// `mount(path / key, number, row, function)` does. In a run of `app::follow` the source is followed by `how` from then on, and what
    /// becomes of its rows runs their components alone; in others the rows are those that are there, whatever `how` says. See
    /// `app/mount_each.hpp`.
    template <class T, class How, class Function>
    void mount_each(scope_path const& path, source<T> const& from, How const& how, version number, Function const& function) const;

private:
    friend class app;
    friend class schema_target;
    template <class T>
    friend class table_target;

    explicit scope(std::shared_ptr<detail::component> one) : component_(std::move(one)) {}

    /// Throws `usage_error` where a handle of this run is used with the scope of another one.
    void require_run(std::shared_ptr<detail::app_run> const& run, std::string_view table) const {
        if (component_->shared_run() == run) [[likely]]
            return;
        run->require_open();
        throw usage_error(text("the handle of {} belongs to another run than the scope", table));
    }

    [[nodiscard]] std::string full_path(scope_path const& below) const {
        std::string path;
        path.reserve(component_->path().size() + names_.size() + below.text().size());
        return path.append(component_->path()).append(names_).append(below.text());
    }

    /// A component with what it is called with, for another thread.
    template <class Input, class Function>
    class component_call final : public detail::component_task {
    public:
        template <class From, class Called>
        component_call(std::shared_ptr<detail::component> one, From&& input, Called&& function)
            : one_(std::move(one)), input_(std::forward<From>(input)), function_(std::forward<Called>(function)) {}

        void run() noexcept override {
            one_->run().perform(one_, [this] { detail::call_component(function_, scope(one_), input_); });
        }
        [[nodiscard]] bool is_below(detail::component const& above) const noexcept override { return one_->is_below(above); }

    private:
        std::shared_ptr<detail::component> one_;
        Input input_;
        Function function_;
    };

    template <class Input, class Function>
    void start(std::shared_ptr<detail::component> const& one, Input&& input, Function&& function) const {
        if (!one) return;
        auto& run = one->run();
        if (!run.has_room()) return run.run_here(one, [&] { detail::call_component(function, scope(one), input); });
        using call = component_call<std::remove_cvref_t<Input>, std::remove_cvref_t<Function>>;
        std::unique_ptr<call> task;
        try {
            task = std::make_unique<call>(one, std::forward<Input>(input), std::forward<Function>(function));
        } catch (...) {
            // An input that cannot be copied is the component's failure.
            auto const thrown = std::current_exception();
            return run.run_here(one, [&] { std::rethrow_exception(thrown); });
        }
        run.run_somewhere(one, std::move(task));
    }

    std::shared_ptr<detail::component> component_;
    std::string names_{};
};

namespace detail {

template <class Function, class Input>
decltype(auto) call_component(Function& function, scope here, Input const& input) {
    if constexpr (std::invocable<Function&, scope, Input const&>) return std::invoke(function, std::move(here), input);
    else
        return std::apply([&](auto const&... elements) -> decltype(auto) { return std::invoke(function, std::move(here), elements...); },
                          input);
}

}  // namespace detail

}  // namespace isorow::inline v1
