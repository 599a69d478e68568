// Ranges of records written in batches.

#include <records/backends.hpp>
#include <support/matchers.hpp>

#include <isorow/records/backend.hpp>
#include <isorow/records/write.hpp>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdint>
#include <ranges>
#include <string>
#include <vector>

static_assert(isorow::record_backend<isorow::records::memory_store>);
static_assert(isorow::record_backend<isorow::record_store<>>);
static_assert(!isorow::record_backend<std::vector<isorow::record>>);

namespace {

using isorow::record;
using isorow::uuid;
using isorow::records::on_conflict;
using isorow::records::where;
using isorow::records::write_options;
using isorow::records::write_result;

[[nodiscard]] record numbered(int number) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[0] = 1;  // the nil id is no record's
    bytes[14] = static_cast<std::uint8_t>(number / 256);
    bytes[15] = static_cast<std::uint8_t>(number % 256);
    return {.id = uuid(bytes), .fields = {{"number", number}}};
}

}  // namespace

TEMPLATE_TEST_CASE("a range is written batch by batch, and progress is told behind each", "", RECORD_BACKENDS) {
    TestType backend;
    std::vector<std::size_t> told;
    auto const done =
        isorow::records::write(backend.store, std::views::iota(0, 2'500) | std::views::transform(numbered),
                               {.batch_size = 1'000, .on_progress = [&](write_result const& so_far) { told.push_back(so_far.processed); }});
    CHECK(done.processed == 2'500);
    CHECK(done.created == 2'500);
    CHECK(done.failed == 0);
    CHECK(told == std::vector<std::size_t>{1'000, 2'000, 2'500});
    CHECK(backend.store.count() == 2'500);
    CHECK(isorow::records::write(backend.store, std::vector<record>{}).processed == 0);
    CHECK_THROWS_AS(isorow::records::write(backend.store, std::vector<record>{}, {.batch_size = 0}), isorow::usage_error);
}

TEMPLATE_TEST_CASE("records that are there are a failure, are replaced, or stay, as is said", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    auto old = numbered(1);
    old.fields["number"] = "old";
    store.create(old);
    std::vector<record> const given{numbered(0), numbered(1), numbered(2)};
    CHECK_THROWS_AS(isorow::records::write(store, given), isorow::record_exists);
    CHECK(store.count() == 1);
    auto const skipped = isorow::records::write(store, given, {.on_conflict = on_conflict::skip});
    CHECK(skipped.created == 2);
    CHECK(skipped.skipped == 1);
    CHECK(store.count(where("number") == "old") == 1);
    auto const replaced = isorow::records::write(store, given, {.on_conflict = on_conflict::replace});
    CHECK(replaced.replaced == 3);
    CHECK(store.count(where("number") == "old") == 0);
}

TEST_CASE("in a transaction, too, what the server refuses leaves the rest to be written") {
    test::postgres_records backend;
    backend.database.sql("ALTER TABLE records ADD CHECK (fields ->> 'number' <> '1')");
    std::vector<record> const given{numbered(0), numbered(1), numbered(2)};
    for (auto const conflict : {on_conflict::fail, on_conflict::skip, on_conflict::replace}) {
        backend.store.clear();
        backend.store.transact([&](auto& inner) {
            auto const done = isorow::records::write(
                inner, given, {.on_conflict = conflict, .on_error = [](record const&, isorow::error const&) { return true; }});
            CHECK(done.created == 2);
            CHECK(done.failed == 1);
        });
        CHECK(backend.store.count() == 2);
    }
}

TEMPLATE_TEST_CASE("what cannot be written is told by its place, and the rest is written", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    store.create(numbered(3));
    auto given = std::vector<record>{numbered(0), numbered(1), numbered(2), numbered(3), numbered(4), numbered(0), numbered(6)};
    given[1].fields["bad"] = std::string("a\0b", 3);
    std::vector<uuid> told;
    auto const done = isorow::records::write(store, given, {.batch_size = 5, .on_error = [&](record const& one, isorow::error const&) {
                                                                told.push_back(one.id);
                                                                return true;
                                                            }});
    CHECK(done.processed == 7);
    CHECK(done.created == 4);
    CHECK(done.failed == 3);
    CHECK(told == std::vector<uuid>{given[1].id, given[3].id, given[5].id});
    REQUIRE(done.failures.size() == 3);
    CHECK(done.failures[0].place == 1);
    CHECK(done.failures[1].place == 3);
    CHECK(done.failures[1].reason.find("already") != std::string::npos);
    CHECK(done.failures[2].place == 5);
    CHECK(store.count() == 5);
    store.clear();
    CHECK_THROWS_AS(isorow::records::write(store, given, {.on_error = [](record const&, isorow::error const&) { return false; }}),
                    isorow::value_error);
    CHECK(store.count() == 1);
}
