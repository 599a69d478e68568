#pragma once

#include <isorow/app/options.hpp>
#include <isorow/target/report.hpp>

#include <cstddef>
#include <functional>

namespace isorow::inline v1 {

/// What is said of an app that follows its sources.
struct app_follow_options {
    run_options run{};         ///< of each run; its stop token ends the following
    std::size_t batch = 1000;  ///< how many rows or changed keys of a source are applied together
    /// Called after each commit, that of the first run of the whole app included, on the thread that follows.
    std::function<void(report const&)> on_commit{};
};

}  // namespace isorow::inline v1
