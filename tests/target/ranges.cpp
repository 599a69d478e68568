#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using isorow::multirange;
using isorow::numeric;
using isorow::range;
using namespace std::chrono_literals;

namespace {

struct Offer {
    range<std::int32_t> seats;  // the key
    range<std::int64_t> numbers{};
    range<numeric> prices{};
    range<isorow::date> valid{};
    range<isorow::timestamp> opened{};
    range<std::chrono::sys_time<std::chrono::microseconds>> during{};
    multirange<std::int32_t> gaps{};
    multirange<std::int64_t> more_gaps{};
    multirange<numeric> discounts{};
    multirange<std::chrono::sys_days> holidays{};
    multirange<isorow::timestamp> pauses{};
    multirange<isorow::timestamptz> absences{};
    std::optional<range<std::chrono::year_month_day>> prolonged{};
    std::vector<range<std::int32_t>> rows{};
    std::vector<std::optional<multirange<numeric>>> levels{};
    range<std::int64_t> narrow{};

    static consteval auto isorow_table() {
        return isorow::table("offers")
            .primary_key<&Offer::seats>()
            .column<&Offer::narrow>({.type = "int4range"})
            .index<&Offer::during>(isorow::gist{})
            .index<&Offer::gaps>(isorow::gist{});
    }
    friend bool operator==(Offer const&, Offer const&) = default;
};

std::vector<Offer> offers() {
    std::vector<Offer> all(2);
    all[0] = {.seats = {1, 10},
              .numbers = range<std::int64_t>::at_least(5'000'000'000),
              .prices = range<numeric>::closed(*numeric::parse("1.50"), numeric::infinity()),
              .valid = range<isorow::date>::closed(isorow::date(2026y / 11 / 27), isorow::date::infinity()),
              .opened = range<isorow::timestamp>::open(isorow::timestamp(0), isorow::timestamp(1)),
              .during = range<std::chrono::sys_time<std::chrono::microseconds>>::all(),
              .gaps = {{1, 3}, {5, 7}},
              .more_gaps = {{1, 3}, {5, 7}},
              .discounts = {{*numeric::parse("0.10"), 1}, range<numeric>::greater_than(5)},
              .holidays = {{std::chrono::sys_days(2026y / 12 / 24), std::chrono::sys_days(2026y / 12 / 27)}},
              .pauses = {{isorow::timestamp(0), isorow::timestamp(1)}},
              .absences = {range<isorow::timestamptz>::at_most(isorow::timestamptz::minus_infinity())},
              .prolonged = range<std::chrono::year_month_day>{2027y / 1 / 1, 2027y / 2 / 1},
              .rows = {{1, 2}, {}, range<std::int32_t>::all()},
              .levels = {multirange<numeric>{{1, 2}}, std::nullopt},
              .narrow = {1, 2}};
    all[1].seats = range<std::int32_t>::empty();
    return all;
}

struct box_office {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    std::string synchronised(std::vector<Offer> const& rows, isorow::target_options options = {}) {
        return to_string(isorow::synchronise(connection, rows, std::move(options)));
    }
    std::vector<Offer> stored() { return isorow::query<Offer>(connection, "SELECT * FROM offers ORDER BY seats DESC"); }
};

}  // namespace

TEST_CASE_METHOD(box_office, "a table of ranges becomes what was declared, and stays so") {
    auto rows = offers();
    CHECK(synchronised(rows) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(stored() == rows);
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    rows[0].gaps = {{1, 3}};
    rows[1].prolonged = range<std::chrono::year_month_day>::closed(2027y / 1 / 1, 2027y / 1 / 31);
    rows.push_back({.seats = range<std::int32_t>::closed(10, 11)});
    CHECK(synchronised(rows) == "1 inserted, 2 updated, 0 deleted, 0 unchanged");
    rows.erase(rows.begin());
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 1 deleted, 2 unchanged");
    CHECK(isorow::query_one<std::int64_t>(connection, "SELECT count(*) FROM offers WHERE seats = '[10,12)'") == 1);
}

TEST_CASE_METHOD(box_office, "the columns have the types of the ranges, and the index is what it is declared to be") {
    static_cast<void>(synchronised(offers()));
    CHECK(
        isorow::query_one<std::string>(connection,
                                       "SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attnum) FROM "
                                       "pg_attribute WHERE attrelid = 'offers'::regclass AND attnum > 0") ==
        "int4range int8range numrange daterange tsrange tstzrange int4multirange int8multirange nummultirange datemultirange tsmultirange "
        "tstzmultirange daterange int4range[] nummultirange[] int4range");
    CHECK(isorow::query<std::string>(connection, "SELECT indexdef FROM pg_indexes WHERE tablename = 'offers' ORDER BY indexname") ==
          std::vector<std::string>{"CREATE INDEX offers_during_idx ON public.offers USING gist (during)",
                                   "CREATE INDEX offers_gaps_idx ON public.offers USING gist (gaps)",
                                   "CREATE UNIQUE INDEX offers_pkey ON public.offers USING btree (seats)"});
    CHECK(isorow::synchronise(connection, offers()).ddl.empty());
    isorow::execute(connection, "SET enable_seqscan = off");
    auto const plan = isorow::query<std::string>(connection, "EXPLAIN SELECT * FROM offers WHERE during && '[2026-01-01,2026-02-01)'");
    std::string whole;
    for (auto const& line : plan) whole += line;
    CHECK(whole.find("offers_during_idx") != std::string::npos);
}

TEST_CASE_METHOD(box_office, "the same key written otherwise is the same row") {
    std::vector<Offer> rows(1);
    rows[0].seats = range<std::int32_t>::open_closed(0, 9);
    static_cast<void>(synchronised(rows));
    rows[0].seats = range<std::int32_t>::closed(1, 9);
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 1 unchanged");
    rows.push_back(rows[0]);
    CHECK_THROWS_MATCHES(synchronised(rows), isorow::error, test::says("[1,10)"));
}

TEST_CASE_METHOD(box_office, "a numrange whose bounds have other digits is changed, as the number of digits is kept") {
    auto rows = offers();
    static_cast<void>(synchronised(rows));
    rows[0].prices = range<numeric>::closed(*numeric::parse("1.500"), numeric::infinity());
    CHECK(synchronised(rows) == "0 inserted, 1 updated, 0 deleted, 1 unchanged");
    CHECK(to_string(stored()[0].prices) == "[1.500,Infinity]");
}

TEST_CASE_METHOD(box_office, "a row that the server refuses is told by its key, which is a range") {
    static_cast<void>(synchronised(offers()));
    isorow::execute(connection, "ALTER TABLE offers ADD CONSTRAINT small CHECK (upper(numbers) < 100)");
    auto rows = offers();
    rows.push_back({.seats = {20, 30}, .numbers = {1, 200}});
    CHECK_THROWS_MATCHES(synchronised(rows), isorow::error, test::says("[20,30)"));
}

TEST_CASE_METHOD(box_office, "a bound that the column has no room for is refused with the field") {
    auto rows = offers();
    rows[0].narrow = range<std::int64_t>{1, 1LL << 40};
    CHECK_THROWS_MATCHES(synchronised(rows), isorow::unrepresentable,
                         test::says("Offer.narrow: the range's upper bound: 1099511627776 is out of the range of integer"));
}
