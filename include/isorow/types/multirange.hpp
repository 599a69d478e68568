#pragma once

#include <isorow/types/range.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// A set of ranges as Postgres has it: in their order, none empty, and those that overlap or touch merged into one.
/// @code
/// isorow::multirange<std::int32_t> const free{{1, 3}, {5, 7}};  // {[1,3),[5,7)}
/// @endcode
/// For T see `range`. Equal where both have the same values.
template <class T>
class multirange {
public:
    using value_type = range<T>;
    using const_iterator = typename std::vector<range<T>>::const_iterator;

    /// Without ranges.
    multirange() = default;
    /// The values of these ranges, in any order.
    multirange(std::initializer_list<range<T>> ranges) : multirange(std::vector<range<T>>(ranges)) {}
    explicit multirange(std::vector<range<T>> ranges) : ranges_(std::move(ranges)) {
        if (!is_normal()) normalise();
    }

    /// Reads Postgres' text of a multirange: `{[1,3),[5,7)}`. Nothing where the text is otherwise; see `range::parse`.
    [[nodiscard]] static std::optional<multirange> parse(std::string_view text)
        requires(detail::parsable_bound<T>)
    {
        detail::range_scanner in(text);
        if (!in.take('{')) return std::nullopt;
        std::vector<range<T>> ranges;
        while (!in.take('}')) {
            if (!ranges.empty() && !in.take(',')) return std::nullopt;
            auto const parts = in.take_range();
            auto one = parts ? range<T>::of_parts(*parts) : std::nullopt;
            if (!one) return std::nullopt;
            ranges.push_back(std::move(*one));
        }
        return in.at_end() ? std::optional(multirange(std::move(ranges))) : std::nullopt;
    }

    [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return ranges_.size(); }
    [[nodiscard]] const_iterator begin() const noexcept { return ranges_.begin(); }
    [[nodiscard]] const_iterator end() const noexcept { return ranges_.end(); }
    [[nodiscard]] range<T> const& operator[](std::size_t place) const noexcept { return ranges_[place]; }

    /// `@>`
    [[nodiscard]] bool contains(T const& value) const {
        auto const* const found = first_that_ends_behind({&value, true, true});
        return found != nullptr && found->contains(value);
    }
    /// `@>`: whether one of the ranges has all values of the other.
    [[nodiscard]] bool contains(range<T> const& other) const {
        if (other.is_empty()) return true;
        auto const* const found = first_that_ends_behind(other.lower_edge());
        return found != nullptr && found->contains(other);
    }
    /// `&&`
    [[nodiscard]] bool overlaps(range<T> const& other) const {
        if (other.is_empty()) return false;
        auto const* const found = first_that_ends_behind(other.lower_edge());
        return found != nullptr && found->overlaps(other);
    }

    friend bool operator==(multirange const&, multirange const&) = default;
    /// As Postgres orders multiranges: by their ranges, one after another.
    friend std::strong_ordering operator<=>(multirange const& left, multirange const& right) {
        return std::lexicographical_compare_three_way(left.begin(), left.end(), right.begin(), right.end());
    }

private:
    /// Whether `left` and what comes behind it can be one range. Where values differ, canonical ranges do not touch.
    [[nodiscard]] static bool join(range<T> const& left, range<T> const& right) {
        auto const end = left.upper_edge();
        auto const begin = right.lower_edge();
        if (detail::compare_edges(begin, end) <= 0) return true;
        return end.value != nullptr && begin.value != nullptr && detail::compare_values(*end.value, *begin.value) == 0 &&
               end.is_inclusive != begin.is_inclusive;
    }

    [[nodiscard]] bool is_normal() const {
        if (std::any_of(begin(), end(), [](auto const& one) { return one.is_empty(); })) return false;
        return std::adjacent_find(begin(), end(), [](auto const& left, auto const& right) { return left > right || join(left, right); }) ==
               end();
    }

    /// Source: src/backend/utils/adt/multirangetypes.c, multirange_canonicalize.
    void normalise() {
        std::erase_if(ranges_, [](auto const& one) { return one.is_empty(); });
        std::sort(ranges_.begin(), ranges_.end());
        std::size_t last = 0;
        for (std::size_t next = 1; next < ranges_.size(); ++next) {
            auto& kept = ranges_[last];
            auto& other = ranges_[next];
            if (!join(kept, other)) {
                if (++last != next) ranges_[last] = std::move(other);
            } else if (detail::compare_edges(kept.upper_edge(), other.upper_edge()) < 0) {
                kept.upper_ = std::move(other.upper_);
                kept.upper_is_inclusive_ = other.upper_is_inclusive_;
            }
        }
        if (!ranges_.empty()) ranges_.resize(last + 1);
    }

    /// Null where all ranges end before it.
    [[nodiscard]] range<T> const* first_that_ends_behind(detail::range_edge<T> const& edge) const {
        auto const found =
            std::partition_point(begin(), end(), [&](auto const& one) { return detail::compare_edges(one.upper_edge(), edge) < 0; });
        return found == end() ? nullptr : &*found;
    }

    std::vector<range<T>> ranges_{};
};

/// As Postgres prints it: `{[1,3),[5,7)}`.
template <class T>
[[nodiscard]] std::string to_string(multirange<T> const& value) {
    std::string text = "{";
    for (auto const& one : value) text.append(text.size() == 1 ? "" : ",").append(to_string(one));
    return text += '}';
}

template <class T>
std::ostream& operator<<(std::ostream& out, multirange<T> const& value) {
    return out << to_string(value);
}

/// A multirange may be stored where its ranges may.
template <detail::range_value T>
struct mapping<multirange<T>> {
    static constexpr column_type type{detail::family_of<T>.multirange};
    static constexpr bool accepts(column_type other) {
        return detail::is_multirange_type(other.id) && other.base() == other && !other.array &&
               isorow::accepts<range<T>>(detail::range_type(other.id));
    }
};

}  // namespace isorow::inline v1
