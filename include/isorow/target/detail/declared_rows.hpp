#pragma once

/// @file
/// The rows that a target was told of, as images with the key first, found by their keys.

#include <isorow/codec/bytes.hpp>
#include <isorow/config.hpp>
#include <isorow/target/detail/fingerprint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Where one declared row stands in the comparison with what is there.
enum class row_state : std::uint8_t {
    unseen,     ///< not met: new
    unchanged,  ///< met, and equal
    differs,    ///< met, and its bytes differ
    unsure,     ///< met, and equal by its fingerprint, but somebody else has written the row since
};

/// One declared row: its image, a COPY tuple with the key's columns first. Of a thin row only the field count and the key are there, and
/// its fingerprint behind them.
struct declared_row {
    static constexpr std::uint32_t no_page = 0xffffffff;

    std::byte const* image = nullptr;
    std::uint32_t size = 0;
    std::uint32_t key_end = 0;     ///< where the key's columns end; the key begins behind the field count
    std::uint32_t owner = 0;       ///< who declared it: a number in the run's list of owners
    std::uint32_t version = 0;     ///< the transaction that wrote the stored row, as far as the record says; 0: not known
    std::uint32_t page = no_page;  ///< where in the record it stands
    row_state state = row_state::unseen;
    bool moved = false;    ///< another owner had declared it before
    bool present = false;  ///< seen in the table itself
    bool thin = false;     ///< it was found equal to what is recorded when memory was short, and the rest of its image given up

    [[nodiscard]] std::span<std::byte const> bytes() const noexcept { return {image, size}; }
    [[nodiscard]] std::span<std::byte const> key() const noexcept { return {image + sizeof(std::int16_t), key_end - sizeof(std::int16_t)}; }
    [[nodiscard]] fingerprint kept_fingerprint() const noexcept {
        fingerprint kept;
        std::memcpy(&kept, image + key_end, sizeof kept);
        return kept;
    }
};

[[nodiscard]] std::vector<declared_row const*> pointers_to(std::span<declared_row const> rows);

/// The rows of each owner together, as pages have them, in their order.
void sort_by_owner(std::vector<declared_row const*>& rows);

/// Where the first `key_columns` fields of a COPY tuple end. Throws `malformed` where they are not whole.
[[nodiscard]] inline std::size_t end_of_key(std::span<std::byte const> tuple, std::size_t key_columns) {
    byte_reader in(tuple);
    static_cast<void>(in.take_int16());
    for (std::size_t i = 0; i < key_columns; ++i) {
        auto const length = in.take_int32();
        if (length < 0) throw malformed("a key column with the length {}", length);
        static_cast<void>(in.take_bytes(static_cast<std::size_t>(length)));
    }
    return tuple.size() - in.remaining();
}

/// Owns the images of the declared rows, in blocks that never move. Rows whose keys come in a rising order, as bytes, need nothing else to
/// be found; for others there is an open-addressing table from key to row.
class declared_rows {
public:
    /// Adds a row. Returns the row that has the same key already instead, where there is one.
    std::optional<std::size_t> add(std::span<std::byte const> image, std::size_t key_end, std::uint32_t owner = 0);

    /// Adds a thin row. `front`: the image up to the end of its key.
    std::optional<std::size_t> add_thin(std::span<std::byte const> front, fingerprint const& value, std::uint32_t owner);

    /// The row of a key, or nothing. Quickest where keys are asked for in the order in which they were declared.
    [[nodiscard]] declared_row* find(std::span<std::byte const> key) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    [[nodiscard]] std::span<declared_row> rows() noexcept { return rows_; }
    [[nodiscard]] std::span<declared_row const> rows() const noexcept { return rows_; }

    /// Whether the keys are in a rising order, as bytes, the first behind one that came before them.
    [[nodiscard]] bool is_rising(std::span<std::byte const> before) const noexcept;

    /// How many bytes the images have.
    [[nodiscard]] std::size_t image_bytes() const noexcept { return image_bytes_; }
    /// How many bytes of memory all takes when another row has come: what grows then is there twice, and twice as large.
    [[nodiscard]] std::size_t memory() const noexcept {
        auto const places = rows_.capacity() * (rows_.size() == rows_.capacity() ? 3 : 1);
        auto const slots = slots_.size() * (2 * (rows_.size() + 1) > slots_.size() ? 3 : 1);
        return blocks_bytes_ + places * sizeof(declared_row) + slots * sizeof(numbered_slot);
    }

