// Ranges and multiranges go to the server in binary, are printed there as text, and come back as the same bytes.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/scalars.hpp>
#include <isorow/query/query.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

using isorow::multirange;
using isorow::numeric;
using isorow::range;
using isorow::range_bound;
using namespace std::chrono_literals;

namespace {

using integers = range<std::int32_t>;
using bytes = std::vector<std::byte>;

template <class Value, isorow::column_type As = isorow::default_type<Value>>
bytes encoded(Value const& value) {
    isorow::byte_writer out;
    isorow::encode<isorow::codec<Value, As>>(value, out);
    return {out.bytes().begin(), out.bytes().end()};
}

template <class Value, isorow::column_type As = isorow::default_type<Value>>
Value decoded(bytes const& image) {
    return isorow::codec<Value, As>::decode(isorow::byte_reader(image));
}

/// Bytes as they are written down: each number is one.
bytes octets(std::initializer_list<int> numbers) {
    bytes image;
    for (int const number : numbers) image.push_back(static_cast<std::byte>(number));
    return image;
}

struct range_server {
    isorow::connection connection = test::connect();

    range_server() { isorow::execute(connection, "SET timezone = 'UTC'"); }

    /// That the server reads the value as what its text says, prints it so, and gives back its bytes.
    template <class Value>
    void check(Value const& value) {
        auto const text = to_string(value);
        CAPTURE(text);
        CHECK(isorow::query_one<std::string>(connection, "SELECT $1::text", value) == text);
        auto const sent = encoded(value);
        auto const type = std::string(isorow::entry_of(isorow::default_type<Value>.id).sql_name);
        auto const send = isorow::default_type<Value>.id >= isorow::type_id::int4multirange ? "multirange_send" : "range_send";
        CHECK(isorow::query_one<bytes>(connection, isorow::text("SELECT {}($1)", send), value) == sent);
        CHECK(isorow::query_one<bytes>(connection, isorow::text("SELECT {}($1::text::{})", send, type), text) == sent);
        CHECK(isorow::query_one<Value>(connection, "SELECT $1", value) == value);
        CHECK(Value::parse(text) == value);
    }
};

std::size_t random_count() { return std::getenv("ISOROW_LONG") != nullptr ? 5000 : 150; }

/// Random values of a bound: few, so that bounds meet, and the ends of the type.
template <class T>
T random_bound(std::mt19937_64& random);

template <std::signed_integral T>
T random_integer(std::mt19937_64& random) {
    switch (random() % 8) {
        case 0:
            return std::numeric_limits<T>::min();
        case 1:
            return std::numeric_limits<T>::max();
        case 2:
            return static_cast<T>(random());
        default:
            return static_cast<T>(static_cast<int>(random() % 9) - 4);
    }
}
template <>
std::int32_t random_bound(std::mt19937_64& random) {
    return random_integer<std::int32_t>(random);
}
template <>
std::int64_t random_bound(std::mt19937_64& random) {
    return random_integer<std::int64_t>(random);
}
template <>
numeric random_bound(std::mt19937_64& random) {
    static constexpr std::string_view some[] = {"0",     "0.00", "1",        "1.0",      "1.000", "-1.5", "12345678901234567890.5",
                                                "1e-30", "NaN",  "Infinity", "-Infinity"};
    return numeric::parse(some[random() % std::size(some)]).value();
}
template <>
isorow::date random_bound(std::mt19937_64& random) {
    static constexpr std::int32_t ends[] = {-2'451'545, 2'145'031'948, std::numeric_limits<std::int32_t>::min(),
                                            std::numeric_limits<std::int32_t>::max()};
    return isorow::date(random() % 3 == 0 ? ends[random() % 4] : static_cast<std::int32_t>(random() % 5) - 2);
}
template <>
std::chrono::sys_days random_bound(std::mt19937_64& random) {
    return std::chrono::sys_days(2026y / 2 / 26) + std::chrono::days(random() % 6);
}
template <>
std::chrono::year_month_day random_bound(std::mt19937_64& random) {
    return random_bound<std::chrono::sys_days>(random);
}
template <class Wide>
Wide random_time(std::mt19937_64& random) {
    static constexpr std::int64_t ends[] = {isorow::detail::first_timestamp, isorow::detail::end_of_timestamps - 1,
                                            std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
    return Wide(random() % 3 == 0 ? ends[random() % 4] : static_cast<std::int64_t>(random() % 5) * 500'000 - 1'000'000);
}
template <>
isorow::timestamp random_bound(std::mt19937_64& random) {
    return random_time<isorow::timestamp>(random);
}
template <>
isorow::timestamptz random_bound(std::mt19937_64& random) {
    return random_time<isorow::timestamptz>(random);
}
template <>
isorow::timestamp::chrono_type random_bound(std::mt19937_64& random) {
    return isorow::timestamp::chrono_type(std::chrono::microseconds(random() % 5 * 700'000));
}
template <>
isorow::timestamptz::chrono_type random_bound(std::mt19937_64& random) {
    return isorow::timestamptz::chrono_type(std::chrono::microseconds(random() % 5 * 700'000));
}

/// Four texts that make a range of SQL's constructor: type, bounds, and their kinds.
template <class T>
struct random_bounds {
    std::optional<T> lower;
    std::optional<T> upper;
    std::string kinds;

    explicit random_bounds(std::mt19937_64& random) : kinds("()") {
        if (random() % 6 != 0) lower = random_bound<T>(random);
        if (random() % 6 != 0) upper = random_bound<T>(random);
        if (random() % 2 != 0) kinds[0] = '[';
        if (random() % 2 != 0) kinds[1] = ']';
    }

    /// What isorow makes of them; nothing where it refuses them.
    std::optional<range<T>> made() const {
        try {
            return range<T>::between(lower, kinds[0] == '[' ? range_bound::inclusive : range_bound::exclusive, upper,
                                     kinds[1] == ']' ? range_bound::inclusive : range_bound::exclusive);
        } catch (isorow::unrepresentable const&) {
            return std::nullopt;
        }
    }
};

/// Bounds of all kinds become the ranges that the server makes of them, or are refused by both.
template <class T>
void check_random(range_server& server) {
    std::mt19937_64 random(20261127);
    auto const name = std::string(isorow::entry_of(isorow::default_type<range<T>>.id).sql_name);
    INFO(name);
    auto const sql = isorow::text("SELECT {}($1, $2, $3)", name);
    std::vector<range<T>> made;
    for (std::size_t i = 0; i < random_count(); ++i) {
        random_bounds<T> const bounds(random);
        auto const here = bounds.made();
        std::optional<range<T>> there;
        try {
            there = isorow::query_one<range<T>>(server.connection, sql, bounds.lower, bounds.upper, bounds.kinds);
        } catch (isorow::data_exception const&) {
        }
        CAPTURE(i, bounds.kinds, here ? to_string(*here) : "refused");
        REQUIRE(here == there);
        if (!here) continue;
        server.check(*here);
        made.push_back(*here);
    }
    REQUIRE(made.size() > random_count() / 4);
    for (std::size_t i = 0; i + 8 < made.size(); i += 4) {
        std::vector<range<T>> const some(made.begin() + static_cast<std::ptrdiff_t>(i),
                                         made.begin() + static_cast<std::ptrdiff_t>(i + random() % 8));
        multirange<T> const here(some);
        auto const there = isorow::query_one<multirange<T>>(server.connection,
                                                            "SELECT coalesce(range_agg(r ORDER BY r), '{}') FROM unnest($1) AS r", some);
        CAPTURE(to_string(here), to_string(there));
        CHECK(here == there);
        server.check(here);
    }
    CHECK(isorow::query_one<std::vector<range<T>>>(server.connection, "SELECT $1", made) == made);
    auto const ordered =
        isorow::query_one<std::vector<range<T>>>(server.connection, "SELECT array_agg(r ORDER BY r) FROM unnest($1) AS r", made);
    CHECK(std::ranges::is_sorted(ordered));
}

}  // namespace

TEST_CASE_METHOD(range_server, "ranges of every type are made as the server makes them, and come back as the same bytes") {
    check_random<std::int32_t>(*this);
    check_random<std::int64_t>(*this);
    check_random<numeric>(*this);
    check_random<isorow::date>(*this);
    check_random<std::chrono::sys_days>(*this);
    check_random<std::chrono::year_month_day>(*this);
    check_random<isorow::timestamp>(*this);
    check_random<isorow::timestamptz>(*this);
    check_random<isorow::timestamp::chrono_type>(*this);
    check_random<isorow::timestamptz::chrono_type>(*this);
}

TEST_CASE("a range is a byte of flags, then its bounds behind their lengths") {
    CHECK(encoded(integers{1, 10}) == octets({0x02, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 10}));
    CHECK(encoded(integers::closed(1, 9)) == encoded(integers{1, 10}));
    CHECK(encoded(integers::empty()) == octets({0x01}));
    CHECK(encoded(integers::all()) == octets({0x18}));
    CHECK(encoded(integers::at_least(-1)) == octets({0x12, 0, 0, 0, 4, 255, 255, 255, 255}));
    CHECK(encoded(multirange<std::int32_t>{}) == octets({0, 0, 0, 0}));
    CHECK(encoded(multirange<std::int32_t>{integers::all()}) == octets({0, 0, 0, 1, 0, 0, 0, 1, 0x18}));
}

TEST_CASE("the codecs say for which ranges the server gives back the bytes, and equality is theirs") {
    using whole = isorow::codec<multirange<std::chrono::sys_days>>;
    static_assert(whole::bytewise_stable && whole::bytewise_equal);
    using exact = isorow::codec<range<numeric>>;
    static_assert(exact::bytewise_stable && !exact::bytewise_equal);
    static_assert(isorow::codec<std::vector<integers>>::bytewise_stable);
    CHECK(encoded(range<numeric>{*numeric::parse("1.0"), 2}) != encoded(range<numeric>{*numeric::parse("1.00"), 2}));
}

TEST_CASE_METHOD(range_server, "a numrange keeps the digits of its bounds, and is equal to one with others") {
    auto const shown = [&](std::string const& text) {
        return to_string(isorow::query_one<range<numeric>>(connection, "SELECT $1::text::numrange", text));
    };
    CHECK(shown("[1.0,2.00]") == "[1.0,2.00]");
    CHECK(isorow::query_one<bool>(connection, "SELECT $1 = $2", range<numeric>{*numeric::parse("1.0"), 2},
                                  range<numeric>{*numeric::parse("1.00"), 2}));
}

TEST_CASE("a value of a range that is cut or too long is malformed") {
    for (auto const& value : {integers{1, 10}, integers::empty(), integers::all(), integers::at_least(5), integers::less_than(5)}) {
        auto whole = encoded(value);
        CHECK(decoded<integers>(whole) == value);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            CAPTURE(to_string(value), size);
            CHECK_THROWS_AS(decoded<integers>(bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))), isorow::malformed);
        }
        whole.push_back(std::byte{0});
        CHECK_THROWS_AS(decoded<integers>(whole), isorow::malformed);
    }
    auto const whole = encoded(multirange<numeric>{{1, 2}, {3, 4}});
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK_THROWS_AS(decoded<multirange<numeric>>(bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))),
                        isorow::malformed);
}

TEST_CASE("flags that contradict each other are malformed") {
    for (int flags = 0; flags < 256; ++flags) {
        auto image = octets({flags});
        bool const has_lower = (flags & 0x09) == 0;
        bool const has_upper = (flags & 0x11) == 0;
        if (has_lower)
            image.insert(image.end(),
                         {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{4}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}});
        if (has_upper)
            image.insert(image.end(),
                         {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{4}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{9}});
        bool const is_known = (flags & 0xe0) == 0;
        bool const is_consistent = flags == 1 || ((flags & 1) == 0 && (flags & 0x0a) != 0x0a && (flags & 0x14) != 0x14);
        CAPTURE(flags);
        if (is_known && is_consistent) CHECK_NOTHROW(decoded<integers>(image));
        else CHECK_THROWS_AS(decoded<integers>(image), isorow::malformed);
    }
}

