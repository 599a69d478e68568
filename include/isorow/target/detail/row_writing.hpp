#pragma once

/// @file
/// What differs is deleted, updated and inserted. The server has the last word on whether it is different.

#include <isorow/target/detail/row_record.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

namespace isorow::inline v1::detail {

class row_writing {
public:
    explicit row_writing(table_work& work) noexcept : work_(work), rows_record_(work) {}

    void remove_keys() {
        work_.report.rows.deleted = work_.deleted_count;
        if (work_.context.is_plan) return;
        auto keys = work_.send_keys(work_.deleted.bytes(), static_cast<std::size_t>(work_.deleted_count), "deleted_keys");
        work_.naming_the_table([&] {
            work_.report.rows.deleted =
                keys.run(text("DELETE FROM {} t USING {} s WHERE {}", work_.sql.name(), keys.from(), work_.sql.key_join())).affected_rows();
        });
        keys.drop();
    }

    /// Whether the rows may go straight into the table: there is none that they could meet.
    [[nodiscard]] bool may_load() const {
        if (work_.is_new) return true;
        if (!work_.table.shape.keys_compare_as_bytes || work_.present > 0 || work_.standing > 0) return false;
        return !work_.tracks || (work_.met == 0 && work_.options().adopt != adopt::rows && !work_.has_others());
    }

    void load() {
        auto const count = static_cast<std::int64_t>(work_.table.rows.size());
        if (work_.context.is_plan || count == 0) {
            work_.report.rows.inserted = count;
            return sample_declared();
        }
        for (auto const& row : work_.table.rows.rows()) require_whole(row);
        bool const may_meet_others = work_.tracks && !work_.is_new;
        if (!may_meet_others) return copy_all();
        // Rows of others may be there already. Then the slower way says which, or takes them over.
        try {
            transaction attempt(work_.connection);
            copy_all();
            attempt.commit();
        } catch (server_error const& failure) {
            if (failure.sqlstate() != sqlstate::unique_violation) throw;
            write_differences();
        }
    }

    void write_differences() {
        std::vector<declared_row const*> rows;
        std::size_t bytes = 0;
        bool const all = !work_.table.shape.keys_compare_as_bytes && !work_.tracks;
        for (auto const& row : work_.table.rows.rows()) {
            if (!all && row.state == row_state::unchanged) continue;
            require_whole(row);
            rows.push_back(&row);
            bytes += row.size;
        }
        if (rows.empty() && !all) return;
        auto staged = work_.send_rows(rows, bytes, "staged_rows");
        if (!work_.table.shape.keys_compare_as_bytes) require_distinct_keys(staged);
        if (work_.tracks) require_own_keys(staged);
        if (all) remove_absent(staged);
        write_staged(staged, static_cast<std::int64_t>(rows.size()), &rows);
        staged.drop();
    }

    /// Rows that are there and not the same are updated, those that are not there are inserted. `rows`: what was staged, where the client
    /// has it, so that errors name the key.
    void write_staged(server_rows& staged, std::int64_t count, std::vector<declared_row const*> const* rows) {
        auto const& counts = work_.report.rows;
        if (work_.context.is_plan) {
            count_staged(staged);
        } else {
            naming_the_key(rows, staged, [&](server_rows& some) { write_some(some, count); });
            if (work_.tracks && work_.table.spilled.count == 0) rows_record_.note_versions(staged, count);
        }
        auto const written = counts.updated + counts.inserted;
        if (work_.verifies()) work_.report.mended = written - std::min(written, new_rows());
        work_.report.rows.unchanged += count - written;
    }

private:
    void copy_all() {
        auto const rows = work_.table.rows.rows();
        std::size_t next = 0;
        try {
            auto const oids = filler_for(work_.connection, work_.context.given, work_.table.shape.types());
            copy_in sent(work_.connection, text("COPY {} ({}) FROM STDIN (FORMAT binary)", work_.sql.name(), work_.sql.columns()),
                         work_.context.given);
            copy_format::put_header(sent.buffer());
            for (auto const& row : rows) {
                auto const start = sent.buffer().size();
                sent.buffer().put_bytes(row.bytes());
                oids.fill(sent.buffer(), start);
                ++next;
                sent.flush_if_full();
                work_.tell(progress_phase::writing, static_cast<std::int64_t>(next), static_cast<std::int64_t>(rows.size()), row.size);
            }
            copy_format::put_trailer(sent.buffer());
            sent.finish();
        } catch (server_error const& failure) {
            if (failure.sqlstate() == sqlstate::unique_violation && work_.tracks && !work_.is_new) throw;
            work_.rethrow_at_line(failure, pointers_to(rows));
        }
        if (work_.tracks) rows_record_.note_versions_of_loaded();
        work_.report.rows.inserted = static_cast<std::int64_t>(rows.size());
    }

