#pragma once

/// @file
/// Makes a table equal to the declared rows. What the table, or the record of it, has is read once and compared with the declared rows
/// as bytes; only what differs is sent to the server, which has the last word on whether it is different.

#include <isorow/codec/copy_format.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/stream.hpp>
#include <isorow/target/detail/declared_rows.hpp>
#include <isorow/target/detail/table_setup.hpp>
#include <isorow/target/report.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace isorow::inline v1::detail {

/// What `reconcile` needs to know of a struct, so that it need not be a template.
struct row_shape {
    table_description table;
    std::span<std::uint16_t const> places;  ///< the columns' places with the key first: the order of the images
    bool keys_compare_as_bytes = true;      ///< false where equal keys may differ as bytes, as numeric's do: the server finds the rows then
};

/// How often progress is told: after this many rows.
inline constexpr std::int64_t progress_step = 4096;

class reconciliation {
public:
    reconciliation(connection& connection, std::optional<limits> given, row_shape const& shape, target_options const& options,
                   declared_rows& declared, bool dry_run)
        : connection_(connection), given_(std::move(given)), shape_(shape), options_(options), declared_(declared), dry_run_(dry_run) {}

    /// Runs inside an open transaction; whoever calls commits it, or rolls it back after a dry run.
    [[nodiscard]] report run() {
        declared_.forget_states();
        setup_ = set_up_table(connection_, now(), shape_.table, options_);
        if (!setup_.created) lock_and_compare();
        if (is_first_load()) load();
        else if (shape_.keys_compare_as_bytes || options_.ownership == ownership::shared) apply_differences();
        else apply_all();
        finish_table(connection_, given_, shape_.table, setup_);
        report_.ddl = std::move(setup_.ddl);
        return std::move(report_);
    }

private:
    // What is there

