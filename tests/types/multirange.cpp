#include <catch2/catch_test_macros.hpp>

#include <isorow/types/multirange.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

using isorow::multirange;
using isorow::range;

namespace {

using integers = multirange<std::int32_t>;
using numerics = multirange<isorow::numeric>;
using dates = multirange<isorow::date>;

}  // namespace

TEST_CASE("a multirange keeps its ranges in order, without empty ones, merged where they overlap or touch") {
    CHECK(to_string(integers{}) == "{}");
    CHECK(to_string(integers{{5, 7}, {1, 3}}) == "{[1,3),[5,7)}");
    CHECK(to_string(integers{{1, 3}, {2, 2}, {3, 5}}) == "{[1,5)}");
    CHECK(to_string(integers{{1, 9}, {2, 4}, {8, 10}, {20, 21}}) == "{[1,10),[20,21)}");
    CHECK(to_string(integers{range<std::int32_t>::all(), {1, 2}}) == "{(,)}");
    CHECK(to_string(numerics{range<isorow::numeric>::open(1, 2), range<isorow::numeric>::open(2, 3)}) == "{(1,2),(2,3)}");
    CHECK(to_string(numerics{range<isorow::numeric>::open(1, 2), range<isorow::numeric>::closed(2, 3)}) == "{(1,3]}");
    CHECK(to_string(dates{range<isorow::date>::less_than(isorow::date::infinity()),
                          range<isorow::date>::at_least(isorow::date::infinity())}) == "{(,)}");
    CHECK(integers(std::vector{range<std::int32_t>{1, 2}}).size() == 1);
}

TEST_CASE("multiranges with the same values are equal, and have an order") {
    CHECK(integers{{1, 3}, {3, 5}} == integers{{1, 5}});
    CHECK(integers{{1, 3}, {4, 5}} != integers{{1, 5}});
    CHECK(integers{} < integers{{1, 2}});
    CHECK(integers{{1, 2}} < integers{{1, 2}, {5, 6}});
    CHECK(integers{{1, 2}, {5, 6}} < integers{{1, 3}});
}

TEST_CASE("a multirange is read from Postgres' text of it") {
    CHECK(integers::parse("{}") == integers{});
    CHECK(integers::parse(" { [1,3) , [5,6] , empty } ") == integers{{1, 3}, {5, 7}});
    CHECK(numerics::parse("{(1,2),[\"2\",3]}") == numerics{range<isorow::numeric>::open_closed(1, 3)});
    for (auto const* const text :
         {"", "{", "}", "{[1,2)", "{[1,2),}", "{,[1,2)}", "{[1,2)[3,4)}", "{[1,2)}x", "[1,2)", "{[2,1)}", "{{}}", "{1}"}) {
        CAPTURE(text);
        CHECK_FALSE(integers::parse(text));
    }
}

TEST_CASE("a multirange is what the set of its values says") {
    std::mt19937 random(20261127);
    auto const some = [&] {
        auto const lower = static_cast<std::int32_t>(random() % 30);
        return range<std::int32_t>{lower, lower + static_cast<std::int32_t>(random() % 6)};
    };
    for (int round = 0; round < 500; ++round) {
        std::vector<range<std::int32_t>> ranges(random() % 8);
        for (auto& one : ranges) one = some();
        std::set<std::int32_t> values;
        for (auto const& one : ranges)
            for (std::int32_t value = 0; value < 40; ++value)
                if (one.contains(value)) values.insert(value);
        integers const all(ranges);
        CAPTURE(to_string(all));
        std::ranges::shuffle(ranges, random);
        CHECK(integers(ranges) == all);
        CHECK(integers::parse(to_string(all)) == all);
        CHECK(std::ranges::is_sorted(all));
        for (std::size_t i = 1; i < all.size(); ++i) CHECK(*all[i - 1].upper() < *all[i].lower());
        for (std::int32_t value = -1; value < 40; ++value) CHECK(all.contains(value) == values.contains(value));
        auto const other = some();
        std::vector<std::int32_t> others;
        for (std::int32_t value = 0; value < 40; ++value)
            if (other.contains(value)) others.push_back(value);
        auto const is_in = [&](std::int32_t value) { return values.contains(value); };
        CHECK(all.contains(other) == std::ranges::all_of(others, is_in));
        CHECK(all.overlaps(other) == std::ranges::any_of(others, is_in));
    }
}

TEST_CASE("a multirange of ranges without bounds has what they have") {
    integers const outside{range<std::int32_t>::less_than(0), range<std::int32_t>::at_least(10)};
    CHECK(outside.contains(-5));
    CHECK_FALSE(outside.contains(5));
    CHECK(outside.contains(10));
    CHECK(outside.contains(range<std::int32_t>::at_least(11)));
    CHECK_FALSE(outside.contains(range<std::int32_t>::all()));
    CHECK(outside.contains(range<std::int32_t>::empty()));
    CHECK_FALSE(outside.overlaps(range<std::int32_t>::empty()));
    CHECK(outside.overlaps(range<std::int32_t>::all()));
    CHECK_FALSE(outside.overlaps({0, 10}));
}
