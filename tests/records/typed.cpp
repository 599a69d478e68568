// Records of structs, over each store.

#include <isorow/json/date_time.hpp>
#include <isorow/records/typed_store.hpp>
#include <records/backends.hpp>
#include <support/matchers.hpp>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace {

using isorow::record_store;
using isorow::typed_record;
using isorow::records::outcome;
using isorow::records::query;
using isorow::records::typed;
using isorow::records::where;

struct Address {
    std::string city;
    std::optional<std::string> street;
};

struct Person {
    std::string name;
    std::int32_t age;
    std::optional<std::string> email;
    std::vector<std::string> tags;
    Address home;
    std::string post_code;

    static consteval auto isorow_table() { return isorow::table("people").column<&Person::post_code>({.name = "post code"}); }
};

[[nodiscard]] Person alice() { return {"Alice", 30, "a@example.org", {"x", "y"}, {"Rome", {}}, "00100"}; }

}  // namespace

TEMPLATE_TEST_CASE("a struct is a record, and comes back as it was", "", RECORD_BACKENDS) {
    TestType backend;
    auto people = typed<Person>(backend.store);
    auto const id = people.create(alice());
    auto const found = people.read(id);
    REQUIRE(found);
    CHECK(found->id == id);
    CHECK(found->value.name == "Alice");
    CHECK(found->value.email == "a@example.org");
    CHECK(found->value.tags == std::vector<std::string>{"x", "y"});
    CHECK(found->value.home.city == "Rome");
    CHECK_FALSE(found->value.home.street);
    CHECK(found->others.empty());
    CHECK(found->created_at == found->updated_at);
    // What JSON has is what the struct's columns are called.
    CHECK(backend.store.read(id)->fields.at("post code") == "00100");
    CHECK_FALSE(people.read(isorow::uuid{}));
}

TEMPLATE_TEST_CASE("conditions and orders are written with members of the struct", "", RECORD_BACKENDS) {
    TestType backend;
    auto people = typed<Person>(backend.store);
    std::vector<Person> given(3, alice());
    given[1].name = "Bob";
    given[1].age = 17;
    given[1].post_code = "10115";
    given[2].name = "Carol";
    given[2].age = 41;
    auto const ids = people.create_batch(given);
    auto const adults = people.search(query(where<&Person::age>() >= 18).order_by("age", isorow::records::descending));
    REQUIRE(adults.size() == 2);
    CHECK(adults[0].value.name == "Carol");
    CHECK(adults[1].id == ids[0]);
    CHECK(people.count(where<&Person::post_code>() == "10115") == 1);
    std::vector<std::string> names;
    people.scan(query().order_by("name"), [&](typed_record<Person>&& one) {
        names.push_back(one.value.name);
        return names.size() < 2;
    });
    CHECK(names == std::vector<std::string>{"Alice", "Bob"});
}

TEMPLATE_TEST_CASE("fields that the struct does not have are kept", "", RECORD_BACKENDS) {
    TestType backend;
    auto fields = isorow::to_json(alice()).as_object();
    fields["nickname"] = "Al";
    fields["points"] = {1, 2};
    auto const id = backend.store.create({.fields = fields, .metadata = {{"source", "import"}}});
    auto people = typed<Person>(backend.store);
    auto found = *people.read(id);
    CHECK(found.others == boost::json::object{{"nickname", "Al"}, {"points", {1, 2}}});
    found.value.age = 31;
    CHECK(people.update(found, found.updated_at) == outcome::updated);
    CHECK(people.update(found, found.updated_at) == outcome::conflict);
    CHECK(people.change(id, [](Person& one) { one.email.reset(); }) == outcome::updated);
    fields["age"] = 31;
    fields["email"] = nullptr;
    auto const after = *backend.store.read(id);
    CHECK(after.fields == fields);
    CHECK(after.metadata.at("source") == "import");
    CHECK(people.change(isorow::uuid{}, [](Person&) {}) == outcome::missing);
}

