#pragma once

/// @file
/// Random values of each kind, for rapidcheck. All of them are ones that Postgres stores; those at the edges come as often as all others.

#include <isorow/types/date_time.hpp>
#include <isorow/types/numeric.hpp>
#include <isorow/types/uuid.hpp>
#include <isorow/types/vector.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <rapidcheck.h>

namespace test::random {

/// One of `edges`, or any other value.
template <class T>
rc::Gen<T> with_edges(std::vector<T> edges, rc::Gen<T> others) {
    return rc::gen::oneOf(rc::gen::elementOf(std::move(edges)), std::move(others));
}

/// Lists of up to `most` elements.
template <class List, class Element>
rc::Gen<List> lists(rc::Gen<Element> elements, std::size_t most = 8) {
    return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, most + 1),
                           [elements](std::size_t count) { return rc::gen::container<List>(count, elements); });
}

/// Words of which all bits are random, whatever the size that rapidcheck asks for.
template <std::unsigned_integral Word>
rc::Gen<Word> bits() {
    return rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<Word>());
}

inline rc::Gen<bool> booleans() { return rc::gen::element(true, false); }

template <std::integral Integer>
rc::Gen<Integer> integers() {
    using limits = std::numeric_limits<Integer>;
    return with_edges<Integer>({0, 1, static_cast<Integer>(-1), limits::min(), limits::max()}, rc::gen::arbitrary<Integer>());
}

/// Any bits, but of the many images of NaN only the one that Postgres makes of its text.
template <std::floating_point Float>
rc::Gen<Float> floats() {
    using limits = std::numeric_limits<Float>;
    using word = std::conditional_t<sizeof(Float) == sizeof(float), std::uint32_t, std::uint64_t>;
    auto const any = rc::gen::map(bits<word>(), [](word image) {
        auto const value = std::bit_cast<Float>(image);
        return std::isnan(value) ? limits::quiet_NaN() : value;
    });
    return with_edges<Float>({0, -Float{0}, 1, Float(0.1), limits::min(), limits::max(), limits::lowest(), limits::denorm_min(),
                              -limits::denorm_min(), limits::epsilon(), limits::infinity(), -limits::infinity(), limits::quiet_NaN()},
                             any);
}

/// Floats that pgvector stores: finite ones, and for halfvec those that have 16 bits.
template <bool Half>
rc::Gen<float> elements() {
    auto const any = Half ? rc::gen::map(bits<std::uint16_t>(),
                                         [](std::uint16_t image) {
                                             bool const is_finite = (image & 0x7c00) != 0x7c00;
                                             auto const sign = (image & 0x8000) != 0 ? -1.0f : 1.0f;
                                             if (!is_finite) return sign;
                                             int const exponent = (image >> 10) & 31;
                                             auto const mantissa = static_cast<float>(image & 0x3ff);
                                             return exponent == 0 ? sign * std::ldexp(mantissa, -24)
                                                                  : sign * std::ldexp(mantissa + 1024.0f, exponent - 25);
                                         })
                          : rc::gen::map(bits<std::uint32_t>(), [](std::uint32_t image) {
                                auto const value = std::bit_cast<float>(image);
                                return std::isfinite(value) ? value : 0.5f;
                            });
    return with_edges<float>({0.0f, -0.0f, 1.0f, -1.0f, 65504.0f, std::ldexp(1.0f, -24)}, any);
}

template <class Vector>
rc::Gen<Vector> vectors(rc::Gen<float> const& elements) {
    return rc::gen::map(
        rc::gen::container<std::array<float, Vector::size()>>(elements),
        [](std::array<float, Vector::size()> const& values) { return Vector(std::span<float const, Vector::size()>(values)); });
}

/// A character of UTF-8.
inline std::string character(std::uint32_t code) {
    std::string bytes;
    auto const put = [&](std::uint32_t byte) { bytes += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | (code >> 6));
    } else if (code < 0x10000) {
        put(0xe0 | (code >> 12));
    } else {
        put(0xf0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3f));
    }
    if (code >= 0x800) put(0x80 | ((code >> 6) & 0x3f));
    if (code >= 0x80) put(0x80 | (code & 0x3f));
    return bytes;
}

