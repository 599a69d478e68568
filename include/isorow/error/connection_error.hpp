#pragma once

#include <isorow/error/error.hpp>

namespace isorow::inline v1 {

/// A connection could not be made, or cannot be used. Names the endpoint that was tried, never a password.
class connection_error : public error {
public:
    using error::error;
    [[nodiscard]] bool retryable() const noexcept override { return true; }
};

/// The connection broke while something was under way; what was under way may or may not have happened.
class connection_lost final : public connection_error {
public:
    using connection_error::connection_error;
};

/// The deadline passed. What was under way was cancelled on the server, or the connection closed.
class timed_out final : public error {
public:
    using error::error;
    [[nodiscard]] bool retryable() const noexcept override { return true; }
};

/// A pool refuses to let anybody else wait: more than its `max_waiting` wait already.
class too_many_requests final : public error {
public:
    using error::error;
    [[nodiscard]] bool retryable() const noexcept override { return true; }
};

/// The caller's stop token asked to stop. What was under way was cancelled on the server, or the connection closed.
class stopped final : public error {
public:
    using error::error;
};

/// The answer to a COMMIT was lost, and whether the transaction was committed could not be found out.
class commit_unknown final : public error {
public:
    using error::error;
};

}  // namespace isorow::inline v1
