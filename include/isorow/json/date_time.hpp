#pragma once

/// @file
/// Dates and times of chrono as JSON texts in ISO 8601, as Postgres' `to_jsonb` writes them: "2026-11-20", "2026-11-20T22:10:00.25+00:00".
/// Years are those of four digits, 0001 to 9999.

#include <isorow/json/format.hpp>
#include <isorow/types/date_time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

namespace detail {

/// Reads ISO 8601 front to back; nothing where the text is otherwise.
class iso_reader {
public:
    explicit iso_reader(std::string_view text) noexcept : text_(text) {}

    [[nodiscard]] bool at_end() const noexcept { return text_.empty(); }

    [[nodiscard]] bool take(char mark) noexcept {
        if (!text_.starts_with(mark)) return false;
        text_.remove_prefix(1);
        return true;
    }

    /// So many digits, of a number in a range.
    [[nodiscard]] std::optional<int> take_number(std::size_t digits, int least, int greatest) noexcept {
        int number = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            if (i >= text_.size() || text_[i] < '0' || text_[i] > '9') return std::nullopt;
            number = number * 10 + (text_[i] - '0');
        }
        text_.remove_prefix(digits);
        if (number < least || number > greatest) return std::nullopt;
        return number;
    }

    [[nodiscard]] std::optional<std::chrono::year_month_day> take_date() noexcept {
        auto const year = take_number(4, 1, 9999);
        if (!year || !take('-')) return std::nullopt;
        auto const month = take_number(2, 1, 12);
        if (!month || !take('-')) return std::nullopt;
        auto const day = take_number(2, 1, 31);
        if (!day) return std::nullopt;
        auto const date = std::chrono::year{*year} / *month / *day;
        return date.ok() ? std::optional(date) : std::nullopt;
    }

    /// Hours and minutes, seconds and their fraction where they are written. More than six digits of a fraction would be rounded.
    [[nodiscard]] std::optional<std::chrono::microseconds> take_time() noexcept {
        auto const hours = take_number(2, 0, 23);
        if (!hours || !take(':')) return std::nullopt;
        auto const minutes = take_number(2, 0, 59);
        if (!minutes) return std::nullopt;
        std::chrono::microseconds time = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
        if (!take(':')) return time;
        auto const seconds = take_number(2, 0, 59);
        if (!seconds) return std::nullopt;
        time += std::chrono::seconds(*seconds);
        if (!take('.')) return time;
        std::int64_t unit = 100'000;
        for (bool first = true; first || unit > 0; first = false, unit /= 10) {
            auto const digit = take_number(1, 0, 9);
            if (!digit) return first ? std::nullopt : std::optional(time);
            time += std::chrono::microseconds(*digit * unit);
        }
        return time;
    }

    /// `Z`, `+01` or `+01:30`.
    [[nodiscard]] std::optional<std::chrono::minutes> take_offset() noexcept {
        if (take('Z')) return std::chrono::minutes(0);
        bool const is_west = take('-');
        if (!is_west && !take('+')) return std::nullopt;
        auto const hours = take_number(2, 0, 15);
        if (!hours) return std::nullopt;
        auto const minutes = take(':') ? take_number(2, 0, 59) : std::optional(0);
        if (!minutes) return std::nullopt;
        auto const offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
        return is_west ? -offset : offset;
    }

private:
    std::string_view text_;
};

using day_and_time = std::chrono::sys_time<std::chrono::microseconds>;

[[nodiscard]] inline std::optional<std::chrono::sys_days> parse_iso_date(std::string_view text) noexcept {
    iso_reader in(text);
    auto const date = in.take_date();
    if (!date || !in.at_end()) return std::nullopt;
    return std::chrono::sys_days(*date);
}

[[nodiscard]] inline std::optional<day_and_time> parse_iso_timestamp(std::string_view text, bool has_offset) noexcept {
    iso_reader in(text);
    auto const date = in.take_date();
    if (!date || !(in.take('T') || in.take(' '))) return std::nullopt;
    auto const time = in.take_time();
    if (!time) return std::nullopt;
    auto const offset = has_offset ? in.take_offset() : std::optional(std::chrono::minutes(0));
    if (!offset || !in.at_end()) return std::nullopt;
    return std::chrono::sys_days(*date) + *time - *offset;
}

inline constexpr std::chrono::sys_days first_iso_day{std::chrono::year{1} / 1 / 1};
inline constexpr std::chrono::sys_days end_of_iso_days{std::chrono::year{10000} / 1 / 1};

[[nodiscard]] inline std::string iso_date(std::chrono::sys_days day, json_writer const& out) {
    if (day < first_iso_day || day >= end_of_iso_days) out.refuse("the date is outside the years 0001 to 9999");
    bool before_christ = false;
    return date_text((day - postgres_epoch).count(), before_christ);
}

[[nodiscard]] inline std::string iso_timestamp(day_and_time point, json_writer const& out) {
    if (point < first_iso_day || point >= end_of_iso_days) out.refuse("the time is outside the years 0001 to 9999");
    auto const day = std::chrono::floor<std::chrono::days>(point);
    return iso_date(day, out) + "T" + time_text((point - day).count());
}

}  // namespace detail

template <>
struct json_format<std::chrono::sys_days> {
    static constexpr std::string_view name = "date";
    static void write(std::chrono::sys_days value, json_writer& out) { out.put_string(detail::iso_date(value, out)); }
    static std::chrono::sys_days read(json_reader& in) {
        auto const value = detail::parse_iso_date(in.take_string());
        if (!value) in.refuse("the text is not a date such as 2026-11-20");
        return *value;
    }
};

template <>
struct json_format<std::chrono::year_month_day> {
    static constexpr std::string_view name = "date";
    static void write(std::chrono::year_month_day value, json_writer& out) {
        if (!value.ok()) out.refuse("the date is not one of the calendar");
        json_format<std::chrono::sys_days>::write(value, out);
    }
    static std::chrono::year_month_day read(json_reader& in) { return json_format<std::chrono::sys_days>::read(in); }
};

/// A moment, written in UTC. One with another offset is read as the same moment.
template <>
struct json_format<std::chrono::sys_time<std::chrono::microseconds>> {
    static constexpr std::string_view name = "timestamptz";
    static void write(std::chrono::sys_time<std::chrono::microseconds> value, json_writer& out) {
        out.put_string(detail::iso_timestamp(value, out) + "+00:00");
    }
    static std::chrono::sys_time<std::chrono::microseconds> read(json_reader& in) {
        auto const value = detail::parse_iso_timestamp(in.take_string(), true);
        if (!value) in.refuse("the text is not a time such as 2026-11-20T22:10:00.25+00:00, of at most six digits behind the seconds");
        return *value;
    }
};

template <>
struct json_format<std::chrono::local_time<std::chrono::microseconds>> {
    static constexpr std::string_view name = "timestamp";
    static void write(std::chrono::local_time<std::chrono::microseconds> value, json_writer& out) {
        out.put_string(detail::iso_timestamp(detail::day_and_time(value.time_since_epoch()), out));
    }
    static std::chrono::local_time<std::chrono::microseconds> read(json_reader& in) {
        auto const value = detail::parse_iso_timestamp(in.take_string(), false);
        if (!value) in.refuse("the text is not a local time such as 2026-11-20T22:10:00.25, of at most six digits behind the seconds");
        return std::chrono::local_time<std::chrono::microseconds>(value->time_since_epoch());
    }
};

}  // namespace isorow::inline v1
