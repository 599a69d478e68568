#pragma once

/// @file
/// Rows with the memory that they refer to.

#include <isorow/pq/result.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// What a batch is made of. Rows and memory are used again for the next one.
template <class Row>
struct batch_storage {
    std::unique_ptr<std::byte[]> memory{};  ///< what rows of a COPY refer to
    std::size_t capacity = 0;
    std::vector<result> results{};  ///< what rows of a query refer to
    std::vector<Row> rows{};        ///< the first `count` of them are of the batch
    std::size_t count = 0;

    /// The place of the next row, which is one of `most` at the most. Counted by the caller when it is there.
    [[nodiscard]] Row& next(std::size_t most) {
        if (count == rows.size()) [[unlikely]]
            rows.resize(std::clamp<std::size_t>(2 * count, std::min<std::size_t>(most, 64), most));
        return rows[count];
    }

    /// Forgets the rows, and gets so many bytes of memory or somewhat more.
    void begin(std::size_t bytes) {
        count = 0;
        results.clear();
        if (capacity >= bytes && capacity / 4 <= bytes) return;  // memory that one large row needed is not kept for ever
        memory = std::make_unique_for_overwrite<std::byte[]>(bytes);
        capacity = bytes;
    }
};

struct batch_access;

}  // namespace detail

/// Rows that were read together, with the memory that their views (`std::string_view`, `std::span<std::byte const>`) refer to: those are
/// valid as long as the batch is, also after it was moved, to another thread too. A contiguous range; its rows may be moved from.
/// Move-only; a batch that was moved from is empty. As thread-safe as a `std::vector`.
template <class Row>
class row_batch {
public:
    row_batch() = default;
    row_batch(row_batch&& other) noexcept : storage_(std::exchange(other.storage_, {})) {}
    row_batch& operator=(row_batch&& other) noexcept {
        std::swap(storage_, other.storage_);
        return *this;
    }
    ~row_batch() = default;

    [[nodiscard]] std::size_t size() const noexcept { return storage_.count; }
    [[nodiscard]] bool empty() const noexcept { return storage_.count == 0; }
    [[nodiscard]] Row* data() noexcept { return storage_.rows.data(); }
    [[nodiscard]] Row const* data() const noexcept { return storage_.rows.data(); }
    [[nodiscard]] Row* begin() noexcept { return data(); }
    [[nodiscard]] Row* end() noexcept { return data() + size(); }
    [[nodiscard]] Row const* begin() const noexcept { return data(); }
    [[nodiscard]] Row const* end() const noexcept { return data() + size(); }

    /// The row of a place below `size()`.
    [[nodiscard]] Row& operator[](std::size_t place) noexcept { return storage_.rows[place]; }
    [[nodiscard]] Row const& operator[](std::size_t place) const noexcept { return storage_.rows[place]; }

private:
    friend struct detail::batch_access;

    detail::batch_storage<Row> storage_{};
};

namespace detail {

/// For those who fill batches.
struct batch_access {
    template <class Row>
    [[nodiscard]] static batch_storage<Row>& of(row_batch<Row>& batch) noexcept {
        return batch.storage_;
    }
};

}  // namespace detail

}  // namespace isorow::inline v1