    /// Gives up the images of the rows for which `fingerprint_if_known(row)` returns a fingerprint, but for their keys.
    template <class FingerprintIfKnown>
    void thin_out(FingerprintIfKnown&& fingerprint_if_known) {
        auto blocks = std::exchange(blocks_, {});
        free_ = nullptr;
        block_left_ = image_bytes_ = blocks_bytes_ = 0;
        std::size_t at = 0;
        for (auto& row : rows_) {
            // Rows stand in the blocks in their order: one that is left behind can go.
            while (!is_in(blocks[at], row.image)) blocks[at++].bytes.reset();
            std::optional<fingerprint> const known = row.thin ? std::nullopt : fingerprint_if_known(std::as_const(row));
            if (!known) {
                row.image = keep(row.bytes());
                continue;
            }
            auto const small = thinned({row.image, row.key_end}, *known);
            row.image = keep(small.bytes());
            row.size = static_cast<std::uint32_t>(small.size());
            row.thin = true;
        }
    }

    /// Gives up all rows, and keeps their memory for those that come next: fresh memory costs the system more than the row that goes there.
    void clear() noexcept;

    /// Forgets what was seen, for another comparison.
    void forget_states() noexcept;

private:
    std::optional<std::size_t> enter(declared_row row, std::span<std::byte const> image);

    [[nodiscard]] static bool is_same(std::span<std::byte const> left, std::span<std::byte const> right) noexcept {
        return left.size() == right.size() && std::memcmp(left.data(), right.data(), left.size()) == 0;
    }
    [[nodiscard]] static bool is_less(std::span<std::byte const> left, std::span<std::byte const> right) noexcept {
        auto const order = std::memcmp(left.data(), right.data(), std::min(left.size(), right.size()));
        return order != 0 ? order < 0 : left.size() < right.size();
    }

    /// The row's number, or that behind the last.
    [[nodiscard]] std::size_t place_of(std::span<std::byte const> key) const noexcept;

    /// Rows that came in order so far enter the table.
    void number_all();
    [[nodiscard]] static byte_writer thinned(std::span<std::byte const> front, fingerprint const& value);

    /// Row numbers count from 1; 0 is a free slot. The tag spares most comparisons of keys that only share a slot.
    struct numbered_slot {
        std::uint32_t tag = 0;
        std::uint32_t row = 0;
    };

    struct block {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t size = 0;
    };
    [[nodiscard]] static bool is_in(block const& one, std::byte const* place) noexcept {
        return std::less_equal<>{}(one.bytes.get(), place) && std::less<>{}(place, one.bytes.get() + one.size);
    }

    static constexpr std::size_t block_size = std::size_t{1} << 20;
    static constexpr std::size_t first_block_size = std::size_t{1} << 12;

    [[nodiscard]] static std::uint64_t hash_of(std::span<std::byte const> key) noexcept { return XXH3_64bits(key.data(), key.size()); }
    [[nodiscard]] static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }

    /// The slot that holds the key, or the free one where it would go.
    [[nodiscard]] std::size_t slot_of(std::span<std::byte const> key, std::uint64_t hash) const noexcept;
    void grow();
    [[nodiscard]] std::byte const* keep(std::span<std::byte const> image);

    /// A spare block, where the last one is large enough; else it makes room for another.
    [[nodiscard]] block block_for(std::size_t size);

    std::vector<declared_row> rows_;
    std::vector<numbered_slot> slots_;
    std::vector<block> blocks_;
    std::vector<block> spare_;  ///< of rows that were given up
    std::byte* free_ = nullptr;
    std::size_t next_ = 0;  ///< the row that is probably asked for next
    bool is_sorted_ = true;
    std::size_t block_left_ = 0;
    std::size_t image_bytes_ = 0;
    std::size_t blocks_bytes_ = 0;
};

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/target/detail/declared_rows_code.hpp>
#endif