TEST_CASE("bounds that cannot be are malformed, and the error says which") {
    CHECK_THROWS_MATCHES(decoded<integers>(octets({0x02, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0, 1})), isorow::malformed,
                         test::says("lower bound is above"));
    CHECK_THROWS_MATCHES(decoded<integers>(octets({0x02, 255, 255, 255, 255})), isorow::malformed,
                         test::says("the range's lower bound: a length of -1"));
    CHECK_THROWS_MATCHES(decoded<integers>(octets({0x08, 127, 255, 255, 255, 0})), isorow::malformed,
                         test::says("the range's upper bound: "));
    CHECK_THROWS_MATCHES(decoded<integers>(octets({0x08, 0, 0, 0, 3, 0, 0, 0})), isorow::malformed, test::says("not 3"));
    auto const infinite = encoded(range<isorow::date>::at_least(isorow::date::infinity()));
    CHECK_THROWS_MATCHES(decoded<range<std::chrono::sys_days>>(infinite), isorow::unrepresentable,
                         test::says("the range's lower bound: the date is infinity"));
    auto const wide = encoded(range<std::int64_t>::less_than(1LL << 40));
    CHECK_THROWS_MATCHES(decoded<integers>(wide), isorow::unrepresentable, test::says("the range's upper bound"));
}

