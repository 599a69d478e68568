#pragma once

#include <isorow/target/options.hpp>
#include <isorow/target/report.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

namespace isorow::inline v1 {

/// A number that is raised when a component's function does something else with the same input: memoized components of another version run.
struct version {
    std::int64_t number = 0;

    constexpr explicit version(std::int64_t given) noexcept : number(given) {}
    friend constexpr bool operator==(version const&, version const&) = default;
};

/// What becomes of a run when a component throws.
enum class on_failure : std::uint8_t {
    fail,           ///< the run throws `component_failed` when what was running has ended; nothing is written
    keep_previous,  ///< what the component, and all below it, declared in the last run stands; it runs again in the next, and the report
                    ///< lists it
};

/// Whether what memoized components declare is kept in the database as they finish, so that a run that dies need not call them again.
enum class keep_outputs : std::uint8_t {
    automatic,  ///< together, about once a second: a run that is shorter keeps nothing
    always,     ///< each as it finishes
    never,
};

/// What to do where the app is being run by somebody else.
enum class on_conflict : std::uint8_t {
    wait,    ///< until that run has ended, or `run_options::conflict_timeout` has passed
    refuse,  ///< throw `run_in_progress`
};

/// How far a run has come, told now and then.
struct run_progress {
    component_counts components{};
    std::int64_t rows = 0;  ///< that components which have ended have declared
    std::chrono::steady_clock::duration elapsed{};
};

/// What is said of one run of an app.
struct run_options {
    commit_options commit{};
    isorow::on_failure on_failure = isorow::on_failure::fail;
    std::size_t threads = 1;  ///< how many components run at a time; with 1 each runs where it is mounted
    isorow::keep_outputs keep_outputs = isorow::keep_outputs::automatic;
    isorow::on_conflict on_conflict = isorow::on_conflict::wait;
    std::optional<std::chrono::milliseconds> conflict_timeout{};  ///< how long to wait for another run; nothing: as long as it takes
    std::optional<std::chrono::milliseconds> commit_timeout{};  ///< for the commit as a whole; nothing: each step has the connection's own
    std::stop_token stop{};  ///< ends the run at the next mount or wait; `scope::stop()` passes it to components
    /// Called a few times a second, at mounts and waits, on the thread that runs the app; must not throw. The commit has its own.
    std::function<void(run_progress const&)> progress{};
};

}  // namespace isorow::inline v1
