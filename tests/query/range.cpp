#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

using isorow::dynamic_row;
using isorow::multirange;
using isorow::other_text;
using isorow::range;
using namespace std::chrono_literals;

namespace {

using moment = std::chrono::sys_time<std::chrono::microseconds>;
using periods = range<moment>;

struct Booking {
    std::int64_t id;
    std::string room;
    periods during;
    range<std::int32_t> seats;
    std::optional<multirange<std::chrono::year_month_day>> holidays;
    std::vector<range<std::int32_t>> rows;

    static consteval auto isorow_table() { return isorow::table("bookings").primary_key<&Booking::id>(); }
    friend bool operator==(Booking const&, Booking const&) = default;
};

moment at(int hour) { return moment(std::chrono::sys_days(2026y / 11 / 27)) + std::chrono::hours(hour); }

std::vector<Booking> bookings() {
    return {
        {1, "green", {at(9), at(11)}, {1, 5}, multirange<std::chrono::year_month_day>{{2026y / 12 / 24, 2026y / 12 / 27}}, {{1, 2}, {}}},
        {2, "green", {at(11), at(12)}, range<std::int32_t>::all(), std::nullopt, {}},
        {3, "blue", periods::at_least(at(8)), {}, multirange<std::chrono::year_month_day>{}, {range<std::int32_t>::at_most(7)}}};
}

struct hotel {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    hotel() { isorow::synchronise(connection, bookings()); }

    template <class... Arguments>
    std::vector<std::int64_t> ids(std::string const& condition, Arguments const&... arguments) {
        return isorow::query<std::int64_t>(connection, isorow::text("SELECT id FROM bookings WHERE {} ORDER BY id", condition),
                                           arguments...);
    }
};

using list = std::vector<std::int64_t>;

}  // namespace

TEST_CASE_METHOD(hotel, "rows with ranges are read as structs and as tuples") {
    CHECK(isorow::query<Booking>(connection, "SELECT * FROM bookings ORDER BY id") == bookings());
    using row = std::tuple<std::int64_t, periods, std::optional<multirange<std::chrono::year_month_day>>>;
    auto const rows = isorow::query<row>(connection, "SELECT id, during, holidays FROM bookings ORDER BY id");
    REQUIRE(rows.size() == 3);
    CHECK(rows[2] == row{3, periods::at_least(at(8)), multirange<std::chrono::year_month_day>{}});
    CHECK(isorow::query_one<range<std::int64_t>>(connection, "SELECT seats FROM bookings WHERE id = 1") == range<std::int64_t>{1, 5});
    CHECK(isorow::query_one<multirange<std::int64_t>>(connection, "SELECT '{[1,2)}'::int4multirange") == multirange<std::int64_t>{{1, 2}});
    CHECK(isorow::query_one<std::vector<range<std::int32_t>>>(connection, "SELECT rows FROM bookings WHERE id = 1").size() == 2);
}

TEST_CASE_METHOD(hotel, "ranges are compared with ranges and values that are bound") {
    CHECK(ids("during && $1", periods{at(10), at(12)}) == list{1, 2, 3});
    CHECK(ids("during && $1", periods{at(8), at(9)}) == list{3});
    CHECK(ids("during @> $1", at(11)) == list{2, 3});
    CHECK(ids("during @> $1", periods{at(9), at(10)}) == list{1, 3});
    CHECK(ids("during <@ $1 AND seats @> $2", periods{at(9), at(12)}, std::int32_t{4}) == list{1, 2});
    CHECK(ids("holidays @> $1", std::chrono::year_month_day(2026y / 12 / 25)) == list{1});
    CHECK(ids("holidays = $1", multirange<std::chrono::year_month_day>{}) == list{3});
    CHECK(ids("seats = $1", range<std::int32_t>::closed(1, 4)) == list{1});
    CHECK(ids("$1 = ANY (rows)", range<std::int32_t>::empty()) == list{1});
    CHECK(ids("during && :when", isorow::arg("when", periods::less_than(at(9)))) == list{3});
    CHECK(isorow::query<Booking>(connection, "SELECT * FROM bookings WHERE during = $1", periods{at(11), at(12)}).at(0).id == 2);
}

