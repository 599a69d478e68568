#pragma once

/// @file
/// Rows that the server holds already, as they were too many for the client, are compared by it.

#include <isorow/target/detail/row_writing.hpp>
#include <isorow/target/detail/spilled_rows.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace isorow::inline v1::detail {

class spilled_commit {
public:
    spilled_commit(table_work& work, row_writing& writing) noexcept : work_(work), writing_(writing) {}

    void compare() {
        if (work_.takes_shadow()) return require_distinct_shadow_keys();
        all_ = changed_ = spilled_source(work_.connection, work_.context.given, work_.table);
        changed_count_ = work_.table.spilled.count;
        if (!work_.table.spilled.is_bare()) all_ = changed_ = with_owner_ids(all_);
        require_distinct_spilled_keys();
        if (work_.is_new) return;
        if (!work_.tracks) {
            if (!work_.owner_was_compared()) return require_none_kept();
            if (work_.is_declared_again()) return leave_aside_all();
            return compare_with_table();
        }
        auto const compared = text("{} k WHERE k.target = {} AND k.owner = ANY ('{}')", unpacked(), work_.record ? work_.record->id : 0,
                                   work_.id_list(work_.context.fates.compared()));
        work_.run_sql(text("CREATE TEMPORARY TABLE {} (key bytea) ON COMMIT DROP", undeclared_table()));
        recorded_ = work_.present = query_one<std::int64_t>(work_.here(), "SELECT count(*) FROM " + compared);
        work_.standing = work_.count_standing();
        if (recorded_ > 0) {
            join_record();
            work_.deleted_count = execute(work_.here(), text("INSERT INTO pg_temp.{} SELECT k.key FROM {} AND NOT EXISTS (SELECT FROM {} s "
                                                             "WHERE s.key = k.key)",
                                                             undeclared_table(), compared, keys_of(all_)));
        }
        if ((work_.takes_others() && work_.is_as_declared()) || work_.mends_others()) find_others();
        if (recorded_ > 0) find_changed_spilled();
    }

    void remove() {
        if (work_.is_new) return;
        work_.report.rows.deleted = work_.deleted_count;
        if (work_.context.is_plan || work_.deleted_count == 0) return;
        if (!work_.tracks) {
            if (work_.owner_was_compared()) work_.report.rows.deleted = execute(work_.here(), "DELETE " + absent_from_spilled());
            return;
        }
        auto const image = work_.key_image();
        auto const undeclared_rows = "pg_temp." + undeclared_table();
        work_.report.rows.deleted =
            execute(work_.here(), text("DELETE FROM {} t USING {} u WHERE {} = u.key", work_.sql.name(), undeclared_rows, image));
    }

    void write() {
        if (work_.takes_shadow()) {
            // The table is the shadow itself by now.
            work_.report.rows.inserted = work_.table.spilled.count;
            if (work_.tracks && !work_.context.is_plan) record_pages("p.versions");
            return;
        }
        if (work_.tracks && !work_.is_new) require_own_spilled_keys();
        require_whole_spilled();
        if (work_.is_new) return insert_all();
        server_rows all(work_.connection, work_.context.given, changed_);
        if (changed_count_ > 0) writing_.write_staged(all, changed_count_, nullptr);
        if (work_.tracks && !work_.context.is_plan) record();
    }

