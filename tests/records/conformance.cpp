// What holds for each store of records.

#include <records/backends.hpp>
#include <support/matchers.hpp>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using isorow::record;
using isorow::uuid;
using isorow::records::outcome;
using isorow::records::query;
using isorow::records::where;
using names = std::vector<std::string>;

[[nodiscard]] record named(std::string const& name) { return {.fields = {{"name", name}}}; }

[[nodiscard]] uuid id_of(int number) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[15] = static_cast<std::uint8_t>(number);
    return uuid(bytes);
}

[[nodiscard]] names names_of(std::vector<record> const& found) {
    names all;
    for (auto const& one : found) all.emplace_back(one.fields.at("name").as_string());
    return all;
}

}  // namespace

TEMPLATE_TEST_CASE("a record is read as it was created, with an id and times of the store's", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    record const alice{
        .fields = {{"name", "Alice"}, {"age", 30}, {"pi", 3.5}, {"tags", {"a", "b"}}, {"none", nullptr}, {"deep", {{"x", true}}}},
        .metadata = {{"version", "2.0"}}};
    auto const id = store.create(alice);
    CHECK(id != uuid{});
    auto const found = store.read(id);
    REQUIRE(found);
    CHECK(found->id == id);
    CHECK(found->fields == alice.fields);
    CHECK(found->metadata == alice.metadata);
    CHECK(found->created_at == found->updated_at);
    CHECK(std::chrono::abs(std::chrono::system_clock::now() - found->created_at) < std::chrono::minutes(5));
    CHECK(store.exists(id));
    CHECK(store.count() == 1);
}

TEMPLATE_TEST_CASE("ids are the caller's where they are given, and rise where they are made", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    CHECK(store.create({.id = id_of(7)}) == id_of(7));
    auto const first = store.create({});
    auto const second = store.create({});
    CHECK(first < second);
    CHECK(store.create_batch(std::vector<record>(3)).size() == 3);
    CHECK(store.count() == 6);
}

TEMPLATE_TEST_CASE("an id that is there already is refused, and the record stays", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    auto const id = store.create(named("first"));
    CHECK_THROWS_MATCHES(store.create({.id = id}), isorow::record_exists, test::says(to_string(id)));
    CHECK(store.read(id)->fields.at("name") == "first");
}

TEMPLATE_TEST_CASE("a batch is created as a whole or not at all", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    for (int const size : {3, 500}) {
        store.clear();
        store.create({.id = id_of(2)});
        std::vector<record> batch(static_cast<std::size_t>(size));
        batch[1].id = id_of(2);
        CHECK_THROWS_AS(store.create_batch(batch), isorow::record_exists);
        CHECK(store.count() == 1);
        batch[1].id = id_of(3);
        batch[2].id = id_of(3);
        CHECK_THROWS_AS(store.create_batch(batch), isorow::record_exists);
        CHECK(store.count() == 1);
        batch[2].id = id_of(4);
        CHECK(store.create_batch(batch)[2] == id_of(4));
        CHECK(store.count() == static_cast<std::size_t>(size) + 1);
    }
    CHECK(store.create_batch({}).empty());
}

TEMPLATE_TEST_CASE("a batch of ids is read in its order, with a gap for each that is not there", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    std::vector<record> batch{named("a"), named("b")};
    auto const ids = store.create_batch(batch);
    std::vector<uuid> const asked{ids[1], id_of(9), ids[0], ids[1]};
    auto const found = store.read_batch(asked);
    REQUIRE(found.size() == 4);
    CHECK(found[0]->fields.at("name") == "b");
    CHECK_FALSE(found[1]);
    CHECK(found[2]->fields.at("name") == "a");
    CHECK(found[3]->id == ids[1]);
    CHECK(store.read_batch({}).empty());
}

TEMPLATE_TEST_CASE("an update replaces fields and metadata, and makes a later version", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    auto const id = store.create({.fields = {{"name", "old"}, {"age", 1}}, .metadata = {{"m", 1}}});
    auto const before = *store.read(id);
    CHECK(store.update({.id = id, .fields = {{"name", "new"}}}) == outcome::updated);
    auto const after = *store.read(id);
    CHECK(after.fields == boost::json::object{{"name", "new"}});
    CHECK(after.metadata.empty());
    CHECK(after.created_at == before.created_at);
    CHECK(after.updated_at > before.updated_at);
    CHECK(store.update({.id = id_of(9)}) == outcome::missing);
    CHECK(store.count() == 1);
}

