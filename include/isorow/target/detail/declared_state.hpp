#pragma once

/// @file
/// What a run has declared, as the commit takes it: owners, tables, rows.

#include <isorow/schema/table.hpp>
#include <isorow/target/detail/declared_rows.hpp>
#include <isorow/target/detail/recorded_rows.hpp>
#include <isorow/target/detail/row_fingerprints.hpp>
#include <isorow/target/options.hpp>

#include <cstddef>
#include <cstdint>
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

/// The rows of a table that the server holds already, in a temporary table.
struct spilled_rows {
    std::string table{};  ///< its name; empty where there is none
    std::int64_t count = 0;
    std::optional<std::uint32_t> owner{};  ///< of one of the rows
    bool has_several_owners = false;
    bool has_thin = false;
    bool is_rising = true;              ///< the keys came in a rising order, as bytes, so that none came twice
    std::vector<std::byte> last_key{};  ///< of what was sent last
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
    [[nodiscard]] row_fingerprints const& fingerprints() {
        if (!made_fingerprints) made_fingerprints.emplace(shape);
        return *made_fingerprints;
    }

    /// Adds a row. Returns the row that has the same key already instead, where there is one.
    std::optional<std::size_t> add(std::span<std::byte const> image, std::size_t key_end, std::uint32_t owner) {
        if (recorded) {
            auto const value = fingerprints().of(image);
            auto const key = image.subspan(sizeof(std::int16_t), key_end - sizeof(std::int16_t));
            if (recorded->contains(key, value)) return rows.add_thin(image.first(key_end), value, owner);
        }
        return rows.add(image, key_end, owner);
    }
};

/// All that one run declares. Owners are numbered by their places.
struct declared_state {
    std::string database_key{};  ///< as the database was registered; empty for plain targets
    std::string app{};           ///< the app's name; empty for plain targets
    std::string under{};         ///< the run's extent: owners at or below this path that are not listed are gone; empty: the whole app's
    std::vector<owner> owners{};
    std::vector<std::unique_ptr<declared_table>> tables{};
    bool has_kept_outputs = false;  ///< `isorow.kept_outputs` has rows of this app, which go with the commit
};

}  // namespace isorow::inline v1::detail
