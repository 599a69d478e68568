#pragma once

#include <isorow/error/text.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// How many rows were, or would be, written and left.
struct row_counts {
    std::int64_t inserted = 0;
    std::int64_t updated = 0;
    std::int64_t deleted = 0;
    std::int64_t unchanged = 0;  ///< those that stand because their component did not run included

    /// Whether any row is written.
    [[nodiscard]] bool changed() const noexcept { return inserted != 0 || updated != 0 || deleted != 0; }

    row_counts& operator+=(row_counts const& other) noexcept {
        inserted += other.inserted;
        updated += other.updated;
        deleted += other.deleted;
        unchanged += other.unchanged;
        return *this;
    }
    friend bool operator==(row_counts const&, row_counts const&) = default;
};

/// One table's share of a report.
struct table_report {
    std::string table;  ///< its name with its schema, quoted
    row_counts rows{};
    std::int64_t moved = 0;   ///< rows that went from one owner to another
    std::int64_t mended = 0;  ///< rows that somebody else had changed or deleted, and that were written again
    std::vector<std::string> ddl{};
};

/// A component that threw, and whose former rows stand.
struct component_failure {
    std::string path;
    std::string what;
};

/// What the components of a run did.
struct component_counts {
    std::int64_t ran = 0;
    std::int64_t unchanged = 0;  ///< memoized ones whose input and version are those of the last run: their rows stand
    std::int64_t kept = 0;       ///< of those that ran: whose output a former run that did not come to its end had kept
    std::int64_t removed = 0;    ///< mounted by the last run and not by this one: their rows are deleted
    std::int64_t failed = 0;
};

/// What a synchronisation or a run did.
struct report : row_counts {
    std::vector<std::string> ddl{};  ///< the statements that made, altered and dropped tables, keys, indexes, extensions, in their order
    std::vector<table_report> tables{};
    component_counts components{};
    std::vector<component_failure> failures{};
    std::vector<std::string>
        postponed{};  ///< changes of tables that could not be made now and are tried again by the next run, with the reasons

    /// Whether rows or schema changed.
    [[nodiscard]] bool changed() const noexcept { return row_counts::changed() || !ddl.empty(); }

    /// Adds a table's share to the whole.
    void add(table_report table) {
        row_counts::operator+=(table.rows);
        ddl.insert(ddl.end(), table.ddl.begin(), table.ddl.end());
        tables.push_back(std::move(table));
    }
};

/// `12 inserted, 3 updated, 1 deleted, 99984 unchanged`.
[[nodiscard]] inline std::string to_string(row_counts const& counts) {
    return text("{} inserted, {} updated, {} deleted, {} unchanged", counts.inserted, counts.updated, counts.deleted, counts.unchanged);
}

inline std::ostream& operator<<(std::ostream& out, row_counts const& counts) { return out << to_string(counts); }

}  // namespace isorow::inline v1