TEMPLATE_TEST_CASE("a write that expects a version is done on that version alone", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    auto const id = store.create(named("one"));
    auto const version = store.read(id)->updated_at;
    CHECK(store.update({.id = id, .fields = {{"name", "two"}}}, version) == outcome::updated);
    CHECK(store.update({.id = id, .fields = {{"name", "three"}}}, version) == outcome::conflict);
    CHECK(store.patch(id, {{"name", "three"}}, version) == outcome::conflict);
    CHECK(store.patch(id, {{"deep", {{"x", 1}}}}, version) == outcome::conflict);
    CHECK(store.erase(id, version) == outcome::conflict);
    CHECK(store.read(id)->fields == boost::json::object{{"name", "two"}});
    CHECK(store.erase(id, store.read(id)->updated_at) == outcome::erased);
    CHECK(store.update({.id = id}, version) == outcome::missing);
    CHECK(store.patch(id, {}, version) == outcome::missing);
    CHECK(store.erase(id, version) == outcome::missing);
}

TEMPLATE_TEST_CASE("a patch changes what it names, takes away what it says is null, and goes into objects", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    auto const id = store.create({.fields = {{"a", 1}, {"b", {{"c", 1}, {"d", 2}}}, {"e", "x"}}, .metadata = {{"m", 1}}});
    CHECK(store.patch(id, {{"a", 2}, {"e", nullptr}, {"f", {1, 2}}}) == outcome::updated);
    CHECK(store.read(id)->fields == boost::json::object{{"a", 2}, {"b", {{"c", 1}, {"d", 2}}}, {"f", {1, 2}}});
    CHECK(store.patch(id, {{"b", {{"c", nullptr}, {"g", {{"h", 1}, {"i", nullptr}}}}}, {"a", {{"z", 1}}}}) == outcome::updated);
    CHECK(store.read(id)->fields == boost::json::object{{"a", {{"z", 1}}}, {"b", {{"d", 2}, {"g", {{"h", 1}}}}}, {"f", {1, 2}}});
    CHECK(store.read(id)->metadata == boost::json::object{{"m", 1}});
    CHECK(store.patch(id_of(9), {{"a", 1}}) == outcome::missing);
    CHECK(store.patch(id_of(9), {{"a", {{"b", 1}}}}) == outcome::missing);
}

TEMPLATE_TEST_CASE("an upsert creates or replaces", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    CHECK(store.upsert({.id = id_of(1), .fields = {{"name", "a"}}}) == outcome::created);
    auto const before = *store.read(id_of(1));
    CHECK(store.upsert({.id = id_of(1), .fields = {{"name", "b"}}}) == outcome::updated);
    auto const after = *store.read(id_of(1));
    CHECK(after.fields.at("name") == "b");
    CHECK(after.updated_at > before.updated_at);
    CHECK(after.created_at == before.created_at);
    CHECK(store.upsert(named("c")) == outcome::created);
    CHECK(store.count() == 2);
}

TEMPLATE_TEST_CASE("erasing tells what it did, and clearing how much", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    auto const ids = store.create_batch(std::vector<record>(3));
    CHECK(store.erase(ids[0]) == outcome::erased);
    CHECK(store.erase(ids[0]) == outcome::missing);
    CHECK_FALSE(store.exists(ids[0]));
    CHECK_FALSE(store.read(ids[0]));
    CHECK(store.clear() == 2);
    CHECK(store.count() == 0);
}

