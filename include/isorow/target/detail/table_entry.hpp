#pragma once

/// @file
/// Whose a table is, how its rows are recorded, and its entry in `isorow.targets`.

#include <isorow/target/detail/table_work.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

class table_entry {
public:
    explicit table_entry(table_work& work) noexcept : work_(work) {}

    void require_ours() {
        if (work_.record) require_same_ownership();
        if (!work_.changes->exists() || work_.options().managed_by == managed_by::user) return;
        if (!work_.record || was_replaced()) require_adoptable();
    }

    /// Where values are lost all rows have to be declared anew, by all who declared any.
    void require_all_owners() const {
        if (!work_.record) return;
        for (auto const owner : owners_of_rows(work_.here(), *work_.record))
            if (!work_.context.fates.is_compared(owner))
                throw declaration_error(
                    text("the change of {} needs all its rows declared anew, and not all components that declared some are a part of this "
                         "run: run the whole app",
                         work_.sql.name()));
    }

    /// Finds or makes the table's entry, and brings what depends on the table's identity up to date.
    void enter() {
        auto const live = work_.relation();
        auto const declarers = declarer_ids();
        if (!work_.record) {
            target_record fresh;
            fresh.ownership = work_.is_exclusive() ? "exclusive" : "shared";
            fresh.record = wants_tracking() ? "rows" : "table";
            fresh.created = !work_.changes->exists();
            fresh.id = query_one<std::int32_t>(
                work_.here(),
                "INSERT INTO isorow.targets (app, schema_name, table_name, relation, catalog, created, ownership, record, owner, row_count,"
                " declarers, key_columns) VALUES ($1, $2, $3, $4::bigint::oid, 'isorow.targets'::regclass, $5, $6, $7, $8, 0, $9, $10)"
                " RETURNING id",
                work_.context.app.id, work_.description().schema, work_.description().name, live, fresh.created, fresh.ownership,
                fresh.record, work_.sole_owner(), declarers, work_.key_names());
            fresh.owner = work_.sole_owner();
            fresh.row_count = 0;
            work_.record = std::move(fresh);
            work_.wrote = true;
            return;
        }
        bool const is_lost = !work_.changes->exists() || was_replaced() || work_.changes->planned().rebuilds;
        if (is_lost) {
            execute(work_.here(), "DELETE FROM isorow.tracked WHERE target = $1", work_.record->id);
            work_.record->row_count = 0;
            work_.record->writers.clear();
        } else if (!work_.record->is_of_this_catalog || work_.is_rewritten) {
            execute(work_.here(),
                    "UPDATE isorow.tracked SET versions = pg_catalog.array_fill('0'::xid, ARRAY[pg_catalog.cardinality(keys)]) WHERE "
                    "target = $1",
                    work_.record->id);
            work_.record->writers.clear();
        }
        if (!is_lost && work_.record->tracks_rows() && work_.record->key_columns != work_.key_names()) rekey_record();
        if (!is_lost && work_.record->tracks_rows() && loses_column_values()) forget_fingerprints();
        bool const is_made = work_.record->created || !work_.changes->exists();
        if (is_lost || !work_.record->is_of_this_catalog || work_.is_rewritten || work_.record->relation != live ||
            work_.record->created != is_made || work_.record->declarers != declarers || work_.record->key_columns != work_.key_names()) {
            execute(
                work_.here(),
                "UPDATE isorow.targets SET relation = $2::bigint::oid, catalog = 'isorow.targets'::regclass, created = $3, declarers = $4,"
                " key_columns = $5, writers = $6, row_count = $7 WHERE id = $1",
                work_.record->id, live, is_made, declarers, work_.key_names(), work_.record->writers, work_.record->row_count);
            work_.wrote = true;
        }
    }

    void choose_record() {
        work_.tracks = work_.record ? work_.record->tracks_rows() : wants_tracking();
        if (work_.tracks || !work_.record) return;
        bool const has_another_owner = !work_.context.is_plain() && work_.record->owner && work_.sole_owner() &&
                                       *work_.sole_owner() != *work_.record->owner &&
                                       work_.context.fates.of(*work_.record->owner) != owner_fate::gone;
        work_.takes_record = wants_tracking() || has_another_owner;
    }

