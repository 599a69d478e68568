#pragma once

/// @file
/// SQLite's files and prepared statements. Source: sqlite.org, "C-language Interface Specification for SQLite".

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/sqlite/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <sqlite3.h>

namespace isorow::inline v1::detail {

/// A statement that is prepared once and run many times, by one caller at a time.
class sqlite_statement {
public:
    sqlite_statement(sqlite3* database, std::string const& sql) : database_(database) {
        sqlite3_stmt* made = nullptr;
        auto const code =
            sqlite3_prepare_v3(database, sql.c_str(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &made, nullptr);
        statement_.reset(made);
        if (code != SQLITE_OK) fail();
    }

    /// One run of the statement, with its values bound; the statement is free for another run when it ends.
    class run {
    public:
        template <class... Values>
        explicit run(sqlite_statement& of, Values const&... values) : of_(of) {
            int place = 0;
            (of.bind(++place, values), ...);
        }
        run(run const&) = delete;
        run& operator=(run const&) = delete;
        ~run() {
            sqlite3_reset(handle());
            sqlite3_clear_bindings(handle());
        }

        /// The next row, or false behind the last.
        bool next() {
            auto const code = sqlite3_step(handle());
            if (code != SQLITE_ROW && code != SQLITE_DONE) of_.fail();
            return code == SQLITE_ROW;
        }
        /// Refers to the row: until the next one.
        [[nodiscard]] std::string_view text(int column) const {
            auto const* const bytes = reinterpret_cast<char const*>(sqlite3_column_text(handle(), column));
            return {bytes == nullptr ? "" : bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle(), column))};
        }
        [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(handle(), column); }

    private:
        [[nodiscard]] sqlite3_stmt* handle() const noexcept { return of_.statement_.get(); }

        sqlite_statement& of_;
    };

private:
    struct finalizer {
        void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
    };

    /// The text has to stay until the run ends.
    void bind(int place, std::string_view text) {
        if (sqlite3_bind_text64(statement_.get(), place, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK) fail();
    }
    void bind(int place, std::int64_t number) {
        if (sqlite3_bind_int64(statement_.get(), place, number) != SQLITE_OK) fail();
    }

    [[noreturn]] void fail() const { throw sqlite_error(sqlite3_errmsg(database_), sqlite3_extended_errcode(database_)); }

    sqlite3* database_;
    std::unique_ptr<sqlite3_stmt, finalizer> statement_{};
};

/// An open file, or a database in memory for the name ":memory:". Used by one thread at a time.
class sqlite_database {
public:
    /// Makes the file where it is not there. `patience`: how long a statement waits for others that have the file locked. Throws
    /// `usage_error` for an empty path, which to SQLite is a file that is gone when it is closed.
    sqlite_database(std::filesystem::path const& path, std::chrono::milliseconds patience) {
        if (path.empty()) throw usage_error("a database of SQLite has a path, or is \":memory:\"");
        sqlite3* made = nullptr;
        auto const code = sqlite3_open_v2(path.c_str(), &made, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
        database_.reset(made);
        if (code != SQLITE_OK) throw sqlite_error(text("{}: {}", path.string(), sqlite3_errstr(code)), code);
        sqlite3_busy_timeout(made, static_cast<int>(std::min<std::int64_t>(patience.count(), std::numeric_limits<int>::max())));
    }

    [[nodiscard]] sqlite_statement prepare(std::string const& sql) const { return {database_.get(), sql}; }

    /// Runs statements without values.
    void execute(std::string const& sql) const {
        if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
            throw sqlite_error(sqlite3_errmsg(database_.get()), sqlite3_extended_errcode(database_.get()));
    }

    /// Whether a transaction is open: an error may have ended it.
    [[nodiscard]] bool is_in_transaction() const noexcept { return sqlite3_get_autocommit(database_.get()) == 0; }

private:
    struct closer {
        void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
    };

    std::unique_ptr<sqlite3, closer> database_{};
};

}  // namespace isorow::inline v1::detail