TEMPLATE_TEST_CASE("records are found in the order that is asked for, in pages", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    std::vector<record> people;
    for (auto const* const name : {"Carol", "alice", "Bob", "Ünal", "Dave"}) people.push_back(named(name));
    people[0].fields["age"] = 30;
    people[1].fields["age"] = 4.5;
    people[2].fields["age"] = "old";
    people[3].fields["age"] = nullptr;
    store.create_batch(people);
    CHECK(names_of(store.search(query().order_by("name"))) == names{"Bob", "Carol", "Dave", "alice", "Ünal"});
    CHECK(names_of(store.search(query().order_by("name", isorow::records::descending).limit(2))) == names{"Ünal", "alice"});
    CHECK(names_of(store.search(query().order_by("name").offset(1).limit(2))) == names{"Carol", "Dave"});
    CHECK(names_of(store.search(query().order_by("age"))) == names{"Ünal", "Bob", "alice", "Carol", "Dave"});
    CHECK(names_of(store.search(query().order_by("age", isorow::records::descending))) == names{"Carol", "alice", "Bob", "Ünal", "Dave"});
    CHECK(store.search(query().offset(9)).empty());
    CHECK(store.search(query().limit(0)).empty());
    auto const pages = [&](auto const& ordered) {
        names all;
        auto page = store.search(query(ordered).limit(2));
        while (!page.empty()) {
            for (auto const& name : names_of(page)) all.push_back(name);
            page = store.search(query(ordered).limit(2).after(page.back()));
        }
        return all == names_of(store.search(ordered));
    };
    CHECK(pages(query().order_by("age")));
    CHECK(pages(query().order_by("age", isorow::records::descending).order_by("name")));
    CHECK(pages(query().order_by("name", isorow::records::descending)));
    CHECK(pages(query()));
    CHECK(pages(query().order_by("fields->>'age'")));
}

TEMPLATE_TEST_CASE("of records what is asked for comes, and no more", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    store.create(
        {.fields = {{"name", "a"}, {"address", {{"city", "Rome"}, {"zip", 1}}}, {"tags", {1, 2}}}, .metadata = {{"v", 1}, {"w", 2}}});
    auto const only = [&](std::vector<isorow::records::path> places) { return store.search(query().only(std::move(places))).front(); };
    CHECK(only({"name"}).fields == boost::json::object{{"name", "a"}});
    CHECK(only({"name"}).metadata.empty());
    CHECK(only({"address.city", "metadata.w"}).fields == boost::json::object{{"address", {{"city", "Rome"}}}});
    CHECK(only({"address.city", "metadata.w"}).metadata == boost::json::object{{"w", 2}});
    CHECK(only({"tags.0", "address.zip", "address.city"}).fields ==
          boost::json::object{{"tags", {1, 2}}, {"address", {{"zip", 1}, {"city", "Rome"}}}});
    CHECK(only({"metadata"}).metadata.size() == 2);
    CHECK(only({"nothing"}).fields.empty());
    CHECK(only({"id"}).fields.empty());
}

TEMPLATE_TEST_CASE("a transaction is done as a whole or not at all, and one within another by itself", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    store.transact([](auto& inner) {
        inner.create(named("a"));
        inner.create(named("b"));
    });
    CHECK(store.count() == 2);
    CHECK_THROWS_AS(store.transact([](auto& inner) {
        inner.clear();
        CHECK(inner.count() == 0);
        throw std::runtime_error("no");
    }),
                    std::runtime_error);
    CHECK(store.count() == 2);
    auto const counted = store.transact([](auto& outer) {
        outer.create(named("c"));
        try {
            outer.transact([](auto& inner) {
                inner.create(named("d"));
                throw std::runtime_error("no");
            });
        } catch (std::runtime_error const&) {
            outer.create(named("e"));
        }
        return outer.count();
    });
    CHECK(counted == 4);
    CHECK(names_of(store.search(query().order_by("name"))) == names{"a", "b", "c", "e"});
}

TEMPLATE_TEST_CASE("texts of all kinds are kept, and what no document can hold is refused", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    for (std::string const text : {"", "'; DROP TABLE records; --", "\\", "\"", "%_", "日本語", "{}", "$1", "\x01\x1f"}) {
        auto const id = store.create({.fields = {{"name", text}, {text, 1}}});
        CHECK(store.read(id)->fields.at("name").as_string() == text);
        CHECK(store.count(where("name") == text) == 1);
        CHECK(store.count(where(isorow::records::path::of_field(text)) == 1) == 1);
        CHECK(store.count(where(isorow::records::path::of_field(text)).exists() && where("name") == text) == 1);
    }
    CHECK_THROWS_AS(store.create(named(std::string("a\0b", 3))), isorow::value_error);
    CHECK_THROWS_AS(store.create(named("\xff")), isorow::value_error);
    CHECK_THROWS_AS(where("name") == std::string("a\0b", 3), isorow::value_error);
    CHECK(store.count() == 9);
}

