#pragma once

/// @file
/// What the steps of one table's commit share: what is known of the table, and what was found out so far.

#include <isorow/target/detail/commit_context.hpp>
#include <isorow/target/detail/dropped_tables.hpp>
#include <isorow/target/detail/refused_row.hpp>
#include <isorow/target/detail/server_rows.hpp>
#include <isorow/target/detail/table_changes.hpp>
#include <isorow/target/detail/table_clauses.hpp>
#include <isorow/target/detail/tracked_pages.hpp>
#include <isorow/target/plan.hpp>
#include <isorow/target/report.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// A page of the record as it was read.
struct read_page {
    page_place place;
    std::int64_t owner = 0;
    std::uint32_t rows = 0;
    bool is_stale = false;  ///< it has rows that were deleted, changed or moved
};

struct table_work {
    table_work(commit_context& commit, declared_table& declared, std::optional<target_record> known, std::size_t place)
        : context(commit), connection(commit.connection), table(declared), sql(declared.shape), record(std::move(known)), number(place) {
        table.rows.forget_states();
        report.table = sql.name();
    }

    static constexpr std::int64_t progress_step = 4096;
    static constexpr std::size_t sample_size = 5;

    commit_context& context;
    isorow::connection& connection;
    declared_table& table;
    table_clauses sql;
    std::optional<target_record> record;
    std::size_t number;  ///< the table's among those of the commit

    std::optional<table_changes> changes{};
    table_report report{};
    table_plan plan{};
    fingerprint digest{};
    std::optional<isorow::uuid> made_digest{};  ///< of the declared rows, once it was asked for

    bool is_rewritten = false;  ///< altered by this commit so that all rows are written anew: by whom each was written is lost
    bool is_new = false;        ///< made by this commit, so that it is empty, and its key and indexes come after the rows
    bool tracks = false;        ///< `isorow.tracked` is the record of what was declared
    bool takes_record = false;  ///< the table was the record so far, and from now on `isorow.tracked` is
    bool reads_selectively = false;
    bool wrote = false;          ///< something beside rows: an entry, a record
    std::int64_t present = 0;    ///< rows that the table, or the record of it, has of owners that are compared
    std::int64_t met = 0;        ///< declared rows among them
    std::int64_t standing = 0;   ///< rows of owners that stand
    std::int64_t forgotten = 0;  ///< rows that go from the record
    std::int64_t rows_read = 0;
    std::vector<read_page> pages{};  ///< of the record, as far as it was read
    byte_writer deleted{};           ///< the keys that are there and not declared, as tuples
    std::int64_t deleted_count = 0;
    std::unordered_set<std::string> undeclared_keys{};  ///< the same, of the record, where the table is looked at, too
    byte_writer standing_keys{};                        ///< the keys of an owner that stands, each behind its length
    declared_row const* refused = nullptr;
    std::int64_t keeper = 0;

    progress_phase told = progress_phase::comparing;
    std::chrono::steady_clock::time_point begun{};
    std::int64_t told_bytes = 0;

    [[nodiscard]] table_description const& description() const noexcept { return table.shape.table; }

    [[nodiscard]] target_options const& options() const noexcept { return table.options; }

    [[nodiscard]] bool is_exclusive() const noexcept { return options().ownership == ownership::exclusive; }

    [[nodiscard]] database_ref here() const { return {connection, context.now()}; }

    void run_sql(std::string_view statement) { execute_script(connection, statement, context.now()); }

    /// The table as statements read it: as it will be, where a plan has not altered it.
    [[nodiscard]] std::string stored() const {
        if (is_as_declared()) return sql.name() + " t";
        return text("(SELECT {} FROM {}) t", changes->projected_columns(table.shape.places), changes->projected_table());
    }

    [[nodiscard]] std::int64_t relation() const {
        if (changes->exists()) return static_cast<std::int64_t>(changes->live().relation);
        return query_one<std::int64_t>(here(), "SELECT pg_catalog.to_regclass($1)::oid::bigint", sql.name());
    }

    [[nodiscard]] std::vector<std::string> key_names() const { return detail::key_names(description()); }

