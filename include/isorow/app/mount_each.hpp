#pragma once

/// @file
/// A component for each row of a source.

#include <isorow/app/detail/live_source.hpp>
#include <isorow/app/scope.hpp>
#include <isorow/source/source.hpp>

#include <optional>
#include <tuple>
#include <utility>

namespace isorow::inline v1 {

template <class T, class How, class Function>
void scope::mount_each(scope_path const& path, source<T> const& from, How const& how, version number, Function const& function) const {
    using access = detail::source_access;
    auto& run = component_->run();
    auto const full = full_path(path);
    auto const each = [number, function](scope const& here, typename source_event<T>::key_type const& key, T const& row) {
        here.mount(detail::path_of_key<T>(key), number, row, function);
    };
    if (run.sources() == nullptr) {
        start(run.enter(component_, full, std::nullopt), std::tuple<>(), [from, each](scope const& here) {
            auto const key_of = access::key_maker(from);
            for (T const& row : from.rows()) each(here, key_of(row), row);
        });
        return;
    }
    auto const part = run.part_of(full);
    if (part == detail::app_run::part::none) return;
    auto const live = run.sources()->template open<T>(full, from, how);
    // With the same source and version as in the last run, what was mounted stands, and the changes since its position are told next.
    std::optional<detail::fingerprint> memo;
    if (!run.is_of_a_part())
        if (auto const identity = access::identity_of(from)) memo = detail::memo_of(number.number, *identity);
    auto const one = run.enter(component_, full, memo);
    if (!one) return;
    if (!run.is_of_a_part()) live->begin_again();
    start(one, std::tuple<>(), [live, each, &run](scope const& here) {
        live->for_each_row(here.stop(), [&](auto const& key, T const& row) { each(here, key, row); });
        run.with_commit([live](connection& connection, limits const& limits) { live->save(database_ref(connection, limits)); });
    });
}

}  // namespace isorow::inline v1
