#pragma once

#include <isorow/config.hpp>
#include <isorow/error/value_error.hpp>
#include <isorow/types/mapping.hpp>

#include <algorithm>
#include <charconv>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// An exact decimal number of any size that Postgres stores: up to 131072 digits before the point and 16383 behind it; also NaN and the
/// infinities. Keeps the number of digits behind the point, as Postgres does: 1.50 prints as 1.50 and equals 1.5.
/// It stores and compares; to calculate, convert it to a type that does.
class numeric {
public:
    enum class kind : std::uint8_t { finite, nan, infinity, minus_infinity };

    /// Zero.
    numeric() = default;

    template <std::integral Integer>
    numeric(Integer value) {  // NOLINT(google-explicit-constructor): exact
        char text[24];
        auto const end = std::to_chars(text, text + sizeof text, value);
        *this = *parse({text, end.ptr});
    }

    /// Reads `-12.50`, `1e-3`, `NaN`, `Infinity`, `-inf`; nothing where it is not a number or too large for Postgres.
    [[nodiscard]] static std::optional<numeric> parse(std::string_view text);

    /// From Postgres' own parts: groups of four digits, the first of weight 10000^weight, and the digits behind the point to show.
    /// Groups of zeros at both ends are dropped. Throws `malformed` where a group or the scale cannot be.
    [[nodiscard]] static numeric from_groups(bool negative, std::int32_t weight, std::uint16_t scale, std::vector<std::int16_t> groups);

    [[nodiscard]] static numeric nan() { return special(kind::nan); }
    [[nodiscard]] static numeric infinity() { return special(kind::infinity); }
    [[nodiscard]] static numeric minus_infinity() { return special(kind::minus_infinity); }

    [[nodiscard]] numeric::kind kind() const noexcept { return kind_; }
    [[nodiscard]] bool is_finite() const noexcept { return kind_ == kind::finite; }
    [[nodiscard]] bool is_negative() const noexcept { return negative_; }
    /// The digits behind the point that are shown.
    [[nodiscard]] std::uint16_t scale() const noexcept { return scale_; }
    /// The power of 10000 of the first group.
    [[nodiscard]] std::int32_t weight() const noexcept { return weight_; }
    /// Groups of four digits, without groups of zeros at the ends.
    [[nodiscard]] std::vector<std::int16_t> const& groups() const noexcept { return groups_; }

    /// The nearest double.
    [[nodiscard]] double to_double() const;
    /// The same whole number; nothing where it is none, is negative, or does not fit.
    [[nodiscard]] std::optional<std::uint64_t> to_uint64() const noexcept;

    /// As Postgres compares: 1.0 equals 1.00, NaN equals NaN and is greater than all else.
    friend bool operator==(numeric const& a, numeric const& b) noexcept { return (a <=> b) == 0; }
    friend std::strong_ordering operator<=>(numeric const& a, numeric const& b) noexcept;

private:
    [[nodiscard]] static numeric special(enum kind kind) {
        numeric result;
        result.kind_ = kind;
        return result;
    }
    void drop_zero_groups();

    std::vector<std::int16_t> groups_{};
    std::int32_t weight_ = 0;
    std::uint16_t scale_ = 0;
    bool negative_ = false;
    enum kind kind_ = kind::finite;
};

/// As Postgres writes it.
[[nodiscard]] std::string to_string(numeric const& value);

inline std::ostream& operator<<(std::ostream& out, numeric const& value) { return out << to_string(value); }

inline numeric numeric::from_groups(bool negative, std::int32_t weight, std::uint16_t scale, std::vector<std::int16_t> groups) {
    for (auto const group : groups)
        if (group < 0 || group > 9999) throw malformed("a numeric with the digit group {}", group);
    if (scale > 16383) throw malformed("a numeric with {} digits behind the point", scale);
    numeric result;
    result.groups_ = std::move(groups);
    result.weight_ = weight;
    result.scale_ = scale;
    result.negative_ = negative;
    result.drop_zero_groups();
    return result;
}

