#include <catch2/catch_test_macros.hpp>

#include <isorow/app/context_key.hpp>
#include <support/matchers.hpp>

#include <memory>
#include <string>

using isorow::context_key;

TEST_CASE("a resource is found by its key") {
    isorow::detail::context all;
    context_key<std::string> const name{"name"};
    all.provide(name, std::make_shared<std::string>("lamps"));
    CHECK(all.use(name) == "lamps");
    all.use(name) += "!";
    CHECK(all.use(context_key<std::string const>{"name"}) == "lamps!");
}

TEST_CASE("a key without a resource is refused, and the one that was meant is named") {
    isorow::detail::context all;
    all.provide(context_key<int>{"model"}, std::make_shared<int>(1));
    CHECK_THROWS_MATCHES(all.use(context_key<int>{"modle"}), isorow::usage_error,
                         test::says("no value was provided for the context key \"modle\"; did you mean \"model\"?"));
}

TEST_CASE("a key of another type than the resource's is refused by name") {
    isorow::detail::context all;
    all.provide(context_key<int>{"model"}, std::make_shared<int>(1));
    CHECK_THROWS_MATCHES(all.use(context_key<double>{"model"}), isorow::usage_error,
                         test::says("the context key \"model\" is of type double, but a value of type int was provided for it"));
}

TEST_CASE("a key without a name is refused") { CHECK_THROWS_AS(context_key<int>{""}, isorow::usage_error); }
