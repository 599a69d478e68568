#pragma once

/// @file
/// What becomes of tables that are declared no longer.

#include <isorow/target/detail/registry.hpp>
#include <isorow/target/detail/table_changes.hpp>
#include <isorow/target/detail/table_clauses.hpp>
#include <isorow/target/detail/tracked_pages.hpp>
#include <isorow/target/report.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace isorow::inline v1::detail {

/// Takes the rows that the record says are ours out of a table that is not. Returns how many there were.
inline std::int64_t delete_tracked_rows(connection& connection, std::optional<limits> const& given, target_record const& record) {
    database_ref const here(connection, given ? *given : connection.default_limits());
    auto const name = quote_identifier(record.schema_name, record.table_name);
    auto const live = read_table(here, record.schema_name, record.table_name);
    if (!live) return 0;
    if (!record.tracks_rows()) return execute(here, "DELETE FROM " + name);
    auto const image = key_image_sql(here, static_cast<std::int64_t>(live->relation), record.key_columns, "t.");
    if (image.empty()) return 0;
    return execute(here, text("DELETE FROM {} t USING {} k WHERE k.target = {} AND k.key = {}", name, unpacked_tracked, record.id, image));
}

/// Drops a table that isorow made, or takes our rows out of one that it did not make. Returns false, with the reasons in `postponed`, where
/// something that somebody else made needs the table.
[[nodiscard]] inline bool take_away(connection& connection, std::optional<limits> const& given, target_record const& record,
                                    table_report& done, std::vector<std::string>& postponed) {
    if (!record.created) {
        undo_attachments(connection, given, record.id, false, done.ddl);
        done.rows.deleted = delete_tracked_rows(connection, given, record);
        return true;
    }
    auto work = drop_table(connection, given, record.schema_name, record.table_name, record.id);
    done.ddl = std::move(work.ddl);
    postponed.insert(postponed.end(), work.postponed.begin(), work.postponed.end());
    return work.postponed.empty();
}

/// Takes a table's entry away, and all that hangs on it.
inline void forget_target(database_ref const& where, std::int32_t target) {
    execute(where, "DELETE FROM isorow.tracked WHERE target = $1", target);
    execute(where, "DELETE FROM isorow.targets WHERE id = $1", target);
}

}  // namespace isorow::inline v1::detail