namespace detail {

/// Whether `text` is `word`, ASCII case aside.
[[nodiscard]] inline bool is_word(std::string_view text, std::string_view word) noexcept {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

/// A decimal's digits, and how many of them stand before the point.
struct decimal_digits {
    std::string digits{};
    std::int64_t before_point = 0;
};

[[nodiscard]] std::optional<decimal_digits> read_digits(std::string_view text);

}  // namespace detail

std::strong_ordering operator<=>(numeric const& a, numeric const& b) noexcept;

template <>
struct mapping<numeric> : detail::maps_to<type_id::numeric> {};

#if ISOROW_HAS_CODE

ISOROW_DECL std::string to_string(numeric const& value) {
    switch (value.kind()) {
        case numeric::kind::nan:
            return "NaN";
        case numeric::kind::infinity:
            return "Infinity";
        case numeric::kind::minus_infinity:
            return "-Infinity";
        case numeric::kind::finite:
            break;
    }
    auto const group = [&](std::int32_t power) {
        auto const place = static_cast<std::int64_t>(value.weight()) - power;
        return place >= 0 && place < static_cast<std::int64_t>(value.groups().size()) ? value.groups()[static_cast<std::size_t>(place)]
                                                                                      : std::int16_t{0};
    };
    auto const four_digits = [](std::int16_t number) {
        auto digits = std::to_string(number);
        return std::string(4 - digits.size(), '0') + digits;
    };
    std::string text = value.is_negative() ? "-" : "";
    if (value.groups().empty() || value.weight() < 0) text += '0';
    else text += std::to_string(group(value.weight()));
    for (std::int32_t power = value.weight() - 1; !value.groups().empty() && power >= 0; --power) text += four_digits(group(power));
    if (value.scale() == 0) return text;
    std::string fraction;
    for (std::int32_t power = -1; fraction.size() < value.scale(); --power) fraction += four_digits(group(power));
    return text + "." + fraction.substr(0, value.scale());
}

ISOROW_DECL void numeric::drop_zero_groups() {
    auto const first = std::find_if(groups_.begin(), groups_.end(), [](std::int16_t group) { return group != 0; });
    weight_ -= static_cast<std::int32_t>(first - groups_.begin());
    groups_.erase(groups_.begin(), first);
    while (!groups_.empty() && groups_.back() == 0) groups_.pop_back();
    if (groups_.empty()) {
        weight_ = 0;
        negative_ = false;
    }
}

namespace detail {

ISOROW_DECL std::optional<decimal_digits> read_digits(std::string_view text) {
    decimal_digits read;
    std::size_t place = 0;
    bool behind_point = false;
    for (; place < text.size(); ++place) {
        if (text[place] == '.' && !behind_point) {
            behind_point = true;
        } else if (text[place] >= '0' && text[place] <= '9') {
            read.digits += text[place];
            if (!behind_point) ++read.before_point;
        } else {
            break;
        }
    }
    if (read.digits.empty()) return std::nullopt;
    text.remove_prefix(place);
    if (text.empty()) return read;
    if (text.front() != 'e' && text.front() != 'E') return std::nullopt;
    text.remove_prefix(1);
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int32_t exponent = 0;
    auto const end = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (end.ec != std::errc{} || end.ptr != text.data() + text.size() || exponent > 200'000 || exponent < -200'000) return std::nullopt;
    read.before_point += exponent;
    return read;
}

}  // namespace detail

ISOROW_DECL std::optional<numeric> numeric::parse(std::string_view text) {
    numeric result;
    if (text.starts_with('-') || text.starts_with('+')) {
        result.negative_ = text.front() == '-';
        text.remove_prefix(1);
    }
    if (detail::is_word(text, "nan")) return nan();
    if (detail::is_word(text, "inf") || detail::is_word(text, "infinity")) return result.negative_ ? minus_infinity() : infinity();
    auto const read = detail::read_digits(text);
    if (!read) return std::nullopt;
    auto const size = static_cast<std::int64_t>(read->digits.size());
    auto const scale = std::max<std::int64_t>(0, size - read->before_point);
    if (scale > 16383) return std::nullopt;
    result.scale_ = static_cast<std::uint16_t>(scale);
    // The groups of four stand left and right of the point: the first may begin before the first digit.
    auto const floor_div = [](std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); };
    auto const first_power = floor_div(read->before_point - 1, 4);
    auto const digit = [&](std::int64_t position) {  // counted from the point, leftwards from -1 on
        auto const place = read->before_point + position;
        return place >= 0 && place < size ? read->digits[static_cast<std::size_t>(place)] - '0' : 0;
    };
    for (auto power = first_power; -4 * (power + 1) < size - read->before_point; --power) {
        int group = 0;
        for (std::int64_t position = -4 * (power + 1); position < -4 * power; ++position) group = group * 10 + digit(position);
        result.groups_.push_back(static_cast<std::int16_t>(group));
    }
    result.weight_ = static_cast<std::int32_t>(first_power);
    result.drop_zero_groups();
    if (!result.groups_.empty() && result.weight_ > 32767) return std::nullopt;
    return result;
}

ISOROW_DECL double numeric::to_double() const {
    auto const text = to_string(*this);
    double value = 0;
    if (kind_ == kind::nan) return std::numeric_limits<double>::quiet_NaN();
    if (kind_ != kind::finite)
        return kind_ == kind::infinity ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc::result_out_of_range)
        value = weight_ < 0 ? 0.0 : (negative_ ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity());
    return value;
}

ISOROW_DECL std::optional<std::uint64_t> numeric::to_uint64() const noexcept {
    constexpr auto greatest = std::numeric_limits<std::uint64_t>::max();
    if (kind_ != kind::finite || negative_) return std::nullopt;
    if (groups_.empty()) return 0;
    // Groups of zeros at the end are not there, so one behind the point is not zero.
    if (weight_ < 0 || weight_ > 4 || groups_.size() > static_cast<std::size_t>(weight_) + 1) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(weight_); ++i) {
        auto const group = i < groups_.size() ? static_cast<std::uint64_t>(groups_[i]) : 0;
        if (value > (greatest - group) / 10'000) return std::nullopt;
        value = value * 10'000 + group;
    }
    return value;
}

ISOROW_DECL std::strong_ordering operator<=>(numeric const& a, numeric const& b) noexcept {
    auto const rank = [](numeric const& value) {
        switch (value.kind()) {
            case numeric::kind::minus_infinity:
                return 0;
            case numeric::kind::finite:
                return 1;
            case numeric::kind::infinity:
                return 2;
            case numeric::kind::nan:
                return 3;
        }
        return 3;
    };
    if (rank(a) != 1 || rank(b) != 1) return rank(a) <=> rank(b);
    auto const sign = [](numeric const& value) { return value.groups_.empty() ? 0 : value.negative_ ? -1 : 1; };
    if (sign(a) != sign(b) || sign(a) == 0) return sign(a) <=> sign(b);
    auto const size = a.weight_ != b.weight_
                          ? a.weight_ <=> b.weight_
                          : std::lexicographical_compare_three_way(a.groups_.begin(), a.groups_.end(), b.groups_.begin(), b.groups_.end());
    return sign(a) > 0 ? size : 0 <=> size;
}

#endif

}  // namespace isorow::inline v1
