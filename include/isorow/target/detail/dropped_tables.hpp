#pragma once

/// @file
/// What becomes of tables that are declared no longer, and of rows whose owners declare their table no longer.

#include <isorow/target/destructive_change.hpp>
#include <isorow/target/detail/registry.hpp>
#include <isorow/target/detail/table_changes.hpp>
#include <isorow/target/detail/table_clauses.hpp>
#include <isorow/target/detail/tracked_pages.hpp>
#include <isorow/target/report.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace isorow::inline v1::detail {

/// Takes rows that the record says are ours out of a table that stays: those of some owners, or of all where none are named. Returns how
/// many there were.
inline std::int64_t delete_tracked_rows(connection& connection, std::optional<limits> const& given, target_record const& record,
                                        std::vector<std::int64_t> const& owners = {}) {
    database_ref const here(connection, given ? *given : connection.default_limits());
    auto const name = quote_identifier(record.schema_name, record.table_name);
    auto const live = read_table(here, record.schema_name, record.table_name);
    if (!live) return 0;
    if (!record.tracks_rows()) return execute(here, "DELETE FROM " + name);
    auto const image = key_image_sql(here, static_cast<std::int64_t>(live->relation), record.key_columns, "t.");
    if (image.empty()) return 0;
    return execute(here,
                   text("DELETE FROM {} t USING {} k WHERE k.target = {} AND (k.owner = ANY ($1::bigint[]) OR $2) AND k.key = {}", name,
                        unpacked(), record.id, image),
                   owners, owners.empty());
}

/// How many rows some owners have in a table, as far as is recorded.
[[nodiscard]] inline std::int64_t rows_of_owners(database_ref const& where, target_record const& record,
                                                 std::vector<std::int64_t> const& owners) {
    if (record.tracks_rows())
        return query_one<std::int64_t>(where,
                                       "SELECT coalesce(sum(pg_catalog.cardinality(keys)), 0)::bigint FROM isorow.tracked WHERE target = $1"
                                       " AND owner = ANY ($2::bigint[])",
                                       record.id, owners);
    bool const is_theirs = record.owner && std::ranges::find(owners, *record.owner) != owners.end();
    return is_theirs ? record.row_count.value_or(0) : 0;
}

/// A table that the run does not declare and that stays, as somebody who stands declares it, and the rows of those in it who declare it no
/// longer.
struct left_rows {
    target_record record;
    std::int64_t count = 0;
};

/// Takes them out of the table and of the record.
inline void delete_left_rows(connection& connection, std::optional<limits> const& given, left_rows& left,
                             std::vector<std::int64_t> const& owners) {
    auto const& record = left.record;
    left.count = delete_tracked_rows(connection, given, record, owners);
    database_ref const here(connection, given ? *given : connection.default_limits());
    if (record.tracks_rows())
        execute(here, "DELETE FROM isorow.tracked WHERE target = $1 AND owner = ANY ($2::bigint[])", record.id, owners);
    execute(here,
            "UPDATE isorow.targets SET row_count = CASE record WHEN 'rows' THEN (SELECT coalesce(sum(pg_catalog.cardinality(keys)), 0)"
            " FROM isorow.tracked WHERE target = $1) ELSE 0 END, declarers = ARRAY(SELECT d FROM pg_catalog.unnest(declarers) d"
            " WHERE d <> ALL ($2::bigint[])) WHERE id = $1",
            record.id, owners);
}

/// Takes a table's entry away, and all that hangs on it.
inline void forget_target(database_ref const& where, std::int32_t target) {
    execute(where, "DELETE FROM isorow.tracked WHERE target = $1", target);
    execute(where, "DELETE FROM isorow.targets WHERE id = $1", target);
}

/// Throws `destructive_change` where tables that isorow made are among those that would go, and that is not allowed.
inline void require_drops_allowed(std::vector<target_record> const& records, allow allowed) {
    if (allowed == allow::destructive) return;
    std::vector<schema_change> drops;
    for (auto const& record : records)
        if (record.created) drops.push_back(drop_of_table(record.schema_name, record.table_name));
    if (!drops.empty())
        throw destructive_change(quote_identifier(records.front().schema_name, records.front().table_name), std::move(drops));
}

/// Takes one of them away. Returns why it cannot be, empty where it was.
[[nodiscard]] inline std::vector<std::string> take_away(connection& connection, std::optional<limits> const& given,
                                                        target_record const& record, report& done) {
    table_report one;
    one.table = quote_identifier(record.schema_name, record.table_name);
    if (!record.created) {
        undo_attachments(connection, given, record.id, false, one.ddl);
        one.rows.deleted = delete_tracked_rows(connection, given, record);
    } else {
        auto work = drop_table(connection, given, record.schema_name, record.table_name, record.id);
        if (!work.postponed.empty()) return std::move(work.postponed);
        one.ddl = std::move(work.ddl);
        one.rows.deleted = record.row_count.value_or(0);
    }
    forget_target(given ? database_ref(connection, *given) : database_ref(connection), record.id);
    done.add(std::move(one));
    return {};
}

/// Drops the tables that isorow made, takes our rows out of those that it did not make, and the entries of both away. Tables that others of
/// them refer to go after these. Where something that somebody else made needs a table, it and its entry stay, with the reason in
/// `postponed`.
inline void take_away(connection& connection, std::optional<limits> const& given, std::vector<target_record> const& records, report& done) {
    std::vector<target_record const*> left;
    left.reserve(records.size());
    for (auto const& record : records) left.push_back(&record);
    while (!left.empty()) {
        std::vector<target_record const*> again;
        std::vector<std::string> reasons;
        for (auto const* const record : left) {
            auto const found = take_away(connection, given, *record, done);
            if (found.empty()) continue;
            again.push_back(record);
            reasons.insert(reasons.end(), found.begin(), found.end());
        }
        if (again.size() == left.size()) return void(done.postponed.insert(done.postponed.end(), reasons.begin(), reasons.end()));
        left = std::move(again);
    }
}

}  // namespace isorow::inline v1::detail
