#pragma once

#include <isorow/error/error.hpp>

#include <string>

#include <sqlite3.h>

namespace isorow::inline v1 {

/// What SQLite says of a file or a statement. `code`: its extended result code, such as SQLITE_CONSTRAINT_UNIQUE.
class sqlite_error : public error {
public:
    sqlite_error(std::string const& message, int code) : error(message), code_(code) {}

    [[nodiscard]] int code() const noexcept { return code_; }
    /// Another process had the file locked for longer than was waited.
    [[nodiscard]] bool retryable() const noexcept override { return (code_ & 0xff) == SQLITE_BUSY || (code_ & 0xff) == SQLITE_LOCKED; }

private:
    int code_;
};

}  // namespace isorow::inline v1
