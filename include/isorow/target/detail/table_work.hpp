#pragma once

/// @file
/// What the steps of one table's commit share: what is known of the table, and what was found out so far.

#include <isorow/target/detail/commit_context.hpp>
#include <isorow/target/detail/readable_key.hpp>
#include <isorow/target/detail/row_fingerprints.hpp>
#include <isorow/target/detail/server_rows.hpp>
#include <isorow/target/detail/table_changes.hpp>
#include <isorow/target/detail/table_clauses.hpp>
#include <isorow/target/detail/tracked_pages.hpp>
#include <isorow/target/plan.hpp>
#include <isorow/target/report.hpp>

#include <charconv>
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
    std::optional<row_fingerprints> made_fingerprints{};
    table_report report{};
    table_plan plan{};
    fingerprint digest{};

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
        if (!context.is_plan || changes->planned().changes.empty()) return sql.name() + " t";
        return text("(SELECT {} FROM {}) t", changes->projected_columns(table.shape.places), changes->projected_table());
    }

    [[nodiscard]] std::int64_t relation() const {
        if (changes->exists()) return static_cast<std::int64_t>(changes->live().relation);
        return query_one<std::int64_t>(here(), "SELECT pg_catalog.to_regclass($1)::oid::bigint", sql.name());
    }

    [[nodiscard]] std::vector<std::string> key_names() const {
        std::vector<std::string> names;
        for (auto const place : description().key) names.emplace_back(description().columns[place].name);
        return names;
    }

    /// The owner of all declared rows, where there is one only.
    [[nodiscard]] std::optional<std::int64_t> sole_owner() const {
        if (context.is_plain()) return context.state.owners.front().id;
        if (table.spilled) return std::nullopt;
        std::optional<std::uint32_t> sole;
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

    [[nodiscard]] bool verifies() const noexcept { return context.options.drift == drift::mend || (context.is_plain() && is_exclusive()); }

    /// Whether rows that are in the table and not in the record are to be deleted: nobody else's rows are to be there.
    [[nodiscard]] bool takes_others() const noexcept { return context.is_plain() && is_exclusive(); }

    /// Sends rows, all their columns and what is recorded of them.
    template <class Rows>
    [[nodiscard]] server_rows send_rows(Rows const& rows, std::size_t bytes, std::string_view purpose) {
        std::vector<sent_column> columns;
        for (auto const place : table.shape.places)
            columns.push_back({std::string(description().columns[place].name), description().columns[place].type});
        if (tracks) columns.push_back({"isorow_key", {type_id::bytea}});
        server_rows sent(connection, context.given, text("isorow_{}_{}", purpose, number), std::move(columns), changes->schemas());
        std::size_t next = 0;
        try {
            sent.send(rows.size(), bytes, [&](byte_writer& out) {
                put_row(*rows[next], out);
                ++next;
                tell(progress_phase::writing, static_cast<std::int64_t>(next), static_cast<std::int64_t>(rows.size()),
                     rows[next - 1]->size);
            });
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

    [[nodiscard]] row_fingerprints const& fingerprints() {
        if (!made_fingerprints) made_fingerprints.emplace(table.shape);
        return *made_fingerprints;
    }

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

    /// An error of COPY says in which line it was: the row's number.
    [[noreturn]] void rethrow_at_line(server_error const& failure, std::vector<declared_row const*> const& rows) {
        std::string_view const where = failure.context();
        auto const place = where.find(", line ");
        std::size_t line = 0;
        if (place != std::string_view::npos) std::from_chars(where.data() + place + 7, where.data() + where.size(), line);
        rethrow_at(failure, line > 0 && line <= rows.size() ? rows[line - 1] : nullptr);
    }

    /// The same error with the table, and the key where it is known, in front.
    [[noreturn]] void rethrow_at(server_error const& failure, declared_row const* row) {
        auto fields = failure.diagnostics();
        fields.message = row == nullptr
                             ? text("{}: {}", sql.name(), fields.message)
                             : text("{}, the row with the key {}: {}", sql.name(), readable_key(table.shape, row->key()), fields.message);
        throw_server_error(std::move(fields));
    }

    [[nodiscard]] static std::vector<declared_row const*> pointers_to(std::span<declared_row const> rows) {
        std::vector<declared_row const*> pointers;
        for (auto const& row : rows) pointers.push_back(&row);
        return pointers;
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

    void require_few_deletions() const {
        auto const& guard = context.options.guard;
        if (present <= guard.above || static_cast<double>(deleted_count) <= guard.share * static_cast<double>(present)) return;
        throw too_many_deletions(
            text("{} of {} rows of {} are declared no longer and would be deleted, which is more than the guard allows; say "
                 "how many may go by commit_options::guard",
                 deleted_count, present, sql.name()));
    }

    /// Notes a key that another owner keeps; the error is thrown once the connection is free to name it.
    void refuse_key(declared_row const& row, std::int64_t kept_by) noexcept {
        if (refused == nullptr) refused = &row, keeper = kept_by;
    }

    void require_no_refused_key() {
        if (refused == nullptr) return;
        auto const path = query_optional<std::string>(here(), "SELECT path FROM isorow.owners WHERE id = $1", keeper);
        throw untracked_key(text("the key {} of {} is declared by \"{}\", and kept by \"{}\"", key_texts({*refused}).front(), sql.name(),
                                 context.state.owners[refused->owner].path, path.value_or("another owner")));
    }
};

}  // namespace isorow::inline v1::detail
