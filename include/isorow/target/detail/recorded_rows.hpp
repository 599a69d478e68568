#pragma once

/// @file
/// What the record says of a table's rows, in few bytes each: enough to tell, while rows are still being declared, which of them have not
/// changed, so that their images need not be kept until the commit. The commit reads the record again.

#include <isorow/config.hpp>
#include <isorow/target/detail/declared_rows.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace isorow::inline v1::detail {

class recorded_rows {
public:
    /// More rows than these take more memory than is saved.
    static constexpr std::int64_t limit = 2'000'000;

    void reserve(std::int64_t rows);
    void add(std::span<std::byte const> key, fingerprint const& value, std::uint32_t version);

    /// Takes a row out that another transaction than the recorded one has written.
    void see(std::span<std::byte const> key, std::uint32_t writer) noexcept;
    /// From now on only rows that were seen count.
    void expect_seen() noexcept { only_seen_ = true; }

    [[nodiscard]] bool contains(std::span<std::byte const> key, fingerprint const& value) const noexcept;

private:
    static constexpr std::uint32_t version_bits = 0x7fffffff;

    struct recorded {
        std::uint64_t key = 0;  ///< 0: a free slot
        std::uint32_t value = 0;
        std::uint32_t version : 31 = 0;  ///< a few bits less will do: the commit looks again
        std::uint32_t is_seen : 1 = 0;
    };

    [[nodiscard]] static std::uint64_t hash_of(std::span<std::byte const> key) noexcept { return XXH3_64bits(key.data(), key.size()) | 1; }

    [[nodiscard]] recorded& slot_of(std::uint64_t key) noexcept;

    std::vector<recorded> slots_{};
    std::size_t count_ = 0;
    bool only_seen_ = false;
};

#if ISOROW_HAS_CODE

ISOROW_DECL void recorded_rows::reserve(std::int64_t rows) {
    std::size_t size = 64;
    while (size < 2 * static_cast<std::size_t>(rows)) size *= 2;
    slots_.assign(size, {});
}

ISOROW_DECL void recorded_rows::add(std::span<std::byte const> key, fingerprint const& value, std::uint32_t version) {
    if (2 * ++count_ > slots_.size()) return;  // more than were announced: those are kept whole
    auto& slot = slot_of(hash_of(key));
    slot = {hash_of(key), static_cast<std::uint32_t>(value.low), version & version_bits};
}

ISOROW_DECL void recorded_rows::see(std::span<std::byte const> key, std::uint32_t writer) noexcept {
    auto& slot = slot_of(hash_of(key));
    slot.is_seen = slot.version == (writer & version_bits) && slot.version != 0 ? 1 : 0;
}

ISOROW_DECL bool recorded_rows::contains(std::span<std::byte const> key, fingerprint const& value) const noexcept {
    if (slots_.empty()) return false;
    auto const& slot = const_cast<recorded_rows*>(this)->slot_of(hash_of(key));
    return slot.key == hash_of(key) && slot.value == static_cast<std::uint32_t>(value.low) && (slot.is_seen != 0 || !only_seen_);
}

ISOROW_DECL recorded_rows::recorded& recorded_rows::slot_of(std::uint64_t key) noexcept {
    auto const mask = slots_.size() - 1;
    auto place = static_cast<std::size_t>(key >> 8) & mask;
    while (slots_[place].key != 0 && slots_[place].key != key) place = (place + 1) & mask;
    return slots_[place];
}

#endif

}  // namespace isorow::inline v1::detail
