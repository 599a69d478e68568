#pragma once

/// @file
/// Postgres' dates and times whole: with infinity, with years beyond chrono's range, with 24:00. Where chrono's types suffice, fields may
/// be of those.

#include <isorow/config.hpp>
#include <isorow/error/value_error.hpp>
#include <isorow/types/mapping.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <ostream>
#include <string>

namespace isorow::inline v1 {

namespace detail {

/// Postgres counts from 2000-01-01.
inline constexpr std::chrono::sys_days postgres_epoch{std::chrono::year{2000} / 1 / 1};
inline constexpr std::int64_t microseconds_per_day = 86'400'000'000;
/// Microseconds from chrono's epoch to Postgres'.
inline constexpr std::int64_t epoch_shift = std::int64_t{postgres_epoch.time_since_epoch().count()} * microseconds_per_day;
/// What Postgres takes ends long before its counts do: from 4714-11-24 BC to 5874897 AD, and to 294276 AD with a time. Source: timestamp.h,
/// DATETIME_MIN_JULIAN, DATE_END_JULIAN, MIN_TIMESTAMP and END_TIMESTAMP.
inline constexpr std::int64_t first_day = -2'451'545;
inline constexpr std::int64_t end_of_days = 2'145'031'949;
inline constexpr std::int64_t first_timestamp = -211'813'488'000'000'000;
inline constexpr std::int64_t end_of_timestamps = 9'223'371'331'200'000'000;

/// Days from 1970-01-01 to a civil date of any year. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
struct civil_date {
    std::int64_t year;
    int month;
    int day;
};
[[nodiscard]] constexpr civil_date civil_from_days(std::int64_t days) noexcept {
    days += 719'468;
    auto const era = (days >= 0 ? days : days - 146'096) / 146'097;
    auto const day_of_era = days - era * 146'097;
    auto const year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    auto const day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    auto const month = (5 * day_of_year + 2) / 153;
    auto const day = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
    auto const civil_month = static_cast<int>(month < 10 ? month + 3 : month - 9);
    return {year_of_era + era * 400 + (civil_month <= 2 ? 1 : 0), civil_month, day};
}

[[nodiscard]] std::string padded(std::int64_t number, std::size_t width);

/// `2026-11-20`; years before 1 as Postgres writes them, `0044-03-15 BC`, the era being left to the caller.
[[nodiscard]] std::string date_text(std::int64_t days_since_2000, bool& before_christ);

/// `13:05:00.25`: the fraction without trailing zeros.
[[nodiscard]] std::string time_text(std::int64_t microseconds);

/// A point in time as Postgres counts: `Count` units since 2000-01-01, the largest and the smallest being infinity.
template <class Count>
class point_in_time {
public:
    constexpr point_in_time() = default;
    constexpr explicit point_in_time(Count since_2000) noexcept : count_(since_2000) {}

    /// Units since 2000-01-01.
    [[nodiscard]] constexpr Count count() const noexcept { return count_; }
    [[nodiscard]] constexpr bool is_finite() const noexcept { return count_ != highest && count_ != lowest; }

    friend constexpr auto operator<=>(point_in_time const&, point_in_time const&) = default;

protected:
    static constexpr Count highest = std::numeric_limits<Count>::max();
    static constexpr Count lowest = std::numeric_limits<Count>::min();

private:
    Count count_ = 0;
};

}  // namespace detail

/// A date, from 4713 BC to 5874897 AD, or infinity.
class date : public detail::point_in_time<std::int32_t> {
public:
    using point_in_time::point_in_time;
    constexpr date(std::chrono::sys_days day) : point_in_time(checked(day)) {}  // NOLINT(google-explicit-constructor): a wider type
    constexpr date(std::chrono::year_month_day day) : date(std::chrono::sys_days(day)) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] static constexpr date infinity() noexcept { return date(highest); }
    [[nodiscard]] static constexpr date minus_infinity() noexcept { return date(lowest); }

    /// As a chrono date. Throws `unrepresentable` for infinity.
    [[nodiscard]] constexpr std::chrono::sys_days to_sys_days() const {
        if (!is_finite()) throw unrepresentable("the date is infinity, which chrono does not have; use isorow::date");
        return detail::postgres_epoch + std::chrono::days(count());
    }
    /// As a date of chrono's calendar. Throws `unrepresentable` for infinity, and for years that this has not: those after 32767.
    [[nodiscard]] constexpr std::chrono::year_month_day to_year_month_day() const {
        using std::chrono::year;
        auto const day = to_sys_days();
        if (day < std::chrono::sys_days(year::min() / 1 / 1) || day > std::chrono::sys_days(year::max() / 12 / 31))
            throw unrepresentable("the date is outside the years of chrono's calendar; use isorow::date or std::chrono::sys_days");
        return day;
    }

private:
    static constexpr std::int32_t checked(std::chrono::sys_days day) {
        auto const days = std::int64_t{(day - detail::postgres_epoch).count()};
        if (days < detail::first_day || days >= detail::end_of_days)
            throw unrepresentable("a date {} days from 2000-01-01 is outside Postgres' range", days);
        return static_cast<std::int32_t>(days);
    }
};

/// A time of day in microseconds from midnight, 24:00 included.
class time {
public:
    static constexpr std::chrono::microseconds end_of_day{detail::microseconds_per_day};

