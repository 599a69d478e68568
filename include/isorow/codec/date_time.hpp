#pragma once

/// @file
/// Dates and times: counts since 2000-01-01, or since midnight. Source: src/backend/utils/adt/date.c and timestamp.c, the send and recv
/// functions. Columns with a precision, such as timestamp(3), are rounded by the server.

#include <isorow/codec/codec.hpp>
#include <isorow/types/date_time.hpp>

#include <chrono>
#include <cstdint>

namespace isorow::inline v1 {

namespace detail {

/// What all codecs of this file say: the same bytes come back, unless the column has a precision, and are equal where values are.
template <std::size_t Size, column_type As>
struct time_codec {
    static constexpr std::size_t encoded_size = Size;
    static constexpr bool bytewise_stable = As.first_modifier < 0;
    static constexpr bool bytewise_equal = As.first_modifier < 0;
};

/// Codecs of values that a wider type of isorow's holds: checked and converted through it. `Wide` has `count()` of its wire's word.
template <class Value, class Wide, class Word, column_type As>
struct counted_codec : time_codec<sizeof(Word), As> {
    static std::size_t size_of(Value const& value) {
        static_cast<void>(widened(value));
        return sizeof(Word);
    }
    static void store(Value const& value, std::byte* place) noexcept {
        store_word(static_cast<std::make_unsigned_t<Word>>(count_of(value)), place);
    }
    ISOROW_ALWAYS_INLINE static Value load(std::byte const* place) {
        return narrowed(Wide(static_cast<Word>(load_word<std::make_unsigned_t<Word>>(place))));
    }
    static Value decode(byte_reader in) {
        if (in.remaining() != sizeof(Word)) throw malformed("a date or time has {} bytes, not {}", sizeof(Word), in.remaining());
        return load(in.rest().data());
    }

private:
    /// The count of a value that `size_of` has checked.
    [[nodiscard]] static Word count_of(Value const& value) noexcept {
        if constexpr (requires { value.count(); }) return value.count();
        else if constexpr (std::same_as<Wide, date>) return static_cast<Word>((std::chrono::sys_days(value) - postgres_epoch).count());
        else return value.time_since_epoch().count() - epoch_shift;
    }

