#pragma once

#include <isorow/app/scope.hpp>
#include <isorow/codec/row.hpp>
#include <isorow/codec/text_policy.hpp>
#include <isorow/target/detail/shape.hpp>

#include <memory>
#include <ranges>
#include <string>
#include <utility>

namespace isorow::inline v1 {

/// A table that is declared in a run, and takes rows. Valid in that run only: later it throws `usage_error`. Copied freely; used on several
/// threads with scopes of their own.
template <class T>
class table_target {
public:
    /// Declares a row for the component of a scope. Throws `unrepresentable` with struct, field, row number and component for a value that
    /// its column cannot hold. That two rows have one key is noticed when their components have ended, and fails the run.
    void row(scope const& here, T const& value) const {
        here.require_run(run_, table_->name);
        run_->declare_row(*here.component_, *table_, [&](byte_writer& out) {
            auto const policy = table_->declared->options.text;
            if (policy == text_policy::refuse) encode_row<T, row_order::key_first>(value, out);
            else encode_row<T, row_order::key_first>(cleaned_row(value, policy), out);
        });
    }

    /// Declares each row of a range.
    template <std::ranges::input_range Rows>
    void rows(scope const& here, Rows&& values) const {
        for (auto&& value : values) row(here, value);
    }

    /// The table's name with its schema, quoted.
    [[nodiscard]] std::string const& name() const noexcept { return table_->name; }

private:
    friend class pending_target<T>;
    table_target(std::shared_ptr<detail::app_run> run, detail::run_table& table) : run_(std::move(run)), table_(&table) {}

    std::shared_ptr<detail::app_run> run_;
    detail::run_table* table_;
};

/// A table that is declared in a run and was not held against the database yet: it takes no rows.
template <class T>
class pending_target {
public:
    /// Holds the table against the database. Throws what the commit would: `not_owned`, `mismatch`, `destructive_change`. Where rows have
    /// to be declared anew, as the table changes so that they are lost, their components run whatever their input: so tables are resolved
    /// before components are mounted.
    [[nodiscard]] table_target<T> resolve() const {
        run_->resolve(*table_);
        return table_target<T>(run_, *table_);
    }

    /// The table's name with its schema, quoted.
    [[nodiscard]] std::string const& name() const noexcept { return table_->name; }

private:
    friend class scope;
    pending_target(std::shared_ptr<detail::app_run> run, detail::run_table& table) : run_(std::move(run)), table_(&table) {}

    std::shared_ptr<detail::app_run> run_;
    detail::run_table* table_;
};

template <class T>
pending_target<T> scope::declare_target(target_options options) const {
    auto& run = component_->run();
    auto shape = detail::shape_of<T>(options);
    auto& table = run.declare_table(*component_, std::move(shape), std::move(options));
    return pending_target<T>(component_->shared_run(), table);
}

template <class T>
table_target<T> scope::target(target_options options) const {
    return declare_target<T>(std::move(options)).resolve();
}

}  // namespace isorow::inline v1