    void lock_and_compare() {
        if (options_.ownership == ownership::exclusive) {
            if (!dry_run_) run_sql(text("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table_name()));
            if (shape_.keys_compare_as_bytes) compare_table();
            else present_ = query_one<std::int64_t>(connection_, text("SELECT count(*) FROM {}", table_name()));
        } else {
            compare_tracked();
        }
    }

    /// The table itself is the record: its rows come as images in the order of the declared ones, so that equal rows are equal bytes.
    void compare_table() {
        copy_out rows(connection_, text("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)", columns(), table_name()), given_);
        bool header = true;
        for (auto message = rows.next(); message.data() != nullptr; message = rows.next()) {
            byte_reader in(message);
            if (std::exchange(header, false)) copy_format::take_header(in);
            if (in.remaining() == 0 || copy_format::take_trailer(in)) continue;
            auto const image = in.rest();
            auto const key_end = end_of_key(image, shape_.table.key.size());
            auto const key = image.subspan(sizeof(std::int16_t), key_end - sizeof(std::int16_t));
            met(key, [&](declared_row const& row) { return std::ranges::equal(row.bytes(), image); });
            tell(progress_phase::comparing, ++present_, static_cast<std::int64_t>(declared_.size()), image.size());
        }
    }

    /// The record is `isorow.tracked`: a key and the fingerprint of the row as it was declared.
    void compare_tracked() {
        bound_statement const owned(connection_, now(), "SELECT key, fingerprint FROM isorow.tracked WHERE target = $1 AND owner = $2",
                                    setup_.id, options_.owner);
        row_stream tracked(connection_, owned.sql(), owned.values(), given_);
        while (auto const chunk = tracked.next()) {
            for (int row = 0; row < chunk->rows(); ++row) {
                auto const key = chunk->value(row, 0);
                auto const stored = chunk->value(row, 1);
                met(key, [&](declared_row const& declared) { return std::ranges::equal(fingerprint_bytes(declared), stored); });
                tell(progress_phase::comparing, ++present_, static_cast<std::int64_t>(declared_.size()), key.size() + stored.size());
            }
        }
    }

    template <class IsEqual>
    void met(std::span<std::byte const> key, IsEqual&& is_equal) {
        auto* const row = declared_.find(key);
        if (row == nullptr) return undeclared_key(key);
        bool const equal = is_equal(*row);
        row->state = equal ? row_state::unchanged : row_state::differs;
        ++(equal ? report_.unchanged : different_);
    }

    void undeclared_key(std::span<std::byte const> key) {
        deleted_.put_int16(static_cast<std::int16_t>(shape_.table.key.size()));
        deleted_.put_bytes(key);
        ++deleted_count_;
    }

    [[nodiscard]] std::array<std::byte, 16> fingerprint_bytes(declared_row const& row) {
        if (seed_ == 0) seed_ = schema_seed();
        auto const hash = fingerprint_of(row.bytes(), seed_);
        std::array<std::byte, 16> bytes;
        store_word(hash.high, bytes.data());
        store_word(hash.low, bytes.data() + sizeof hash.high);
        return bytes;
    }

    /// Rows encoded for other columns, or by another version of the codecs, have other fingerprints.
    [[nodiscard]] std::uint64_t schema_seed() const {
        std::string description = "1";
        for (auto const place : shape_.places) description += column_sql(shape_.table.columns[place]);
        return XXH3_64bits(description.data(), description.size()) | 1;
    }

    // What is written

    [[nodiscard]] bool is_first_load() const noexcept { return options_.ownership == ownership::exclusive && present_ == 0; }

    /// Into an empty table the rows go as they are.
    void load() {
        report_.inserted = static_cast<std::int64_t>(declared_.size());
        if (dry_run_ || declared_.empty()) return;
        copy_rows(table_name(), [](declared_row const&) { return true; });
    }

    void apply_differences() {
        if (deleted_count_ > 0) delete_keys();
        auto const staged = static_cast<std::int64_t>(declared_.size()) - report_.unchanged;
        if (staged == 0) return;
        stage([](declared_row const& row) { return row.state != row_state::unchanged; });
        if (options_.ownership == ownership::shared) check_ownership();
        write_staged(staged);
        if (options_.ownership == ownership::shared && !dry_run_) track_staged();
        run_sql("DROP TABLE pg_temp.isorow_staged_rows");
    }

    /// Keys that are equal without being the same bytes: the server finds the rows.
    void apply_all() {
        stage([](declared_row const&) { return true; });
        check_duplicates();
        report_.deleted =
            dry_run_
                ? query_one<std::int64_t>(
                      connection_, text("SELECT count(*) FROM {} t WHERE NOT EXISTS (SELECT FROM pg_temp.isorow_staged_rows s WHERE {})",
                                        table_name(), key_join()))
                : isorow::execute(database_ref(connection_),
                                  text("DELETE FROM {} t WHERE NOT EXISTS (SELECT FROM pg_temp.isorow_staged_rows s WHERE {})",
                                       table_name(), key_join()));
        write_staged(static_cast<std::int64_t>(declared_.size()));
        run_sql("DROP TABLE pg_temp.isorow_staged_rows");
    }

    void delete_keys() {
        report_.deleted = deleted_count_;
        if (dry_run_) return;
        run_sql(text("CREATE TEMPORARY TABLE isorow_deleted_keys ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA", key_columns(),
                     table_name()));
        copy_in keys(connection_, "COPY pg_temp.isorow_deleted_keys FROM STDIN (FORMAT binary)", given_);
        copy_format::put_header(keys.buffer());
        keys.buffer().put_bytes(deleted_.bytes());
        copy_format::put_trailer(keys.buffer());
        keys.finish();
        auto const deleted = isorow::execute(
            database_ref(connection_), text("DELETE FROM {} t USING pg_temp.isorow_deleted_keys s WHERE {}", table_name(), key_join()));
        if (options_.ownership == ownership::shared) untrack_keys();
        report_.deleted = deleted;
        run_sql("DROP TABLE pg_temp.isorow_deleted_keys");
    }

    /// Takes the records of the deleted keys away, by their images.
    void untrack_keys() {
        std::vector<std::vector<std::byte>> keys;
        auto const flush = [&] {
            isorow::execute(database_ref(connection_), "DELETE FROM isorow.tracked WHERE target = $1 AND key = ANY ($2)", setup_.id, keys);
            keys.clear();
        };
        byte_reader in(deleted_.bytes());
        while (in.remaining() > 0) {
            auto const rest = in.rest();
            auto const end = end_of_key(rest, shape_.table.key.size());
            keys.emplace_back(rest.begin() + sizeof(std::int16_t), rest.begin() + static_cast<std::ptrdiff_t>(end));
            static_cast<void>(in.take_bytes(end));
            if (keys.size() == 10'000) flush();
        }
        if (!keys.empty()) flush();
    }

    template <class Wanted>
    void stage(Wanted&& wanted) {
        bool const shared = options_.ownership == ownership::shared;
        run_sql(text("CREATE TEMPORARY TABLE isorow_staged_rows ON COMMIT DROP AS SELECT {}{} FROM {} WITH NO DATA", columns(),
                     shared ? ", NULL::bytea AS isorow_key, NULL::bytea AS isorow_fingerprint" : "", table_name()));
        copy_rows("pg_temp.isorow_staged_rows", wanted);
        run_sql("ANALYZE pg_temp.isorow_staged_rows");
    }

    template <class Wanted>
    void copy_rows(std::string_view into, Wanted&& wanted) {
        bool const shared = into != table_name() && options_.ownership == ownership::shared;
        copy_in rows(connection_,
                     text("COPY {} ({}{}) FROM STDIN (FORMAT binary)", into, columns(), shared ? ", isorow_key, isorow_fingerprint" : ""),
                     given_);
        copy_format::put_header(rows.buffer());
        std::int64_t sent = 0;
        auto const expected = static_cast<std::int64_t>(declared_.size()) - report_.unchanged;
        for (auto const& row : declared_.rows()) {
            if (!wanted(row)) continue;
            if (shared) put_tracked_row(row, rows.buffer());
            else rows.buffer().put_bytes(row.bytes());
            rows.flush_if_full();
            tell(progress_phase::writing, ++sent, expected, row.size);
        }
        copy_format::put_trailer(rows.buffer());
        rows.finish();
    }

    void put_tracked_row(declared_row const& row, byte_writer& out) {
        out.put_int16(static_cast<std::int16_t>(shape_.places.size() + 2));
        out.put_bytes(row.bytes().subspan(sizeof(std::int16_t)));
        out.put_int32(static_cast<std::int32_t>(row.key().size()));
        out.put_bytes(row.key());
        auto const fingerprint = fingerprint_bytes(row);
        out.put_int32(static_cast<std::int32_t>(fingerprint.size()));
        out.put_bytes(fingerprint);
    }

    /// The staged rows that are in the table and different are updated, those that are not there inserted. `staged`: how many there are.
    void write_staged(std::int64_t staged) {
        if (dry_run_) {
            auto const changed = difference();
            auto const key = quote_identifier(shape_.table.columns[shape_.table.key[0]].name);
            std::tie(report_.inserted, report_.updated) = query_one<std::tuple<std::int64_t, std::int64_t>>(
                connection_, text("SELECT count(*) FILTER (WHERE t.{} IS NULL), count(*) FILTER (WHERE t.{} IS NOT NULL AND {})"
                                  " FROM pg_temp.isorow_staged_rows s LEFT JOIN {} t ON {}",
                                  key, key, changed.empty() ? "false" : changed, table_name(), key_join()));
        } else {
            if (auto const changed = difference(); !changed.empty())
                report_.updated =
                    isorow::execute(database_ref(connection_), text("UPDATE {} t SET {} FROM pg_temp.isorow_staged_rows s WHERE {} AND {}",
                                                                    table_name(), assignments(), key_join(), changed));
            report_.inserted = isorow::execute(database_ref(connection_),
                                               text("INSERT INTO {} ({}) SELECT {} FROM pg_temp.isorow_staged_rows s WHERE NOT EXISTS "
                                                    "(SELECT FROM {} t WHERE {}) ORDER BY {}",
                                                    table_name(), columns(), columns("s."), table_name(), key_join(), key_columns("s.")));
        }
        report_.unchanged += staged - report_.inserted - report_.updated;
    }

    // Shared tables

    /// A declared key that is another owner's, or nobody's that isorow knows, is not ours to overwrite.
    void check_ownership() {
        auto const others = query<std::tuple<std::string, std::string>>(
            connection_,
            text("SELECT ROW({})::text, k.owner FROM pg_temp.isorow_staged_rows s JOIN isorow.tracked k ON k.target = $1 AND k.key = "
                 "s.isorow_key WHERE k.owner <> $2 LIMIT 5",
                 key_columns("s.")),
            setup_.id, options_.owner);
        if (!others.empty())
            throw untracked_key(text("the key {} of {} is declared by \"{}\", and kept by \"{}\"", std::get<0>(others[0]), table_name(),
                                     options_.owner, std::get<1>(others[0])));
        if (options_.adopt == adopt::rows) return;
        auto const untracked =
            query<std::string>(connection_,
                               text("SELECT ROW({})::text FROM pg_temp.isorow_staged_rows s JOIN {} t ON {} WHERE NOT EXISTS (SELECT FROM "
                                    "isorow.tracked k WHERE k.target = $1 AND k.key = s.isorow_key) LIMIT 5",
                                    key_columns("s."), table_name(), key_join()),
                               setup_.id);
        if (untracked.empty()) return;
        std::string keys;
        for (auto const& key : untracked) keys.append(keys.empty() ? "" : ", ").append(key);
        throw untracked_key(
            text("rows with declared keys are in {} already, and isorow did not write them: {}; say adopt::rows to take them over",
                 table_name(), keys));
    }

    void track_staged() {
        isorow::execute(database_ref(connection_),
                        "INSERT INTO isorow.tracked (target, key, owner, fingerprint) SELECT $1, isorow_key, $2, isorow_fingerprint FROM "
                        "pg_temp.isorow_staged_rows"
                        " ON CONFLICT (target, key) DO UPDATE SET fingerprint = excluded.fingerprint",
                        setup_.id, options_.owner);
    }

    void check_duplicates() {
        auto const twice = query<std::string>(
            connection_, text("SELECT ROW({})::text FROM pg_temp.isorow_staged_rows s GROUP BY {} HAVING count(*) > 1 LIMIT 5",
                              key_columns("s."), key_columns("s.")));
        if (!twice.empty()) throw duplicate_key(text("two declared rows of {} have the key {}", table_name(), twice[0]));
    }

    // SQL

    [[nodiscard]] std::string table_name() const { return quote_identifier(shape_.table.schema, shape_.table.name); }

    template <class Places>
    [[nodiscard]] std::string list(Places const& places, std::string_view prefix) const {
        std::string names;
        for (auto const place : places)
            names.append(names.empty() ? "" : ", ").append(prefix).append(quote_identifier(shape_.table.columns[place].name));
        return names;
    }
    [[nodiscard]] std::string columns(std::string_view prefix = {}) const { return list(shape_.places, prefix); }
    [[nodiscard]] std::string key_columns(std::string_view prefix = {}) const { return list(shape_.table.key, prefix); }
    [[nodiscard]] std::span<std::uint16_t const> value_places() const noexcept { return shape_.places.subspan(shape_.table.key.size()); }

    /// `t."id" = s."id" AND …`.
    [[nodiscard]] std::string key_join() const {
        std::string condition;
        for (auto const place : shape_.table.key) {
            auto const name = quote_identifier(shape_.table.columns[place].name);
            condition.append(condition.empty() ? "" : " AND ").append(text("t.{} = s.{}", name, name));
        }
        return condition;
    }

    /// The stored image against the one that would be stored, byte for byte; cast to records, as SQL compares written rows column by
    /// column. Empty where all columns are the key's.
    [[nodiscard]] std::string difference() const {
        if (value_places().empty()) return {};
        return text("ROW({})::record OPERATOR(pg_catalog.*<>) ROW({})::record", list(value_places(), "t."), list(value_places(), "s."));
    }

    [[nodiscard]] std::string assignments() const {
        std::string list;
        for (auto const place : value_places()) {
            auto const name = quote_identifier(shape_.table.columns[place].name);
            list.append(list.empty() ? "" : ", ").append(text("{} = s.{}", name, name));
        }
        return list;
    }

    void run_sql(std::string_view sql) { execute_script(connection_, sql, now()); }

    /// The limits that the user gave for the whole, or the connection's own for the call that begins now.
    [[nodiscard]] limits now() const { return given_ ? *given_ : connection_.default_limits(); }

    void tell(progress_phase phase, std::int64_t rows, std::int64_t expected, std::size_t bytes) {
        if (phase != told_) {
            told_ = phase;
            bytes_ = 0;
        }
        bytes_ += static_cast<std::int64_t>(bytes);
        if (options_.progress && (rows % progress_step == 0 || rows == expected)) options_.progress({phase, rows, expected, bytes_});
    }

    connection& connection_;
    std::optional<limits> given_;
    row_shape shape_;
    target_options const& options_;
    declared_rows& declared_;
    bool dry_run_;

    table_setup setup_{};
    report report_{};
    std::int64_t present_ = 0;    ///< rows that the table, or the record of it, has
    std::int64_t different_ = 0;  ///< declared rows that are there and not equal
    byte_writer deleted_{};       ///< the keys that are there and not declared, as tuples
    std::int64_t deleted_count_ = 0;
    std::uint64_t seed_ = 0;
    progress_phase told_ = progress_phase::comparing;
    std::int64_t bytes_ = 0;
};

}  // namespace isorow::inline v1::detail
