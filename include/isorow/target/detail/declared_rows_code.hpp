#pragma once

#include <isorow/target/detail/declared_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

ISOROW_DECL std::vector<declared_row const*> pointers_to(std::span<declared_row const> rows) {
    std::vector<declared_row const*> pointers;
    pointers.reserve(rows.size());
    for (auto const& row : rows) pointers.push_back(&row);
    return pointers;
}

ISOROW_DECL void sort_by_owner(std::vector<declared_row const*>& rows) {
    std::ranges::sort(rows, {}, [](declared_row const* row) { return std::pair(row->owner, row); });
}

ISOROW_DECL std::optional<std::size_t> declared_rows::add(std::span<std::byte const> image, std::size_t key_end, std::uint32_t owner) {
    return enter({image.data(), static_cast<std::uint32_t>(image.size()), static_cast<std::uint32_t>(key_end), owner}, image);
}

ISOROW_DECL std::optional<std::size_t> declared_rows::add_thin(std::span<std::byte const> front, fingerprint const& value,
                                                               std::uint32_t owner) {
    auto const small = thinned(front, value);
    declared_row row{small.bytes().data(), static_cast<std::uint32_t>(small.size()), static_cast<std::uint32_t>(front.size()), owner};
    row.thin = true;
    return enter(row, small.bytes());
}

ISOROW_DECL declared_row* declared_rows::find(std::span<std::byte const> key) noexcept {
    if (next_ < rows_.size() && is_same(rows_[next_].key(), key)) return &rows_[next_++];
    auto const place = place_of(key);
    if (place == rows_.size()) return nullptr;
    next_ = place + 1;
    return &rows_[place];
}

ISOROW_DECL bool declared_rows::is_rising(std::span<std::byte const> before) const noexcept {
    return is_sorted_ && (before.empty() || rows_.empty() || is_less(before, rows_.front().key()));
}

ISOROW_DECL void declared_rows::clear() noexcept {
    rows_.clear();
    slots_ = {};
    spare_ = std::exchange(blocks_, {});
    free_ = nullptr;
    next_ = block_left_ = image_bytes_ = blocks_bytes_ = 0;
    is_sorted_ = true;
}

ISOROW_DECL void declared_rows::forget_states() noexcept {
    next_ = 0;
    for (auto& row : rows_) {
        row.state = row_state::unseen;
        row.version = 0;
        row.page = declared_row::no_page;
        row.moved = false;
        row.present = false;
    }
}

ISOROW_DECL std::optional<std::size_t> declared_rows::enter(declared_row row, std::span<std::byte const> image) {
    if (is_sorted_ && (rows_.empty() || is_less(rows_.back().key(), row.key()))) {
        row.image = keep(image);
        rows_.push_back(row);
        return std::nullopt;
    }
    if (std::exchange(is_sorted_, false)) number_all();
    if (2 * (rows_.size() + 1) > slots_.size()) grow();
    auto const hash = hash_of(row.key());
    auto const place = slot_of(row.key(), hash);
    if (slots_[place].row != 0) return slots_[place].row - 1;
    row.image = keep(image);
    rows_.push_back(row);
    slots_[place] = {tag_of(hash), static_cast<std::uint32_t>(rows_.size())};
    return std::nullopt;
}

ISOROW_DECL std::size_t declared_rows::place_of(std::span<std::byte const> key) const noexcept {
    if (is_sorted_) {
        auto const found =
            std::partition_point(rows_.begin(), rows_.end(), [&](declared_row const& row) { return is_less(row.key(), key); });
        bool const is_it = found != rows_.end() && is_same(found->key(), key);
        return is_it ? static_cast<std::size_t>(found - rows_.begin()) : rows_.size();
    }
    auto const& slot = slots_[slot_of(key, hash_of(key))];
    return slot.row == 0 ? rows_.size() : slot.row - 1;
}

ISOROW_DECL void declared_rows::number_all() {
    std::size_t size = 64;
    while (size < 2 * (rows_.size() + 1)) size *= 2;
    slots_.assign(size, {});
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        auto const hash = hash_of(rows_[i].key());
        slots_[slot_of(rows_[i].key(), hash)] = {tag_of(hash), static_cast<std::uint32_t>(i + 1)};
    }
}

ISOROW_DECL byte_writer declared_rows::thinned(std::span<std::byte const> front, fingerprint const& value) {
    byte_writer small;
    small.put_bytes(front);
    small.put_bytes({reinterpret_cast<std::byte const*>(&value), sizeof value});
    return small;
}

ISOROW_DECL std::size_t declared_rows::slot_of(std::span<std::byte const> key, std::uint64_t hash) const noexcept {
    auto const mask = slots_.size() - 1;
    for (auto place = static_cast<std::size_t>(hash) & mask;; place = (place + 1) & mask) {
        auto const& slot = slots_[place];
        if (slot.row == 0) return place;
        if (slot.tag != tag_of(hash)) continue;
        if (is_same(rows_[slot.row - 1].key(), key)) return place;
    }
}

ISOROW_DECL void declared_rows::grow() {
    auto const old = std::exchange(slots_, std::vector<numbered_slot>(slots_.empty() ? 64 : 2 * slots_.size()));
    auto const mask = slots_.size() - 1;
    for (auto const& slot : old) {
        if (slot.row == 0) continue;
        auto place = static_cast<std::size_t>(hash_of(rows_[slot.row - 1].key())) & mask;
        while (slots_[place].row != 0) place = (place + 1) & mask;
        slots_[place] = slot;
    }
}

ISOROW_DECL std::byte const* declared_rows::keep(std::span<std::byte const> image) {
    if (image.size() > block_left_) {
        blocks_.push_back(block_for(image.size()));
        block_left_ = blocks_.back().size;
        blocks_bytes_ += block_left_;
        free_ = blocks_.back().bytes.get();
    }
    std::memcpy(free_, image.data(), image.size());
    image_bytes_ += image.size();
    block_left_ -= image.size();
    return std::exchange(free_, free_ + image.size());
}

ISOROW_DECL declared_rows::block declared_rows::block_for(std::size_t size) {
    if (!spare_.empty()) {
        auto last = std::move(spare_.back());
        spare_.pop_back();
        if (last.size >= size) return last;
    }
    auto const wanted = std::max(blocks_.empty() ? first_block_size : block_size, size);
    return {std::make_unique_for_overwrite<std::byte[]>(wanted), wanted};
}

}  // namespace isorow::inline v1::detail