    constexpr time() = default;
    /// Throws `unrepresentable` where it is negative or past 24:00.
    constexpr explicit time(std::chrono::microseconds since_midnight) : since_midnight_(since_midnight) {
        if (since_midnight < std::chrono::microseconds::zero() || since_midnight > end_of_day)
            throw unrepresentable("a time of day {} microseconds from midnight is outside 00:00 to 24:00", since_midnight.count());
    }

    [[nodiscard]] constexpr std::chrono::microseconds since_midnight() const noexcept { return since_midnight_; }
    friend constexpr auto operator<=>(time const&, time const&) = default;

private:
    std::chrono::microseconds since_midnight_{0};
};

/// A time of day with its offset from UTC, east positive. Equal where both parts are.
class timetz {
public:
    constexpr timetz() = default;
    /// Throws `unrepresentable` for an offset of 16 hours or more.
    constexpr timetz(isorow::time local, std::chrono::seconds utc_offset) : local_(local), utc_offset_(utc_offset) {
        if (utc_offset <= std::chrono::hours(-16) || utc_offset >= std::chrono::hours(16))
            throw unrepresentable("an offset of {} seconds from UTC is outside Postgres' range", utc_offset.count());
    }

    [[nodiscard]] constexpr isorow::time local() const noexcept { return local_; }
    [[nodiscard]] constexpr std::chrono::seconds utc_offset() const noexcept { return utc_offset_; }
    friend constexpr bool operator==(timetz const&, timetz const&) = default;

private:
    isorow::time local_;
    std::chrono::seconds utc_offset_{0};
};

namespace detail {

/// Microseconds since 2000-01-01 for a chrono time point, checked against Postgres' range: 4714-11-24 BC to 294276 AD.
template <class TimePoint>
[[nodiscard]] constexpr std::int64_t timestamp_count(TimePoint point) {
    auto const count = point.time_since_epoch().count();
    // The end of Postgres' range, 294277 AD, is beyond what a 64-bit count from 1970 reaches.
    static_assert(end_of_timestamps > std::numeric_limits<std::int64_t>::max() - epoch_shift);
    if (count < first_timestamp + epoch_shift) [[unlikely]]
        throw unrepresentable("a time {} microseconds from 1970-01-01 is outside Postgres' range", count);
    return count - epoch_shift;
}

template <class TimePoint>
[[nodiscard]] constexpr TimePoint to_time_point(std::int64_t count, bool is_finite, char const* wide_type) {
    if (!is_finite) throw unrepresentable("the time is infinity, which chrono does not have; use isorow::{}", wide_type);
    if (count > std::numeric_limits<std::int64_t>::max() - epoch_shift)
        throw unrepresentable("the time is beyond chrono's range; use isorow::{}", wide_type);
    return TimePoint(std::chrono::microseconds(count + epoch_shift));
}

[[nodiscard]] std::string timestamp_text(std::int64_t count, std::string_view zone);

}  // namespace detail

/// A local time without a zone, with Postgres' whole range, or infinity.
class timestamp : public detail::point_in_time<std::int64_t> {
public:
    using point_in_time::point_in_time;
    using chrono_type = std::chrono::local_time<std::chrono::microseconds>;
    constexpr timestamp(chrono_type point)
        : point_in_time(detail::timestamp_count(point)) {}  // NOLINT(google-explicit-constructor): a wider type

    [[nodiscard]] static constexpr timestamp infinity() noexcept { return timestamp(highest); }
    [[nodiscard]] static constexpr timestamp minus_infinity() noexcept { return timestamp(lowest); }
    /// As a chrono time. Throws `unrepresentable` for infinity and beyond chrono's range.
    [[nodiscard]] constexpr chrono_type to_local_time() const {
        return detail::to_time_point<chrono_type>(count(), is_finite(), "timestamp");
    }
};

/// A moment, with Postgres' whole range, or infinity.
class timestamptz : public detail::point_in_time<std::int64_t> {
public:
    using point_in_time::point_in_time;
    using chrono_type = std::chrono::sys_time<std::chrono::microseconds>;
    constexpr timestamptz(chrono_type point)
        : point_in_time(detail::timestamp_count(point)) {}  // NOLINT(google-explicit-constructor): a wider type

    [[nodiscard]] static constexpr timestamptz infinity() noexcept { return timestamptz(highest); }
    [[nodiscard]] static constexpr timestamptz minus_infinity() noexcept { return timestamptz(lowest); }
    /// As a chrono time. Throws `unrepresentable` for infinity and beyond chrono's range.
    [[nodiscard]] constexpr chrono_type to_sys_time() const {
        return detail::to_time_point<chrono_type>(count(), is_finite(), "timestamptz");
    }
};

/// A span of time in Postgres' three parts, which do not turn into each other: a month has no fixed number of days. Equal where all
/// parts are, unlike Postgres' `=`.
struct interval {
    std::int32_t months = 0;
    std::int32_t days = 0;
    std::int64_t microseconds = 0;

