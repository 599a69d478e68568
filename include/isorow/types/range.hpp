#pragma once

#include <isorow/error/value_error.hpp>
#include <isorow/types/detail/range_edge.hpp>
#include <isorow/types/detail/range_text.hpp>
#include <isorow/types/range_type.hpp>

#include <compare>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

/// Whether a range has the value that bounds it.
enum class range_bound : std::uint8_t { exclusive, inclusive };

/// A range of values as Postgres has it: the values between two bounds, each inclusive, exclusive or absent; or empty.
/// @code
/// isorow::range<std::int32_t> seats{1, 10};                             // [1,10): 1 to 9
/// auto const open_end = isorow::range<isorow::timestamptz>::at_least(start);
/// @endcode
/// T is a type whose column is integer, bigint, numeric, date, timestamp or timestamptz. A range of integers or dates is kept in Postgres'
/// canonical form, `[lower, upper)`, from its construction on: `closed(1, 9)` is `range{1, 10}`. A bound that is infinity, which
/// `isorow::date`, the timestamps and `numeric` have, is a value as any other, and not the absence of a bound. A range is equal to another
/// where both have the same values, which is Postgres' `=`.
///
/// All that make a range throw `unrepresentable` for a lower bound above the upper one, for a bound that the calendar does not have, and
/// for one whose canonical form would be beyond T's range, as of `closed(1, INT32_MAX)`.
template <class T>
class range {
    static_assert(detail::range_value<T>,
                  "isorow: Postgres has no ranges of this type. A range's values are std::int32_t, std::int64_t, isorow::numeric, or dates "
                  "or times of docs/types.md whose column is date, timestamp or timestamptz");

public:
    using value_type = T;

    /// Empty.
    constexpr range() = default;
    /// `[lower, upper)`; empty where they are equal.
    constexpr range(T lower, T upper)
        : range(std::optional<T>(std::move(lower)), range_bound::inclusive, std::optional<T>(std::move(upper)), range_bound::exclusive) {}

    /// Without values.
    [[nodiscard]] static constexpr range empty() { return {}; }
    /// With all values: no bounds.
    [[nodiscard]] static constexpr range all() {
        return between(std::nullopt, range_bound::exclusive, std::nullopt, range_bound::exclusive);
    }
    /// `[lower, upper]`
    [[nodiscard]] static constexpr range closed(T lower, T upper) {
        return between(std::move(lower), range_bound::inclusive, std::move(upper), range_bound::inclusive);
    }
    /// `(lower, upper)`
    [[nodiscard]] static constexpr range open(T lower, T upper) {
        return between(std::move(lower), range_bound::exclusive, std::move(upper), range_bound::exclusive);
    }
    /// `(lower, upper]`
    [[nodiscard]] static constexpr range open_closed(T lower, T upper) {
        return between(std::move(lower), range_bound::exclusive, std::move(upper), range_bound::inclusive);
    }
    /// `[lower, upper)`
    [[nodiscard]] static constexpr range closed_open(T lower, T upper) { return range(std::move(lower), std::move(upper)); }
    /// `[lower,)`
    [[nodiscard]] static constexpr range at_least(T lower) {
        return between(std::move(lower), range_bound::inclusive, std::nullopt, range_bound::exclusive);
    }
    /// `(lower,)`
    [[nodiscard]] static constexpr range greater_than(T lower) {
        return between(std::move(lower), range_bound::exclusive, std::nullopt, range_bound::exclusive);
    }
    /// `(,upper]`
    [[nodiscard]] static constexpr range at_most(T upper) {
        return between(std::nullopt, range_bound::exclusive, std::move(upper), range_bound::inclusive);
    }
    /// `(,upper)`
    [[nodiscard]] static constexpr range less_than(T upper) {
        return between(std::nullopt, range_bound::exclusive, std::move(upper), range_bound::exclusive);
    }
    /// Bounds of any kind. A bound that is absent has no kind.
    [[nodiscard]] static constexpr range between(std::optional<T> lower, range_bound lower_kind, std::optional<T> upper,
                                                 range_bound upper_kind) {
        return range(std::move(lower), lower_kind, std::move(upper), upper_kind);
    }