    /// The owner of all declared rows, where there is one only.
    [[nodiscard]] std::optional<std::int64_t> sole_owner() const {
        if (context.is_plain()) return context.state.owners.front().id;
        if (table.spilled.has_several_owners) return std::nullopt;
        auto sole = table.spilled.owner;
        for (auto const& row : table.rows.rows()) {
            if (sole && *sole != row.owner) return std::nullopt;
            sole = row.owner;
        }
        if (!sole) return std::nullopt;
        return context.state.owners[*sole].id;
    }

    /// Whether the owner of a table that is its own record has run; else its rows are not to be touched.
    [[nodiscard]] bool owner_was_compared() const {
        if (context.is_plain() || !record || !record->owner) return true;
        return context.fates.is_compared(*record->owner);
    }

    [[nodiscard]] std::size_t end_of_key_in(std::span<std::byte const> tuple) const { return end_of_key(tuple, description().key.size()); }

    [[nodiscard]] static std::span<std::byte const> key_in(std::span<std::byte const> tuple, std::size_t end) {
        return tuple.subspan(sizeof(std::int16_t), end - sizeof(std::int16_t));
    }

    [[nodiscard]] static std::string id_list(std::vector<std::int64_t> const& ids) {
        std::string list = "{";
        for (auto const id : ids) list.append(list.size() == 1 ? "" : ",").append(std::to_string(id));
        return list + "}";
    }

    [[nodiscard]] bool verifies() const noexcept { return context.options.drift == drift::mend || takes_others(); }

    /// Whether rows that are in the table and not in the record are to be deleted: nobody else's rows are to be there.
    [[nodiscard]] bool takes_others() const noexcept { return context.is_plain() && is_exclusive(); }
    /// Likewise in an app, where rows that are not declared now may be those of components that stand.
    [[nodiscard]] bool mends_others() const noexcept {
        return !context.is_plain() && is_exclusive() && context.options.drift == drift::mend && !context.state.is_partial() && tracks &&
               is_as_declared();
    }
    /// Whether the table has the columns that are declared: a plan has not altered it.
    [[nodiscard]] bool is_as_declared() const noexcept { return !context.is_plan || changes->planned().changes.empty(); }
    /// SQL for the image of a stored row's key.
    [[nodiscard]] std::string key_image() const { return key_image_sql(here(), relation(), key_names(), "t."); }
    /// The stored rows that are in no record, by that image.
    [[nodiscard]] std::string unrecorded(std::string_view image) const {
        return text("{} WHERE NOT EXISTS (SELECT FROM {} k WHERE k.target = {} AND k.key = {})", stored(), unpacked(),
                    record ? record->id : 0, image);
    }

    /// Whether the rows were loaded beside the table's place, which is free: they need not be written again.
    [[nodiscard]] bool takes_shadow() const { return table.spilled.shadow && changes->planned().creates; }

    [[nodiscard]] std::int64_t declared_count() const noexcept {
        return table.spilled.count + static_cast<std::int64_t>(table.rows.size());
    }

    /// The number of the transaction, or of its savepoint, that writes now.
    [[nodiscard]] std::int64_t present_writer() const {
        return query_one<std::int64_t>(here(), "UPDATE isorow.targets SET row_count = row_count WHERE id = $1 RETURNING xmin::text::bigint",
                                       record->id);
    }

    /// What stands for the declared rows in a table that is their record. A column that somebody has dropped and made anew is another one,
    /// though no row was written: the columns' numbers are a part of it. None where some rows are thin.
    [[nodiscard]] std::optional<isorow::uuid> digest_of_rows() {
        if (made_digest) return made_digest;
        auto const sum = table.digest();
        if (!sum) return std::nullopt;
        std::vector<std::string> names;
        for (auto const place : table.shape.places) names.emplace_back(description().columns[place].name);
        auto const numbers = query_one<std::string>(
            here(),
            "SELECT pg_catalog.array_agg(a.attnum ORDER BY n.place)::text FROM pg_catalog.unnest($2::text[]) WITH ORDINALITY n (name, "
            "place) "
            "JOIN pg_catalog.pg_attribute a ON a.attname = n.name WHERE a.attrelid = $1::bigint::oid AND NOT a.attisdropped",
            relation(), names);
        return made_digest = as_uuid(fingerprint_of(std::as_bytes(std::span(as_uuid(*sum).bytes())), seed_of(numbers)));
    }