    void require_whole(declared_row const& row) const {
        if (row.thin) work_.throw_moved_on();
    }

    /// Rows that are there and not the same, and rows that are not there, as FROM lists have them.
    [[nodiscard]] std::string changed(server_rows const& staged) const {
        return text("{} s WHERE {} AND {}", staged.from(), work_.sql.key_join(), work_.sql.difference());
    }
    [[nodiscard]] std::string fresh(server_rows const& staged) const {
        return text("{} s WHERE NOT EXISTS (SELECT FROM {} WHERE {})", staged.from(), work_.stored(), work_.sql.key_join());
    }

    /// For plans.
    void count_staged(server_rows const& staged) {
        auto const updated = text("{}, {}", work_.stored(), changed(staged));
        auto const inserted = fresh(staged);
        work_.report.rows.updated += staged.number("SELECT count(*) FROM " + updated);
        work_.report.rows.inserted += staged.number("SELECT count(*) FROM " + inserted);
        auto const keys = [&](std::string const& from) {
            return staged.texts(text("SELECT {} FROM {} LIMIT {}", work_.sql.key_text("s."), from, table_work::sample_size));
        };
        work_.plan.updated_keys = keys(updated);
        work_.plan.inserted_keys = keys(inserted);
    }

    /// `count`: how many rows there are.
    void write_some(server_rows const& staged, std::int64_t count) {
        std::int64_t updated = 0;
        if (!work_.sql.value_places().empty())
            updated =
                staged.run(text("UPDATE {} t SET {} FROM {}", work_.sql.name(), work_.sql.assignments(), changed(staged))).affected_rows();
        work_.report.rows.updated += updated;
        // Where each row was there to be updated none is left to be inserted.
        if (updated == count) return;
        // Rows in the order of their keys are entered in the index faster; to sort as many as the server holds would cost more.
        auto const order = work_.table.spilled.count > 0 ? std::string{} : " ORDER BY " + work_.sql.key_columns("s.");
        work_.report.rows.inserted += staged
                                          .run(text("INSERT INTO {} ({}) SELECT {} FROM {}{}", work_.sql.name(), work_.sql.columns(),
                                                    work_.sql.columns("s."), fresh(staged), order))
                                          .affected_rows();
    }

    /// Keys that are equal without being the same bytes: the server finds the rows that were not declared.
    void remove_absent(server_rows& staged) {
        auto const absent =
            text("FROM {} WHERE NOT EXISTS (SELECT FROM {} s WHERE {})", work_.stored(), staged.from(), work_.sql.key_join());
        if (work_.present > work_.context.options.guard.above || work_.context.is_plan) {
            work_.deleted_count = staged.number("SELECT count(*) " + absent);
            work_.require_few_deletions();
        }
        work_.report.rows.deleted = work_.context.is_plan ? work_.deleted_count : staged.run("DELETE " + absent).affected_rows();
    }

    /// How many of the rows that were written would have been so without anybody else's doing.
    [[nodiscard]] std::int64_t new_rows() const noexcept {
        std::int64_t count = 0;
        for (auto const& row : work_.table.rows.rows())
            count += row.state == row_state::unseen || (row.state == row_state::differs && (row.present || row.version == 0)) ? 1 : 0;
        return count;
    }

    void sample_declared() {
        if (!work_.context.is_plan) return;
        auto const rows = work_.table.rows.rows();
        work_.plan.inserted_keys = work_.key_texts(
            {rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(rows.size(), table_work::sample_size))});
    }

    void require_distinct_keys(server_rows& staged) {
        auto const twice = staged.texts(text("SELECT {} FROM {} s GROUP BY {} HAVING count(*) > 1 LIMIT 1", work_.sql.key_text("s."),
                                             staged.from(), work_.sql.key_columns("s.")));
        if (!twice.empty()) work_.throw_twice_declared(twice.front());
    }