    /// Reads Postgres' text of a range: `[1,10)`, `empty`, `["2026-11-20 22:10:00",)`. Dates and times are in ISO form, those of
    /// timestamptz with their offset from UTC. Nothing where the text is otherwise, or there is no such range.
    [[nodiscard]] static std::optional<range> parse(std::string_view text)
        requires(detail::parsable_bound<T>)
    {
        detail::range_scanner in(text);
        auto const parts = in.take_range();
        if (!parts || !in.at_end()) return std::nullopt;
        return of_parts(*parts);
    }

    [[nodiscard]] constexpr bool is_empty() const noexcept { return is_empty_; }
    /// The bounds; nothing where there is none on that side, and of an empty range.
    [[nodiscard]] constexpr std::optional<T> const& lower() const noexcept { return lower_; }
    [[nodiscard]] constexpr std::optional<T> const& upper() const noexcept { return upper_; }
    /// Whether the bound is of the range; false where there is none.
    [[nodiscard]] constexpr bool lower_is_inclusive() const noexcept { return lower_is_inclusive_; }
    [[nodiscard]] constexpr bool upper_is_inclusive() const noexcept { return upper_is_inclusive_; }

    /// `@>`
    [[nodiscard]] constexpr bool contains(T const& value) const {
        if (is_empty_) return false;
        return detail::compare_edges(lower_edge(), detail::range_edge<T>{&value, true, true}) <= 0 &&
               detail::compare_edges(detail::range_edge<T>{&value, true, false}, upper_edge()) <= 0;
    }
    /// `@>`: whether this range has all values of the other.
    [[nodiscard]] constexpr bool contains(range const& other) const {
        if (other.is_empty_) return true;
        return !is_empty_ && detail::compare_edges(lower_edge(), other.lower_edge()) <= 0 &&
               detail::compare_edges(other.upper_edge(), upper_edge()) <= 0;
    }
    /// `&&`: whether the ranges have a value in common.
    [[nodiscard]] constexpr bool overlaps(range const& other) const {
        return !is_empty_ && !other.is_empty_ && detail::compare_edges(lower_edge(), other.upper_edge()) <= 0 &&
               detail::compare_edges(other.lower_edge(), upper_edge()) <= 0;
    }

    friend constexpr bool operator==(range const& left, range const& right) { return (left <=> right) == 0; }
    /// As Postgres orders ranges: the empty one first, then by the lower bound, then by the upper one.
    friend constexpr std::strong_ordering operator<=>(range const& left, range const& right) {
        if (left.is_empty_ || right.is_empty_) return right.is_empty_ <=> left.is_empty_;
        if (auto const order = detail::compare_edges(left.lower_edge(), right.lower_edge()); order != 0) return order;
        return detail::compare_edges(left.upper_edge(), right.upper_edge());
    }

private:
    static constexpr bool is_discrete = [] {
        if constexpr (detail::range_value<T>) return detail::family_of<T>.is_discrete;
        else return false;
    }();

    constexpr range(std::optional<T> lower, range_bound lower_kind, std::optional<T> upper, range_bound upper_kind)
        : lower_(std::move(lower)),
          upper_(std::move(upper)),
          lower_is_inclusive_(lower_ && lower_kind == range_bound::inclusive),
          upper_is_inclusive_(upper_ && upper_kind == range_bound::inclusive),
          is_empty_(false) {
        check_bounds();
        empty_if_without_values();
        if constexpr (is_discrete) canonicalise();
    }

    constexpr void check_bounds() const {
        if constexpr (requires(T const& value) { value.ok(); })
            if ((lower_ && !lower_->ok()) || (upper_ && !upper_->ok()))
                throw unrepresentable("a bound of the range is a date that the calendar does not have");
        if (lower_ && upper_ && *upper_ < *lower_)
            throw unrepresentable("the lower bound {} of the range is above its upper bound {}", detail::bound_text(*lower_),
                                  detail::bound_text(*upper_));
    }

