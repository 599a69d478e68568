#include <catch2/catch_test_macros.hpp>

#include <isorow/types/range.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using isorow::range;
using isorow::range_bound;
using isorow::unrepresentable;

namespace {

using integers = range<std::int32_t>;
using numerics = range<isorow::numeric>;
using dates = range<isorow::date>;
using days = range<std::chrono::sys_days>;
using calendar = range<std::chrono::year_month_day>;
using moments = range<isorow::timestamptz>;

constexpr auto greatest = std::numeric_limits<std::int32_t>::max();

isorow::numeric number(std::string const& text) { return isorow::numeric::parse(text).value(); }

template <class Range>
bool reads_itself(Range const& value) {
    return Range::parse(to_string(value)) == value;
}

}  // namespace

TEST_CASE("a range of two values has the first and not the last") {
    constexpr integers seats{1, 10};
    static_assert(seats.contains(1) && seats.contains(9) && !seats.contains(10) && !seats.contains(0));
    CHECK(to_string(seats) == "[1,10)");
    CHECK(seats.lower() == 1);
    CHECK(seats.upper() == 10);
    CHECK(seats.lower_is_inclusive());
    CHECK_FALSE(seats.upper_is_inclusive());
}

TEST_CASE("each kind of bounds has a name") {
    CHECK(to_string(numerics::closed(1, 2)) == "[1,2]");
    CHECK(to_string(numerics::open(1, 2)) == "(1,2)");
    CHECK(to_string(numerics::open_closed(1, 2)) == "(1,2]");
    CHECK(to_string(numerics::closed_open(1, 2)) == "[1,2)");
    CHECK(to_string(numerics::at_least(1)) == "[1,)");
    CHECK(to_string(numerics::greater_than(1)) == "(1,)");
    CHECK(to_string(numerics::at_most(1)) == "(,1]");
    CHECK(to_string(numerics::less_than(1)) == "(,1)");
    CHECK(to_string(numerics::all()) == "(,)");
    CHECK(to_string(numerics::empty()) == "empty");
    CHECK(to_string(numerics()) == "empty");
    CHECK(to_string(numerics::between(isorow::numeric(1), range_bound::exclusive, std::nullopt, range_bound::inclusive)) == "(1,)");
}