    /// A declared key that is another owner's, or nobody's that isorow knows, is not ours to overwrite. Where all of the record was read,
    /// only keys that nobody declared are left to be found.
    void require_own_keys(server_rows& staged) {
        if (work_.takes_others()) return;
        bool const may_take = work_.options().adopt == adopt::rows || work_.is_exclusive();
        bool const knows_all = !work_.reads_selectively && !work_.context.is_plain();
        if (may_take && knows_all) return;
        auto const is_new = [](declared_row const& row) { return row.page == declared_row::no_page; };
        if (std::ranges::none_of(work_.table.rows.rows(), is_new)) return;
        if (!knows_all) refuse_kept(staged);
        if (may_take) return;
        auto const answer = staged.run(text("SELECT s.isorow_key, {} FROM {} s JOIN {} ON {}", work_.sql.key_text("s."), staged.from(),
                                            work_.stored(), work_.sql.key_join()));
        std::vector<std::string> some;
        for (int row = 0; row < answer.rows() && some.size() < table_work::sample_size; ++row) {
            auto const* const declared = work_.table.rows.find(answer.value(row, 0));
            if (declared == nullptr || is_new(*declared)) some.emplace_back(byte_reader(answer.value(row, 1)).take_rest_as_text());
        }
        if (!some.empty()) work_.throw_untracked(some);
    }

    /// Throws `untracked_key` where an owner that is not compared keeps one of the keys, be the row there or not.
    void refuse_kept(server_rows& staged) {
        if (!work_.has_others()) return;
        auto const answer = staged.run(text(
            "SELECT s.isorow_key, k.owner FROM {} s JOIN {} k ON k.target = {} AND k.key = s.isorow_key AND k.owner <> ALL ('{}') LIMIT 1",
            staged.from(), unpacked(), work_.record->id, work_.id_list(work_.context.fates.compared())));
        if (answer.rows() == 0) return;
        if (auto const* const row = work_.table.rows.find(answer.value(0, 0)))
            work_.refuse_key(*row, byte_reader(answer.value(0, 1)).take_int64());
        work_.require_no_refused_key();
    }

    /// Does what is to be done with the staged rows. Where a row is refused, and there is to be a second attempt to name it, it is looked
    /// for.
    template <class Work>
    void naming_the_key(std::vector<declared_row const*> const* rows, server_rows& staged, Work&& work) {
        if (!work_.context.names_keys || rows == nullptr) return work_.naming_the_table([&] { work(staged); });
        auto const before = work_.report.rows;
        try {
            transaction attempt(work_.connection);
            work(staged);
            attempt.commit();
        } catch (server_error const& failure) {
            auto const* const culprit = find_culprit(*rows, work);
            work_.report.rows = before;
            work_.rethrow_at(failure, culprit, culprit == nullptr ? std::string{} : refused_column(*culprit));
        }
    }

    /// The first row that the server refuses alone, by halving; none where it refuses rows only together.
    template <class Work>
    declared_row const* find_culprit(std::vector<declared_row const*> rows, Work& work) {
        while (!rows.empty()) {
            std::vector<declared_row const*> const front(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>((rows.size() + 1) / 2));
            bool const refused = is_refused(front, work);
            if (refused && rows.size() == 1) return rows.front();
            if (refused) rows = front;
            else rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(front.size()));
        }
        return nullptr;
    }

    /// The column for whose type a row is refused, which COPY tells; empty where it is refused for another reason.
    [[nodiscard]] std::string refused_column(declared_row const& row) {
        transaction attempt(work_.connection);
        try {
            static_cast<void>(work_.send_rows(std::vector{&row}, row.size, "refused_row", true));
        } catch (server_error const& failure) {
            return failure.column();
        }
        return {};
    }

    template <class Work>
    bool is_refused(std::vector<declared_row const*> const& rows, Work& work) {
        transaction attempt(work_.connection);
        std::size_t bytes = 0;
        for (auto const* const row : rows) bytes += row->size;
        try {
            auto some = work_.send_rows(rows, bytes, "halved_rows");
            work(some);
        } catch (server_error const&) {
            return true;
        }
        return false;
    }

    table_work& work_;
    row_record rows_record_;
};

}  // namespace isorow::inline v1::detail
