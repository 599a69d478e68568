#pragma once

/// @file
/// What the table, or the record of it, has, held against the declared rows by the client.

#include <isorow/target/detail/table_work.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace isorow::inline v1::detail {

class row_comparison {
public:
    explicit row_comparison(table_work& work) noexcept : work_(work) {}

    void compare() {
        if (!work_.tracks) {
            if (!work_.owner_was_compared() && work_.table.rows.empty()) work_.standing = work_.record->row_count.value_or(0);
            else if (!work_.owner_was_compared()) compare_with_standing_owner();
            else if (work_.is_declared_again()) meet_all();
            else if (work_.table.shape.keys_compare_as_bytes) compare_table();
            else work_.present = query_one<std::int64_t>(work_.here(), text("SELECT count(*) FROM {}", work_.sql.name()));
            return;
        }
        compare_tracked();
        if (work_.reads_selectively) work_.standing = work_.count_standing();
        if (work_.verifies()) verify();
        if (work_.mends_others()) find_others();
    }

private:
    [[nodiscard]] static std::string as_string(std::span<std::byte const> key) {
        return {reinterpret_cast<char const*>(key.data()), key.size()};
    }

    void meet_all() {
        work_.present = work_.declared_count();
        for (auto& row : work_.table.rows.rows()) meet(row, row_state::unchanged);
        work_.tell(progress_phase::comparing, work_.present, work_.present, 0);
    }

    /// The table itself is the record: its rows come as images in the order of the declared ones, so that equal rows are equal bytes.
    void compare_table() {
        work_.read_rows(text("SELECT {} FROM {}", work_.sql.columns(), work_.stored()), [&](std::span<std::byte const> image) {
            ++work_.present;
            auto const key = work_.key_in(image, work_.end_of_key_in(image));
            auto* const row = work_.table.rows.find(key);
            if (row == nullptr) return undeclared(key);
            bool const equal = row->size == image.size() && std::memcmp(row->image, image.data(), image.size()) == 0;
            meet(*row, equal ? row_state::unchanged : row_state::differs);
        });
    }

    /// All rows of the table are those of an owner that stands: none of them may be declared by another.
    void compare_with_standing_owner() {
        work_.read_rows(text("SELECT {} FROM {}", work_.sql.key_columns(), work_.stored()), [&](std::span<std::byte const> tuple) {
            ++work_.present;
            ++work_.standing;
            auto const key = work_.key_in(tuple, tuple.size());
            if (auto const* const row = work_.table.rows.find(key)) work_.refuse_key(*row, *work_.record->owner);
            work_.standing_keys.put_int32(static_cast<std::int32_t>(key.size()));
            work_.standing_keys.put_bytes(key);
        });
    }

    /// The record is `isorow.tracked`. Where few owners are compared their rows alone are read.
    void compare_tracked() {
        if (!work_.record) return;
        auto const compared = work_.context.fates.compared();
        work_.reads_selectively = !work_.context.is_plain() && compared.size() * 4 < work_.context.fates.size();
        std::string condition = text("p.target = {}", work_.record->id);
        if (work_.context.is_plain() || work_.reads_selectively) condition += text(" AND p.owner = ANY ('{}')", work_.id_list(compared));
        read_pages(work_.connection, work_.context.given, condition,
                   [&](page_place place, std::int64_t owner, std::span<tracked_row const> rows) {
                       work_.pages.push_back({place, owner, static_cast<std::uint32_t>(rows.size())});
                       for (auto const& row : rows) take_tracked(owner, row);
                       work_.rows_read += static_cast<std::int64_t>(rows.size());
                       work_.tell(progress_phase::comparing, work_.rows_read, static_cast<std::int64_t>(work_.table.rows.size()),
                                  rows.size() * sizeof(tracked_row));
                   });
        work_.require_no_refused_key();
    }

    void take_tracked(std::int64_t owner, tracked_row const& tracked) {
        auto const key = tracked.key;
        auto* const row = work_.table.rows.find(key);
        if (!work_.context.fates.is_compared(owner)) {
            if (row != nullptr) work_.refuse_key(*row, owner);
            if (work_.context.fates.of(owner) == owner_fate::stands) ++work_.standing;
            return;
        }
        ++work_.present;
        if (row == nullptr) {
            if (work_.takes_others()) work_.undeclared_keys.insert(as_string(key));
            work_.pages.back().is_stale = true;
            ++work_.forgotten;
            return undeclared(key);
        }
        row->version = tracked.version;
        row->page = static_cast<std::uint32_t>(work_.pages.size() - 1);
        row->moved = work_.context.state.owners[row->owner].id != owner;
        bool const equal = work_.fingerprints().of(*row) == tracked.value;
        meet(*row, equal ? row_state::unchanged : row_state::differs);
    }

    void meet(declared_row& row, row_state state) {
        row.state = state;
        ++work_.met;
        if (state == row_state::unchanged) ++work_.report.rows.unchanged;
        if (row.moved) ++work_.report.moved;
    }

    void undeclared(std::span<std::byte const> key) {
        work_.deleted.put_int16(static_cast<std::int16_t>(work_.description().key.size()));
        work_.deleted.put_bytes(key);
        ++work_.deleted_count;
    }

    /// Reads which transaction wrote each stored row: another one than the record says means that somebody else did.
    void verify() {
        if (!work_.is_as_declared()) return;
        work_.read_row_writers([&](std::span<std::byte const> key, std::uint32_t writer) {
            auto* const row = work_.table.rows.find(key);
            if (row == nullptr) {
                if (!work_.takes_others() || work_.undeclared_keys.contains(as_string(key))) return;
                ++work_.present;
                return undeclared(key);
            }
            row->present = true;
            if (row->state != row_state::unchanged || (row->version != 0 && row->version == writer)) return;
            row->state = row_state::unsure;
            --work_.report.rows.unchanged;
        });
        for (auto& row : work_.table.rows.rows()) {
            if (row.state != row_state::unchanged || row.present) continue;
            row.state = row_state::differs;
            --work_.report.rows.unchanged;
        }
    }

    /// Rows that somebody else has added.
    void find_others() {
        work_.read_rows(text("SELECT {} FROM {}", work_.sql.key_columns(), work_.unrecorded(work_.key_image())),
                        [&](std::span<std::byte const> tuple) {
                            auto const key = work_.key_in(tuple, tuple.size());
                            if (work_.table.rows.find(key) != nullptr) return;
                            ++work_.present;
                            undeclared(key);
                        });
    }

    table_work& work_;
};

}  // namespace isorow::inline v1::detail
