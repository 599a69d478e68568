#pragma once

/// @file
/// What a run has declared, as the commit takes it: owners, tables, rows.

#include <isorow/config.hpp>
#include <isorow/pq/connection.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/target/detail/declared_rows.hpp>
#include <isorow/target/detail/recorded_rows.hpp>
#include <isorow/target/detail/row_fingerprints.hpp>
#include <isorow/target/options.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace isorow::inline v1::detail {

enum class owner_state : std::uint8_t {
    ran,     ///< it declared in this run: what it declares no longer is deleted
    stands,  ///< it did not run, as nothing changed, or it failed and keeps what it had: its rows and those of all below it stay
};

/// Who declares rows: a component of an app by its path, or the owner of a plain target.
struct owner {
    std::string path;
    std::int64_t id = 0;  ///< in `isorow.owners`; 0 until it is entered there
    owner_state state = owner_state::ran;
    std::optional<fingerprint> memo{};  ///< of input and version, entered with the rows; none where it is not memoized
};

/// The owners' ids, by their numbers.
[[nodiscard]] std::vector<std::int64_t> ids_of(std::vector<owner> const& owners);

/// A table that is loaded before its name is taken: see `shadow_table.hpp`.
struct shadow_table {
    std::int64_t number = 0;              ///< of the advisory lock that its session holds
    std::string name{};                   ///< without schema, which is the table's
    std::vector<std::int64_t> writers{};  ///< the transactions that loaded it
};

/// The rows of a table that the server holds already. Each has what is to be recorded of it in columns of its own; or all are bare, as the
/// table will have them, where they are expected to be written as they are, and what is to be recorded of them waits beside them in pages.
struct spilled_rows {
    std::string table{};                   ///< the temporary table that has them; empty where there is none
    std::optional<shadow_table> shadow{};  ///< has the rows instead, where their table is not there yet
    std::string pages{};                   ///< the temporary table that has the pages of bare rows; empty where they are not
    std::int64_t count = 0;
    std::optional<std::uint32_t> owner{};  ///< of one of the rows
    bool has_several_owners = false;
    bool has_thin = false;
    bool may_be_lost = false;           ///< some were sent inside a transaction of the user's, who may have rolled it back
    bool is_rising = true;              ///< the keys came in a rising order, as bytes, so that none came twice
    std::vector<std::byte> last_key{};  ///< of what was sent last
    fingerprint digest{};               ///< of these rows, for `declared_table::digest`

    /// Whether there is a place for rows on the server.
    [[nodiscard]] bool is_open() const noexcept { return !table.empty() || shadow; }
    [[nodiscard]] bool is_bare() const noexcept { return !pages.empty(); }
};

/// One table and the rows that were declared for it. Rows that memory is short for are compared with what is recorded, and of those that
/// are equal only key and fingerprint are kept; others wait on the server.
struct declared_table {
    row_shape shape;
    target_options options;
    std::vector<std::uint32_t> declarers{};  ///< the owners that declared the table, by their numbers
    declared_rows rows{};
    spilled_rows spilled{};
    std::optional<recorded_rows> recorded{};
    std::optional<row_fingerprints> made_fingerprints{};
    bool was_looked_up = false;  ///< whether there is a record

    /// What makes the fingerprints of its rows.
    [[nodiscard]] row_fingerprints const& fingerprints();

    /// What stands for all rows of a table that may be its own record; none where some are thin.
    [[nodiscard]] std::optional<fingerprint> digest();

    /// Adds a row. Returns the row that has the same key already instead, where there is one.
    std::optional<std::size_t> add(std::span<std::byte const> image, std::size_t key_end, std::uint32_t owner);
};

/// All that one run declares. Owners are numbered by their places.
struct declared_state {
    std::string database_key{};  ///< as the database was registered; empty for plain targets
    std::string app{};           ///< the app's name; empty for plain targets
    std::string under{};         ///< the run's extent: owners at or below this path that are not listed are gone; empty: the whole app's
    std::vector<std::string> extents{};  ///< those at or below one of these paths, instead; empty: as `under` says
    std::vector<owner> owners{};
    std::vector<std::unique_ptr<declared_table>> tables{};
    bool has_kept_outputs = false;  ///< `isorow.kept_outputs` has rows of this app, which go with the commit
    /// What else is done in the transaction of the commit, in each attempt.
    std::vector<std::function<void(connection&, limits const&)>> with_commit{};

    /// Whether the run is one of a part of the app, so that what it does not speak of stays.
    [[nodiscard]] bool is_partial() const noexcept { return !under.empty() || !extents.empty(); }
};

#if ISOROW_HAS_CODE

ISOROW_DECL std::vector<std::int64_t> ids_of(std::vector<owner> const& owners) {
    std::vector<std::int64_t> ids;
    ids.reserve(owners.size());
    for (auto const& one : owners) ids.push_back(one.id);
    return ids;
}

ISOROW_DECL row_fingerprints const& declared_table::fingerprints() {
    if (!made_fingerprints) made_fingerprints.emplace(shape);
    return *made_fingerprints;
}

ISOROW_DECL std::optional<fingerprint> declared_table::digest() {
    if (options.ownership == ownership::shared || recorded || spilled.has_thin) return std::nullopt;
    auto sum = spilled.digest;
    for (auto const& row : rows.rows()) sum += fingerprints().in_digest(row.bytes());
    return sum;
}

ISOROW_DECL std::optional<std::size_t> declared_table::add(std::span<std::byte const> image, std::size_t key_end, std::uint32_t owner) {
    if (recorded) {
        auto const value = fingerprints().of(image);
        auto const key = image.subspan(sizeof(std::int16_t), key_end - sizeof(std::int16_t));
        if (recorded->contains(key, value)) return rows.add_thin(image.first(key_end), value, owner);
    }
    return rows.add(image, key_end, owner);
}

#endif

}  // namespace isorow::inline v1::detail