    constexpr interval() = default;
    constexpr interval(std::int32_t whole_months, std::int32_t whole_days, std::int64_t rest) noexcept
        : months(whole_months), days(whole_days), microseconds(rest) {}
    constexpr interval(std::chrono::microseconds time) noexcept
        : microseconds(time.count()) {}  // NOLINT(google-explicit-constructor): a wider type

    friend constexpr bool operator==(interval const&, interval const&) = default;
};

/// As Postgres writes them in ISO style: `2026-11-20`, `infinity`, `0044-03-15 BC`.
[[nodiscard]] std::string to_string(date value);
[[nodiscard]] inline std::string to_string(time value) { return detail::time_text(value.since_midnight().count()); }
[[nodiscard]] std::string to_string(timetz const& value);
[[nodiscard]] std::string to_string(timestamp value);
/// In UTC: `2026-11-20 22:10:00+00`.
[[nodiscard]] std::string to_string(timestamptz value);
/// The three parts: `14 months 3 days -1500000 microseconds`.
[[nodiscard]] std::string to_string(interval const& value);

template <class Value>
concept date_or_time = std::same_as<Value, date> || std::same_as<Value, time> || std::same_as<Value, timetz> ||
                       std::same_as<Value, timestamp> || std::same_as<Value, timestamptz> || std::same_as<Value, interval>;
template <date_or_time Value>
std::ostream& operator<<(std::ostream& out, Value const& value) {
    return out << to_string(value);
}

template <>
struct mapping<date> : detail::maps_to<type_id::date> {};
template <>
struct mapping<time> : detail::maps_to<type_id::time> {};
template <>
struct mapping<timetz> : detail::maps_to<type_id::timetz> {};
template <>
struct mapping<timestamp> : detail::maps_to<type_id::timestamp> {};
template <>
struct mapping<timestamptz> : detail::maps_to<type_id::timestamptz> {};
template <>
struct mapping<interval> : detail::maps_to<type_id::interval> {};

#if ISOROW_HAS_CODE

namespace detail {

ISOROW_DECL std::string padded(std::int64_t number, std::size_t width) {
    auto digits = std::to_string(number);
    return digits.size() >= width ? digits : std::string(width - digits.size(), '0') + digits;
}

ISOROW_DECL std::string date_text(std::int64_t days_since_2000, bool& before_christ) {
    auto const civil = civil_from_days(days_since_2000 + postgres_epoch.time_since_epoch().count());
    before_christ = civil.year <= 0;
    return padded(before_christ ? 1 - civil.year : civil.year, 4) + "-" + padded(civil.month, 2) + "-" + padded(civil.day, 2);
}

ISOROW_DECL std::string time_text(std::int64_t microseconds) {
    auto const seconds = microseconds / 1'000'000;
    auto text = padded(seconds / 3600, 2) + ":" + padded(seconds / 60 % 60, 2) + ":" + padded(seconds % 60, 2);
    if (auto const fraction = microseconds % 1'000'000; fraction != 0) {
        text += "." + padded(fraction, 6);
        while (text.back() == '0') text.pop_back();
    }
    return text;
}

ISOROW_DECL std::string timestamp_text(std::int64_t count, std::string_view zone) {
    auto days = count / microseconds_per_day;
    auto rest = count % microseconds_per_day;
    if (rest < 0) {
        rest += microseconds_per_day;
        --days;
    }
    bool before_christ = false;
    auto text = date_text(days, before_christ) + " " + time_text(rest);
    text += zone;
    return before_christ ? text + " BC" : text;
}

}  // namespace detail

ISOROW_DECL std::string to_string(date value) {
    if (value == date::infinity()) return "infinity";
    if (value == date::minus_infinity()) return "-infinity";
    bool before_christ = false;
    auto text = detail::date_text(value.count(), before_christ);
    return before_christ ? text + " BC" : text;
}

ISOROW_DECL std::string to_string(timetz const& value) {
    auto const offset = value.utc_offset().count();
    auto const size = offset < 0 ? -offset : offset;
    auto text = to_string(value.local()) + (offset < 0 ? "-" : "+") + detail::padded(size / 3600, 2);
    if (size % 3600 != 0) text += ":" + detail::padded(size / 60 % 60, 2);
    if (size % 60 != 0) text += ":" + detail::padded(size % 60, 2);
    return text;
}

ISOROW_DECL std::string to_string(timestamp value) {
    if (value == timestamp::infinity()) return "infinity";
    if (value == timestamp::minus_infinity()) return "-infinity";
    return detail::timestamp_text(value.count(), "");
}

ISOROW_DECL std::string to_string(timestamptz value) {
    if (value == timestamptz::infinity()) return "infinity";
    if (value == timestamptz::minus_infinity()) return "-infinity";
    return detail::timestamp_text(value.count(), "+00");
}

ISOROW_DECL std::string to_string(interval const& value) {
    return text("{} months {} days {} microseconds", value.months, value.days, value.microseconds);
}

#endif

}  // namespace isorow::inline v1