    /// Whether the table, its own record, has what was declared last, and the same is declared now: all its rows were written by commits of
    /// this target, and no other was. They need not be read then, only counted.
    [[nodiscard]] bool is_declared_again() {
        if (!record || !record->digest || !record->is_of_this_catalog || takes_record || !changes->exists()) return false;
        bool const has_writers = changes->live().kind == 'r' || changes->live().kind == 'p';
        if (!has_writers || !changes->planned().changes.empty() || digest_of_rows() != record->digest) return false;
        auto const [all, foreign] = count_foreign(here(), sql.name(), *record);
        return foreign == 0 && all == declared_count();
    }

    /// Whether owners that are not compared have rows in the record.
    [[nodiscard]] bool has_others() const {
        return record &&
               query_one<bool>(here(), "SELECT EXISTS (SELECT FROM isorow.tracked WHERE target = $1 AND owner <> ALL ($2::bigint[]))",
                               record->id, context.fates.compared());
    }

    /// How many recorded rows components have that stand.
    [[nodiscard]] std::int64_t count_standing() const {
        if (!record || context.is_plain()) return 0;
        if (record->row_count && !context.state.is_partial()) return *record->row_count - present;
        return rows_of_owners(here(), *record, context.fates.standing());
    }

    /// Sends rows, all their columns and what is recorded of them. `by_copy`: also where they are few.
    template <class Rows>
    [[nodiscard]] server_rows send_rows(Rows const& rows, std::size_t bytes, std::string_view purpose, bool by_copy = false) {
        std::vector<sent_column> columns;
        for (auto const place : table.shape.places)
            columns.push_back({std::string(description().columns[place].name), description().columns[place].type});
        if (tracks) columns.push_back({"isorow_key", {type_id::bytea}});
        server_rows sent(connection, context.given, text("isorow_{}_{}", purpose, number), std::move(columns), changes->schemas());
        std::size_t next = 0;
        try {
            auto const send_next = [&](byte_writer& out) {
                put_row(*rows[next], out);
                ++next;
                tell(progress_phase::writing, static_cast<std::int64_t>(next), static_cast<std::int64_t>(rows.size()),
                     rows[next - 1]->size);
            };
            sent.send(rows.size(), bytes, send_next, by_copy);
        } catch (server_error const& failure) {
            rethrow_at_line(failure, rows);
        }
        return sent;
    }

    void put_row(declared_row const& row, byte_writer& out) {
        if (!tracks) return out.put_bytes(row.bytes());
        out.put_int16(static_cast<std::int16_t>(table.shape.places.size() + 1));
        out.put_bytes(row.bytes().subspan(sizeof(std::int16_t)));
        out.put_int32(static_cast<std::int32_t>(row.key().size()));
        out.put_bytes(row.key());
    }

    /// The keys of some declared rows as the server writes them.
    [[nodiscard]] std::vector<std::string> key_texts(std::vector<declared_row> const& rows) {
        byte_writer tuples;
        for (auto const& row : rows) {
            tuples.put_int16(static_cast<std::int16_t>(description().key.size()));
            tuples.put_bytes(row.key());
        }
        return key_texts(tuples.bytes(), rows.size());
    }
    /// The same of tuples that have the key's columns alone.
    [[nodiscard]] std::vector<std::string> key_texts(std::span<std::byte const> tuples, std::size_t count) {
        if (count == 0) return {};
        auto sent = send_keys(tuples, count, "keys");
        auto texts = sent.texts(text("SELECT {} FROM {} s", sql.key_text("s."), sent.from()));
        sent.drop();
        return texts;
    }

    /// Sends tuples that have the key's columns alone.
    [[nodiscard]] server_rows send_keys(std::span<std::byte const> tuples, std::size_t count, std::string_view purpose) {
        std::vector<sent_column> columns;
        for (auto const place : sql.key_places())
            columns.push_back({std::string(description().columns[place].name), description().columns[place].type});
        server_rows sent(connection, context.given, text("isorow_{}_{}", purpose, number), std::move(columns), changes->schemas());
        byte_reader in(tuples);
        sent.send(count, tuples.size(), [&](byte_writer& out) { out.put_bytes(in.take_bytes(end_of_key_in(in.rest()))); });
        return sent;
    }