    /// Writes the record of all rows that the server holds anew.
    void record() {
        if (!work_.takes_record && !work_.report.rows.changed() && work_.report.moved == 0 && changed_count_ == 0) return;
        bool const is_first = recorded_ == 0 && work_.report.rows.inserted == work_.table.spilled.count;
        if (is_first && work_.table.spilled.is_bare())
            return record_pages(text("pg_catalog.array_fill('{}'::xid, ARRAY[pg_catalog.cardinality(p.keys)])", work_.present_writer()));
        join_record();
        // Of rows that were left aside nobody has asked who wrote them last: what was recorded of that stands.
        auto const version = work_.verifies() ? std::string_view("coalesce(t.xmin, '0')") : "coalesce(k.version, t.xmin, '0')";
        execute(
            work_.here(),
            text("WITH former AS (DELETE FROM isorow.tracked p WHERE p.target = {} AND p.owner = ANY ('{}') RETURNING p.*)"
                 " INSERT INTO isorow.tracked (target, owner, keys, fingerprints, versions)"
                 " SELECT {}, r.owner, pg_catalog.array_agg(r.key), pg_catalog.array_agg(r.fingerprint), pg_catalog.array_agg(r.version)"
                 " FROM (SELECT s.isorow_owner AS owner, s.isorow_key AS key, s.isorow_fingerprint AS fingerprint, {} AS version,"
                 " (pg_catalog.row_number() OVER (PARTITION BY s.isorow_owner ORDER BY s.isorow_place) - 1) / {} AS page"
                 " FROM {} s LEFT JOIN {} t ON {} LEFT JOIN {} k ON k.key = s.isorow_key AND k.fingerprint = s.isorow_fingerprint) r"
                 " GROUP BY r.owner, r.page",
                 work_.record->id, work_.id_list(work_.context.fates.compared()), work_.record->id, version, page_rows, all_,
                 work_.sql.name(), work_.sql.key_join(), unpacked("former")));
        work_.wrote = true;
    }

    /// What is in the table and was not declared now is the standing owner's.
    void record_standing_on_server() {
        execute(work_.here(),
                text("INSERT INTO isorow.tracked (target, owner, keys, fingerprints, versions) SELECT {}, {}, pg_catalog.array_agg(r.key), "
                     "pg_catalog.array_agg('00000000-0000-0000-0000-000000000000'::uuid), pg_catalog.array_agg('0'::xid) FROM (SELECT {} "
                     "AS key, "
                     "(pg_catalog.row_number() OVER () - 1) / {} AS page FROM {} t WHERE NOT EXISTS (SELECT FROM {} s WHERE {})) r GROUP "
                     "BY r.page",
                     work_.record->id, *work_.record->owner, work_.key_image(), page_rows, work_.sql.name(), all_, work_.sql.key_join()));
    }

private:
    void insert_all() {
        if (work_.context.is_plan) return void(work_.report.rows.inserted = changed_count_);
        work_.naming_the_table([&] {
            work_.report.rows.inserted = execute(work_.here(), text("INSERT INTO {} ({}) SELECT {} FROM {} s", work_.sql.name(),
                                                                    work_.sql.columns(), work_.sql.columns("s."), changed_));
        });
        if (work_.tracks) record();
    }

    /// Records rows that were all written now, by the pages that the client has made.
    void record_pages(std::string_view versions) {
        execute(work_.here(),
                text("INSERT INTO isorow.tracked (target, owner, keys, fingerprints, versions) SELECT $1, ($2::bigint[])[p.owner + 1], "
                     "p.keys, p.fingerprints, {} FROM {} p",
                     versions, waiting_pages()),
                work_.record->id, ids_of(work_.context.state.owners));
        work_.wrote = true;
    }

    void require_distinct_shadow_keys() {
        auto const& table = work_.table;
        if (table.spilled.is_rising) return;
        auto const repeats = query_optional<std::string>(
            work_.here(), text("SELECT 'yes' FROM {} k GROUP BY k.key HAVING count(*) > 1 LIMIT 1", unpacked(waiting_pages())));
        if (!repeats) return;
        // Where the rows are now: in a plan, still beside the place.
        auto const name =
            work_.context.is_plan ? quote_identifier(work_.description().schema, table.spilled.shadow->name) : work_.sql.name();
        work_.throw_twice_declared(query_one<std::string>(work_.here(), text("SELECT {} FROM {} GROUP BY {} HAVING count(*) > 1 LIMIT 1",
                                                                             work_.sql.key_text({}), name, work_.sql.key_columns())));
    }

    [[nodiscard]] std::string waiting_pages() const { return "pg_temp." + quote_identifier(work_.table.spilled.pages); }

    [[nodiscard]] std::string undeclared_table() const { return quote_identifier(text("isorow_undeclared_{}", work_.number)); }

