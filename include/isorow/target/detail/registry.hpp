#pragma once

/// @file
/// The entries of apps, owners and targets in schema `isorow`.

#include <isorow/codec/copy_format.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/config.hpp>
#include <isorow/pq/copy.hpp>
#include <isorow/query/query.hpp>
#include <isorow/target/detail/declared_state.hpp>
#include <isorow/target/errors.hpp>
#include <isorow/target/install.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// A fingerprint as a uuid of the database: the high word first, big-endian.
[[nodiscard]] inline isorow::uuid as_uuid(fingerprint const& value) noexcept {
    std::array<std::byte, 16> bytes{};
    store_word(value.high, bytes.data());
    store_word(value.low, bytes.data() + sizeof value.high);
    return isorow::uuid(std::bit_cast<std::array<std::uint8_t, 16>>(bytes));
}
[[nodiscard]] inline fingerprint as_fingerprint(std::span<std::byte const> sixteen_bytes) noexcept {
    return {load_word<std::uint64_t>(sixteen_bytes.data()), load_word<std::uint64_t>(sixteen_bytes.data() + sizeof(std::uint64_t))};
}

/// Appends a fingerprint as a field of a tuple.
inline void put_fingerprint(fingerprint const& value, byte_writer& out) {
    out.put_int32(2 * sizeof(std::uint64_t));
    out.put_int64(static_cast<std::int64_t>(value.high));
    out.put_int64(static_cast<std::int64_t>(value.low));
}

/// Calls `take` with each tuple of what `sql` selects.
template <class Take>
void read_tuples(connection& connection, std::optional<limits> const& given, std::string_view sql, Take&& take) {
    copy_out rows(connection, text("COPY ({}) TO STDOUT (FORMAT binary)", sql), given);
    bool header = true;
    for (auto message = rows.next(); message.data() != nullptr; message = rows.next()) {
        byte_reader in(message);
        if (std::exchange(header, false)) copy_format::take_header(in);
        if (in.remaining() != 0 && !copy_format::take_trailer(in)) take(in.rest());
    }
}

/// An owner that an earlier run has entered.
struct recorded_owner {
    std::int64_t id = 0;
    std::string path{};
    std::optional<fingerprint> memo{};
};

/// What the database has of an app at the beginning of a run.
struct app_record {
    std::int32_t id = 0;
    std::int64_t runs = 0;
    std::vector<recorded_owner> owners{};
};

/// A table's entry.
struct target_record {
    std::int32_t id = 0;
    std::string schema_name{};
    std::string table_name{};
    std::int64_t relation = 0;
    bool is_of_this_catalog = true;  ///< false after a restore elsewhere: the OID means nothing then, nor do the transactions' numbers
    bool created = false;
    std::string ownership{};
    std::string record{};
    std::optional<std::int64_t> owner{};
    std::optional<std::int64_t> row_count{};
    std::vector<std::int64_t> writers{};
    std::vector<std::int64_t> declarers{};
    std::vector<std::string> key_columns{};
    std::optional<isorow::uuid> digest{};  ///< of all rows that were declared last, where the table is their record

    [[nodiscard]] bool is_for(table_description const& table) const noexcept {
        return schema_name == table.schema && table_name == table.name;
    }
    [[nodiscard]] bool tracks_rows() const noexcept { return record == "rows"; }
};

[[nodiscard]] std::vector<target_record> read_targets(database_ref const& where, std::int32_t app);

/// How many rows a table has that is its own record, and how many of them were last written by transactions that are not in the record.
/// `name`: the table's, quoted.
[[nodiscard]] std::tuple<std::int64_t, std::int64_t> count_foreign(database_ref const& where, std::string_view name,
                                                                   target_record const& record);

/// The owners that have rows in a table.
[[nodiscard]] std::vector<std::int64_t> owners_of_rows(database_ref const& where, target_record const& record);

/// The app that keeps a table, other than this one, as errors name it. Nothing where there is none that made it.
[[nodiscard]] std::optional<std::string> other_keeper(database_ref const& where, std::int32_t app, table_description const& table);

/// Reads the app's owners by COPY, as there may be many.
[[nodiscard]] std::vector<recorded_owner> read_owners(connection& connection, limits const& limits, std::int32_t app);

/// Reads the owners at or below some paths. A path's text ends where a slash begins what is below it, and `0` comes next to the slash.
[[nodiscard]] std::vector<recorded_owner> read_owners_under(database_ref const& where, std::int32_t app,
                                                            std::vector<std::string> const& paths);

/// An app's id and how many of its runs were committed; nothing where it was never entered.
[[nodiscard]] std::optional<std::tuple<std::int32_t, std::int64_t>> find_app(database_ref const& where, std::string_view database_key,
                                                                             std::string_view app);

/// Installs schema `isorow` where it is not there, enters the app, and reads what the database has of it. `paths`: of the owners, those at
/// or below these; empty for all.
[[nodiscard]] app_record open_app(connection& connection, limits const& limits, std::string_view database_key, std::string_view app,
                                  std::vector<std::string> const& paths = {});

/// The record of one owner of plain targets; none where it has never committed.
[[nodiscard]] std::optional<std::int64_t> find_owner(database_ref const& where, std::int32_t app, std::string_view path);

/// Enters the owners that have no id yet, and gives them theirs: not those that failed in their first run, which have declared nothing.
void enter_owners(connection& connection, std::optional<limits> const& given, std::int32_t app, std::vector<owner>& owners);

/// Writes down what the memoized owners ran with, where that has changed. Returns how many there were.
std::int64_t update_memos(database_ref const& where, std::vector<std::int64_t> const& ids,
                          std::vector<std::optional<isorow::uuid>> const& memos);

void delete_owners(database_ref const& where, std::vector<std::int64_t> const& ids);

/// Makes commits of one app, or of plain targets of one table, follow each other until the transaction ends, and throws `run_conflict`
/// where another run was committed since this one began. Plain targets have no runs: they read all they need under the lock.
void lock_app(connection& connection, app_record const& app, declared_state const& state);

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/target/detail/registry_code.hpp>
#endif