    /// Writes down how many rows there are, and which transaction wrote them: that of a savepoint has a number of its own.
    void note_rows() {
        bool const changed = work_.report.rows.changed() || work_.takes_record || work_.is_rewritten;
        bool const is_record = !work_.tracks && work_.owner_was_compared();
        auto const digest = is_record ? work_.digest_of_rows() : work_.record->digest;
        if (!changed && !work_.wrote && digest == work_.record->digest) return;
        auto const rows = work_.declared_count();
        std::optional<std::int64_t> count;
        if (!work_.tracks) count = work_.owner_was_compared() ? rows : work_.record->row_count;
        else if (work_.record->row_count && work_.table.spilled.count == 0)
            count = *work_.record->row_count + rows - work_.met - work_.forgotten;
        else
            count = query_one<std::int64_t>(
                work_.here(), "SELECT coalesce(sum(pg_catalog.cardinality(keys)), 0)::bigint FROM isorow.tracked WHERE target = $1",
                work_.record->id);
        if (work_.takes_record) count = rows + work_.standing;
        if (!work_.tracks && (work_.report.rows.changed() || work_.is_rewritten)) {
            auto const writer = query_one<std::int64_t>(
                work_.here(),
                "UPDATE isorow.targets SET row_count = $2, owner = coalesce($3, owner), digest = $4 WHERE id = $1 RETURNING "
                "xmin::text::bigint",
                work_.record->id, count, work_.sole_owner(), digest);
            std::vector<std::int64_t> writers{writer};
            if (work_.takes_shadow()) {
                auto const& loaders = work_.table.spilled.shadow->writers;
                writers.insert(writers.end(), loaders.begin(), loaders.end());
            }
            execute(work_.here(), "UPDATE isorow.targets SET writers = writers || $2::bigint[] WHERE id = $1", work_.record->id, writers);
            if ((work_.record->writers.size() + writers.size()) % writers_between_looks == 0) forget_writers();
        } else if (count != work_.record->row_count || digest != work_.record->digest) {
            execute(work_.here(), "UPDATE isorow.targets SET row_count = $2, digest = $3 WHERE id = $1", work_.record->id, count, digest);
        }
    }

private:
    static constexpr std::size_t writers_between_looks = 64;

    /// Forgets the transactions none of whose rows are left.
    void forget_writers() {
        execute(work_.here(),
                text("UPDATE isorow.targets SET writers = ARRAY(SELECT w FROM pg_catalog.unnest(writers) w WHERE w IN (SELECT "
                     "t.xmin::text::bigint FROM {} t)) WHERE id = $1",
                     work_.sql.name()),
                work_.record->id);
    }

    void require_same_ownership() const {
        auto const said = work_.is_exclusive() ? std::string_view("exclusive") : std::string_view("shared");
        if (work_.record->ownership != said)
            throw not_owned(
                text("the table {} is kept by a target that is {}, and this one is {}", work_.sql.name(), work_.record->ownership, said));
        if (!work_.context.is_plain() || !work_.is_exclusive() || !work_.record->owner) return;
        auto const& own = work_.context.state.owners.front();
        if (*work_.record->owner == own.id) return;
        throw not_owned(text("the table {} is kept by the exclusive target of \"{}\", and this one is of \"{}\"", work_.sql.name(),
                             work_.path_of(*work_.record->owner).value_or(""), own.path));
    }

    /// Whether somebody dropped the table and made it anew. After a restore all OIDs are others, that of `isorow.targets` too.
    [[nodiscard]] bool was_replaced() const noexcept {
        return work_.record->is_of_this_catalog && work_.record->relation != static_cast<std::int64_t>(work_.changes->live().relation);
    }

