#pragma once

/// @file
/// Reads dates and times as Postgres prints them in ISO style: `2026-11-20`, `0044-03-15 BC`, `2026-11-20 22:10:00.25+05:30`, `infinity`.

#include <isorow/types/date_time.hpp>
#include <isorow/types/numeric.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace isorow::inline v1::detail {

/// The inverse of `civil_from_days`. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
[[nodiscard]] constexpr std::int64_t days_from_civil(civil_date const& date) noexcept {
    auto const year = date.year - (date.month <= 2 ? 1 : 0);
    auto const era = (year >= 0 ? year : year - 399) / 400;
    auto const year_of_era = year - era * 400;
    auto const day_of_year = (153 * (date.month > 2 ? date.month - 3 : date.month + 9) + 2) / 5 + date.day - 1;
    return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

/// Takes the parts of a date or time from a text, front to back.
class date_time_scanner {
public:
    /// The era, which stands at the end, is taken first, as the year means another with it.
    explicit constexpr date_time_scanner(std::string_view text) noexcept : text_(trimmed(text)) {
        if (!text_.ends_with(" BC")) return;
        before_christ_ = true;
        text_.remove_suffix(3);
    }

    [[nodiscard]] constexpr bool at_end() const noexcept { return text_.empty(); }

    [[nodiscard]] constexpr bool take(char mark) noexcept {
        if (!text_.starts_with(mark)) return false;
        text_.remove_prefix(1);
        return true;
    }

    /// Days from 1970-01-01.
    [[nodiscard]] constexpr std::optional<std::int64_t> take_date() noexcept {
        auto const year = take_number(4, 7);
        if (!year || *year == 0 || !take('-')) return std::nullopt;
        auto const month = take_number(2, 2);
        if (!month || !take('-')) return std::nullopt;
        auto const day = take_number(2, 2);
        if (!day) return std::nullopt;
        civil_date const date{before_christ_ ? 1 - *year : *year, static_cast<int>(*month), static_cast<int>(*day)};
        if (date.month < 1 || date.month > 12) return std::nullopt;
        auto const days = days_from_civil(date);
        if (civil_from_days(days).day != date.day) return std::nullopt;  // a day that the month does not have
        return days;
    }

    /// Microseconds since midnight. More than six digits behind the seconds would be rounded.
    [[nodiscard]] constexpr std::optional<std::int64_t> take_time() noexcept {
        auto const hours = take_number(2, 2);
        if (!hours || *hours > 23 || !take(':')) return std::nullopt;
        auto const minutes = take_number(2, 2);
        if (!minutes || *minutes > 59) return std::nullopt;
        std::int64_t seconds = 0;
        std::int64_t fraction = 0;
        if (take(':')) {
            auto const whole = take_number(2, 2);
            if (!whole || *whole > 59) return std::nullopt;
            seconds = *whole;
            if (take('.')) {
                auto const digits = text_.size();
                auto const behind = take_number(1, 6);
                if (!behind) return std::nullopt;
                fraction = *behind;
                for (auto place = digits - text_.size(); place < 6; ++place) fraction *= 10;
            }
        }
        return ((*hours * 60 + *minutes) * 60 + seconds) * 1'000'000 + fraction;
    }

    /// Seconds east of UTC: `Z`, `+01`, `-03:30`, `+05:53:28`.
    [[nodiscard]] constexpr std::optional<std::int64_t> take_offset() noexcept {
        if (take('Z')) return 0;
        bool const is_west = take('-');
        if (!is_west && !take('+')) return std::nullopt;
        auto const hours = take_number(2, 2);
        if (!hours || *hours > 15) return std::nullopt;
        std::int64_t seconds = *hours * 3600;
        for (std::int64_t const unit : {60, 1}) {
            if (!take(':')) break;
            auto const part = take_number(2, 2);
            if (!part || *part > 59) return std::nullopt;
            seconds += *part * unit;
        }
        return is_west ? -seconds : seconds;
    }

private:
    [[nodiscard]] constexpr std::optional<std::int64_t> take_number(std::size_t least, std::size_t most) noexcept {
        std::int64_t number = 0;
        std::size_t digits = 0;
        for (; digits < most && digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9'; ++digits)
            number = number * 10 + (text_[digits] - '0');
        if (digits < least) return std::nullopt;
        text_.remove_prefix(digits);
        return number;
    }

    std::string_view text_;
    bool before_christ_ = false;
};

/// `infinity` and `-infinity` of a type that has them.
template <class Value>
[[nodiscard]] std::optional<Value> parse_infinity(std::string_view text) noexcept {
    text = trimmed(text);
    if (is_word(text, "infinity")) return Value::infinity();
    if (is_word(text, "-infinity")) return Value::minus_infinity();
    return std::nullopt;
}

/// Nothing where the text is no date, or one that Postgres does not have.
[[nodiscard]] inline std::optional<date> parse_date(std::string_view text) {
    if (auto const infinite = parse_infinity<date>(text)) return infinite;
    date_time_scanner in(text);
    auto const days = in.take_date();
    if (!days || !in.at_end()) return std::nullopt;
    auto const count = *days - postgres_epoch.time_since_epoch().count();
    if (count < first_day || count >= end_of_days) return std::nullopt;
    return date(static_cast<std::int32_t>(count));
}

/// Microseconds since 2000-01-01; `Value` is `timestamp`, or `timestamptz`, whose offset from UTC must be written.
template <class Value>
[[nodiscard]] std::optional<Value> parse_timestamp(std::string_view text) {
    if (auto const infinite = parse_infinity<Value>(text)) return infinite;
    date_time_scanner in(text);
    auto const days = in.take_date();
    if (!days || !(in.take(' ') || in.take('T'))) return std::nullopt;
    auto const time = in.take_time();
    if (!time) return std::nullopt;
    auto const offset = std::same_as<Value, timestamptz> ? in.take_offset() : std::optional<std::int64_t>(0);
    if (!offset || !in.at_end()) return std::nullopt;
    auto const since_2000 = *days - postgres_epoch.time_since_epoch().count();
    // Beyond these days the count would not fit into 64 bits.
    if (since_2000 < first_day || since_2000 > end_of_timestamps / microseconds_per_day + 1) return std::nullopt;
    auto const count = since_2000 * microseconds_per_day + *time - *offset * 1'000'000;
    if (count < first_timestamp || count >= end_of_timestamps) return std::nullopt;
    return Value(count);
}

}  // namespace isorow::inline v1::detail
