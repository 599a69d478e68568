#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace isorow::inline v1 {

/// What somebody else has done to the rows of one table since isorow wrote them.
struct table_drift {
    std::string table;  ///< its name with its schema, quoted
    bool table_is_missing = false;
    std::int64_t changed = 0;                ///< rows that were written since, whether or not their values are others now
    std::int64_t missing = 0;                ///< rows that were deleted
    std::int64_t added = 0;                  ///< rows of others in a table that is to have none
    std::vector<std::string> sample_keys{};  ///< a few of the keys
    std::vector<std::int64_t> owners{};      ///< whose rows are changed or missing, by their ids in `isorow.owners`

    [[nodiscard]] bool drifted() const noexcept { return table_is_missing || changed != 0 || missing != 0 || added != 0; }
};

}  // namespace isorow::inline v1
