#pragma once

/// @file
/// The ends of ranges as points of one line, and their order. Source: src/backend/utils/adt/rangetypes.c, range_cmp_bounds.

#include <compare>
#include <cstdint>

namespace isorow::inline v1::detail {

/// The order of two values that have `<`.
template <class T>
[[nodiscard]] constexpr std::strong_ordering compare_values(T const& left, T const& right) {
    if (left < right) return std::strong_ordering::less;
    return right < left ? std::strong_ordering::greater : std::strong_ordering::equal;
}

/// One end of a range that is not empty. Refers to the range's value.
template <class T>
struct range_edge {
    T const* value = nullptr;  ///< null where the range has no bound there
    bool is_inclusive = false;
    bool is_lower = true;

    /// Where there is no bound: before all values, or behind them.
    [[nodiscard]] constexpr int side() const noexcept {
        if (value != nullptr) return 0;
        return is_lower ? -1 : 1;
    }
    /// Where the first or last value of the range is: at the bound, just behind it, or just before it.
    [[nodiscard]] constexpr int offset() const noexcept {
        if (is_inclusive) return 0;
        return is_lower ? 1 : -1;
    }
};

template <class T>
[[nodiscard]] constexpr std::strong_ordering compare_edges(range_edge<T> const& left, range_edge<T> const& right) {
    if (left.side() != 0 || right.side() != 0) return left.side() <=> right.side();
    if (auto const order = compare_values(*left.value, *right.value); order != 0) return order;
    return left.offset() <=> right.offset();
}

}  // namespace isorow::inline v1::detail
