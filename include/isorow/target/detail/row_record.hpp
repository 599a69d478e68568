#pragma once

/// @file
/// The record of rows that the client has: which transaction wrote each, and the pages of `isorow.tracked`.

#include <isorow/target/detail/table_work.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

class row_record {
public:
    explicit row_record(table_work& work) noexcept : work_(work) {}

    /// Rows that were just loaded were all written by this transaction.
    void note_versions_of_loaded() {
        auto const writer = static_cast<std::uint32_t>(work_.present_writer());
        for (auto& row : work_.table.rows.rows()) row.version = writer;
        work_.wrote = true;
    }

    /// Learns which transaction wrote each of the rows that the server has written, or found equal. `count`: how many were staged.
    void note_versions(server_rows& staged, std::int64_t count) {
        if (work_.report.rows.updated + work_.report.rows.inserted == count && !work_.context.names_keys) {
            auto const writer = static_cast<std::uint32_t>(work_.present_writer());
            for (auto& row : work_.table.rows.rows())
                if (row.state != row_state::unchanged) row.version = writer;
            return void(work_.wrote = true);
        }
        read_versions(staged.run(
            text("SELECT s.isorow_key, t.xmin FROM {} s JOIN {} t ON {}", staged.from(), work_.sql.name(), work_.sql.key_join())));
    }

    /// Learns from the table itself which transaction wrote each row.
    void learn_versions() {
        work_.read_row_writers([&](std::span<std::byte const> key, std::uint32_t writer) {
            if (auto* const row = work_.table.rows.find(key)) row->version = writer;
        });
    }

    /// Writes the pages anew that have rows which were deleted, changed or moved, and adds those of new rows. Small pages of the same
    /// owners go with them, so that pages do not become ever more and ever smaller.
    void write() {
        std::unordered_set<std::int64_t> owners;
        std::vector<declared_row const*> rows;
        auto const is_stale = [&](declared_row const& row) { return row.page != declared_row::no_page && work_.pages[row.page].is_stale; };
        for (auto& row : work_.table.rows.rows()) {
            if (row.state == row_state::unchanged && !row.moved) continue;
            if (row.page != declared_row::no_page) work_.pages[row.page].is_stale = true;
            owners.insert(work_.context.state.owners[row.owner].id);
        }
        for (auto& one : work_.pages)
            if (one.rows < page_rows / 4 && owners.contains(one.owner)) one.is_stale = true;
        std::vector<page_place> stale;
        for (auto const& one : work_.pages)
            if (one.is_stale) stale.push_back(one.place);
        for (auto const& row : work_.table.rows.rows())
            if (row.page == declared_row::no_page || is_stale(row)) rows.push_back(&row);
        if (stale.empty() && rows.empty()) return;
        sort_by_owner(rows);
        delete_pages(work_.connection, work_.context.given, stale);
        page_writer pages(work_.connection, work_.context.given, work_.record->id);
        for (auto const* const row : rows)
            pages.add(work_.context.state.owners[row->owner].id, {row->key(), work_.fingerprints().of(*row), row->version});
        byte_reader standing(work_.standing_keys.bytes());
        while (standing.remaining() > 0)
            pages.add(*work_.record->owner, {standing.take_bytes(static_cast<std::size_t>(standing.take_int32()))});
        pages.finish();
        work_.wrote = true;
    }

private:
    void read_versions(result const& answer) {
        for (int i = 0; i < answer.rows(); ++i)
            if (auto* const row = work_.table.rows.find(answer.value(i, 0))) row->version = byte_reader(answer.value(i, 1)).take_uint32();
        work_.wrote = true;
    }

    table_work& work_;
};

}  // namespace isorow::inline v1::detail