    constexpr void empty_if_without_values() {
        if (!lower_ || !upper_ || *lower_ < *upper_ || (lower_is_inclusive_ && upper_is_inclusive_)) return;
        *this = range();
    }

    /// As int4range_canonical and daterange_canonical do it: infinite dates stay as they are.
    constexpr void canonicalise() {
        using step = range_step<T>;
        static_assert(
            requires(T const& value) { step::next(value); },
            "isorow: ranges of this type are kept as [lower, upper), for which isorow has to know the value behind another: specialise "
            "isorow::range_step for it");
        auto const has_next = [](std::optional<T> const& bound) {
            if constexpr (requires { step::is_finite(*bound); }) return bound && step::is_finite(*bound);
            else return bound.has_value();
        };
        if (has_next(lower_) && !lower_is_inclusive_) {
            lower_ = step::next(*lower_);
            lower_is_inclusive_ = true;
        }
        if (has_next(upper_) && upper_is_inclusive_) {
            upper_ = step::next(*upper_);
            upper_is_inclusive_ = false;
        }
        empty_if_without_values();
    }

    [[nodiscard]] constexpr detail::range_edge<T> lower_edge() const noexcept {
        return {lower_ ? &*lower_ : nullptr, lower_is_inclusive_, true};
    }
    [[nodiscard]] constexpr detail::range_edge<T> upper_edge() const noexcept {
        return {upper_ ? &*upper_ : nullptr, upper_is_inclusive_, false};
    }

    /// Nothing where the texts are no bounds, or no such range can be.
    [[nodiscard]] static std::optional<range> of_parts(detail::range_parts const& parts) {
        if (parts.is_empty) return range();
        try {
            std::optional<T> bounds[2];
            for (int i = 0; i < 2; ++i) {
                auto const& text = i == 0 ? parts.lower : parts.upper;
                if (!text) continue;
                bounds[i] = detail::parse_bound<T>(*text);
                if (!bounds[i]) return std::nullopt;
            }
            return between(std::move(bounds[0]), parts.lower_is_inclusive ? range_bound::inclusive : range_bound::exclusive,
                           std::move(bounds[1]), parts.upper_is_inclusive ? range_bound::inclusive : range_bound::exclusive);
        } catch (unrepresentable const&) {
            return std::nullopt;
        }
    }

    template <class>
    friend class multirange;

    std::optional<T> lower_{};
    std::optional<T> upper_{};
    bool lower_is_inclusive_ = false;
    bool upper_is_inclusive_ = false;
    bool is_empty_ = true;
};

/// As Postgres prints it, dates and times in ISO form, moments in UTC: `[1,10)`, `empty`, `["2026-11-20 22:10:00+00",)`.
template <class T>
[[nodiscard]] std::string to_string(range<T> const& value) {
    if (value.is_empty()) return "empty";
    std::string text(1, value.lower_is_inclusive() ? '[' : '(');
    if (value.lower()) text += detail::quoted_bound(detail::bound_text(*value.lower()));
    text += ',';
    if (value.upper()) text += detail::quoted_bound(detail::bound_text(*value.upper()));
    return text += value.upper_is_inclusive() ? ']' : ')';
}

template <class T>
std::ostream& operator<<(std::ostream& out, range<T> const& value) {
    return out << to_string(value);
}

/// A range may be stored where its bounds may: of `std::int64_t` in an int4range, each bound being checked; of `sys_time` in a tsrange.
template <detail::range_value T>
struct mapping<range<T>> {
    static constexpr column_type type{detail::family_of<T>.range};
    static constexpr bool accepts(column_type other) {
        return detail::is_range_type(other.id) && other.base() == other && !other.array && isorow::accepts<T>(detail::bound_type(other.id));
    }
};

}  // namespace isorow::inline v1