    /// Refuses a table that somebody else made unless it may be adopted.
    void require_adoptable() {
        if (auto const keeper = other_keeper(work_.here(), work_.context.app.id, work_.description()))
            throw not_owned(text("the table {} is kept by {}", work_.sql.name(), *keeper));
        if (work_.options().adopt == adopt::nothing)
            throw not_owned(
                text("the table {} exists, and isorow did not create it; say adopt::table or adopt::rows to use it all the same",
                     work_.sql.name()));
        if (work_.is_exclusive() && work_.options().adopt != adopt::rows &&
            query_one<bool>(work_.here(), text("SELECT EXISTS (SELECT FROM {})", work_.sql.name())))
            throw not_owned(text(
                "the table {} has rows that isorow did not write, and an exclusive target would delete those that are not declared; say "
                "adopt::rows if they may go",
                work_.sql.name()));
    }

    [[nodiscard]] bool loses_column_values() const {
        return std::ranges::any_of(work_.changes->planned().changes,
                                   [](auto const& change) { return change.destructive && change.object == changed_object::column; });
    }
    /// Rows of owners that are not compared now may be declared later as they were before, and are no longer so.
    void forget_fingerprints() {
        execute(work_.here(),
                "UPDATE isorow.tracked SET fingerprints = pg_catalog.array_fill('00000000-0000-0000-0000-000000000000'::uuid,"
                " ARRAY[pg_catalog.cardinality(keys)]) WHERE target = $1 AND owner <> ALL ($2::bigint[])",
                work_.record->id, work_.context.fates.compared());
    }

    /// The same key with its columns in another order: the record has the keys' bytes in the old one.
    void rekey_record() {
        auto const former = key_image_sql(work_.here(), work_.relation(), work_.record->key_columns, "t.");
        auto const present = work_.key_image();
        if (former.empty() || present.empty()) return;
        execute(
            work_.here(),
            text("WITH former AS (DELETE FROM isorow.tracked p WHERE p.target = {} RETURNING p.*), found AS (SELECT r.owner, {} AS key,"
                 " r.fingerprint, r.version, pg_catalog.row_number() OVER (PARTITION BY r.owner) AS place FROM {} r, {} t WHERE {} = r.key)"
                 " INSERT INTO isorow.tracked (target, owner, keys, fingerprints, versions) SELECT {}, owner, pg_catalog.array_agg(key),"
                 " pg_catalog.array_agg(fingerprint), pg_catalog.array_agg(version) FROM found GROUP BY owner, (place - 1) / {}",
                 work_.record->id, present, unpacked("former"), work_.sql.name(), former, work_.record->id, page_rows));
        work_.wrote = true;
    }

    [[nodiscard]] std::vector<std::int64_t> declarer_ids() const {
        std::vector<std::int64_t> ids;
        ids.reserve(work_.table.declarers.size());
        for (auto const number : work_.table.declarers) ids.push_back(work_.context.state.owners[number].id);
        // Those that did not run declare it still.
        if (work_.record)
            for (auto const id : work_.record->declarers)
                if (!work_.context.fates.is_compared(id) && std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
        std::ranges::sort(ids);
        return ids;
    }

    /// Rows are tracked one by one where the table cannot tell what was declared: it holds others' rows or several owners', is too wide to
    /// be read back, or changes what it is given.
    [[nodiscard]] bool wants_tracking() const {
        if (!work_.is_exclusive()) return true;
        if (!work_.context.is_plain() && (!work_.table.rows.empty() || work_.table.spilled.count > 0) && !work_.sole_owner()) return true;
        if (work_.changes->exists() && work_.changes->live().has_row_triggers) return true;
        return is_wide();
    }

    [[nodiscard]] bool is_wide() const noexcept {
        for (auto const& column : work_.description().columns)
            if ((column.type.id == type_id::vector || column.type.id == type_id::halfvec) && column.type.first_modifier >= wide_vector)
                return true;
        return !work_.table.rows.empty() && work_.table.rows.image_bytes() / work_.table.rows.size() > wide_row;
    }

    static constexpr std::int32_t wide_vector = 32;  ///< dimensions from which on a vector is not read back
    static constexpr std::size_t wide_row = 1024;    ///< bytes of an image from which on rows are not read back

    table_work& work_;
};

}  // namespace isorow::inline v1::detail