    [[nodiscard]] std::string absent_from_spilled() const {
        return text("FROM {} WHERE NOT EXISTS (SELECT FROM {} s WHERE {})", work_.stored(), all_, work_.sql.key_join());
    }

    /// All rows of the table are those of an owner that stands: none of them may be declared by another.
    void require_none_kept() {
        work_.standing = work_.record->row_count.value_or(0);
        auto const kept = query<std::string>(work_.here(), text("SELECT {} FROM {} s JOIN {} ON {} LIMIT 1", work_.sql.key_text("s."),
                                                                changed_, work_.stored(), work_.sql.key_join()));
        if (!kept.empty())
            throw untracked_key(text("the key {} of {} is declared, and kept by another owner", kept.front(), work_.sql.name()));
    }

    void require_distinct_spilled_keys() {
        if (work_.table.spilled.is_rising && work_.table.shape.keys_compare_as_bytes) return;
        auto const twice = query<std::string>(work_.here(), text("SELECT {} FROM {} s GROUP BY {} HAVING count(*) > 1 LIMIT 1",
                                                                 work_.sql.key_text("s."), changed_, work_.sql.key_columns("s.")));
        if (!twice.empty()) work_.throw_twice_declared(twice.front());
    }

    /// Rows that somebody else has added, and that nobody declares now.
    void find_others() {
        auto const image = work_.key_image();
        auto const count =
            execute(work_.here(), text("INSERT INTO pg_temp.{} SELECT {} FROM {} AND NOT EXISTS (SELECT FROM {} s WHERE s.key = {})",
                                       undeclared_table(), image, work_.unrecorded(image), keys_of(all_), image));
        work_.present += count;
        work_.deleted_count += count;
    }

    /// The table itself is the record. One join tells which rows are new or changed, and how many are there that were not declared.
    void compare_with_table() {
        work_.present = query_one<std::int64_t>(work_.here(), text("SELECT count(*) FROM {}", work_.stored()));
        if (work_.present == 0) return;
        auto const is_new = text("ROW({}) IS NULL", work_.sql.key_columns("t."));
        leave_aside_all_but(text("SELECT s.*, {} AS isorow_is_new FROM {} s LEFT JOIN {} ON {} WHERE {} OR {}", is_new, all_,
                                 work_.stored(), work_.sql.key_join(), is_new, work_.sql.difference()));
        auto const fresh = query_one<std::int64_t>(work_.here(), text("SELECT count(*) FROM {} s WHERE s.isorow_is_new", changed_));
        work_.deleted_count = work_.present - (work_.table.spilled.count - fresh);
    }

    void leave_aside_all() {
        work_.present = work_.report.rows.unchanged = changed_count_;
        changed_count_ = 0;
    }

    /// The rows that a query has are changed, all others unchanged.
    void leave_aside_all_but(std::string const& query) {
        auto const changed = quote_identifier(text("isorow_changed_{}", work_.number));
        work_.run_sql(text("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS {}", changed, query));
        changed_ = "pg_temp." + changed;
        changed_count_ = query_one<std::int64_t>(work_.here(), "SELECT count(*) FROM " + changed_);
        work_.report.rows.unchanged += work_.table.spilled.count - changed_count_;
    }

    /// Leaves the rows aside that the record says are unchanged, and that nobody has touched where that is asked for. A row that another
    /// owner declares now is unchanged, too: the record of it is another one. Only where there is a record.
    void find_changed_spilled() {
        auto const compared = work_.context.fates.compared();
        auto const owners = work_.id_list(compared);
        // Rows were thinned out only where nobody had touched them: that is what is known of them where the table has been rewritten since.
        auto const untouched = work_.verifies()
                                   ? text(" AND ({} OR EXISTS (SELECT FROM {} t WHERE {} AND t.xmin::text = k.version::text))",
                                          work_.is_rewritten ? "s.isorow_is_thin" : "false", work_.sql.name(), work_.sql.key_join())
                                   : std::string{};
        leave_aside_all_but(
            text("SELECT s.* FROM {} s WHERE NOT EXISTS (SELECT FROM {} k WHERE k.target = {} AND k.key = s.isorow_key AND "
                 "k.owner = ANY ('{}') AND k.fingerprint = s.isorow_fingerprint{})",
                 all_, unpacked(), work_.record->id, owners, untouched));
        if (compared.size() < 2) return;  // between whom rows could move
        work_.report.moved = query_one<std::int64_t>(
            work_.here(), text("SELECT count(*) FROM {} s JOIN {} k ON k.target = {} AND k.key = s.isorow_key WHERE k.owner <> "
                               "s.isorow_owner AND k.owner = ANY ('{}')",
                               all_, unpacked(), work_.record->id, owners));
    }

