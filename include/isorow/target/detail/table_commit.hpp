#pragma once

/// @file
/// One table's share of a commit. What the table, or the record of it, has is read once and compared with the declared rows as bytes or by
/// fingerprints; only what differs is sent to the server, which has the last word on whether it is different.

#include <isorow/target/detail/row_comparison.hpp>
#include <isorow/target/detail/shadow_table.hpp>
#include <isorow/target/detail/spilled_commit.hpp>
#include <isorow/target/detail/table_entry.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace isorow::inline v1::detail {

/// The steps of a commit are called in their order.
class table_commit {
public:
    table_commit(commit_context& context, declared_table& table, std::optional<target_record> record, std::size_t number)
        : work_(context, table, std::move(record), number) {}
    table_commit(table_commit const&) = delete;
    table_commit& operator=(table_commit const&) = delete;
    ~table_commit() = default;

    /// Reads the table from the catalogue and sees whether it may be used. Throws `not_owned`, `mismatch`, `destructive_change`.
    void look() {
        auto const& context = work_.context;
        work_.changes.emplace(work_.connection, context.given, work_.description(), work_.options(),
                              work_.record ? std::optional(work_.record->id) : std::nullopt, !context.is_nested);
        entry_.require_ours();
        changes().require_allowed(context.is_plan ? allow::destructive : context.options.allow);
        if (context.is_plan) return;
        changes().before();
        if (changes().planned().creates && !context.is_nested)
            drop_abandoned_shadows(work_.connection, context.now(), work_.description().schema);
    }

    [[nodiscard]] table_description const& description() const noexcept { return work_.description(); }

    /// Drops foreign keys, before any table of the run is altered.
    void part() {
        if (!is_plan()) changes().part();
    }

    /// Makes or alters the table, and enters it.
    void set_up() {
        auto const& planned = changes().planned();
        work_.is_new = !changes().exists() || planned.rebuilds;
        if (planned.rebuilds || planned.loses_values || planned.needs_values) entry_.require_all_owners();
        if (!is_plan()) {
            work_.is_rewritten = !work_.is_new && std::ranges::any_of(planned.changes, &schema_change::rewrites);
            changes().before_rows(work_.table.spilled.shadow ? work_.table.spilled.shadow->name : std::string_view{});
            entry_.enter();
        }
        entry_.choose_record();
        if (!work_.is_new && !work_.tracks && !is_plan())
            work_.run_sql(text("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", work_.sql.name()));
    }

    /// Finds out what differs. Throws `untracked_key` where a declared key is another owner's, and `too_many_deletions`.
    void compare() {
        if (is_spilled()) spilled_.compare();
        else if (!work_.is_new) comparison_.compare();
        work_.require_few_deletions();
        collect_samples();
    }

    /// Deletes what is declared no longer.
    void remove() {
        if (is_spilled()) spilled_.remove();
        else if (work_.deleted_count > 0) writing_.remove_keys();
    }

    /// Writes what is new or differs, and the record of it.
    void write() {
        if (is_spilled()) spilled_.write();
        else if (writing_.may_load()) writing_.load();
        else writing_.write_differences();
        if (is_plan()) return;
        if (work_.takes_record) record_all();
        else if (work_.tracks && !is_spilled()) rows_record_.write();
    }

    /// Looks at what rows refer to, once those of all tables are written.
    void check_references() {
        if (!is_plan()) work_.naming_the_table([&] { changes().check_references(); });
    }

    /// Keys, indexes and attachments.
    void finish() {
        work_.report.rows.unchanged += work_.standing;
        if (!is_plan()) changes().after_rows();
    }

    /// Foreign keys, once all tables have their keys, and the record of it all.
    void settle() {
        if (is_plan()) return;
        changes().join();
        changes().record(work_.record->id);
        entry_.note_rows();
        work_.report.ddl = changes().ddl();
    }

    /// What is done once all is committed: indexes that are built while others write.
    void after() {
        changes().after();
        work_.report.ddl = changes().ddl();
    }

    [[nodiscard]] table_changes& changes() noexcept { return *work_.changes; }
    /// Whether there are changes to ask for.
    [[nodiscard]] bool has_looked() const noexcept { return work_.changes.has_value(); }
    [[nodiscard]] table_report const& report() const noexcept { return work_.report; }
    [[nodiscard]] table_plan const& planned() const noexcept { return work_.plan; }
    /// Stands for all that is done: each row and each statement.
    [[nodiscard]] fingerprint const& digest() const noexcept { return work_.digest; }
    /// Whether anything was written.
    [[nodiscard]] bool wrote() const noexcept { return work_.wrote || work_.report.rows.changed() || !work_.report.ddl.empty(); }

private:
    [[nodiscard]] bool is_plan() const noexcept { return work_.context.is_plan; }
    [[nodiscard]] bool is_spilled() const noexcept { return work_.table.spilled.count > 0; }

    /// Enters all rows of a table that was its own record so far.
    void record_all() {
        work_.tracks = true;
        work_.record->record = "rows";
        if (is_spilled()) {
            spilled_.record();
            if (!work_.owner_was_compared()) spilled_.record_standing_on_server();
        } else {
            rows_record_.learn_versions();
            rows_record_.write();
        }
        execute(work_.here(), "UPDATE isorow.targets SET record = 'rows', owner = $2, writers = '{}', digest = NULL WHERE id = $1",
                work_.record->id, work_.sole_owner());
        work_.record->writers.clear();
        work_.wrote = true;
    }

    /// For plans: a few keys of those that would be deleted, and a number that stands for all that would be done.
    void collect_samples() {
        if (!work_.context.wants_digest) return;
        if (!is_spilled()) digest_rows();
        work_.digest += {static_cast<std::uint64_t>(work_.deleted_count), static_cast<std::uint64_t>(work_.table.spilled.count)};
        // Labels are added before the transaction, and so before a plan is compared with what is now so.
        for (auto const& change : changes().planned().changes)
            if (change.object != changed_object::type) work_.digest += fingerprint_of(std::as_bytes(std::span(change.sql)), 4);
        if (!is_plan() || is_spilled()) return;
        std::size_t count = 0;
        byte_reader in(work_.deleted.bytes());
        for (; in.remaining() > 0 && count < table_work::sample_size; ++count)
            static_cast<void>(in.take_bytes(work_.end_of_key_in(in.rest())));
        work_.plan.deleted_keys = work_.key_texts(work_.deleted.bytes().first(work_.deleted.size() - in.remaining()), count);
    }
    void digest_rows() {
        for (auto const& row : work_.table.rows.rows()) {
            if (row.state == row_state::unchanged && !row.moved) continue;
            auto const one = work_.fingerprints().of(row);
            work_.digest += fingerprint_of(std::as_bytes(std::span(&one, 1)), row.state == row_state::unseen ? 1 : 2);
        }
        byte_reader in(work_.deleted.bytes());
        while (in.remaining() > 0) work_.digest += fingerprint_of(in.take_bytes(work_.end_of_key_in(in.rest())), 3);
    }

    table_work work_;
    table_entry entry_{work_};
    row_comparison comparison_{work_};
    row_record rows_record_{work_};
    row_writing writing_{work_};
    spilled_commit spilled_{work_, writing_};
};

}  // namespace isorow::inline v1::detail
