#pragma once

/// @file
/// The fingerprint of a row: the sum of one for each column that is not NULL, so that a column that is added, and NULL in a row, leaves
/// the row's fingerprint what it was, and the order of the columns does not matter.
/// And the digest of all rows of a table, in which the order of the rows does not matter.

#include <isorow/codec/codec.hpp>
#include <isorow/config.hpp>
#include <isorow/schema/ddl_statements.hpp>
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
    explicit row_fingerprints(row_shape const& shape);

    /// Of a whole image, which is one of ours and well-formed.
    [[nodiscard]] fingerprint of(std::span<std::byte const> image) const noexcept;

    /// One row's part in the sum that stands for all rows of a table: no values can change places between rows without changing the sum.
    [[nodiscard]] fingerprint in_digest(std::span<std::byte const> image) const noexcept { return fingerprint_of(image, shape_); }

    /// Of a declared row, which may be thin.
    [[nodiscard]] fingerprint of(declared_row const& row) const noexcept { return row.thin ? row.kept_fingerprint() : of(row.bytes()); }

private:
    std::vector<std::uint64_t> seeds_;
    std::uint64_t shape_ = 0;  ///< of all seeds in their order
};

#if ISOROW_HAS_CODE

ISOROW_DECL row_fingerprints::row_fingerprints(row_shape const& shape) {
    for (auto const place : shape.places) {
        auto const& column = shape.table.columns[place];
        seeds_.push_back(seed_of(text("1 {} {}", column.name, to_sql(column.type))));
    }
    shape_ = fingerprint_of(std::as_bytes(std::span(seeds_))).low;
}

ISOROW_DECL fingerprint row_fingerprints::of(std::span<std::byte const> image) const noexcept {
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

#endif

}  // namespace isorow::inline v1::detail
