#pragma once

/// @file
/// The runs of an app that follows its sources: one of the whole, then one for each batch of changes.

#include <isorow/app/detail/live_source.hpp>
#include <isorow/app/follow_options.hpp>
#include <isorow/target/errors.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// `RunWhole`: `report()`; `RunPart`: `report(live_source&, std::vector<std::string> extents)`.
template <class RunWhole, class RunPart>
class live_runs {
public:
    live_runs(live_sources& sources, database_ref const& positions, app_follow_options const& options, RunWhole& whole, RunPart& part)
        : sources_(sources), positions_(positions), options_(options), run_whole_(whole), run_part_(part) {}

    /// Until the stop token says so.
    void follow() {
        try {
            run_whole();
            while (auto* const source = sources_.next()) apply(*source);
        } catch (stopped const&) {
            if (!options_.run.stop.stop_requested()) throw;  // what was under way is rolled back
        }
    }

private:
    void run_whole() {
        for (int attempts = 1;; ++attempts) {
            try {
                tell(run_whole_());
                return sources_.all_applied();
            } catch (error const& failure) {
                if (!may_pass(failure)) throw;
            }
            sources_.begin_again();
            pause(attempts);
        }
    }

    /// Applies a source's batch. A failure that may pass is waited for: the batch is applied again, unless it was, and only the answer to
    /// the commit was lost.
    void apply(live_source& source) {
        for (int attempts = 1;; ++attempts) {
            bool needs_all = false;
            try {
                tell(run_part_(source, source.extents()));
                return sources_.applied(source);
            } catch (needs_whole_run const&) {
                needs_all = true;
            } catch (error const& failure) {
                if (!may_pass(failure)) throw;
            }
            if (needs_all) {
                sources_.end_threads();
                sources_.begin_again();
                return run_whole();
            }
            pause(attempts);
            if (is_saved(source)) return sources_.applied(source);
        }
    }

    [[nodiscard]] bool may_pass(error const& failure) const {
        return !options_.run.stop.stop_requested() && (failure.retryable() || dynamic_cast<commit_unknown const*>(&failure) != nullptr);
    }

    [[nodiscard]] bool is_saved(live_source const& source) const {
        try {
            return source.is_saved_in(positions_);
        } catch (error const& failure) {
            if (!may_pass(failure)) throw;
            return false;  // the next attempt fails as well, or finds the position moved
        }
    }

    void pause(int attempts) const {
        pause_for(std::min(std::chrono::milliseconds(20 << std::min(attempts, 8)), std::chrono::milliseconds(5000)),
                  limits::until_stopped(options_.run.stop), "waiting to apply changes again");
    }

    void tell(report const& done) const {
        if (options_.on_commit) options_.on_commit(done);
    }

    live_sources& sources_;
    database_ref positions_;
    app_follow_options const& options_;
    RunWhole& run_whole_;
    RunPart& run_part_;
};

}  // namespace isorow::inline v1::detail
