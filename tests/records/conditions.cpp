// What conditions mean, in each store.

#include <records/backends.hpp>
#include <support/matchers.hpp>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <locale>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using isorow::record;
using isorow::records::filter;
using isorow::records::operation;
using isorow::records::path;
using isorow::records::query;
using isorow::records::where;

struct Person {
    std::string name;
    std::optional<int> age;
    bool active;
    std::chrono::sys_time<std::chrono::microseconds> seen;
};

/// A store with people whose fields are of all kinds.
template <class Backend>
struct people {
    Backend backend{};

    people() {
        add("a", {{"age", 30}, {"active", true}, {"city", "Rome"}, {"seen", "2026-11-28T07:00:00Z"}, {"tags", {"x", "y", 1}}});
        add("b", {{"age", 18.5}, {"active", false}, {"city", "rome"}, {"seen", "2026-11-28T09:30:00.25+02:00"}, {"tags", {"y"}}});
        add("c", {{"age", "30"}, {"active", "true"}, {"city", "Röme_100%"}, {"seen", "yesterday"}, {"tags", "x"}});
        add("d", {{"age", nullptr}, {"city", ""}, {"address", {{"city", "Paris"}, {"zip", 75001}}}});
        add("e", {{"age", {1, 30}}, {"city", "back\\slash"}, {"address", {{"zip", 75001}}}, {"tags", boost::json::array{}}});
        backend.store.create({.fields = {{"name", "f"}, {"address", "Paris"}}, .metadata = {{"version", 2}, {"by", {{"who", "me"}}}}});
    }

    void add(std::string const& name, boost::json::object fields) {
        fields["name"] = name;
        backend.store.create({.fields = std::move(fields)});
    }

    /// The names of those that a condition holds for: "ace".
    [[nodiscard]] std::string found(filter const& condition) {
        std::string names;
        for (auto const& one : backend.store.search(query(condition).order_by("name"))) names += one.fields.at("name").as_string();
        CHECK(backend.store.count(condition) == names.size());
        return names;
    }
};

}  // namespace

TEMPLATE_TEST_CASE("values are compared with values of their own kind, and mixed data fail no query", "", RECORD_BACKENDS) {
    people<TestType> all;
    CHECK(all.found(where("age") == 30) == "a");
    CHECK(all.found(where("age") == 30.0) == "a");
    CHECK(all.found(where("age") == "30") == "c");
    CHECK(all.found(where("age") > 18) == "ab");
    CHECK(all.found(where("age") >= 18.5 && where("age") < 30) == "b");
    CHECK(all.found(where("age") > "2") == "c");
    CHECK(all.found(where("age").between(18, 30)) == "ab");
    CHECK(all.found(where("age").between(18, "30")) == "");
    CHECK(all.found(where("age") == nullptr) == "d");
    CHECK(all.found(where("age") == boost::json::array{1, 30}) == "e");
    CHECK(all.found(where("age") < boost::json::array{9}) == "");
    CHECK(all.found(where("city") > "Rome") == "bce");
    CHECK(all.found(where("address") == boost::json::object{{"zip", 75001}, {"city", "Paris"}}) == "d");
    CHECK(all.found(where("address") == boost::json::object{{"zip", 75001}}) == "e");
}

TEMPLATE_TEST_CASE("booleans are booleans, and not their texts", "", RECORD_BACKENDS) {
    people<TestType> all;
    CHECK(all.found(where("active") == true) == "a");
    CHECK(all.found(where("active") == false) == "b");
    CHECK(all.found(where("active") > false) == "a");
    CHECK(all.found(where("active") == "true") == "c");
    CHECK(all.found(where("fields->>'active'") == "true") == "ac");
}

TEMPLATE_TEST_CASE("a condition or its negation holds for each record, also without a value", "", RECORD_BACKENDS) {
    people<TestType> all;
    CHECK(all.found(where("age") != 30) == "bcdef");
    CHECK(all.found(!(where("age") > 18)) == "cdef");
    CHECK(all.found(!(where("age") > 18 && where("city") == "Rome")) == "bcdef");
    CHECK(all.found(!(where("age") > 18 || where("city") == "")) == "cef");
    CHECK(all.found(!!(where("age") > 18)) == "ab");
    CHECK(all.found(where("age").is_null()) == "df");
    CHECK(all.found(where("age").is_not_null()) == "abce");
    CHECK(all.found(where("age").exists()) == "abcde");
    CHECK(all.found(where("age").exists() && where("age").is_null()) == "d");
    CHECK(all.found(!where("address.city").exists()) == "abcef");
    CHECK_THROWS_AS(!filter(), isorow::usage_error);
    CHECK(all.found(filter()) == "abcdef");
    CHECK(all.found(filter() || where("age") == 30) == "abcdef");
    CHECK(all.found(filter() && where("age") == 30) == "a");
}

