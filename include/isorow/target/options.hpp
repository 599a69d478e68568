#pragma once

#include <isorow/codec/text_policy.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

/// Who makes a target's table, alters it and drops it.
enum class managed_by : std::uint8_t {
    system,  ///< isorow: the table is created, altered to fit, and dropped when it is declared no longer
    user,    ///< the user: the table is never altered. It is held against the declaration, and every difference is named
};

/// Whose rows a target's table holds.
enum class ownership : std::uint8_t {
    exclusive,  ///< all rows are this target's: what it does not declare is deleted
    shared,     ///< rows of others stay untouched; this target's own are recorded in `isorow.tracked`
};

/// What a target may take over that isorow did not make.
enum class adopt : std::uint8_t {
    nothing,  ///< a table that exists already is refused
    table,    ///< the table is used; its rows stay others' (an exclusive target needs it to be empty)
    rows,     ///< the table is used, and its rows become this target's where their keys are declared (exclusive: all its rows)
};

/// Which changes may be made to a table without being asked for one by one.
enum class allow : std::uint8_t {
    safe,         ///< what loses nothing: columns and indexes added, types widened
    destructive,  ///< also what loses values: columns and tables dropped, types narrowed, keys changed
};
inline constexpr allow destructive = allow::destructive;

/// What to do about rows of ours that somebody else has changed, deleted or added since.
enum class drift : std::uint8_t {
    ignore,  ///< not looked for. Where the table itself is the record of what was declared, they are seen and mended all the same
    mend,    ///< looked for in each commit, and written over
};

/// SQL that belongs to a table: a trigger, a grant, a view. It is run when it is new, and when its text has changed after the old one's
/// undo; the undo is run when it is declared no longer, and before the table is dropped.
struct attachment {
    std::string name;  ///< stable: by it a changed text is told from a new attachment
    std::string sql;
    std::string undo;
};

/// Refuses to delete a great part of a table's rows by mistake.
struct deletion_guard {
    double share = 0.5;         ///< of the rows that the table, or the record of it, has: more than that is refused
    std::int64_t above = 1000;  ///< in tables with more rows than this; smaller ones are not guarded

    friend bool operator==(deletion_guard const&, deletion_guard const&) = default;
};

/// What a commit or plan is doing.
enum class progress_phase : std::uint8_t {
    comparing,  ///< reading what the table, or the record of it, has
    writing,    ///< sending what differs
};

/// A state of a commit or plan, told now and then.
struct progress {
    progress_phase phase = progress_phase::comparing;
    std::int64_t rows = 0;                          ///< rows read or sent so far in this phase
    std::int64_t expected_rows = 0;                 ///< how many there will be, as far as known
    std::int64_t bytes = 0;                         ///< bytes read or sent so far in this phase
    std::string_view table{};                       ///< the table's name with its schema, quoted; valid during the call
    std::chrono::steady_clock::duration elapsed{};  ///< since the phase began

    [[nodiscard]] double rows_per_second() const noexcept {
        auto const seconds = std::chrono::duration<double>(elapsed).count();
        return seconds > 0 ? static_cast<double>(rows) / seconds : 0;
    }
    /// How long the rest of the phase will take at this rate; 0 where that is not known.
    [[nodiscard]] std::chrono::steady_clock::duration remaining() const noexcept {
        if (rows <= 0 || expected_rows <= rows) return {};
        return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
            elapsed * (static_cast<double>(expected_rows - rows) / static_cast<double>(rows)));
    }
};

/// What is said of one commit or run, whatever its tables.
struct commit_options {
    isorow::allow allow = isorow::allow::safe;
    isorow::drift drift = isorow::drift::ignore;
    deletion_guard guard{};
    std::chrono::milliseconds lock_timeout{
        2000};              ///< how long a change of a table waits for its lock before all is rolled back and tried again
    int lock_attempts = 5;  ///< how often that is tried
    std::size_t memory = std::size_t{104} << 20;              ///< bytes of declared rows that the client holds; more wait on the server
    std::function<void(isorow::progress const&)> progress{};  ///< called now and then from the committing thread; must not throw
};

/// What is said of a target's table beside its struct.
struct target_options {
    std::string table{};   ///< the table's name; the struct's own where it is empty
    std::string schema{};  ///< the table's schema; the struct's own (`public`) where it is empty
    isorow::managed_by managed_by = isorow::managed_by::system;
    isorow::ownership ownership = isorow::ownership::exclusive;
    std::string owner = "default";  ///< who declares, where several owners keep rows: a stable name. Apps have scopes instead
    isorow::adopt adopt = isorow::adopt::nothing;
    text_policy text = text_policy::refuse;  ///< what becomes of NUL bytes and invalid UTF-8 outside the key
    std::vector<attachment> attachments{};
    commit_options commit{};  ///< of a plain target's commits; apps have run_options
};

}  // namespace isorow::inline v1
