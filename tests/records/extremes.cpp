// What is far from usual, in each store: deep documents, times far ahead.

#include <records/backends.hpp>
#include <support/matchers.hpp>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <filesystem>
#include <utility>
#include <vector>

namespace {

using isorow::record;
using isorow::records::file_store;
using isorow::records::outcome;

/// Objects in each other.
[[nodiscard]] boost::json::object nested(int levels) {
    boost::json::object document{{"a", 1}};
    for (int i = 1; i < levels; ++i) document = {{"a", std::move(document)}};
    return document;
}

constexpr int deepest = 256;

}  // namespace

TEMPLATE_TEST_CASE("documents of 256 levels are kept, and deeper ones are refused", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    auto const id = store.create({.fields = nested(deepest), .metadata = nested(deepest)});
    CHECK(store.read(id)->fields == nested(deepest));
    CHECK(store.search({}).front().metadata == nested(deepest));
    CHECK(store.patch(id, {{"b", 1}}) == outcome::updated);
    CHECK_THROWS_MATCHES(store.create({.fields = nested(deepest + 1)}), isorow::value_error, test::says("deeper than 256 levels"));
    CHECK_THROWS_MATCHES(store.update({.id = id, .metadata = nested(deepest + 1)}), isorow::value_error,
                         test::says("deeper than 256 levels"));
    CHECK(store.count() == 1);
}

TEST_CASE("a file with the deepest documents can be opened again") {
    test::folder const folder;
    for (auto const* const name : {"records.json", "records.jsonl"}) {
        std::vector<record> before;
        {
            file_store store(folder / name);
            store.create({.fields = nested(deepest), .metadata = nested(deepest)});
            store.create({});
            before = store.search({});
        }
        CHECK(file_store(folder / name).search({}) == before);
    }
}

TEMPLATE_TEST_CASE("a restored record of a time far ahead does not carry other records' times with it", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    auto const far = std::chrono::sys_days(std::chrono::year{2100} / 1 / 1);
    std::vector<record> restored(1);
    restored[0] = {.id = *isorow::uuid::parse("00000000-0000-0000-0000-000000000001"), .created_at = far, .updated_at = far};
    store.restore_batch(restored);
    auto const is_of_now = [&](isorow::uuid const& id) { return store.read(id)->created_at < far - std::chrono::years(1); };
    CHECK(is_of_now(store.create({})));
    // The record itself gets versions that rise.
    CHECK(store.patch(restored[0].id, {{"a", 1}}) == outcome::updated);
    CHECK(store.read(restored[0].id)->updated_at > far);
    CHECK(is_of_now(store.create({})));
}

TEST_CASE("a file that has a record of a time far ahead is opened as of now") {
    test::folder const folder;
    auto const far = std::chrono::sys_days(std::chrono::year{2100} / 1 / 1);
    std::vector<record> restored(1);
    restored[0] = {.id = *isorow::uuid::parse("00000000-0000-0000-0000-000000000001"), .created_at = far, .updated_at = far};
    file_store(folder / "a.json").restore_batch(restored);
    file_store store(folder / "a.json");
    CHECK(store.read(store.create({}))->created_at < far - std::chrono::years(1));
}
