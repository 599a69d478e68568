#pragma once

/// @file
/// From which ordinal on a table has to be read, so that no row is missed whose transaction committed late.

#include <isorow/types/column_type.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// An ordinal in binary, as the server sends it.
struct ordinal_value {
    oid type = 0;
    std::vector<std::byte> bytes{};

    /// Integers, and times as integers, in the network's order: those of one type compare as their bytes do, but for the sign.
    friend bool operator<(ordinal_value const& left, ordinal_value const& right) noexcept {
        if (left.bytes.empty() || right.bytes.empty()) return left.bytes.size() < right.bytes.size();
        auto const sign = [](ordinal_value const& one) { return (one.bytes.front() & std::byte{0x80}) != std::byte{0}; };
        if (sign(left) != sign(right)) return sign(left);
        return std::ranges::lexicographical_compare(left.bytes, right.bytes);
    }
    friend bool operator==(ordinal_value const&, ordinal_value const&) = default;
};

/// Transactions that run, by names that are never used twice.
using running_transactions = std::set<std::string>;

/// Rows behind the watermark are read at each look. It moves to the greatest ordinal that was seen before a list of the running
/// transactions was made, once all of these have ended, and a look was made after: whatever commits later began after the list, so that its
/// ordinals are greater.
class ordinal_watermark {
public:
    /// Nothing is known: all rows are behind it.
    ordinal_watermark() = default;
    explicit ordinal_watermark(ordinal_value from) : value_(std::move(from)), greatest_(value_) {}

    /// Before a look, with the transactions that run now.
    void begin_look(running_transactions running) {
        bool const has_ended = fence_ && std::ranges::none_of(fence_->running, [&](auto const& one) { return running.contains(one); });
        if (has_ended) next_ = std::exchange(fence_, std::nullopt)->greatest;
        if (!fence_ && greatest_) fence_ = fence{std::move(running), *greatest_};
    }
    /// A row was read.
    void see(ordinal_value const& ordinal) {
        if (!greatest_ || *greatest_ < ordinal) greatest_ = ordinal;
    }
    /// The look has read all there was.
    void end_look() {
        if (next_) value_ = std::exchange(next_, std::nullopt);
    }

    /// Nothing before the first look has ended.
    [[nodiscard]] std::optional<ordinal_value> const& value() const noexcept { return value_; }
    /// Whether it moves at the end of this look.
    [[nodiscard]] bool moves() const noexcept { return next_.has_value(); }
    /// Whether any ordinal was seen.
    [[nodiscard]] bool has_seen() const noexcept { return greatest_.has_value(); }

private:
    struct fence {
        running_transactions running;
        ordinal_value greatest;
    };

    std::optional<ordinal_value> value_{};
    std::optional<ordinal_value> greatest_{};
    std::optional<ordinal_value> next_{};
    std::optional<fence> fence_{};
};

}  // namespace isorow::inline v1::detail
