#pragma once

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>
#include <isorow/schema/schema_change.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// What is declared asks for changes that lose values, and the user has not said that they may be made. Nothing was written. Lists every
/// such change with its SQL.
class destructive_change final : public usage_error {
public:
    /// `table`: its name with its schema, quoted.
    destructive_change(std::string_view table, std::vector<schema_change> changes)
        : usage_error(describe(table, changes)), changes_(std::move(changes)) {}

    [[nodiscard]] std::vector<schema_change> const& changes() const noexcept { return changes_; }

private:
    static std::string describe(std::string_view table, std::vector<schema_change> const& changes) {
        auto report = text(
            "what is declared for the table {} asks for changes that lose values; say isorow::destructive if they may be made:", table);
        for (auto const& change : changes) report += text("\n  {}: {}", change.description, change.sql);
        return report;
    }

    std::vector<schema_change> changes_;
};

}  // namespace isorow::inline v1