TEMPLATE_TEST_CASE("of a batch of creations, updates, upserts and erasures each tells its outcome", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    using outcomes = std::vector<outcome>;
    auto const a = id_of(1);
    auto const b = id_of(2);
    std::vector<record> const both{{.id = a, .fields = {{"name", "a"}}}, {.id = b, .fields = {{"name", "b"}}}};
    CHECK(store.create_each(std::vector<record>{both[0], both[0]}) == outcomes{outcome::created, outcome::exists});
    CHECK(store.create_each(both) == outcomes{outcome::exists, outcome::created});
    CHECK(store.update_batch(
              std::vector<record>{{.id = b, .fields = {{"name", "c"}}}, {.id = id_of(9)}, {.id = b, .fields = {{"name", "d"}}}}) ==
          outcomes{outcome::updated, outcome::missing, outcome::updated});
    CHECK(store.read(b)->fields.at("name") == "d");
    auto seen = store.search(query().order_by("name"));
    store.patch(a, {{"name", "e"}});
    CHECK(store.update_batch(seen, isorow::records::expect::own_version) == outcomes{outcome::conflict, outcome::updated});
    CHECK(store.read(a)->fields.at("name") == "e");
    CHECK(store.upsert_batch(std::vector<record>{{.id = a}, {.id = id_of(3)}, {.id = id_of(3)}, {}}) ==
          outcomes{outcome::updated, outcome::created, outcome::updated, outcome::created});
    CHECK(store.count() == 4);
    CHECK(store.erase_batch(std::vector<uuid>{a, a, id_of(9), b}) ==
          outcomes{outcome::erased, outcome::missing, outcome::missing, outcome::erased});
    CHECK(store.count() == 2);
    CHECK(store.create_each({}).empty());
    CHECK(store.update_batch({}).empty());
    CHECK(store.upsert_batch({}).empty());
    CHECK(store.erase_batch({}).empty());
}

TEMPLATE_TEST_CASE("batches may be of any size", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    std::vector<record> many(22'000);
    for (std::size_t i = 0; i < many.size(); ++i) many[i].fields["number"] = i;
    auto const ids = store.create_batch(many);
    for (std::size_t i = 0; i < many.size(); ++i) many[i].id = ids[i];
    CHECK(store.count() == many.size());
    auto const all = [](std::vector<outcome> const& told, outcome wanted) {
        return std::ranges::all_of(told, [&](outcome one) { return one == wanted; });
    };
    CHECK(all(store.create_each(many), outcome::exists));
    CHECK(all(store.update_batch(many), outcome::updated));
    CHECK(all(store.upsert_batch(many), outcome::updated));
    CHECK(store.read_batch(ids).back()->fields.at("number") == 21'999);
    CHECK(all(store.erase_batch(ids), outcome::erased));
    CHECK(store.count() == 0);
}

TEMPLATE_TEST_CASE("a scan hands out what a search finds, one by one, until it is told to stop", "", RECORD_BACKENDS) {
    TestType backend;
    auto& store = backend.store;
    std::vector<record> many(1'000);
    for (std::size_t i = 0; i < many.size(); ++i) many[i].fields = {{"name", std::to_string(1000 + i)}, {"number", i}};
    store.create_batch(many);
    auto const wanted = query(where("number") >= 100 && where("number") < 900).order_by("name", isorow::records::descending);
    names scanned;
    store.scan(wanted, [&](record&& one) { scanned.emplace_back(one.fields.at("name").as_string()); });
    CHECK(scanned.size() == 800);
    CHECK(scanned == names_of(store.search(wanted)));
    int count = 0;
    store.scan(wanted, [&](record&&) { return ++count < 3; });
    CHECK(count == 3);
    CHECK(store.count() == 1'000);
}
