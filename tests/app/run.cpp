#include "house.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <tuple>

using test::app_house;
using test::components;
using test::Product;
using test::rows;
using test::Source;

TEST_CASE_METHOD(app_house, "a memoized component runs only if its input or its version changed") {
    auto const first = run();
    CHECK(rows(first) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(components(first) == "4 ran, 0 unchanged, 0 kept, 0 removed, 0 failed");
    CHECK(stored() == "1=torch 2=lamp 3=bulb");
    CHECK(owners() == "/ /product/1! /product/2! /product/3!");

    auto const second = run();
    CHECK(ran.empty());
    CHECK(rows(second) == "0 inserted, 0 updated, 0 deleted, 3 unchanged");
    CHECK(components(second) == "1 ran, 3 unchanged, 0 kept, 0 removed, 0 failed");
    CHECK_FALSE(second.changed());

    sources[1].name = "lantern";
    auto const third = run();
    CHECK(ran == std::vector<std::int64_t>{2});
    CHECK(rows(third) == "0 inserted, 1 updated, 0 deleted, 2 unchanged");
    CHECK(stored() == "1=torch 2=lantern 3=bulb");

    ran.clear();
    app.run(products(2));
    CHECK(ran == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE_METHOD(app_house, "what is mounted no longer is deleted") {
    run();
    sources.erase(sources.begin() + 1);
    auto const done = run();
    CHECK(rows(done) == "0 inserted, 0 updated, 1 deleted, 2 unchanged");
    CHECK(components(done) == "1 ran, 2 unchanged, 0 kept, 1 removed, 0 failed");
    CHECK(stored() == "1=torch 3=bulb");
    CHECK(owners() == "/ /product/1! /product/3!");
}

TEST_CASE_METHOD(app_house, "a run that fails writes nothing") {
    run();
    sources[0].name = "other";
    CHECK_THROWS_AS(app.run([&](isorow::scope root) {
        products()(root);
        throw std::runtime_error("no more");
    }),
                    std::runtime_error);
    CHECK(stored() == "1=torch 2=lamp 3=bulb");
    CHECK(rows(run()) == "0 inserted, 1 updated, 0 deleted, 2 unchanged");
}

TEST_CASE_METHOD(app_house, "the root declares rows itself, and what it declares no longer is deleted") {
    auto const declare = [&](std::vector<Product> const& all) {
        return app.run([&](isorow::scope root) { root.target<Product>().rows(root / "row", all); });
    };
    declare({{1, "a", 1.0}, {2, "b", {}}});
    CHECK(stored() == "1=a 2=b");
    CHECK(rows(declare({{2, "c", {}}})) == "0 inserted, 1 updated, 1 deleted, 0 unchanged");
    CHECK(owners() == "/");
}

TEST_CASE_METHOD(app_house, "a component without an input runs in each run, one with a version alone once for each version") {
    int each = 0;
    int once = 0;
    auto const work = [&](std::int64_t number) {
        app.run([&](isorow::scope root) {
            auto const table = root.target<Product>();
            root.mount("each", [&, table](isorow::scope here) { table.row(here, {++each, "each", {}}); });
            root.mount("once", isorow::version{number},
                       [&, table](isorow::scope here) { table.row(here, {100, "once " + std::to_string(++once), {}}); });
        });
    };
    work(1);
    work(1);
    CHECK(stored() == "2=each 100=once 1");
    work(2);
    CHECK(stored() == "3=each 100=once 2");
}

TEST_CASE_METHOD(app_house, "components may have several inputs") {
    std::string seen;
    auto const work = [&](std::int64_t number, std::string const& name) {
        seen.clear();
        app.run([&](isorow::scope root) {
            auto const table = root.target<Product>();
            root.mount("unpacked", isorow::version{1}, std::tuple(number, name),
                       [&, table](isorow::scope here, std::int64_t id, std::string const& what) {
                           seen += "unpacked ";
                           table.row(here, {id, what, {}});
                       });
            root.mount("whole", isorow::version{1}, std::tuple(number),
                       [&](isorow::scope, std::tuple<std::int64_t> const&) { seen += "whole "; });
            root.mount("referred", isorow::version{1}, std::tie(name), [&](isorow::scope, std::string const&) { seen += "referred "; });
        });
        return seen;
    };
    CHECK(work(1, "a") == "unpacked whole referred ");
    CHECK(work(1, "a").empty());
    CHECK(work(1, "b") == "unpacked referred ");
    CHECK(stored() == "1=b");
}

TEST_CASE_METHOD(app_house, "what is mounted below a component that stands stands too") {
    int calls = 0;
    auto const work = [&](std::int64_t shop) {
        return app.run([&](isorow::scope root) {
            auto const table = root.target<Product>();
            root.mount({"shop", "berlin"}, isorow::version{1}, shop, [&, table](isorow::scope here, std::int64_t const& in) {
                ++calls;
                table.row(here, {in, "shop", {}});
                here.mount({"product", 7}, isorow::version{1}, 7, [&, table](isorow::scope below, int) {
                    ++calls;
                    table.row(below, {7, "product", {}});
                });
            });
        });
    };
    work(1);
    CHECK(calls == 2);
    CHECK(owners() == "/ /shop/berlin! /shop/berlin/product/7!");
    CHECK(rows(work(1)) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(calls == 2);
    CHECK(rows(work(2)) == "1 inserted, 0 updated, 1 deleted, 1 unchanged");
    CHECK(calls == 3);
}

TEST_CASE_METHOD(app_house, "a row that goes from one component to another in one run is moved") {
    auto const work = [&](std::string const& who) {
        return app.run([&](isorow::scope root) {
            auto const table = root.target<Product>();
            root.mount({"who", who}, [=](isorow::scope here) { table.row(here, {1, "same", {}}); });
            root.mount({"zz"}, [=](isorow::scope here) { table.row(here, {2, "other", {}}); });
        });
    };
    work("a");
    auto const moved = work("b");
    CHECK(rows(moved) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    REQUIRE(moved.tables.size() == 1);
    CHECK(moved.tables[0].moved == 1);
    CHECK(stored() == "1=same 2=other");
    CHECK(rows(work("a")) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
}

TEST_CASE_METHOD(app_house, "two components that declare one key are refused, and all are named") {
    auto const work = [&] {
        app.run([&](isorow::scope root) {
            auto const table = root.target<Product>();
            root.mount({"one", 1}, [=](isorow::scope here) { table.row(here, {7, "a", {}}); });
            root.mount({"two"}, [=](isorow::scope here) { table.row(here, {7, "b", {}}); });
        });
    };
    CHECK_THROWS_MATCHES(work(), isorow::duplicate_key,
                         test::says("two components declare the row of \"public\".\"products\" with the key (id) = (7): /one/1 and /two"));
    CHECK(home.sql("SELECT to_regclass('products') IS NULL") == "t");
}

TEST_CASE_METHOD(app_house, "a key of a component that stands is refused to another one") {
    run();
    CHECK_THROWS_MATCHES(app.run([&](isorow::scope root) {
        products()(root);
        root.mount("greedy", [](isorow::scope here) { here.target<Product>().row(here, {2, "mine", {}}); });
    }),
                         isorow::declaration_error, test::says("/product/2"));
    CHECK(stored() == "1=torch 2=lamp 3=bulb");
}

TEST_CASE_METHOD(app_house, "a handle takes the scopes of its own run only") {
    isorow::app other(main, "other");
    app.run([&](isorow::scope root) {
        auto const table = root.target<Product>();
        other.run([&](isorow::scope foreign) {
            CHECK_THROWS_MATCHES(table.row(foreign, {1, "a", {}}), isorow::usage_error,
                                 test::says("the handle of \"public\".\"products\" belongs to another run than the scope"));
        });
    });
}

TEST_CASE_METHOD(app_house, "one component that declares one key twice is refused with both rows") {
    auto const work = [&] {
        app.run([&](isorow::scope root) {
            auto const table = root.target<Product>();
            root.mount("other", [=](isorow::scope here) { table.row(here, {1, "x", {}}); });
            root.mount("twice",
                       [=](isorow::scope here) { table.rows(here, std::vector<Product>{{5, "a", {}}, {6, "b", {}}, {5, "c", {}}}); });
        });
    };
    CHECK_THROWS_MATCHES(work(), isorow::duplicate_key,
                         test::says("two declared rows of \"public\".\"products\" have the key (id) = (5): row 1 and row 3 of /twice"));
}

TEST_CASE_METHOD(app_house, "a value that its column cannot hold is refused with field, row and component") {
    CHECK_THROWS_MATCHES(app.run([&](isorow::scope root) {
        auto const table = root.target<Product>();
        table.row(root, {1, "fine", {}});
        table.row(root / "row" / 2, {2, std::string("a\0b", 3), {}});
    }),
                         isorow::unrepresentable, test::says("row 2 of /: Product.name"));
}

TEST_CASE_METHOD(app_house, "dirty texts are cleaned where the table says so") {
    app.run(
        [&](isorow::scope root) { root.target<Product>({.text = isorow::text_policy::strip}).row(root, {1, std::string("a\0b", 3), {}}); });
    CHECK(stored() == "1=ab");
}

TEST_CASE_METHOD(app_house, "one path is mounted once in a run") {
    CHECK_THROWS_MATCHES(app.run([](isorow::scope root) {
        root.mount({"a", 1}, [](isorow::scope) {});
        root.mount({"a", 1}, [](isorow::scope) {});
    }),
                         isorow::usage_error, test::says("the component /a/1 is mounted twice in one run"));
}

TEST_CASE_METHOD(app_house, "a run of a part leaves the others alone") {
    auto const shops = [&](std::string const& name) {
        return [&, name](isorow::scope root) {
            auto const table = root.target<Product>();
            std::int64_t id = 0;
            for (auto const* city : {"berlin", "paris"})
                root.mount({"shops", city}, [&, table, number = ++id](isorow::scope here) { table.row(here, {number, name, {}}); });
        };
    };
    app.run(shops("first"));
    auto const part = app.run_under({"shops", "berlin"}, [](isorow::scope here) {
        CHECK(here.path() == isorow::scope_path{"shops", "berlin"});
        auto const table = here.target<Product>();
        table.row(here, {11, "part", {}});
        here.mount("more", [=](isorow::scope below) { table.row(below, {12, "more", {}}); });
    });
    CHECK(rows(part) == "2 inserted, 0 updated, 1 deleted, 0 unchanged");
    CHECK(stored() == "2=first 11=part 12=more");
    CHECK(rows(app.run(shops("first"))) == "1 inserted, 0 updated, 2 deleted, 1 unchanged");
    CHECK(stored() == "1=first 2=first");
}

TEST_CASE_METHOD(app_house, "a memoized component that was run as a part runs in the next whole run") {
    run();
    app.run_under({"product", 2}, [](isorow::scope here) { here.target<Product>().row(here, {2, "by hand", {}}); });
    CHECK(stored() == "1=torch 2=by hand 3=bulb");
    run();
    CHECK(ran == std::vector<std::int64_t>{2});
    CHECK(stored() == "1=torch 2=lamp 3=bulb");
}

TEST_CASE_METHOD(app_house, "a component returns a value to who runs it") {
    app.run([&](isorow::scope root) {
        auto const table = root.run({"setup", "table"}, [](isorow::scope here) { return here.target<Product>(); });
        auto const count = root.run("count", [&](isorow::scope here) {
            here.mount("below", [=](isorow::scope below) { table.row(below, {1, "below", {}}); });
            return 42;
        });
        CHECK(count == 42);
        root.run("nothing", [&](isorow::scope here) { table.row(here, {2, "here", {}}); });
    });
    CHECK(stored() == "1=below 2=here");
    CHECK(owners() == "/ /count /count/below /nothing /setup/table");
}

TEST_CASE_METHOD(app_house, "scopes name what is below them") {
    app.run([&](isorow::scope root) {
        auto const row = root / "row" / 17 / "x/y";
        CHECK(row.path() == isorow::scope_path{"row", 17, "x/y"});
        root.mount({"a"}, [](isorow::scope here) {
            (here / "b").mount({"c"}, [](isorow::scope below) { CHECK(below.path().text() == "/a/b/c"); });
        });
    });
    CHECK(owners() == "/ /a /a/b/c");
}

TEST_CASE_METHOD(app_house, "resources come by context keys, as values and as references") {
    struct embedder {
        explicit embedder(int given) : calls(given) {}
        embedder(embedder const&) = delete;
        embedder& operator=(embedder const&) = delete;
        int calls;
    };
    embedder model(1);
    isorow::context_key<embedder> const model_key{"model"};
    isorow::context_key<embedder const> const read_only{"model"};
    isorow::context_key<std::string> const name_key{"name"};
    isorow::context_key<isorow::pool> const pool_key{"pool"};
    app.provide(model_key, std::ref(model));
    app.provide(name_key, "lamps");
    app.provide(pool_key, std::ref(pool));
    app.run([&](isorow::scope root) {
        ++root.use(model_key).calls;
        root.mount("below", [&](isorow::scope here) {
            CHECK(here.use(read_only).calls == 2);
            CHECK(here.use(name_key) == "lamps");
            CHECK(isorow::query_one<std::int32_t>(here.use(pool_key), "SELECT 7") == 7);
            CHECK_THROWS_MATCHES(here.use(isorow::context_key<int>{"nam"}), isorow::usage_error, test::says("did you mean \"name\"?"));
        });
    });
    CHECK(model.calls == 2);
    app.provide(name_key, std::string("bulbs"));
    app.run([&](isorow::scope root) { CHECK(root.use(name_key) == "bulbs"); });
}

TEST_CASE_METHOD(app_house, "a database is a resource, too") {
    test::database other;
    isorow::pool other_pool(other.dsn(), {.min_size = 1});
    isorow::context_key<isorow::database> const reading{"reading"};
    app.provide(reading, isorow::register_db(other.name(), other_pool));
    app.run([&](isorow::scope root) {
        CHECK(isorow::query_one<std::string>(root.use(reading), "SELECT current_database()::text") == other.name());
        CHECK_THROWS_AS(isorow::register_db(other.name(), other_pool), isorow::usage_error);
    });
}

TEST_CASE_METHOD(app_house, "handles and scopes of a run that has ended are refused") {
    std::optional<isorow::table_target<Product>> table;
    std::optional<isorow::pending_target<Product>> pending;
    std::optional<isorow::scope> left;
    isorow::context_key<int> const key{"key"};
    app.provide(key, 1);
    app.run([&](isorow::scope root) {
        pending = root.declare_target<Product>();
        table = pending->resolve();
        left = root;
    });
    auto const has_ended = test::says("the run of the app \"catalogue\" has ended");
    CHECK_THROWS_MATCHES(table->row(*left, {1, "a", {}}), isorow::usage_error, has_ended);
    CHECK_THROWS_MATCHES(left->mount("a", [](isorow::scope) {}), isorow::usage_error, has_ended);
    CHECK_THROWS_MATCHES(left->use(key), isorow::usage_error, has_ended);
    CHECK_THROWS_MATCHES(left->target<Product>(), isorow::usage_error, has_ended);
    CHECK_THROWS_MATCHES(static_cast<void>(pending->resolve()), isorow::usage_error, has_ended);
    app.run([&](isorow::scope root) {
        CHECK_THROWS_MATCHES(table->row(root, {1, "a", {}}), isorow::usage_error, has_ended);
        static_cast<void>(root.target<Product>());
    });
}

TEST_CASE_METHOD(app_house, "a component uses the scope that it was given, and only while it runs") {
    CHECK_THROWS_MATCHES(app.run([&](isorow::scope root) {
        auto const table = root.target<Product>();
        root.mount("a", [&](isorow::scope) { table.row(root, {1, "a", {}}); });
    }),
                         isorow::usage_error,
                         test::says("the component /a uses the scope of /: a component uses the scope that its function was given"));
    CHECK_THROWS_MATCHES(
        app.run([&](isorow::scope root) { root.mount("a", [&](isorow::scope) { root.mount("b", [](isorow::scope) {}); }); }),
        isorow::usage_error, test::says("the component /a uses the scope of /"));
    CHECK_THROWS_MATCHES(app.run([&](isorow::scope root) {
        auto const table = root.target<Product>();
        std::optional<isorow::scope> left;
        root.mount("a", [&](isorow::scope here) { left = here; });
        table.row(*left, {1, "a", {}});
    }),
                         isorow::usage_error, test::says("the scope of /a is used after its function has returned"));
}

TEST_CASE_METHOD(app_house, "a table may be declared by several components, but not in two ways") {
    app.run([&](isorow::scope root) {
        root.mount("a", [](isorow::scope here) { here.target<Product>().row(here, {1, "a", {}}); });
        root.mount("b", [](isorow::scope here) { here.target<Product>().row(here, {2, "b", {}}); });
    });
    CHECK(stored() == "1=a 2=b");
    CHECK_THROWS_MATCHES(app.run([&](isorow::scope root) {
        static_cast<void>(root.target<Product>());
        static_cast<void>(root.target<Product>({.text = isorow::text_policy::strip}));
    }),
                         isorow::usage_error,
                         test::says("the table \"public\".\"products\" is declared twice in one run, with different columns or options"));
    CHECK_THROWS_MATCHES(app.run([&](isorow::scope root) { static_cast<void>(root.target<Product>({.owner = "me"})); }),
                         isorow::usage_error, test::says("rows belong to the scopes"));
}

TEST_CASE_METHOD(app_house, "a table goes where its options say") {
    app.run([&](isorow::scope root) { root.target<Product>({.table = "goods"}).row(root, {1, "a", {}}); });
    CHECK(home.sql("SELECT name FROM goods") == "a");
}

TEST_CASE_METHOD(app_house, "two apps live together in one database") {
    isorow::app other(main, "other");
    run();
    other.run([&](isorow::scope root) { root.target<Product>({.table = "goods"}).row(root, {1, "a", {}}); });
    CHECK(rows(run()) == "0 inserted, 0 updated, 0 deleted, 3 unchanged");
    CHECK(rows(other.run([&](isorow::scope root) { static_cast<void>(root.target<Product>({.table = "goods"})); })) ==
          "0 inserted, 0 updated, 1 deleted, 0 unchanged");
    CHECK(stored() == "1=torch 2=lamp 3=bulb");
    CHECK_THROWS_AS(other.run([&](isorow::scope root) { static_cast<void>(root.target<Product>()); }), isorow::not_owned);
}

TEST_CASE_METHOD(app_house, "an app is recognised by the keys of its database and its own") {
    run();
    sources.pop_back();
    test::database unrelated;
    isorow::app same(main, "catalogue");
    CHECK(rows(same.run(products())) == "0 inserted, 0 updated, 1 deleted, 2 unchanged");
}

TEST_CASE_METHOD(app_house, "a path that is too long for the database is refused by name") {
    CHECK_THROWS_MATCHES(app.run([](isorow::scope root) { root.mount(std::string(3000, 'x'), [](isorow::scope) {}); }), isorow::usage_error,
                         test::says("has 3001 bytes"));
}

TEST_CASE_METHOD(app_house, "progress is told") {
    std::int64_t told = 0;
    isorow::run_options options;
    options.progress = [&](isorow::run_progress const& now) {
        ++told;
        CHECK(now.elapsed >= std::chrono::milliseconds(250));
    };
    app.run(
        [&](isorow::scope root) {
            for (int i = 0; i < 4; ++i)
                root.mount({"slow", i}, [](isorow::scope) { std::this_thread::sleep_for(std::chrono::milliseconds(150)); });
        },
        options);
    CHECK(told >= 1);
}

TEST_CASE_METHOD(app_house, "many rows of one component are merged while it runs, and more than the memory allows wait on the server",
                 "[session]") {
    isorow::run_options options;
    options.commit.memory = 1 << 20;
    auto const work = [&](std::int64_t count) {
        return app.run(
            [&](isorow::scope root) {
                auto const table = root.target<Product>();
                for (std::int64_t i = 0; i < count; ++i) table.row(root, {i, "product " + std::to_string(i), {}});
            },
            options);
    };
    CHECK(rows(work(50'000)) == "50000 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(rows(work(50'000)) == "0 inserted, 0 updated, 0 deleted, 50000 unchanged");
    CHECK(rows(work(49'000)) == "0 inserted, 0 updated, 1000 deleted, 49000 unchanged");
}
