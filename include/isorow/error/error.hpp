#pragma once

#include <stdexcept>
#include <string>

namespace isorow::inline v1 {

/// The base of everything that isorow throws. `what()` is a whole sentence in the user's words; it never holds a password or a
/// bound value.
class error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;

    /// Whether the same operation, done again as a whole, may succeed with nothing else changed.
    [[nodiscard]] virtual bool retryable() const noexcept { return false; }
};

/// isorow was used in a way that its contract excludes, such as a declaration after the commit.
class usage_error : public error {
public:
    using error::error;
};

}  // namespace isorow::inline v1