TEST_CASE("a range that is not canonical is read as what it says") {
    CHECK(decoded<integers>(octets({0x06, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 9})) == integers{1, 10});
    CHECK(decoded<integers>(octets({0x00, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 2})).is_empty());
}

TEST_CASE("no count of ranges is believed before there are bytes for them") {
    CHECK_THROWS_MATCHES(decoded<multirange<std::int32_t>>(octets({127, 255, 255, 255})), isorow::malformed,
                         test::says("a multirange of 2147483647 ranges in 0 bytes"));
    CHECK_THROWS_AS(decoded<multirange<std::int32_t>>(octets({255, 255, 255, 255})), isorow::malformed);
    CHECK_THROWS_AS(decoded<multirange<std::int32_t>>(octets({0, 0, 0, 2, 0, 0, 0, 1, 0x18})), isorow::malformed);
    CHECK_THROWS_MATCHES(decoded<multirange<std::int32_t>>(octets({0, 0, 0, 1, 0, 0, 0, 1, 0x88})), isorow::malformed,
                         test::says("range 0: a range with the flags 136"));
    CHECK_THROWS_MATCHES(decoded<multirange<std::int32_t>>(octets({0, 0, 0, 1, 255, 255, 255, 254, 0x18})), isorow::malformed,
                         test::says("range 0: a length of -2"));
    CHECK_THROWS_AS(decoded<multirange<std::int32_t>>(octets({0, 0, 0, 1, 0, 0, 0, 1, 0x18, 0})), isorow::malformed);
}

