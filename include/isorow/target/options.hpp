#pragma once

#include <isorow/codec/text_policy.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// Whose rows a target's table holds.
enum class ownership : std::uint8_t {
    exclusive,  ///< all rows are this target's: what it does not declare is deleted. The table itself is the record of what was declared
    shared,     ///< rows of others stay untouched; this target's own are recorded in `isorow.tracked`
};

/// What a target may take over that isorow did not make.
enum class adopt : std::uint8_t {
    nothing,  ///< a table that exists already is refused
    table,    ///< the table is used; its rows stay others' (an exclusive target needs it to be empty)
    rows,     ///< the table is used, and its rows become this target's where their keys are declared (exclusive: all its rows)
};

/// What a commit or plan is doing.
enum class progress_phase : std::uint8_t {
    comparing,  ///< reading what the table, or the record of it, has
    writing,    ///< sending what differs
};

/// A state of a commit or plan, told now and then.
struct progress {
    progress_phase phase = progress_phase::comparing;
    std::int64_t rows = 0;           ///< rows read or sent so far in this phase
    std::int64_t expected_rows = 0;  ///< how many there will be, as far as known
    std::int64_t bytes = 0;          ///< bytes read or sent so far in this phase
};

/// What is said of a target beside its struct.
struct target_options {
    std::string table{};   ///< the table's name; the struct's own where it is empty
    std::string schema{};  ///< the table's schema; the struct's own (`public`) where it is empty
    isorow::ownership ownership = isorow::ownership::exclusive;
    std::string owner = "default";  ///< who declares, where several owners keep rows: a stable name
    isorow::adopt adopt = isorow::adopt::nothing;
    text_policy text = text_policy::refuse;                   ///< what becomes of NUL bytes and invalid UTF-8 outside the key
    std::function<void(isorow::progress const&)> progress{};  ///< called now and then from the committing thread; must not throw
};

}  // namespace isorow::inline v1