TEMPLATE_TEST_CASE("one of several values, of none, and of many", "", RECORD_BACKENDS) {
    people<TestType> all;
    CHECK(all.found(where("age").in({30, 40})) == "a");
    CHECK(all.found(where("name").in(std::vector<std::string>{"a", "c", "zz"})) == "ac");
    CHECK(all.found(where("name").in(std::vector<std::string>{})) == "");
    CHECK(all.found(!where("name").in(std::vector<std::string>{})) == "abcdef");
    CHECK(all.found(filter("age", operation::in, {30, "30", nullptr})) == "acd");
    CHECK(all.found(filter("age", operation::not_in, {30, "30", nullptr})) == "bef");
    std::vector<int> many;
    for (int i = 0; i < 500; ++i) many.push_back(i);
    CHECK(all.found(where("age").in(many)) == "a");
}

TEMPLATE_TEST_CASE("texts are matched by patterns, expressions and parts, with capitals told apart but where they are not to be", "",
                   RECORD_BACKENDS) {
    people<TestType> all;
    CHECK(all.found(where("city").like("R%")) == "ac");
    CHECK(all.found(where("city").like("rom_")) == "b");
    CHECK(all.found(where("city").like("R_me\\_100\\%")) == "c");
    CHECK(all.found(where("city").like("back\\\\slash")) == "e");
    CHECK(all.found(where("city").like("")) == "d");
    CHECK(all.found(where("city").ilike("rOmE")) == "ab");
    CHECK(all.found(where("city").ilike("RÖME%")) == "");
    CHECK(all.found(where("city").matches("^[Rr]ome$")) == "ab");
    CHECK(all.found(where("city").matches("\\d{3}")) == "c");
    CHECK(all.found(where("city").starts_with("R")) == "ac");
    CHECK(all.found(where("city").starts_with("%")) == "");
    CHECK(all.found(where("city").contains("0%")) == "c");
    CHECK(all.found(where("age").like("3%")) == "c");
    CHECK(all.found(where("fields->>'age'").like("3%")) == "ac");
    CHECK(all.found(filter("city", operation::not_like, "R%")) == "bdef");
    CHECK_THROWS_MATCHES(where("city").like("a\\"), isorow::usage_error, test::says("backslash"));
    CHECK_THROWS_MATCHES(filter("city", operation::like, 5), isorow::usage_error, test::says("takes a text"));
    CHECK_THROWS_AS(all.found(where("city").matches("(")), isorow::error);
}

TEMPLATE_TEST_CASE("lists have elements, and documents include others", "", RECORD_BACKENDS) {
    people<TestType> all;
    CHECK(all.found(where("tags").has("x")) == "a");
    CHECK(all.found(where("tags").has("y")) == "ab");
    CHECK(all.found(where("tags").has(1)) == "a");
    CHECK(all.found(where("tags").includes({"y", "x"})) == "a");
    CHECK(all.found(where("tags").includes(boost::json::array{})) == "abe");
    CHECK(all.found(where("address").includes({{"zip", 75001}})) == "de");
    CHECK(all.found(where("tags.0") == "y") == "b");
    CHECK(all.found(where("tags.2") == 1) == "a");
    CHECK(all.found(where("tags.-1") == 1) == "");
    CHECK(all.found(where("age.1") == 30) == "e");
    CHECK(all.found(where("address.city") == "Paris") == "d");
    CHECK(all.found(where("address.city.x").exists()) == "");
}