TEST_CASE("random bytes are a range or malformed, and nothing else") {
    std::mt19937 random(7);
    std::size_t read = 0;
    for (int round = 0; round < 20'000; ++round) {
        auto image =
            round % 2 == 0
                ? encoded(multirange<isorow::date>{{isorow::date(1), isorow::date(5)}, range<isorow::date>::at_least(isorow::date(9))})
                : encoded(multirange<isorow::date>{});
        for (auto changes = random() % 4; changes > 0 && !image.empty(); --changes)
            image[random() % image.size()] = static_cast<std::byte>(random());
        if (random() % 4 == 0) image.resize(random() % (image.size() + 1));
        try {
            auto const value = decoded<multirange<isorow::date>>(image);
            CHECK(decoded<multirange<isorow::date>>(encoded(value)) == value);
            ++read;
        } catch (isorow::value_error const&) {
        }
    }
    CHECK(read > 0);
}

TEST_CASE("a wider range may be stored in a narrower column, each bound being checked") {
    constexpr isorow::column_type narrow{isorow::type_id::int4range};
    using wide = range<std::int64_t>;
    CHECK(encoded<wide, narrow>({1, 10}) == encoded(integers{1, 10}));
    CHECK(decoded<wide, narrow>(encoded(integers{1, 10})) == wide{1, 10});
    CHECK_THROWS_MATCHES((encoded<wide, narrow>({1, 1LL << 40})), isorow::unrepresentable,
                         test::says("the range's upper bound: 1099511627776 is out of the range of integer"));
    CHECK_THROWS_AS((encoded<wide, narrow>(wide::closed(1, 2'147'483'647))), isorow::unrepresentable);
    using moments = range<isorow::timestamptz::chrono_type>;
    constexpr isorow::column_type local{isorow::type_id::tsrange};
    auto const since = moments::at_least(isorow::timestamptz::chrono_type(1s));
    CHECK(encoded<moments, local>(since) == encoded(range<isorow::timestamp>::at_least(isorow::timestamp(
                                                since.lower()->time_since_epoch().count() - isorow::detail::epoch_shift))));
}

TEST_CASE("times that Postgres does not have are refused before they are sent") {
    using moments = range<isorow::timestamptz::chrono_type>;
    CHECK_THROWS_MATCHES(encoded(moments::at_least(isorow::timestamptz::chrono_type::min())), isorow::unrepresentable,
                         test::says("the range's lower bound: a time"));
}

TEST_CASE_METHOD(range_server, "ranges may be NULL, and elements of arrays may be") {
    std::optional<integers> const none;
    CHECK(isorow::query_one<std::optional<integers>>(connection, "SELECT $1", none) == std::nullopt);
    CHECK(isorow::query_one<std::optional<integers>>(connection, "SELECT $1", std::optional(integers{1, 2})) == integers{1, 2});
    CHECK_THROWS_AS(isorow::query_one<integers>(connection, "SELECT NULL::int4range"), isorow::unrepresentable);
    std::vector<std::optional<integers>> const some{integers{1, 3}, std::nullopt, integers::empty()};
    CHECK(isorow::query_one<std::vector<std::optional<integers>>>(connection, "SELECT $1", some) == some);
    CHECK(isorow::query_one<std::string>(connection, "SELECT $1::text", some) == "{\"[1,3)\",NULL,empty}");
    std::vector<multirange<std::int32_t>> const sets{{{1, 3}, {5, 7}}, {}};
    CHECK(isorow::query_one<std::vector<multirange<std::int32_t>>>(connection, "SELECT $1", sets) == sets);
    CHECK(isorow::query_one<std::string>(connection, "SELECT $1::text", sets) == "{\"{[1,3),[5,7)}\",\"{}\"}");
}

TEST_CASE_METHOD(range_server, "numerics that are no numbers come back as the bytes that were sent") {
    for (auto const& value : {numeric::nan(), numeric::infinity(), numeric::minus_infinity()})
        CHECK(isorow::query_one<bytes>(connection, "SELECT numeric_send($1)", value) == encoded(value));
}

TEST_CASE_METHOD(range_server, "a date beyond chrono's years is refused, and not told as another year") {
    CHECK(isorow::query_one<std::chrono::year_month_day>(connection, "SELECT '32767-12-31'::date") == std::chrono::year::max() / 12 / 31);
    CHECK_THROWS_MATCHES(isorow::query_one<std::chrono::year_month_day>(connection, "SELECT '32768-01-01'::date"), isorow::unrepresentable,
                         test::says("outside the years of chrono's calendar"));
    CHECK_THROWS_MATCHES(isorow::query_one<range<std::chrono::year_month_day>>(connection, "SELECT daterange(NULL, '40000-01-01')"),
                         isorow::unrepresentable,
                         test::says("the range's upper bound: the date is outside the years of chrono's calendar"));
    CHECK_THROWS_AS(isorow::dynamic_value(isorow::date(2'000'000'000)).as<std::chrono::year_month_day>(), isorow::unrepresentable);
}
