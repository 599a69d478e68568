#pragma once

/// @file
/// The fingerprint of a row: the sum of one for each column that is not NULL, so that a column that is added, and NULL in a row, leaves
/// the row's fingerprint what it was, and the order of the columns does not matter.

#include <isorow/codec/codec.hpp>
#include <isorow/schema/ddl.hpp>
#include <isorow/target/detail/declared_rows.hpp>
#include <isorow/target/detail/row_shape.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace isorow::inline v1::detail {

/// Makes the fingerprints of one table's rows from their images.
class row_fingerprints {
public:
    /// Other names, types and versions of the codecs make other fingerprints.
    explicit row_fingerprints(row_shape const& shape) {
        for (auto const place : shape.places) {
            auto const& column = shape.table.columns[place];
            seeds_.push_back(seed_of(text("1 {} {}", column.name, to_sql(column.type))));
        }
    }

    /// Of a whole image, which is one of ours and well-formed.
    [[nodiscard]] fingerprint of(std::span<std::byte const> image) const noexcept {
        fingerprint sum;
        auto const* place = image.data() + sizeof(std::int16_t);
        for (auto const seed : seeds_) {
            auto const length = static_cast<std::int32_t>(load_word<std::uint32_t>(place));
            place += sizeof length;
            if (length < 0) continue;
            sum += fingerprint_of({place, static_cast<std::size_t>(length)}, seed);
            place += length;
        }
        return sum;
    }

    /// Of a declared row, which may be thin.
    [[nodiscard]] fingerprint of(declared_row const& row) const noexcept { return row.thin ? row.kept_fingerprint() : of(row.bytes()); }

private:
    std::vector<std::uint64_t> seeds_;
};

}  // namespace isorow::inline v1::detail