TEST_CASE_METHOD(hotel, "a range of another type is a mismatch that says both") {
    CHECK_THROWS_MATCHES(isorow::query<range<std::int32_t>>(connection, "SELECT int8range(1, 2) AS seats"), isorow::mismatch,
                         test::says("int4range") && test::says("int8range"));
    CHECK_THROWS_MATCHES(isorow::query<range<std::int32_t>>(connection, "SELECT 1"), isorow::mismatch,
                         test::says("int4range") && test::says("integer"));
    CHECK_THROWS_MATCHES(isorow::query<range<std::int32_t>>(connection, "SELECT '{}'::int4multirange"), isorow::mismatch,
                         test::says("int4multirange"));
    CHECK_THROWS_MATCHES((isorow::query<std::tuple<std::int64_t, periods>>(connection, "SELECT id, tsrange(NULL, NULL) FROM bookings")),
                         isorow::mismatch, test::says("tstzrange") && test::says("tsrange"));
    isorow::execute(connection, "ALTER TABLE bookings ALTER seats TYPE int8range USING 'empty', ALTER during TYPE tsrange USING 'empty'");
    CHECK_THROWS_MATCHES(isorow::query<Booking>(connection, "SELECT * FROM bookings"), isorow::mismatch,
                         test::says("Booking.seats") && test::says("int4range") && test::says("int8range") && test::says("Booking.during"));
}

TEST_CASE_METHOD(hotel, "an error of a range says where it stands") {
    isorow::execute(connection, "INSERT INTO bookings VALUES (4, 'red', '[infinity,)', 'empty', NULL, '{}')");
    CHECK_THROWS_MATCHES(isorow::query<Booking>(connection, "SELECT * FROM bookings"), isorow::unrepresentable,
                         test::says("Booking.during: the range's lower bound: the time is infinity"));
    auto rows = bookings();
    rows[1].during = periods::less_than(moment::min());
    CHECK_THROWS_MATCHES(isorow::synchronise(connection, rows), isorow::unrepresentable,
                         test::says("Booking.during: the range's upper bound"));
}

TEST_CASE_METHOD(hotel, "ranges go through COPY in both directions, sources and batches") {
    isorow::execute(connection, "CREATE TABLE copied (LIKE bookings)");
    isorow::copy_writer<Booking> writer(connection, "public", "copied");
    for (auto const& row : bookings()) writer.write(row);
    CHECK(writer.finish() == 3);
    std::vector<Booking> copied;
    for (auto const& row : isorow::source<Booking>(connection, {.table = "copied"}).rows()) copied.push_back(row);
    std::ranges::sort(copied, {}, &Booking::id);
    CHECK(copied == bookings());
    CHECK(isorow::query_one<std::int64_t>(connection, "SELECT count(*) FROM copied JOIN bookings USING (id, during, seats, rows)") == 3);
}

TEST_CASE_METHOD(hotel, "dynamic rows hold ranges as the server prints them, with the name of their type") {
    isorow::execute(connection, "SET timezone = 'UTC'");
    auto const row = isorow::query_one<dynamic_row>(connection, "SELECT id, during, seats, holidays, rows FROM bookings WHERE id = 1");
    CHECK(row["seats"].value == isorow::dynamic_value(other_text{"int4range", "[1,5)"}));
    CHECK(row["during"].value == isorow::dynamic_value(other_text{"tstzrange", "[\"2026-11-27 09:00:00+00\",\"2026-11-27 11:00:00+00\")"}));
    CHECK(row["holidays"].value == isorow::dynamic_value(other_text{"datemultirange", "{[2026-12-24,2026-12-27)}"}));
    CHECK(to_string(row["rows"].value) == "{[1,2), empty}");
    CHECK(row["seats"].as<range<std::int32_t>>() == range<std::int32_t>{1, 5});
    CHECK(row["seats"].as<range<std::int64_t>>() == range<std::int64_t>{1, 5});
    CHECK(row["during"].as<periods>() == periods{at(9), at(11)});
    CHECK(row["holidays"].as<std::optional<multirange<isorow::date>>>().value().size() == 1);
    CHECK(row["rows"].as<std::vector<range<std::int32_t>>>() == bookings()[0].rows);
    CHECK(row["seats"].as<std::string>() == "[1,5)");
    CHECK_THROWS_MATCHES(row["seats"].as<periods>(), isorow::unrepresentable,
                         test::says("column \"seats\": the value is a value of type int4range, not a value of type tstzrange"));
    CHECK_THROWS_MATCHES(isorow::dynamic_value(other_text{"int8range", "[1,5000000000)"}).as<range<std::int32_t>>(),
                         isorow::unrepresentable, test::says("[1,5000000000)"));
    auto const by_server =
        isorow::query_one<dynamic_row>(connection, "SELECT during::text AS during, holidays::text AS holidays FROM bookings WHERE id = 1");
    CHECK(by_server["during"].as<std::string>() == row["during"].as<std::string>());
    CHECK(by_server["holidays"].as<std::string>() == row["holidays"].as<std::string>());
    CHECK(isorow::source<dynamic_row>(connection, {.table = "bookings", .columns = {"seats"}, .sql_filter = "id = 1"}).fetch_all().at(0) ==
          dynamic_row{{"seats", other_text{"int4range", "[1,5)"}}});
}
