#pragma once

#include <isorow/app/detail/output.hpp>
#include <isorow/target/detail/fingerprint.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

class app_run;

/// One component of a run: a function that declares rows, and the owner of these. Kept alive by its scopes and by the components that it
/// mounted. What it has collected is guarded by its mutex.
class component {
public:
    component(std::shared_ptr<app_run> run, std::shared_ptr<component> parent, std::string path, std::uint32_t number,
              std::optional<fingerprint> memo)
        : run_(std::move(run)), parent_(std::move(parent)), path_(std::move(path)), number_(number), memo_(memo) {}
    component(component const&) = delete;
    component& operator=(component const&) = delete;

    [[nodiscard]] app_run& run() const noexcept { return *run_; }
    [[nodiscard]] std::shared_ptr<app_run> const& shared_run() const noexcept { return run_; }
    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    [[nodiscard]] bool is_root() const noexcept { return parent_ == nullptr; }
    /// Whether it only leads to components of the run's part: what it declared before stands, whatever it declares now.
    [[nodiscard]] bool only_leads() const noexcept { return number_ == no_owner; }
    [[nodiscard]] bool is_below(component const& above) const noexcept {
        for (auto const* one = this; one != nullptr; one = one->parent_.get())
            if (one == &above) return true;
        return false;
    }

private:
    friend class app_run;
    /// The number of those that are no owners in this run.
    static constexpr std::uint32_t no_owner = UINT32_MAX;

    /// The output of a component that has ended, while the end of one above it is awaited.
    struct held_output {
        std::uint32_t number;
        output rows;
    };

    std::shared_ptr<app_run> run_;
    std::shared_ptr<component> parent_;
    std::string path_;
    std::uint32_t number_;
    std::optional<fingerprint> memo_;
    std::atomic<std::int64_t> pending_{1};                 ///< its own function, and the components below that have not ended
    std::atomic<component const*> running_here_{nullptr};  ///< the one that it mounted and that runs within its own call of mount
    std::atomic<bool> only_rows_{true};                    ///< it has declared nothing but rows: then its output can be kept
    std::atomic<bool> failed_below_{false};
    std::atomic<bool> settled_{false};
    bool failed_ = false;
    std::exception_ptr thrown_{};
    std::mutex mutex_{};
    bool has_ended_ = false;  ///< its function has
    output rows_{};
    std::vector<held_output> held_{};
};

/// The component that this thread runs, where it is one of the queue's threads; null on others, where coroutines may take turns.
inline thread_local component const* component_of_thread = nullptr;

}  // namespace isorow::inline v1::detail