TEMPLATE_TEST_CASE("what objects below have beside the struct's fields is kept, until they are gone", "", RECORD_BACKENDS) {
    TestType backend;
    auto fields = isorow::to_json(alice()).as_object();
    fields["home"].as_object()["zip"] = "00100";
    fields["home"].as_object()["geo"] = {{"lat", 41.9}};
    auto const id = backend.store.create({.fields = fields});
    auto people = typed<Person>(backend.store);
    CHECK(people.read(id)->others == boost::json::object{{"home", {{"zip", "00100"}, {"geo", {{"lat", 41.9}}}}}});
    CHECK(people.change(id, [](Person& one) { one.home.city = "Paris"; }) == outcome::updated);
    fields["home"].as_object()["city"] = "Paris";
    CHECK(backend.store.read(id)->fields == fields);
    auto found = *people.read(id);
    found.others.clear();
    CHECK(people.update(found) == outcome::updated);
    CHECK(backend.store.read(id)->fields.at("home") == boost::json::object{{"city", "Paris"}, {"street", nullptr}});
}

TEMPLATE_TEST_CASE("a change is made to the newest value where others write meanwhile", "", RECORD_BACKENDS) {
    TestType backend;
    auto people = typed<Person>(backend.store);
    auto const id = people.create(alice());
    int calls = 0;
    CHECK(people.change(id, [&](Person& one) {
        if (++calls == 1) CHECK(people.patch(id, {{"name", "Alicia"}}) == outcome::updated);
        ++one.age;
    }) == outcome::updated);
    CHECK(calls == 2);
    CHECK(people.read(id)->value.name == "Alicia");
    CHECK(people.read(id)->value.age == 31);
}

TEMPLATE_TEST_CASE("a record that is none of the struct's is refused with its id and the place", "", RECORD_BACKENDS) {
    TestType backend;
    auto people = typed<Person>(backend.store);
    people.create(alice());
    auto fields = isorow::to_json(alice()).as_object();
    fields["home"] = {{"city", 5}};
    auto const id = backend.store.create({.fields = fields});
    CHECK_THROWS_MATCHES(people.read(id), isorow::unrepresentable, test::says(to_string(id)) && test::says("home.city"));
    CHECK_THROWS_AS(people.search({}), isorow::unrepresentable);
    CHECK(people.count() == 2);
    CHECK(people.erase(id) == outcome::erased);
    CHECK(people.search({}).size() == 1);
}

TEMPLATE_TEST_CASE("batches of structs tell the outcome of each, and transactions are whole", "", RECORD_BACKENDS) {
    TestType backend;
    auto people = typed<Person>(backend.store);
    auto const ids = people.create_batch(std::vector<Person>{alice(), alice()});
    std::vector<typed_record<Person>> given{{.id = ids[0], .value = alice()}, {.value = alice()}};
    given[0].value.age = 50;
    CHECK(people.upsert_batch(given) == std::vector{outcome::updated, outcome::created});
    CHECK(people.create_each(given) == std::vector{outcome::exists, outcome::created});
    CHECK(people.read_batch(ids)[0]->value.age == 50);
    CHECK(people.update_batch(given, isorow::records::expect::own_version)[0] == outcome::conflict);
    CHECK_THROWS_AS(people.transact([&](auto& inside) {
        inside.erase(ids[0]);
        CHECK_FALSE(inside.exists(ids[0]));
        throw isorow::usage_error("no");
    }),
                    isorow::usage_error);
    CHECK(people.exists(ids[0]));
    CHECK(people.erase_batch(ids) == std::vector{outcome::erased, outcome::erased});
    CHECK(people.clear() == 2);
}

TEST_CASE("a record_store of a struct is one of its table") {
    test::database const database;
    isorow::pool pool(database.dsn());
    record_store<Person> people(pool, {.table = "people"});
    auto const id = people.create(alice());
    CHECK(people.documents().read(id)->fields.at("age") == 30);
    record_store const documents(pool, {.table = "people"});
    CHECK(record_store<Person>(documents).exists(id));
    CHECK(people.transact([&](record_store<Person>& inside) {
        inside.change(id, [](Person& one) { ++one.age; });
        return inside.read(id)->value.age;
    }) == 31);
    isorow::transaction open(pool);
    people.within(open).erase(id);
    CHECK(people.exists(id));
    CHECK_FALSE(people.within(open).exists(id));
    CHECK(people.reading_from(pool).exists(id));
}

TEST_CASE("a change reads where it writes, and not from the standby") {
    test::database const main;
    test::database const standby;
    isorow::pool pool(main.dsn());
    isorow::pool replicas(standby.dsn());
    record_store<Person> const behind(replicas);
    auto people = record_store<Person>(pool).reading_from(replicas);
    auto const id = people.create(alice());
    CHECK_FALSE(people.read(id));
    CHECK(people.change(id, [](Person& one) { ++one.age; }) == outcome::updated);
    CHECK(record_store<Person>(pool).read(id)->value.age == 31);
}
