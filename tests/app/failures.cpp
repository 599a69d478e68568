#include "house.hpp"

#include <catch2/catch_test_macros.hpp>

#include <exception>
#include <stdexcept>

using test::app_house;
using test::components;
using test::Product;
using test::rows;
using test::Source;

namespace {

struct no_answer : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A component of each source, some of which throw.
struct failing_house : app_house {
    std::set<std::int64_t> broken{};

    auto fragile() {
        return [this](isorow::scope root) {
            auto const table = root.target<Product>();
            for (auto const& source : sources)
                root.mount({"product", source.id}, isorow::version{1}, source, [this, table](isorow::scope here, Source const& in) {
                    table.row(here, {in.id, in.name, {}});
                    if (broken.contains(in.id)) throw no_answer("no answer for " + in.name);
                });
        };
    }
};

isorow::run_options keeping() {
    isorow::run_options options;
    options.on_failure = isorow::on_failure::keep_previous;
    return options;
}

}  // namespace

TEST_CASE_METHOD(failing_house, "a component that throws fails the run by its path, with its exception nested") {
    broken = {2};
    try {
        app.run(fragile());
        FAIL("it did not throw");
    } catch (isorow::component_failed const& failure) {
        CHECK(failure.path() == "/product/2");
        CHECK(std::string(failure.what()) == "the component /product/2 failed: no answer for lamp");
        CHECK_FALSE(failure.retryable());
        CHECK_THROWS_AS(std::rethrow_if_nested(failure), no_answer);
    }
    CHECK(home.sql("SELECT to_regclass('products') IS NULL") == "t");
}

TEST_CASE_METHOD(failing_house, "a failure that a second run may not meet says so") {
    try {
        app.run([](isorow::scope root) { root.mount("a", [](isorow::scope) { throw isorow::connection_lost("gone"); }); });
        FAIL("it did not throw");
    } catch (isorow::component_failed const& failure) {
        CHECK(failure.retryable());
    }
}

TEST_CASE_METHOD(failing_house, "a run whose component failed fails, even where the exception is swallowed") {
    broken = {2};
    CHECK_THROWS_AS(app.run([&](isorow::scope root) {
        try {
            fragile()(root);
        } catch (isorow::component_failed const&) {
        }
    }),
                    isorow::component_failed);
}

TEST_CASE_METHOD(failing_house, "by choice a component that throws keeps its former rows, and runs again in the next run") {
    app.run(fragile(), keeping());
    for (auto& source : sources) source.name += "!";
    broken = {2};
    auto const done = app.run(fragile(), keeping());
    CHECK(rows(done) == "0 inserted, 2 updated, 0 deleted, 1 unchanged");
    CHECK(components(done) == "3 ran, 0 unchanged, 0 kept, 0 removed, 1 failed");
    REQUIRE(done.failures.size() == 1);
    CHECK(done.failures[0].path == "/product/2");
    CHECK(done.failures[0].what == "no answer for lamp!");
    CHECK(stored() == "1=torch! 2=lamp 3=bulb!");
    broken.clear();
    auto const next = app.run(fragile(), keeping());
    CHECK(components(next) == "2 ran, 2 unchanged, 0 kept, 0 removed, 0 failed");
    CHECK(stored() == "1=torch! 2=lamp! 3=bulb!");
}

TEST_CASE_METHOD(failing_house, "a component that throws in its first run is not entered") {
    broken = {1, 3};
    auto const done = app.run(fragile(), keeping());
    CHECK(components(done) == "2 ran, 0 unchanged, 0 kept, 0 removed, 2 failed");
    CHECK(stored() == "2=lamp");
    broken.clear();
    CHECK(components(app.run(fragile(), keeping())) == "3 ran, 1 unchanged, 0 kept, 0 removed, 0 failed");
    CHECK(stored() == "1=torch 2=lamp 3=bulb");
}

TEST_CASE_METHOD(failing_house, "what a component that fails had mounted stands as it was, and what it mounts anew is dropped") {
    bool fails = false;
    std::string name = "first";
    auto const work = [&] {
        return app.run(
            [&](isorow::scope root) {
                auto const table = root.target<Product>();
                root.mount({"shop"}, [&, table](isorow::scope here) {
                    here.mount({"a"}, isorow::version{1}, name,
                               [=](isorow::scope below, std::string const& in) { table.row(below, {1, in, {}}); });
                    if (fails) here.mount({"new"}, [=](isorow::scope below) { table.row(below, {2, "new", {}}); });
                    if (fails) throw no_answer("closed");
                });
                root.mount({"other"}, [&, table](isorow::scope here) { table.row(here, {3, name, {}}); });
            },
            keeping());
    };
    work();
    fails = true;
    name = "second";
    auto const done = work();
    CHECK(done.failures.size() == 1);
    CHECK(stored() == "1=first 3=second");
    CHECK(owners() == "/ /other /shop /shop/a!");
    fails = false;
    work();
    CHECK(stored() == "1=second 3=second");
}

