#pragma once

#include <isorow/error/text.hpp>
#include <isorow/query/filter.hpp>

#include <string>
#include <string_view>

namespace isorow::inline v1::detail {

/// `before`, and that both conditions hold; empty where there is none.
[[nodiscard]] inline std::string conditions_of(std::string_view before, std::string_view sql_filter, filter const& filter) {
    std::string sql;
    // The line break ends a comment in the condition.
    if (!sql_filter.empty()) sql = text("{}({}\n)", before, sql_filter);
    if (!filter.empty()) sql += text("{}({})", sql.empty() ? before : " AND ", filter.sql());
    return sql;
}

}  // namespace isorow::inline v1::detail