/// Characters of all lengths in UTF-8, but NUL.
inline rc::Gen<std::string> characters() {
    auto const in = [](std::uint32_t first, std::uint32_t last) { return rc::gen::inRange<std::uint32_t>(first, last + 1); };
    return rc::gen::map(
        rc::gen::oneOf(in(1, 0x7f), in(0x20, 0x7e), in(0x80, 0x7ff), in(0x800, 0xd7ff), in(0xe000, 0xffff), in(0x10000, 0x10ffff)),
        &character);
}

/// Texts of all of UTF-8 but NUL, with what text formats give a meaning to.
inline rc::Gen<std::string> texts() {
    auto const any = rc::gen::map(lists<std::vector<std::string>>(characters(), 40), [](std::vector<std::string> const& parts) {
        std::string text;
        for (auto const& part : parts) text += part;
        return text;
    });
    return with_edges<std::string>({"", " ", "NULL", "null", "\\N", "\\", "\"", "'", "{}", "(,)", "a,b", "\t\r\n", "\x01\x7f", "e\xcc\x81",
                                    "\xf4\x8f\xbf\xbf", std::string(15, 'x'), std::string(16, 'x'), std::string(3000, 'x')},
                                   any);
}

inline std::vector<std::byte> every_byte() {
    std::vector<std::byte> bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<std::byte>(i));
    return bytes;
}

inline rc::Gen<std::vector<std::byte>> byte_strings() {
    auto const any = rc::gen::map(lists<std::vector<std::uint8_t>>(bits<std::uint8_t>(), 40), [](std::vector<std::uint8_t> const& numbers) {
        std::vector<std::byte> bytes;
        for (auto const number : numbers) bytes.push_back(static_cast<std::byte>(number));
        return bytes;
    });
    return with_edges<std::vector<std::byte>>({{}, {std::byte{0}}, every_byte(), std::vector<std::byte>(3000)}, any);
}

/// Numbers of up to 60 digits, those that numeric holds at its edges, and what is no number.
inline rc::Gen<isorow::numeric> numerics() {
    using isorow::numeric;
    auto const number = [](std::string const& text) { return *numeric::parse(text); };
    auto const digits = lists<std::string>(rc::gen::element('0', '0', '0', '1', '5', '9', '9', '7'), 30);
    auto const any = rc::gen::map(rc::gen::tuple(booleans(), digits, booleans(), digits),
                                  [number](std::tuple<bool, std::string, bool, std::string> const& parts) {
                                      auto const& [negative, whole, has_point, fraction] = parts;
                                      return number((negative ? "-" : "") + ("0" + whole) + (has_point ? "." + fraction : ""));
                                  });
    return with_edges<numeric>({0, number("0.00"), number("-0.0"), 1, -1, 10000, number("9999.9999"), number("0.0001"), number("1e-16383"),
                                number("-9e131071"), number("1.50"), numeric::nan(), numeric::infinity(), numeric::minus_infinity()},
                               any);
}

inline rc::Gen<isorow::uuid> uuids() {
    auto const any =
        rc::gen::map(rc::gen::pair(bits<std::uint64_t>(), bits<std::uint64_t>()), [](std::pair<std::uint64_t, std::uint64_t> halves) {
            std::array<std::uint8_t, 16> bytes{};
            for (std::size_t i = 0; i < 8; ++i) {
                bytes[i] = static_cast<std::uint8_t>(halves.first >> (8 * i));
                bytes[i + 8] = static_cast<std::uint8_t>(halves.second >> (8 * i));
            }
            return isorow::uuid(bytes);
        });
    std::array<std::uint8_t, 16> last{};
    last.fill(255);
    return with_edges<isorow::uuid>({isorow::uuid(), isorow::uuid(last)}, any);
}

// Dates and times. Postgres' first day is 4714-11-24 BC, 2451545 days before 2000-01-01; its last date is 5874897-12-31, its last
// moment the last microsecond of 294276.

inline constexpr std::int32_t first_day = -2'451'545;
inline constexpr std::int32_t last_day = 2'145'031'948;
inline constexpr std::int64_t microseconds_per_day = 86'400'000'000;
inline constexpr std::int64_t first_moment = first_day * microseconds_per_day;
inline constexpr std::int64_t last_moment = 9'223'371'331'200'000'000 - 1;

