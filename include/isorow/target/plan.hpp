#pragma once

#include <isorow/error/error.hpp>
#include <isorow/schema/evolution.hpp>
#include <isorow/target/detail/fingerprint.hpp>
#include <isorow/target/report.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace isorow::inline v1 {

/// What would be done to one table.
struct table_plan {
    std::string table{};  ///< its name with its schema, quoted
    row_counts rows{};
    std::vector<schema_change> changes{};      ///< in the order in which they would be made
    std::vector<std::string> inserted_keys{};  ///< a few of them, as the server writes rows: `(lamps,"desk lamp")`
    std::vector<std::string> updated_keys{};
    std::vector<std::string> deleted_keys{};
};

/// What a commit or a run would do. It can be carried out exactly so, or not at all: see `apply`.
struct plan : row_counts {
    std::vector<table_plan> tables{};
    component_counts components{};
    std::vector<component_failure> failures{};
    detail::fingerprint digest{};  ///< stands for each row and each statement

    /// Whether there is anything to do.
    [[nodiscard]] bool changes() const noexcept {
        if (changed()) return true;
        for (auto const& table : tables)
            if (!table.changes.empty()) return true;
        return false;
    }
    /// Whether something in it needs `allow::destructive`.
    [[nodiscard]] bool is_destructive() const noexcept {
        for (auto const& table : tables)
            for (auto const& change : table.changes)
                if (change.destructive) return true;
        return false;
    }
};

/// The database has moved on since the plan was made: carried out now, it would do something else. Nothing was written.
class plan_outdated final : public error {
public:
    using error::error;
};

/// The plan for people: each table with `+ ~ -` and a few keys, each statement with what it locks, rewrites and destroys.
[[nodiscard]] inline std::string describe(plan const& plan) {
    std::string page;
    auto const keys = [&](char sign, std::int64_t count, std::vector<std::string> const& some) {
        if (count == 0) return;
        page += text("  {} {}", sign, count);
        for (auto const& key : some) page += " " + key;
        page += static_cast<std::int64_t>(some.size()) < count ? " …\n" : "\n";
    };
    for (auto const& table : plan.tables) {
        page += text("{}: {}\n", table.table, to_string(table.rows));
        for (auto const& change : table.changes)
            page += text("  ! {}{}{}: {}\n", change.description, change.destructive ? ", destructive" : "",
                         change.rewrites ? ", rewrites the table" : "", change.sql);
        keys('+', table.rows.inserted, table.inserted_keys);
        keys('~', table.rows.updated, table.updated_keys);
        keys('-', table.rows.deleted, table.deleted_keys);
    }
    return page + text("in all: {}\n", to_string(static_cast<row_counts const&>(plan)));
}

}  // namespace isorow::inline v1