TEST_CASE("ranges of integers and dates are kept with their lower and without their upper bound") {
    CHECK(integers::closed(1, 9) == integers{1, 10});
    CHECK(integers::open(0, 10) == integers{1, 10});
    CHECK(integers::open_closed(0, 9) == integers{1, 10});
    CHECK(to_string(integers::greater_than(1)) == "[2,)");
    CHECK(to_string(integers::at_most(1)) == "(,2)");
    CHECK(to_string(range<std::int64_t>::closed(1, 5'000'000'000)) == "[1,5000000001)");
    CHECK(to_string(days::closed(2026y / 12 / 31, 2026y / 12 / 31)) == "[2026-12-31,2027-01-01)");
    CHECK(to_string(calendar::closed(2028y / 2 / 28, 2028y / 2 / 28)) == "[2028-02-28,2028-02-29)");
    CHECK(to_string(dates::open(isorow::date(2026y / 11 / 20), isorow::date(2026y / 11 / 30))) == "[2026-11-21,2026-11-30)");
    CHECK(to_string(moments::closed(isorow::timestamptz(0), isorow::timestamptz(1))) ==
          "[\"2000-01-01 00:00:00+00\",\"2000-01-01 00:00:00.000001+00\"]");
}

TEST_CASE("a range without values is the empty one, however it is written") {
    CHECK(integers{5, 5}.is_empty());
    CHECK(integers::open(5, 6).is_empty());
    CHECK(integers::open_closed(greatest, greatest).is_empty());
    CHECK(numerics::open_closed(1, 1) == numerics::empty());
    CHECK(numerics::closed_open(number("1.0"), number("1.00")).is_empty());
    CHECK_FALSE(numerics::open(1, 2).is_empty());
    CHECK_FALSE(numerics::closed(1, 1).is_empty());
    CHECK(integers{5, 5}.lower() == std::nullopt);
}

TEST_CASE("a lower bound above the upper one is refused") {
    CHECK_THROWS_MATCHES((integers{10, 1}), unrepresentable, test::says("the lower bound 10 of the range is above its upper bound 1"));
    CHECK_THROWS_MATCHES(dates::open(isorow::date::infinity(), isorow::date(0)), unrepresentable, test::says("infinity"));
    CHECK_THROWS_AS(numerics::closed(isorow::numeric::nan(), isorow::numeric::infinity()), unrepresentable);
}

TEST_CASE("a bound that has no value behind it is refused where the range would be kept with that") {
    CHECK_THROWS_MATCHES(integers::closed(1, greatest), unrepresentable, test::says("no integer behind the bound 2147483647"));
    CHECK_THROWS_AS(integers::greater_than(greatest), unrepresentable);
    CHECK_THROWS_AS(range<std::int64_t>::at_most(std::numeric_limits<std::int64_t>::max()), unrepresentable);
    CHECK(to_string(integers::closed_open(1, greatest)) == "[1,2147483647)");
    CHECK_THROWS_MATCHES(dates::at_most(isorow::date(2'145'031'948)), unrepresentable, test::says("no date behind the bound"));
    CHECK(dates::at_most(isorow::date(2'145'031'947)).upper() == isorow::date(2'145'031'948));
    CHECK_THROWS_AS(days::at_most(std::chrono::sys_days::max()), unrepresentable);
    CHECK_THROWS_MATCHES(calendar::at_most(std::chrono::year::max() / 12 / 31), unrepresentable, test::says("isorow::date"));
    CHECK(to_string(calendar::less_than(std::chrono::year::max() / 12 / 31)) == "(,32767-12-31)");
}

TEST_CASE("a bound that is no date of the calendar is refused") {
    CHECK_THROWS_MATCHES(calendar::at_least(2026y / 2 / 30), unrepresentable, test::says("the calendar does not have"));
    CHECK_THROWS_AS(calendar::less_than(2026y / 2 / 30), unrepresentable);
}

TEST_CASE("a bound that is infinity is not the absence of a bound") {
    auto const to_infinity = dates::closed(isorow::date(0), isorow::date::infinity());
    CHECK(to_string(to_infinity) == "[2000-01-01,infinity]");
    CHECK(to_infinity != dates::at_least(isorow::date(0)));
    CHECK(to_infinity.contains(isorow::date::infinity()));
    CHECK_FALSE(dates::less_than(isorow::date::infinity()).contains(isorow::date::infinity()));
    CHECK(dates::less_than(isorow::date::infinity()).contains(isorow::date(5)));
    CHECK(to_string(dates::greater_than(isorow::date::minus_infinity())) == "(-infinity,)");
    CHECK(to_string(numerics::closed(isorow::numeric::infinity(), isorow::numeric::nan())) == "[Infinity,NaN]");
}

TEST_CASE("a range tells which values and ranges are in it") {
    auto const prices = numerics::open_closed(1, 2);
    CHECK_FALSE(prices.contains(1));
    CHECK(prices.contains(number("1.001")));
    CHECK(prices.contains(2));
    CHECK_FALSE(prices.contains(number("2.001")));
    CHECK(numerics::all().contains(isorow::numeric::nan()));
    CHECK_FALSE(numerics::empty().contains(1));
    CHECK(prices.contains(numerics::open(1, 2)));
    CHECK_FALSE(prices.contains(numerics::closed(1, 2)));
    CHECK(prices.contains(numerics::empty()));
    CHECK_FALSE(numerics::empty().contains(prices));
    CHECK(numerics::empty().contains(numerics::empty()));
    CHECK_FALSE(prices.contains(numerics::all()));
    CHECK(moments::at_least(isorow::timestamptz(0)).contains(isorow::timestamptz::infinity()));
}

TEST_CASE("ranges overlap where they have a value in common") {
    CHECK(integers{1, 5}.overlaps({4, 9}));
    CHECK_FALSE(integers{1, 5}.overlaps({5, 9}));
    CHECK(numerics::closed(1, 5).overlaps(numerics::closed(5, 9)));
    CHECK_FALSE(numerics::closed(1, 5).overlaps(numerics::open(5, 9)));
    CHECK(integers::all().overlaps(integers::less_than(0)));
    CHECK_FALSE(integers::less_than(0).overlaps(integers::at_least(0)));
    CHECK_FALSE(integers::all().overlaps(integers::empty()));
}

TEST_CASE("ranges with the same values are equal, and all have an order") {
    CHECK(numerics{number("1.0"), 2} == numerics{number("1.00"), 2});
    CHECK(numerics::closed(1, 2) != numerics::closed_open(1, 2));
    std::vector<numerics> const ordered{numerics::empty(),      numerics::less_than(1), numerics::all(),      numerics::closed_open(1, 2),
                                        numerics::closed(1, 2), numerics::at_least(1),  numerics::open(1, 2), numerics::greater_than(1)};
    CHECK(std::ranges::is_sorted(ordered, std::ranges::less{}));
    CHECK(std::ranges::adjacent_find(ordered) == ordered.end());
}

TEST_CASE("a range is read from Postgres' text of it") {
    CHECK(integers::parse("[1,10)") == integers{1, 10});
    CHECK(integers::parse("  ( 0 , 9 ]  ") == integers{1, 10});
    CHECK(integers::parse("[\"1\",10)") == integers{1, 10});
    CHECK(integers::parse("[,]") == integers::all());
    CHECK(integers::parse("EMPTY") == integers::empty());
    CHECK(integers::parse("[+1,1]") == integers{1, 2});
    CHECK(numerics::parse("(1.50,)") == numerics::greater_than(number("1.5")));
    CHECK(dates::parse("[\"0044-03-15 BC\",infinity)") == dates{isorow::date(std::chrono::year(-43) / 3 / 15), isorow::date::infinity()});
    CHECK(days::parse("[2024-02-29,)") == days::at_least(2024y / 2 / 29));
    CHECK(moments::parse("[2026-11-20 22:10:00.25+05:30,)") == moments::parse("[\"2026-11-20 16:40:00.25+00\",)"));
    CHECK(moments::parse("[1900-01-01 00:00+05:53:28,)") == moments::parse("[1899-12-31T18:06:32Z,)"));
    CHECK(range<isorow::timestamp>::parse("(,\"2000-01-01 00:00:00.000001\"]") == range<isorow::timestamp>::at_most(isorow::timestamp(1)));
    using local = std::chrono::local_time<std::chrono::microseconds>;
    CHECK(range<local>::parse("[1970-01-01 00:00:01,)") == range<local>::at_least(local(1s)));
}

TEST_CASE("what is no text of a range is not read") {
    for (auto const* const text :
         {"",         "[",       "[1",     "[1,",   "[1,2",           "1,2",           "[1,2)x",  "[1,2,3)", "[1 2)",  "[a,2)",
          "[\"\",2)", "[1.0,2)", "emptyx", "[9,1)", "[1,2147483647]", "[2147483648,)", "[+-1,2)", "[\"1,2)", "[1,2\\", "{[1,2)}"}) {
        CAPTURE(text);
        CHECK_FALSE(integers::parse(text));
    }
    for (auto const* const text :
         {"[2026-02-30,)", "[2026-13-01,)", "[2026-00-01,)", "[2026-01-00,)", "[0000-01-01,)", "[26-01-01,)", "[2026-1-1,)",
          "[5874898-01-01,)", "[4714-11-23 BC,)", "[2026-01-01 00:00:00,)", "[2026-01-01x,)", "[2026-01-01 AD,)", "[infinit,)"}) {
        CAPTURE(text);
        CHECK_FALSE(dates::parse(text));
    }
    for (auto const* const text :
         {"[2026-01-01,)", "[2026-01-01 00:00:00,)", "[2026-01-01 24:00:00+00,)", "[2026-01-01 00:60:00+00,)", "[2026-01-01 00:00:60+00,)",
          "[2026-01-01 00:00:00.1234567+00,)", "[2026-01-01 00:00:00.+00,)", "[2026-01-01 00:00:00+16,)", "[2026-01-01 00:00:00+00:60,)",
          "[294277-01-01 00:00:00+00,)", "[4714-11-23 00:00:00+00 BC,)", "[4714-11-24 00:00:00+01 BC,)", "[5874897-01-01 00:00:00+00,)"}) {
        CAPTURE(text);
        CHECK_FALSE(moments::parse(text));
    }
    CHECK(moments::parse("[4714-11-24 00:00:00+00 BC,294276-12-31 23:59:59.999999+00]"));
    CHECK_FALSE(days::parse("[infinity,)"));
    CHECK(calendar::parse("[32767-12-31,)"));
    CHECK_FALSE(calendar::parse("[32768-01-01,)"));
    CHECK_FALSE(range<std::chrono::sys_time<std::chrono::microseconds>>::parse("[294276-12-31 00:00:00+00,)"));
}

TEST_CASE("every text that a range has is read as that range") {
    CHECK(reads_itself(integers::empty()));
    CHECK(reads_itself(integers::closed_open(std::numeric_limits<std::int32_t>::min(), greatest)));
    CHECK(reads_itself(numerics::closed(number("-1.50"), isorow::numeric::nan())));
    CHECK(reads_itself(dates{isorow::date(-2'451'545), isorow::date(2'145'031'948)}));
    CHECK(reads_itself(dates::closed(isorow::date::minus_infinity(), isorow::date::infinity())));
    CHECK(reads_itself(
        moments{isorow::timestamptz(isorow::detail::first_timestamp), isorow::timestamptz(isorow::detail::end_of_timestamps - 1)}));
    CHECK(reads_itself(calendar{2026y / 1 / 31, 2026y / 3 / 1}));
}

TEST_CASE("a range knows its column type, and others that its bounds fit") {
    using isorow::column_type;
    using isorow::type_id;
    CHECK(isorow::default_type<integers> == column_type{type_id::int4range});
    CHECK(isorow::default_type<range<std::int64_t>> == column_type{type_id::int8range});
    CHECK(isorow::default_type<numerics> == column_type{type_id::numrange});
    CHECK(isorow::default_type<calendar> == column_type{type_id::daterange});
    CHECK(isorow::default_type<range<isorow::timestamp>> == column_type{type_id::tsrange});
    CHECK(isorow::default_type<moments> == column_type{type_id::tstzrange});
    CHECK(isorow::default_type<std::vector<integers>> == column_type{type_id::int4range, true});
    CHECK(isorow::accepts<range<std::int64_t>>(column_type{type_id::int4range}));
    CHECK(isorow::accepts<range<std::chrono::sys_time<std::chrono::microseconds>>>(column_type{type_id::tsrange}));
    CHECK_FALSE(isorow::accepts<moments>(column_type{type_id::tsrange}));
    CHECK_FALSE(isorow::accepts<integers>(column_type{type_id::int4multirange}));
    CHECK_FALSE(isorow::accepts<integers>(column_type{type_id::int4}));
    CHECK_FALSE(isorow::accepts<integers>(column_type{type_id::int4range, true}));
}
