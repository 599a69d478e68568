#include <catch2/catch_test_macros.hpp>

#include <isorow/app/detail/visits.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <string>
#include <vector>

using isorow::detail::fingerprint;
using isorow::detail::owner_state;
using isorow::detail::visits;

namespace {

struct record {
    std::vector<isorow::detail::recorded_owner> recorded{
        {1, "", {}}, {2, "/a", fingerprint{1, 1}}, {3, "/a/b", fingerprint{2, 2}}, {4, "/c", {}}};
    std::vector<isorow::detail::owner> owners{};
};

}  // namespace

TEST_CASE_METHOD(record, "a component stands where its memo is the recorded one") {
    visits all(recorded, owners);
    CHECK_FALSE(all.enter("", {}).stands);
    CHECK(all.enter("/a", fingerprint{1, 1}).stands);
    CHECK_FALSE(all.enter("/a/b", fingerprint{2, 3}).stands);
    CHECK_FALSE(all.enter("/c", fingerprint{2, 3}).stands);
    CHECK_FALSE(all.enter("/d", fingerprint{2, 3}).stands);
    REQUIRE(owners.size() == 5);
    CHECK(owners[1].id == 2);
    CHECK(owners[1].state == owner_state::stands);
    CHECK(owners[2].state == owner_state::ran);
    CHECK(owners[2].memo == fingerprint{2, 3});
    CHECK(owners[4].id == 0);
    CHECK(all.path_of(4) == "/d");
}

TEST_CASE_METHOD(record, "a path is visited once in a run") {
    visits all(recorded, owners);
    all.enter("/a", {});
    all.enter("/new", {});
    CHECK_THROWS_MATCHES(all.enter("/a", {}), isorow::usage_error, test::says("the component /a is mounted twice"));
    CHECK_THROWS_MATCHES(all.enter("/new", {}), isorow::usage_error, test::says("/new"));
    all.enter("", {});
    CHECK_THROWS_MATCHES(all.enter("", {}), isorow::usage_error, test::says("the component / is"));
}

TEST_CASE_METHOD(record, "a component that has to run does, and with it all above it") {
    visits all(recorded, owners);
    all.require(std::vector<std::int64_t>{3}, "a reason");
    CHECK_FALSE(all.enter("/a", fingerprint{1, 1}).stands);
    CHECK_FALSE(all.enter("/a/b", fingerprint{2, 2}).stands);
}

TEST_CASE_METHOD(record, "what has to run is known before it is found unchanged") {
    visits all(recorded, owners);
    all.enter("/a", fingerprint{1, 1});
    CHECK_THROWS_MATCHES(all.require(std::vector<std::int64_t>{3}, "the table changes"), isorow::usage_error,
                         test::says("/a was found unchanged"));
}

TEST_CASE("components are found among a hundred thousand") {
    std::vector<isorow::detail::recorded_owner> recorded;
    for (std::int64_t i = 0; i < 50'000; ++i)
        recorded.push_back({i + 1, "/product/" + std::to_string(i), fingerprint{1, static_cast<std::uint64_t>(i)}});
    std::vector<isorow::detail::owner> owners;
    visits all(recorded, owners);
    for (std::int64_t i = 0; i < 100'000; ++i) {
        auto const found = all.enter("/product/" + std::to_string(i), fingerprint{1, static_cast<std::uint64_t>(i)});
        REQUIRE(found.stands == (i < 50'000));
        REQUIRE(owners[found.number].id == (i < 50'000 ? i + 1 : 0));
    }
    CHECK_THROWS_AS(all.enter("/product/99999", {}), isorow::usage_error);
    CHECK_THROWS_AS(all.enter("/product/1", {}), isorow::usage_error);
}
