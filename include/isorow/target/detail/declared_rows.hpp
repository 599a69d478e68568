#pragma once

/// @file
/// The rows that a target was told of, as images with the key first, found by their keys.

#include <isorow/codec/bytes.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// XXH3-128, the fingerprint of tracked rows.
struct fingerprint {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend bool operator==(fingerprint const&, fingerprint const&) = default;
};

[[nodiscard]] inline fingerprint fingerprint_of(std::span<std::byte const> bytes, std::uint64_t seed) noexcept {
    auto const hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
    return {hash.high64, hash.low64};
}

/// Where one declared row stands in the comparison with the table.
enum class row_state : std::uint8_t {
    unseen,     ///< not met in the table: new
    unchanged,  ///< met, and equal
    differs,    ///< met, and its bytes differ
};

/// One declared row: its image, a COPY tuple with the key's columns first.
struct declared_row {
    std::byte const* image = nullptr;
    std::uint32_t size = 0;
    std::uint32_t key_end = 0;  ///< where the key's columns end; the key begins behind the field count
    row_state state = row_state::unseen;

    [[nodiscard]] std::span<std::byte const> bytes() const noexcept { return {image, size}; }
    [[nodiscard]] std::span<std::byte const> key() const noexcept { return {image + sizeof(std::int16_t), key_end - sizeof(std::int16_t)}; }
};

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

/// Owns the images of the declared rows, in blocks that never move, and an open-addressing table from key to row.
class declared_rows {
public:
    /// Adds a row. Returns the row that has the same key already instead, where there is one.
    std::optional<std::size_t> add(std::span<std::byte const> image, std::size_t key_end) {
        if (2 * (rows_.size() + 1) > slots_.size()) grow();
        declared_row row{image.data(), static_cast<std::uint32_t>(image.size()), static_cast<std::uint32_t>(key_end)};
        auto const hash = hash_of(row.key());
        auto const place = slot_of(row.key(), hash);
        if (slots_[place].row != 0) return slots_[place].row - 1;
        row.image = keep(image);
        rows_.push_back(row);
        slots_[place] = {tag_of(hash), static_cast<std::uint32_t>(rows_.size())};
        return std::nullopt;
    }

    /// The row of a key, or nothing.
    [[nodiscard]] declared_row* find(std::span<std::byte const> key) noexcept {
        if (slots_.empty()) return nullptr;
        auto const& slot = slots_[slot_of(key, hash_of(key))];
        return slot.row == 0 ? nullptr : &rows_[slot.row - 1];
    }

    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    [[nodiscard]] std::span<declared_row> rows() noexcept { return rows_; }
    [[nodiscard]] std::span<declared_row const> rows() const noexcept { return rows_; }

    /// Forgets what was seen, for another comparison.
    void forget_states() noexcept {
        for (auto& row : rows_) row.state = row_state::unseen;
    }

private:
    /// Row numbers count from 1; 0 is a free slot. The tag spares most comparisons of keys that only share a slot.
    struct numbered_slot {
        std::uint32_t tag = 0;
        std::uint32_t row = 0;
    };

    static constexpr std::size_t block_size = std::size_t{1} << 20;

    [[nodiscard]] static std::uint64_t hash_of(std::span<std::byte const> key) noexcept { return XXH3_64bits(key.data(), key.size()); }
    [[nodiscard]] static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }

    /// The slot that holds the key, or the free one where it would go.
    [[nodiscard]] std::size_t slot_of(std::span<std::byte const> key, std::uint64_t hash) const noexcept {
        auto const mask = slots_.size() - 1;
        for (auto place = static_cast<std::size_t>(hash) & mask;; place = (place + 1) & mask) {
            auto const& slot = slots_[place];
            if (slot.row == 0) return place;
            if (slot.tag != tag_of(hash)) continue;
            auto const other = rows_[slot.row - 1].key();
            if (other.size() == key.size() && std::memcmp(other.data(), key.data(), key.size()) == 0) return place;
        }
    }

    void grow() {
        auto const old = std::exchange(slots_, std::vector<numbered_slot>(slots_.empty() ? 64 : 2 * slots_.size()));
        auto const mask = slots_.size() - 1;
        for (auto const& slot : old) {
            if (slot.row == 0) continue;
            auto place = static_cast<std::size_t>(hash_of(rows_[slot.row - 1].key())) & mask;
            while (slots_[place].row != 0) place = (place + 1) & mask;
            slots_[place] = slot;
        }
    }

    [[nodiscard]] std::byte const* keep(std::span<std::byte const> image) {
        if (image.size() > block_left_) {
            block_left_ = std::max(block_size, image.size());
            blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(block_left_));
            next_ = blocks_.back().get();
        }
        std::memcpy(next_, image.data(), image.size());
        block_left_ -= image.size();
        return std::exchange(next_, next_ + image.size());
    }

    std::vector<declared_row> rows_;
    std::vector<numbered_slot> slots_;
    std::vector<std::unique_ptr<std::byte[]>> blocks_;
    std::byte* next_ = nullptr;
    std::size_t block_left_ = 0;
};

}  // namespace isorow::inline v1::detail
