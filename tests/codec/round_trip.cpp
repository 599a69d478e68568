// Each value goes to the server in binary, is printed there as text, and comes back in binary.

#include <catch2/catch_test_macros.hpp>

#include <isorow/codec/scalars.hpp>
#include <isorow/query/query.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <bit>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

using namespace std::chrono_literals;
using isorow::numeric;

namespace {

struct echo {
    isorow::connection connection;

    explicit echo(std::string const& address) : connection(test::connect(address)) { isorow::execute(connection, "SET timezone = 'UTC'"); }

    template <class Value>
    Value back(Value const& value) {
        return isorow::query_one<Value>(connection, "SELECT $1", value);
    }
    template <class Value>
    std::string printed(Value const& value) {
        return isorow::query_one<std::string>(connection, "SELECT $1::text", value);
    }
};

struct round_trip : echo {
    round_trip() : echo(test::dsn()) {}
};

/// In a database that has pgvector.
struct vector_round_trip : test::database, echo {
    vector_round_trip() : echo(dsn()) { isorow::execute(connection, "CREATE EXTENSION vector"); }
};

template <class Value>
void check_back(round_trip& server, Value const& value, std::string const& text) {
    CAPTURE(text);
    CHECK(server.back(value) == value);
    CHECK(server.printed(value) == text);
}

std::size_t random_count() { return std::getenv("ISOROW_LONG") != nullptr ? 10'000 : 200; }

}  // namespace

TEST_CASE_METHOD(round_trip, "booleans go to the server and back") {
    check_back(*this, true, "true");
    check_back(*this, false, "false");
}

TEST_CASE_METHOD(round_trip, "integers go to the server and back, from the least to the greatest") {
    check_back(*this, std::numeric_limits<std::int16_t>::min(), "-32768");
    check_back(*this, std::numeric_limits<std::int16_t>::max(), "32767");
    check_back(*this, std::numeric_limits<std::int32_t>::min(), "-2147483648");
    check_back(*this, std::numeric_limits<std::int32_t>::max(), "2147483647");
    check_back(*this, std::numeric_limits<std::int64_t>::min(), "-9223372036854775808");
    check_back(*this, std::numeric_limits<std::int64_t>::max(), "9223372036854775807");
    check_back(*this, std::int64_t{0}, "0");
}

TEST_CASE_METHOD(round_trip, "a wider integer reads a narrower column") {
    CHECK(isorow::query_one<std::int64_t>(connection, "SELECT 7::smallint") == 7);
    CHECK(isorow::query_one<std::int64_t>(connection, "SELECT -7::integer") == -7);
    CHECK_THROWS_AS(isorow::query_one<std::int32_t>(connection, "SELECT 7::bigint"), isorow::mismatch);
}

TEST_CASE_METHOD(round_trip, "floating point numbers come back bit for bit") {
    for (double const value :
         {0.0, -0.0, 1.5, std::numeric_limits<double>::min(), std::numeric_limits<double>::max(), std::numeric_limits<double>::denorm_min(),
          std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
        CHECK(std::bit_cast<std::uint64_t>(back(value)) == std::bit_cast<std::uint64_t>(value));
    for (float const value : {0.0f, -0.0f, 1e-30f, std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min(),
                              std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
        CHECK(std::bit_cast<std::uint32_t>(back(value)) == std::bit_cast<std::uint32_t>(value));
    CHECK(printed(-0.0) == "-0");
    CHECK(isorow::query_one<double>(connection, "SELECT 1.5::real") == 1.5);
}

TEST_CASE_METHOD(round_trip, "text goes to the server and back, empty, in other scripts and long") {
    check_back(*this, std::string{}, "");
    check_back(*this, std::string("Grüße, 世界, 🙂"), "Grüße, 世界, 🙂");
    std::string const megabyte(1 << 20, 'x');
    CHECK(back(megabyte) == megabyte);
}

TEST_CASE_METHOD(round_trip, "text literals and views are bound as text") {
    CHECK(isorow::query_one<std::string>(connection, "SELECT $1 || $2", "a", std::string_view("b")) == "ab");
}

TEST_CASE_METHOD(round_trip, "a NUL byte in text is refused with its place before anything is sent") {
    CHECK_THROWS_MATCHES(printed(std::string("ab\0c", 4)), isorow::unrepresentable,
                         test::says("parameter $1: the text has a NUL byte at byte 2"));
    CHECK_THROWS_MATCHES(printed(std::string(40, 'x') + std::string(1, '\0') + std::string(7, 'y')), isorow::unrepresentable,
                         test::says("NUL byte at byte 40"));
    CHECK(back(1) == 1);
}

TEST_CASE_METHOD(round_trip, "invalid UTF-8 is refused with its place, wherever it stands") {
    for (std::size_t size = 0; size < 70; ++size) {
        auto const dirty = std::string(size, 'x') + "\xff" + std::string(70 - size, 'y');
        CHECK_THROWS_MATCHES(printed(dirty), isorow::unrepresentable, test::says("not valid UTF-8 at byte " + std::to_string(size)));
    }
    for (std::string const cut : {"\xc3", "\xe2\x82", "\xf0\x9f\x99", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
        CHECK_THROWS_AS(printed("0123456789abcdef" + cut), isorow::unrepresentable);
}

TEST_CASE_METHOD(round_trip, "bytea holds any bytes, NUL bytes too") {
    std::vector<std::byte> every;
    for (int i = 0; i < 256; ++i) every.push_back(static_cast<std::byte>(i));
    CHECK(back(every) == every);
    CHECK(back(std::vector<std::byte>{}).empty());
    CHECK(printed(std::vector{std::byte{0}, std::byte{255}}) == "\\x00ff");
}

TEST_CASE_METHOD(round_trip, "uuids go to the server and back") {
    auto const value = *isorow::uuid::parse("550e8400-e29b-41d4-a716-446655440000");
    check_back(*this, value, "550e8400-e29b-41d4-a716-446655440000");
    check_back(*this, isorow::uuid{}, "00000000-0000-0000-0000-000000000000");
}

TEST_CASE_METHOD(round_trip, "dates go to the server and back, before Christ and infinite too") {
    check_back(*this, std::chrono::year_month_day(2026y / 11 / 20), "2026-11-20");
    check_back(*this, std::chrono::sys_days(1999y / 12 / 31), "1999-12-31");
    check_back(*this, isorow::date(std::chrono::year(-43) / 3 / 15), "0044-03-15 BC");
    check_back(*this, isorow::date::infinity(), "infinity");
    check_back(*this, isorow::date::minus_infinity(), "-infinity");
    CHECK_THROWS_MATCHES(isorow::query_one<std::chrono::sys_days>(connection, "SELECT 'infinity'::date"), isorow::unrepresentable,
                         test::says("isorow::date"));
    CHECK_THROWS_MATCHES(printed(std::chrono::year_month_day(2026y / 2 / 30)), isorow::unrepresentable,
                         test::says("2026-2-30 is not a date"));
}

TEST_CASE_METHOD(round_trip, "the first and the last date of Postgres are held, and those beyond refused") {
    auto const last = isorow::query_one<isorow::date>(connection, "SELECT '5874897-12-31'::date");
    CHECK(isorow::to_string(last) == "5874897-12-31");
    CHECK(isorow::to_string(isorow::query_one<isorow::date>(connection, "SELECT '4713-01-01 BC'::date")) == "4713-01-01 BC");
}

TEST_CASE_METHOD(round_trip, "times of day go to the server and back, 24:00 and offsets too") {
    check_back(*this, isorow::time(0us), "00:00:00");
    check_back(*this, isorow::time(24h), "24:00:00");
    check_back(*this, isorow::time(13h + 5min + 250ms), "13:05:00.25");
    check_back(*this, isorow::timetz(isorow::time(12h), 2h), "12:00:00+02");
    check_back(*this, isorow::timetz(isorow::time(24h), -(15h + 59min + 59s)), "24:00:00-15:59:59");
    CHECK_THROWS_AS(isorow::time(24h + 1us), isorow::unrepresentable);
    CHECK_THROWS_AS(isorow::timetz(isorow::time(0us), 16h), isorow::unrepresentable);
}

TEST_CASE_METHOD(round_trip, "moments and local times go to the server and back") {
    using moment = std::chrono::sys_time<std::chrono::microseconds>;
    using local = std::chrono::local_time<std::chrono::microseconds>;
    check_back(*this, moment(1'700'000'000'123'456us), "2023-11-14 22:13:20.123456+00");
    check_back(*this, moment(-1us), "1969-12-31 23:59:59.999999+00");
    check_back(*this, local(1'700'000'000'000'000us), "2023-11-14 22:13:20");
}

TEST_CASE_METHOD(round_trip, "infinity and the years that chrono does not have are held by isorow's own types") {
    check_back(*this, isorow::timestamptz::infinity(), "infinity");
    check_back(*this, isorow::timestamp::minus_infinity(), "-infinity");
    for (auto const* const text : {"294276-12-31 23:59:59.999999", "4713-01-01 00:00:00 BC", "2000-01-01 00:00:00"}) {
        auto const value = isorow::query_one<isorow::timestamp>(connection, "SELECT $1::text::timestamp", text);
        CHECK(isorow::to_string(value) == text);
        CHECK(back(value) == value);
    }
    using moment = std::chrono::sys_time<std::chrono::microseconds>;
    CHECK_THROWS_MATCHES(isorow::query_one<moment>(connection, "SELECT 'infinity'::timestamptz"), isorow::unrepresentable,
                         test::says("isorow::timestamptz"));
    CHECK_THROWS_MATCHES(isorow::query_one<moment>(connection, "SELECT '294276-12-31'::timestamptz"), isorow::unrepresentable,
                         test::says("beyond chrono's range"));
    CHECK_THROWS_AS(printed(moment(std::chrono::microseconds::min())), isorow::unrepresentable);
}

TEST_CASE_METHOD(round_trip, "intervals keep months, days and microseconds apart") {
    check_back(*this, isorow::interval(14, -3, 1'500'000), "1 year 2 mons -3 days +00:00:01.5");
    check_back(*this, std::chrono::microseconds(-1), "-00:00:00.000001");
    CHECK_THROWS_MATCHES(isorow::query_one<std::chrono::microseconds>(connection, "SELECT interval '1 month'"), isorow::unrepresentable,
                         test::says("isorow::interval"));
}

TEST_CASE_METHOD(round_trip, "numerics are exact, of any size, and print as the server prints them") {
    for (std::string const text : {"0", "0.00", "1", "-1", "10000", "9999.9999", "0.0001", "-0.00001000",
                                   "12345678901234567890.12345678901234567890", "1.50", "NaN", "Infinity", "-Infinity"}) {
        auto const value = numeric::parse(text);
        REQUIRE(value);
        CHECK(isorow::to_string(*value) == text);
        check_back(*this, *value, text);
        CHECK(isorow::to_string(isorow::query_one<numeric>(connection, "SELECT $1::text::numeric", text)) == text);
    }
}

TEST_CASE_METHOD(round_trip, "a numeric of a thousand digits before and behind the point is exact") {
    std::string const text = std::string(1000, '7') + "." + std::string(999, '3') + "1";
    check_back(*this, *numeric::parse(text), text);
}

TEST_CASE_METHOD(round_trip, "random numerics are what the server reads from their text") {
    std::mt19937_64 random(20261120);
    auto const digits = [&](std::size_t most) {
        std::string text;
        for (std::size_t i = 1 + random() % most; i > 0; --i) text += static_cast<char>('0' + random() % (random() % 3 == 0 ? 10 : 1));
        return text;
    };
    for (std::size_t i = 0; i < random_count(); ++i) {
        auto text = (random() % 2 ? "-" : "") + digits(30) + (random() % 2 ? "." + digits(30) : "");
        auto const value = *numeric::parse(text);
        auto const from_server = isorow::query_one<numeric>(connection, "SELECT $1::text::numeric", text);
        CAPTURE(text);
        CHECK(from_server == value);
        CHECK(isorow::to_string(from_server) == isorow::to_string(value));
        CHECK(printed(value) == isorow::to_string(value));
    }
}

TEST_CASE_METHOD(round_trip, "arrays of scalars go to the server and back, with NULLs where elements are optional") {
    check_back(*this, std::vector<std::int32_t>{}, "{}");
    check_back(*this, std::vector<std::int64_t>{1, -2, 3}, "{1,-2,3}");
    check_back(*this, std::vector<std::string>{"a", "", "c d"}, "{a,\"\",\"c d\"}");
    check_back(*this, std::vector<bool>{true, false}, "{t,f}");
    check_back(*this, std::vector<double>{0.5}, "{0.5}");
    check_back(*this, std::vector<std::optional<std::int16_t>>{1, std::nullopt}, "{1,NULL}");
    check_back(*this, std::vector<std::optional<float>>{1.5f, std::nullopt}, "{1.5,NULL}");
    check_back(*this, std::vector<numeric>{1, *numeric::parse("2.50")}, "{1,2.50}");
}

TEST_CASE_METHOD(round_trip, "arrays with other lower bounds are read, with more dimensions or NULLs refused") {
    CHECK(isorow::query_one<std::vector<std::int32_t>>(connection, "SELECT '[5:6]={1,2}'::int[]") == std::vector<std::int32_t>{1, 2});
    CHECK_THROWS_MATCHES(isorow::query_one<std::vector<std::int32_t>>(connection, "SELECT '{{1},{2}}'::int[]"), isorow::unrepresentable,
                         test::says("2 dimensions"));
    CHECK_THROWS_MATCHES(isorow::query_one<std::vector<std::int32_t>>(connection, "SELECT '{1,NULL}'::int[]"), isorow::unrepresentable,
                         test::says("element 1: the element is NULL"));
}

TEST_CASE_METHOD(round_trip, "optional values are NULL or not") {
    CHECK(isorow::query_one<std::optional<std::int32_t>>(connection, "SELECT $1", std::optional<std::int32_t>{}) == std::nullopt);
    CHECK(isorow::query_one<std::optional<std::string>>(connection, "SELECT $1", std::optional<std::string>{""}) == "");
    CHECK_THROWS_MATCHES(isorow::query_one<std::int32_t>(connection, "SELECT NULL::int"), isorow::unrepresentable, test::says("is NULL"));
}

TEST_CASE_METHOD(vector_round_trip, "vectors come back from the server bit for bit") {
    isorow::vector<3> const sent{1.5f, -0.0f, 1e-30f};
    auto const received = back(sent);
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::bit_cast<std::uint32_t>(received[i]) == std::bit_cast<std::uint32_t>(sent[i]));
    CHECK(printed(isorow::vector<2>{1, 2.5}) == "[1,2.5]");
    CHECK_THROWS_MATCHES(isorow::query_one<isorow::vector<3>>(connection, "SELECT '[1,2]'::vector"), isorow::malformed,
                         test::says("vector has 2 dimensions, the field has 3"));
}

TEST_CASE_METHOD(vector_round_trip, "half vectors are rounded to nearest as pgvector does it") {
    std::mt19937 random(7);
    std::uniform_int_distribution<std::uint32_t> bits;
    for (std::size_t i = 0; i < random_count(); ++i) {
        auto const value = std::bit_cast<float>(bits(random));
        if (!std::isfinite(value) || std::abs(value) >= 65520.0f) continue;
        auto const by_server = isorow::query_one<isorow::halfvec<1>>(connection, "SELECT $1::vector::halfvec", isorow::vector<1>{value});
        auto const by_isorow = back(isorow::halfvec<1>{value});
        CAPTURE(value);
        CHECK(std::bit_cast<std::uint32_t>(by_isorow[0]) == std::bit_cast<std::uint32_t>(by_server[0]));
    }
    CHECK(printed(isorow::halfvec<3>{0.5f, 65504.0f, 6e-8f}) == "[0.5,65504,5.9604645e-08]");
}

TEST_CASE_METHOD(vector_round_trip, "what pgvector refuses is refused before it is sent") {
    CHECK_THROWS_MATCHES(printed(isorow::vector<2>{1.0f, std::numeric_limits<float>::quiet_NaN()}), isorow::unrepresentable,
                         test::says("vector element 1 is nan"));
    CHECK_THROWS_MATCHES(printed(isorow::vector<1>{std::numeric_limits<float>::infinity()}), isorow::unrepresentable,
                         test::says("vector element 0 is inf"));
    CHECK_THROWS_MATCHES(printed(isorow::halfvec<1>{65520.0f}), isorow::unrepresentable, test::says("which halfvec cannot hold"));
}