inline rc::Gen<isorow::date> dates() {
    using isorow::date;
    auto const any = rc::gen::map(rc::gen::oneOf(rc::gen::inRange(first_day, last_day + 1), rc::gen::inRange(-1'000'000, 100'000)),
                                  [](std::int32_t days) { return date(days); });
    return with_edges<date>(
        {date(0), date(-1), date(first_day), date(last_day), date(-730'487), date(-730'119), date::infinity(), date::minus_infinity()},
        any);
}

/// Days in the years that chrono's calendar has.
inline rc::Gen<std::chrono::sys_days> calendar_days() {
    using std::chrono::sys_days;
    static constexpr auto epoch = isorow::detail::postgres_epoch;
    auto const days = [](std::int32_t count) { return sys_days(epoch + std::chrono::days(count)); };
    return with_edges<sys_days>(
        {days(0), days(-10'957), days(-10'958), days(first_day), days(-730'120), sys_days(std::chrono::year::max() / 12 / 31)},
        rc::gen::map(rc::gen::inRange(first_day, 11'000'000), days));
}

inline rc::Gen<isorow::time> times() {
    using isorow::time;
    auto const any = rc::gen::map(rc::gen::inRange<std::int64_t>(0, microseconds_per_day + 1),
                                  [](std::int64_t count) { return time(std::chrono::microseconds(count)); });
    return with_edges<time>(
        {time(), time(time::end_of_day), time(time::end_of_day - std::chrono::microseconds(1)), time(std::chrono::hours(12))}, any);
}

inline rc::Gen<isorow::timetz> times_with_offset() {
    constexpr std::int32_t most = 16 * 3600 - 1;
    auto const offsets = with_edges<std::int32_t>({0, most, -most, 3600, -5400, 1, -1}, rc::gen::inRange(-most, most + 1));
    return rc::gen::map(rc::gen::pair(times(), offsets), [](std::pair<isorow::time, std::int32_t> const& parts) {
        return isorow::timetz(parts.first, std::chrono::seconds(parts.second));
    });
}

/// Counts of microseconds since 2000-01-01.
inline rc::Gen<std::int64_t> moments(std::int64_t last = last_moment) {
    return with_edges<std::int64_t>(
        {0, -1, 1, first_moment, last, 999'999, -1'000'001},
        rc::gen::oneOf(rc::gen::inRange(first_moment, last), rc::gen::inRange<std::int64_t>(-1'000'000'000'000, 1'000'000'000'000)));
}

template <class Timestamp>
rc::Gen<Timestamp> timestamps() {
    return with_edges<Timestamp>({Timestamp::infinity(), Timestamp::minus_infinity()},
                                 rc::gen::map(moments(), [](std::int64_t count) { return Timestamp(count); }));
}

/// Those that chrono can count from 1970.
template <class TimePoint>
rc::Gen<TimePoint> time_points() {
    constexpr auto shift = isorow::detail::epoch_shift;
    return rc::gen::map(moments(std::numeric_limits<std::int64_t>::max() - shift),
                        [](std::int64_t count) { return TimePoint(std::chrono::microseconds(count + shift)); });
}

/// All counts of an interval but the least one, of which Postgres does not read the text that it prints.
inline rc::Gen<std::int64_t> interval_counts() {
    return rc::gen::map(integers<std::int64_t>(),
                        [](std::int64_t count) { return std::max(count, std::numeric_limits<std::int64_t>::min() + 1); });
}

inline rc::Gen<std::chrono::microseconds> durations() {
    return rc::gen::map(interval_counts(), [](std::int64_t count) { return std::chrono::microseconds(count); });
}

inline rc::Gen<isorow::interval> intervals() {
    auto const small = rc::gen::inRange(-100, 101);
    auto const parts = rc::gen::oneOf(rc::gen::tuple(small, small, interval_counts()),
                                      rc::gen::tuple(integers<std::int32_t>(), integers<std::int32_t>(), interval_counts()));
    return rc::gen::map(parts, [](std::tuple<std::int32_t, std::int32_t, std::int64_t> const& three) {
        return isorow::interval(std::get<0>(three), std::get<1>(three), std::get<2>(three));
    });
}

}  // namespace test::random