TEST_CASE_METHOD(failing_house, "a memoized component below which one failed runs again, whatever its input") {
    bool fails = true;
    int calls = 0;
    auto const work = [&] {
        return app.run(
            [&](isorow::scope root) {
                auto const table = root.target<Product>();
                root.mount({"shop"}, isorow::version{1}, 7, [&, table](isorow::scope here, int) {
                    ++calls;
                    here.mount({"inner"}, isorow::version{1}, 8, [&, table](isorow::scope below, int) {
                        if (fails) throw no_answer("closed");
                        table.row(below, {1, "inner", {}});
                    });
                    table.row(here, {2, "shop", {}});
                });
            },
            keeping());
    };
    work();
    CHECK(stored() == "2=shop");
    fails = false;
    work();
    CHECK(calls == 2);
    CHECK(stored() == "1=inner 2=shop");
    work();
    CHECK(calls == 2);
}

TEST_CASE_METHOD(failing_house, "a component that is run for its value throws to who runs it, and may be caught there") {
    auto const done = app.run(
        [&](isorow::scope root) {
            auto const table = root.target<Product>();
            root.mount("caught", [&, table](isorow::scope here) {
                CHECK_THROWS_AS(here.run("value", [](isorow::scope) -> int { throw no_answer("none"); }), isorow::component_failed);
                table.row(here, {1, "caught", {}});
            });
            root.mount("not caught", [&, table](isorow::scope here) {
                table.row(here, {2, "lost", {}});
                here.run("value", [](isorow::scope) -> int { throw no_answer("none"); });
            });
        },
        keeping());
    REQUIRE(done.failures.size() == 3);
    CHECK(done.failures[0].path == "/caught/value");
    CHECK(done.failures[1].path == "/not caught");
    CHECK(done.failures[2].path == "/not caught/value");
    CHECK(stored() == "1=caught");
}

TEST_CASE_METHOD(failing_house, "the root's failure, and isorow used wrongly, fail the run whatever the choice") {
    CHECK_THROWS_AS(app.run([](isorow::scope) { throw no_answer("none"); }, keeping()), no_answer);
    CHECK_THROWS_AS(app.run(
                        [](isorow::scope root) {
                            root.mount("a", [](isorow::scope here) {
                                here.mount("b", [](isorow::scope) {});
                                here.mount("b", [](isorow::scope) {});
                            });
                        },
                        keeping()),
                    isorow::usage_error);
    CHECK_THROWS_AS(app.run(
                        [](isorow::scope root) {
                            auto const table = root.target<Product>();
                            for (int i = 0; i < 2; ++i) root.mount({"a", i}, [=](isorow::scope here) { table.row(here, {1, "a", {}}); });
                        },
                        keeping()),
                    isorow::duplicate_key);
    CHECK_THROWS_AS(app.run([](isorow::scope root) { root.mount("a", [](isorow::scope) { throw 42; }); }, keeping()), int);
}

TEST_CASE_METHOD(failing_house, "a table that only a failed component declared is not made") {
    app.run(
        [](isorow::scope root) {
            root.mount("a", [](isorow::scope here) {
                static_cast<void>(here.target<Product>());
                throw no_answer("none");
            });
        },
        keeping());
    CHECK(home.sql("SELECT to_regclass('products') IS NULL") == "t");
}

TEST_CASE_METHOD(failing_house, "a stop token ends a run at the next mount") {
    std::stop_source stop;
    isorow::run_options options = keeping();
    options.stop = stop.get_token();
    int calls = 0;
    CHECK_THROWS_MATCHES(app.run(
                             [&](isorow::scope root) {
                                 for (int i = 0; i < 5; ++i)
                                     root.mount({"a", i}, [&](isorow::scope here) {
                                         CHECK(here.stop().stop_possible());
                                         if (++calls == 2) stop.request_stop();
                                     });
                             },
                             options),
                         isorow::stopped, test::says("stopped while running the app \"catalogue\""));
    CHECK(calls == 2);
}

TEST_CASE_METHOD(failing_house, "a component that is stopped is not one that failed") {
    std::stop_source stop;
    isorow::run_options options = keeping();
    options.stop = stop.get_token();
    CHECK_THROWS_AS(
        app.run(
            [&](isorow::scope root) {
                root.mount("a", [&](isorow::scope here) {
                    stop.request_stop();
                    static_cast<void>(isorow::query<std::int32_t>(isorow::within(pool, std::chrono::seconds(60), here.stop()), "SELECT 1"));
                });
            },
            options),
        isorow::stopped);
}
