#pragma once

#include <isorow/error/text.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace isorow::inline v1 {

/// What a synchronisation did, or, from `plan()`, what it would do.
struct report {
    std::int64_t inserted = 0;
    std::int64_t updated = 0;
    std::int64_t deleted = 0;
    std::int64_t unchanged = 0;
    std::vector<std::string> ddl{};  ///< the statements that made the table, its key, its indexes and extensions, in their order

    /// Whether rows or schema changed.
    [[nodiscard]] bool changed() const noexcept { return inserted != 0 || updated != 0 || deleted != 0 || !ddl.empty(); }
};

/// `12 inserted, 3 updated, 1 deleted, 99984 unchanged`.
[[nodiscard]] inline std::string to_string(report const& report) {
    return text("{} inserted, {} updated, {} deleted, {} unchanged", report.inserted, report.updated, report.deleted, report.unchanged);
}

inline std::ostream& operator<<(std::ostream& out, report const& report) { return out << to_string(report); }

}  // namespace isorow::inline v1
