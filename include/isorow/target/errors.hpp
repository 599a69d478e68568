#pragma once

/// @file
/// What a commit throws, beside the server's errors.

#include <isorow/error/declaration_error.hpp>
#include <isorow/error/mismatch.hpp>
#include <isorow/target/destructive_change.hpp>

namespace isorow::inline v1 {

/// A commit would delete a greater share of a table's rows than the guard allows. Nothing was written.
class too_many_deletions final : public declaration_error {
public:
    using declaration_error::declaration_error;
};

/// Another run of the app was committed while this one computed. Nothing was written.
class run_conflict final : public error {
public:
    using error::error;

    [[nodiscard]] bool retryable() const noexcept override { return true; }
};

}  // namespace isorow::inline v1