TEMPLATE_TEST_CASE("metadata and ids are places as well", "", RECORD_BACKENDS) {
    people<TestType> all;
    CHECK(all.found(where("metadata.version") == 2) == "f");
    CHECK(all.found(where("metadata.by.who") == "me") == "f");
    CHECK(all.found(where("metadata->>'version'") == "2") == "f");
    CHECK(all.found(where("version") == 2) == "");
    auto const first = all.backend.store.search(query(where("name") == "a")).front();
    CHECK(all.found(where("id") == to_string(first.id)) == "a");
    CHECK(all.found(where("id") != to_string(first.id)) == "bcdef");
    CHECK(all.found(where("id").in({to_string(first.id), std::string("none")})) == "a");
    CHECK(all.found(where("id") == "no uuid") == "");
    CHECK(all.found(where("id") == 5) == "");
    CHECK(all.found(where("id") > to_string(first.id)) == "bcdef");
    CHECK(all.found(where("id").starts_with(to_string(first.id).substr(0, 20))).find('a') == 0);
    CHECK(all.found(where("id").exists()) == "abcdef");
    CHECK(all.found(isorow::records::created_at() <= std::chrono::system_clock::now() + 5min) == "abcdef");
    CHECK(all.found(isorow::records::updated_at() < std::chrono::sys_days(std::chrono::year{2001} / 1 / 1)) == "");
}

TEMPLATE_TEST_CASE("times are compared as moments, whatever their offset, and what is no time is none", "", RECORD_BACKENDS) {
    people<TestType> all;
    auto const seven = std::chrono::sys_days(std::chrono::year{2026} / 11 / 28) + 7h;
    CHECK(all.found(where("seen") == seven) == "a");
    CHECK(all.found(where("seen") > seven) == "b");
    CHECK(all.found(where("seen") >= seven - 1h) == "ab");
    CHECK(all.found(where("seen").between(seven, seven + 29min)) == "a");
    CHECK(all.found(!(where("seen") > seven)) == "acdef");
    CHECK(all.found(where<&Person::seen>() == seven) == "a");
}

TEMPLATE_TEST_CASE("the times of a record are no texts: nothing is found by a pattern, whatever the pattern says", "", RECORD_BACKENDS) {
    people<TestType> all;
    for (auto const one : {operation::like, operation::ilike, operation::regex, operation::starts_with, operation::contains}) {
        CHECK(all.found(filter(path::of(isorow::records::part::created_at), one, "2020-01-01T00:00:00Z")) == "");
        CHECK(all.found(filter(path::of(isorow::records::part::updated_at), one, "2020")) == "");
    }
    CHECK(all.found(!isorow::records::created_at().starts_with("2020-01-01T00:00:00Z")) == "abcdef");
}

TEMPLATE_TEST_CASE("regular expressions mean the same whatever the program's locale", "", RECORD_BACKENDS) {
    people<TestType> all;
    auto const before = std::locale::global(std::locale("C.UTF-8"));
    CHECK(all.found(where("city").matches("^R\\wme")) == "a");
    std::locale::global(before);
}

TEMPLATE_TEST_CASE("the places of a struct's fields are compared in the field's form", "", RECORD_BACKENDS) {
    people<TestType> all;
    CHECK(all.found(where<&Person::age>() > 18) == "ab");
    CHECK(all.found(where<&Person::name>() == "c") == "c");
    CHECK(all.found(where<&Person::active>() == true && where<&Person::name>().in({"a", "b"})) == "a");
    CHECK(all.found(where<&Person::age>().is_null()) == "df");
}

TEMPLATE_TEST_CASE("values that an operation does not take are refused before anything is asked", "", RECORD_BACKENDS) {
    people<TestType> all;
    CHECK_THROWS_MATCHES(filter("age", operation::in, 5), isorow::usage_error, test::says("as a list"));
    CHECK_THROWS_MATCHES(filter("age", operation::between, {1, 2, 3}), isorow::usage_error, test::says("takes 2 values, not 3"));
    CHECK_THROWS_AS(where("age") == std::numeric_limits<double>::infinity(), isorow::value_error);
    filter deep = where("age") == 1;
    CHECK_THROWS_MATCHES(
        [&] {
            for (int i = 0; i < 300; ++i) deep = (!deep && where("a") == i) || where("b") == i;
        }(),
        isorow::usage_error, test::says("nested deeper than 256 levels"));
    filter wide = where("age") == 1;
    for (int i = 0; i < 2'000; ++i) wide = wide || where("age") == i;
    CHECK(all.found(wide) == "a");
}