    /// The value in isorow's own type, whose constructor checks the range.
    [[nodiscard]] static Wide widened(Value const& value) {
        if constexpr (std::same_as<Value, std::chrono::year_month_day>) {
            if (!value.ok())
                throw unrepresentable("{}-{}-{} is not a date", static_cast<int>(value.year()), static_cast<unsigned>(value.month()),
                                      static_cast<unsigned>(value.day()));
            return Wide(std::chrono::sys_days(value));
        } else if constexpr (std::same_as<Value, std::chrono::sys_time<std::chrono::microseconds>> && std::same_as<Wide, timestamp>) {
            return Wide(timestamptz(value).count());  // timestamp in UTC
        } else {
            return Wide(value);
        }
    }
    [[nodiscard]] static Value narrowed(Wide wide) {
        if constexpr (std::same_as<Value, Wide>) return wide;
        else if constexpr (std::same_as<Value, std::chrono::year_month_day>) return wide.to_year_month_day();
        else if constexpr (std::same_as<Wide, date>) return Value(wide.to_sys_days());
        else if constexpr (std::same_as<Value, std::chrono::local_time<std::chrono::microseconds>>) return wide.to_local_time();
        else return timestamptz(wide.count()).to_sys_time();
    }
};

}  // namespace detail

template <class Value, column_type As>
    requires(As == column_type{type_id::date} &&
             (std::same_as<Value, date> || std::same_as<Value, std::chrono::sys_days> || std::same_as<Value, std::chrono::year_month_day>))
struct codec<Value, As> : detail::counted_codec<Value, date, std::int32_t, As> {};

template <column_type As>
    requires(!As.array && As.id == type_id::timestamptz)
struct codec<timestamptz, As> : detail::counted_codec<timestamptz, timestamptz, std::int64_t, As> {};
template <column_type As>
    requires(!As.array && As.id == type_id::timestamp)
struct codec<timestamp, As> : detail::counted_codec<timestamp, timestamp, std::int64_t, As> {};
template <column_type As>
    requires(!As.array && As.id == type_id::timestamp)
struct codec<std::chrono::local_time<std::chrono::microseconds>, As>
    : detail::counted_codec<std::chrono::local_time<std::chrono::microseconds>, timestamp, std::int64_t, As> {};
template <column_type As>
    requires(!As.array && As.id == type_id::timestamptz)
struct codec<std::chrono::sys_time<std::chrono::microseconds>, As>
    : detail::counted_codec<std::chrono::sys_time<std::chrono::microseconds>, timestamptz, std::int64_t, As> {};
/// A moment in a column without zone is stored in UTC.
template <column_type As>
    requires(!As.array && As.id == type_id::timestamp)
struct codec<std::chrono::sys_time<std::chrono::microseconds>, As>
    : detail::counted_codec<std::chrono::sys_time<std::chrono::microseconds>, timestamp, std::int64_t, As> {};

/// time: int64 microseconds since midnight.
template <column_type As>
    requires(!As.array && As.id == type_id::time)
struct codec<time, As> : detail::time_codec<8, As> {
    static void store(time value, std::byte* place) noexcept {
        detail::store_word(static_cast<std::uint64_t>(value.since_midnight().count()), place);
    }
    static time load(std::byte const* place) { return checked(static_cast<std::int64_t>(detail::load_word<std::uint64_t>(place))); }
    static time decode(byte_reader in) { return detail::decode_fixed<codec>(in, "time"); }

private:
    static time checked(std::int64_t microseconds) {
        if (microseconds < 0 || microseconds > detail::microseconds_per_day)
            throw malformed("a time of {} microseconds since midnight", microseconds);
        return time(std::chrono::microseconds(microseconds));
    }
};

/// timetz: int64 microseconds since midnight, int32 seconds west of UTC.
template <column_type As>
    requires(!As.array && As.id == type_id::timetz)
struct codec<timetz, As> : detail::time_codec<12, As> {
    static void store(timetz const& value, std::byte* place) noexcept {
        detail::store_word(static_cast<std::uint64_t>(value.local().since_midnight().count()), place);
        detail::store_word(static_cast<std::uint32_t>(-value.utc_offset().count()), place + 8);
    }
    static timetz load(std::byte const* place) {
        auto const west = static_cast<std::int32_t>(detail::load_word<std::uint32_t>(place + 8));
        if (west <= -57'600 || west >= 57'600) throw malformed("a time zone {} seconds west of UTC", west);
        return {codec<time, column_type{type_id::time}>::load(place), std::chrono::seconds(-west)};
    }
    static timetz decode(byte_reader in) { return detail::decode_fixed<codec>(in, "timetz"); }
};

/// interval: int64 microseconds, int32 days, int32 months.
template <column_type As>
    requires(!As.array && As.id == type_id::interval)
struct codec<interval, As> : detail::time_codec<16, As> {
    static constexpr bool bytewise_equal = false;  // '1 day' = '24 hours'

    static void store(interval const& value, std::byte* place) noexcept {
        detail::store_word(static_cast<std::uint64_t>(value.microseconds), place);
        detail::store_word(static_cast<std::uint32_t>(value.days), place + 8);
        detail::store_word(static_cast<std::uint32_t>(value.months), place + 12);
    }
    static interval load(std::byte const* place) noexcept {
        return {static_cast<std::int32_t>(detail::load_word<std::uint32_t>(place + 12)),
                static_cast<std::int32_t>(detail::load_word<std::uint32_t>(place + 8)),
                static_cast<std::int64_t>(detail::load_word<std::uint64_t>(place))};
    }
    static interval decode(byte_reader in) { return detail::decode_fixed<codec>(in, "interval"); }
};

/// A duration is an interval without days and months; one with some is refused, as these have no fixed length.
template <column_type As>
    requires(!As.array && As.id == type_id::interval)
struct codec<std::chrono::microseconds, As> : detail::time_codec<16, As> {
    using whole = codec<interval, As>;
    static constexpr bool bytewise_equal = false;

    static void store(std::chrono::microseconds value, std::byte* place) noexcept { whole::store(interval(value), place); }
    static std::chrono::microseconds load(std::byte const* place) {
        auto const value = whole::load(place);
        if (value.months != 0 || value.days != 0)
            throw unrepresentable(
                "the interval has {} months and {} days, which std::chrono::microseconds cannot hold; use isorow::interval", value.months,
                value.days);
        return std::chrono::microseconds(value.microseconds);
    }
    static std::chrono::microseconds decode(byte_reader in) { return detail::decode_fixed<codec>(in, "interval"); }
};

}  // namespace isorow::inline v1