    void require_whole_spilled() const {
        if (work_.table.spilled.has_thin &&
            query_one<bool>(work_.here(), text("SELECT EXISTS (SELECT FROM {} s WHERE s.isorow_is_thin)", changed_)))
            work_.throw_moved_on();
    }

    void require_own_spilled_keys() {
        refuse_kept();
        if (work_.options().adopt == adopt::rows || work_.is_exclusive()) return;
        // No declared key is recorded where nothing is of owners that are compared, as none is another owner's.
        auto const unrecorded = recorded_ == 0 ? std::string{}
                                               : text(" WHERE NOT EXISTS (SELECT FROM {} k WHERE k.target = {} AND k.key = s.isorow_key)",
                                                      unpacked(), work_.record->id);
        auto const others =
            query<std::string>(work_.here(), text("SELECT {} FROM {} s JOIN {} ON {}{} LIMIT {}", work_.sql.key_text("s."), changed_,
                                                  work_.stored(), work_.sql.key_join(), unrecorded, table_work::sample_size));
        if (!others.empty()) work_.throw_untracked(others);
    }

    /// Throws `untracked_key` where an owner that is not compared keeps one of the keys, be the row there or not.
    void refuse_kept() {
        if (!work_.has_others()) return;
        auto const kept = query<std::vector<std::byte>>(
            work_.here(), text("SELECT k.key FROM {} k JOIN {} s ON s.key = k.key WHERE k.target = {} AND NOT k.owner = ANY ('{}') LIMIT 1",
                               unpacked(), keys_of(changed_), work_.record->id, work_.id_list(work_.context.fates.compared())));
        if (kept.empty()) return;
        byte_writer tuple;
        tuple.put_int16(static_cast<std::int16_t>(work_.description().key.size()));
        tuple.put_bytes(kept.front());
        throw untracked_key(
            text("the key {} of {} is declared, and kept by another owner", work_.key_texts(tuple.bytes(), 1).front(), work_.sql.name()));
    }

    [[nodiscard]] std::string with_owner_ids(std::string const& rows) const {
        return detail::with_owner_ids(work_.connection, work_.context.now(), work_.context.state, rows, work_.number);
    }

    /// Bare rows are so no longer.
    void join_record() {
        if (!work_.table.spilled.is_bare() || std::exchange(is_joined_, true)) return;
        bool const is_narrowed = changed_ != all_;
        all_ = with_owner_ids(join_pages(work_.connection, work_.context.now(), work_.table, all_, work_.number));
        if (!is_narrowed) changed_ = all_;
    }

    /// The keys of rows as the record has them: bare rows are all rows.
    [[nodiscard]] std::string keys_of(std::string const& rows) const {
        bool const is_bare = work_.table.spilled.is_bare() && !is_joined_;
        return is_bare ? unpacked(waiting_pages()) : text("(SELECT d.isorow_key AS key FROM {} d)", rows);
    }

    table_work& work_;
    row_writing& writing_;
    std::string all_{};      ///< a table expression for the rows
    std::string changed_{};  ///< for those of them that are not known to be unchanged
    std::int64_t changed_count_ = 0;
    std::int64_t recorded_ = 0;  ///< rows that the record has of owners that are compared
    bool is_joined_ = false;     ///< the rows were bare, and have what is to be recorded of them by now
};

}  // namespace isorow::inline v1::detail