    [[nodiscard]] row_fingerprints const& fingerprints() { return table.fingerprints(); }

    void tell(progress_phase phase, std::int64_t rows, std::int64_t expected, std::size_t bytes) {
        if (!context.options.progress) return;
        auto const now = std::chrono::steady_clock::now();
        if (phase != told || begun == std::chrono::steady_clock::time_point{}) {
            told = phase;
            begun = now;
            told_bytes = 0;
        }
        told_bytes += static_cast<std::int64_t>(bytes);
        if (rows % progress_step == 0 || rows == expected)
            context.options.progress({phase, rows, expected, told_bytes, report.table, now - begun});
    }

    /// An error of COPY says in which line it was, the row's number, and in which column.
    [[noreturn]] void rethrow_at_line(server_error const& failure, std::vector<declared_row const*> const& rows) const {
        detail::rethrow_at_line(failure, description(), rows);
    }

    [[noreturn]] void rethrow_at(server_error const& failure, declared_row const* row, std::string_view column = {}) const {
        detail::rethrow_at(failure, description(), row, column);
    }

    [[noreturn]] void throw_twice_declared(std::string_view key) const {
        throw duplicate_key(text("two declared rows of {} have the key {}", sql.name(), key));
    }
    /// `keys`: a few of them, as text.
    [[noreturn]] void throw_untracked(std::vector<std::string> const& keys) const {
        std::string list;
        for (auto const& key : keys) list.append(list.empty() ? "" : ", ").append(key);
        throw untracked_key(
            text("rows with declared keys are in {} already, and isorow did not write them: {}; say adopt::rows to take them over",
                 sql.name(), list));
    }
    /// Rows that were thinned out were equal to what is recorded. Should they no longer be, their values are not there to be written.
    [[noreturn]] void throw_moved_on() const {
        throw run_conflict(
            text("somebody else has written to {}, or to the record of it, since its rows were declared; declare them again", sql.name()));
    }

    /// The path of an owner by its id, for errors.
    [[nodiscard]] std::optional<std::string> path_of(std::int64_t owner) const {
        return query_optional<std::string>(here(), "SELECT path FROM isorow.owners WHERE id = $1", owner);
    }

    template <class Work>
    void naming_the_table(Work&& work) {
        try {
            work();
        } catch (server_error const& failure) {
            rethrow_at(failure, nullptr);
        }
    }

    /// Calls `take` with each tuple of a COPY.
    template <class Take>
    void read_rows(std::string const& query_text, Take&& take) {
        read_tuples(connection, context.given, query_text, [&](std::span<std::byte const> tuple) {
            take(tuple);
            tell(progress_phase::comparing, ++rows_read, static_cast<std::int64_t>(table.rows.size()), tuple.size());
        });
        require_no_refused_key();
    }

    /// Calls `take(key, writer)` with each stored row's key and the transaction that wrote it.
    template <class Take>
    void read_row_writers(Take&& take) {
        read_rows(writers_sql(sql.name(), sql.key_columns()),
                  [&](std::span<std::byte const> tuple) { take_writer(tuple, description().key.size(), take); });
    }

    void require_few_deletions() const { detail::require_few_deletions(context.options.guard, deleted_count, present, sql.name()); }

    /// Notes a key that another owner keeps; the error is thrown once the connection is free to name it.
    void refuse_key(declared_row const& row, std::int64_t kept_by) noexcept {
        if (refused == nullptr) refused = &row, keeper = kept_by;
    }

    void require_no_refused_key() {
        if (refused == nullptr) return;
        throw untracked_key(text("the key {} of {} is declared by \"{}\", and kept by \"{}\"", key_texts({*refused}).front(), sql.name(),
                                 context.state.owners[refused->owner].path, path_of(keeper).value_or("another owner")));
    }
};

}  // namespace isorow::inline v1::detail
