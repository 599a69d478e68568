#pragma once

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

/// A component threw, and so the run failed; nothing was written. The exception that it threw is nested in this one:
/// `std::rethrow_if_nested(failure)` throws it.
class component_failed : public error {
public:
    component_failed(std::string path, std::string_view what, bool retryable = false)
        : error(text("the component {} failed: {}", path, what)), path_(std::move(path)), retryable_(retryable) {}

    /// The component's path: `/product/17`.
    [[nodiscard]] std::string const& path() const noexcept { return path_; }
    /// Whether the exception was one of isorow's that a second run may not meet.
    [[nodiscard]] bool retryable() const noexcept override { return retryable_; }

private:
    std::string path_;
    bool retryable_;
};

/// The app is being run by somebody else. The message says by whom. Nothing was done.
class run_in_progress final : public error {
public:
    using error::error;
    [[nodiscard]] bool retryable() const noexcept override { return true; }
};

namespace detail {

/// A run of a part of an app cannot do what is needed.
class needs_whole_run final : public error {
public:
    using error::error;
};

}  // namespace detail

}  // namespace isorow::inline v1
