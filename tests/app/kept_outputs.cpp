#include "house.hpp"

#include <catch2/catch_test_macros.hpp>

#include <mutex>
#include <stdexcept>
#include <thread>

using test::app_house;
using test::components;
using test::Product;
using test::rows;
using test::Source;

namespace {

struct keeping_house : app_house {
    isorow::keep_outputs keep = isorow::keep_outputs::always;
    std::size_t threads = 1;
    std::chrono::milliseconds pause{0};
    isorow::text_policy text = isorow::text_policy::refuse;

    /// A run that dies behind its components.
    void die() {
        CHECK_THROWS_AS(app.run(
                            [this](isorow::scope root) {
                                body(root);
                                throw std::runtime_error("killed");
                            },
                            options()),
                        std::runtime_error);
    }
    isorow::report finish() {
        ran.clear();
        return app.run([this](isorow::scope root) { body(root); }, options());
    }
    [[nodiscard]] std::string kept() const { return home.sql("SELECT count(*) FROM isorow.kept_outputs"); }

    [[nodiscard]] isorow::run_options options() const {
        isorow::run_options all;
        all.keep_outputs = keep;
        all.threads = threads;
        return all;
    }
    void body(isorow::scope const& root) {
        auto const table = root.target<Product>({.text = text});
        for (auto const& source : sources)
            root.mount({"product", source.id}, isorow::version{1}, source, [this, table](isorow::scope here, Source const& in) {
                std::this_thread::sleep_for(pause);
                {
                    std::lock_guard const lock(mutex_);
                    ran.push_back(in.id);
                }
                table.row(here, {in.id, in.name, {}});
            });
    }

private:
    std::mutex mutex_{};
};

}  // namespace

TEST_CASE_METHOD(keeping_house, "what memoized components declared is kept when a run dies, and they are not called again") {
    die();
    CHECK(kept() == "3");
    CHECK(home.sql("SELECT to_regclass('products') IS NULL") == "t");
    auto const done = finish();
    CHECK(ran.empty());
    CHECK(components(done) == "4 ran, 0 unchanged, 3 kept, 0 removed, 0 failed");
    CHECK(rows(done) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(stored() == "1=torch 2=lamp 3=bulb");
    CHECK(kept() == "0");
    CHECK(components(finish()) == "1 ran, 3 unchanged, 0 kept, 0 removed, 0 failed");
}

TEST_CASE_METHOD(keeping_house, "a kept output is used for the input that it was made of only") {
    die();
    sources[1].name = "lantern";
    auto const done = finish();
    CHECK(ran == std::vector<std::int64_t>{2});
    CHECK(components(done) == "4 ran, 0 unchanged, 2 kept, 0 removed, 0 failed");
    CHECK(stored() == "1=torch 2=lantern 3=bulb");
}

TEST_CASE_METHOD(keeping_house, "a kept output is not used for a table whose rows have another form now") {
    die();
    text = isorow::text_policy::strip;
    finish();
    CHECK(ran == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE_METHOD(keeping_house, "a kept output that cannot be read is not used") {
    die();
    home.sql("UPDATE isorow.kept_outputs SET output = substr(output, 1, 9)");
    finish();
    CHECK(ran == std::vector<std::int64_t>{1, 2, 3});
    CHECK(stored() == "1=torch 2=lamp 3=bulb");
}

TEST_CASE_METHOD(keeping_house, "outputs that are too many to be read at once are read one by one") {
    sources.push_back({4, std::string(80 << 20, 'x')});
    die();
    finish();
    CHECK(ran.empty());
    CHECK(home.sql("SELECT length(name) FROM products WHERE id = 4") == std::to_string(80 << 20));
}

TEST_CASE_METHOD(keeping_house, "nothing is kept where that is said, and by a run that is short") {
    keep = isorow::keep_outputs::never;
    die();
    CHECK(kept() == "0");
    keep = isorow::keep_outputs::automatic;
    die();
    CHECK(kept() == "0");
    finish();
    CHECK(ran.size() == 3);
}

TEST_CASE_METHOD(keeping_house, "a run that lasts keeps outputs together, about once a second") {
    keep = isorow::keep_outputs::automatic;
    pause = std::chrono::milliseconds(450);
    die();
    CHECK(kept() == "3");
    pause = {};
    finish();
    CHECK(ran.empty());
}

TEST_CASE_METHOD(keeping_house, "outputs are kept where the commit fails, too") {
    keep = isorow::keep_outputs::automatic;
    pause = std::chrono::milliseconds(450);
    home.sql("CREATE TABLE products (id bigint PRIMARY KEY)");
    CHECK_THROWS_AS(finish(), isorow::not_owned);
    home.sql("DROP TABLE products");
    CHECK_THROWS_AS(app.run(
                        [this](isorow::scope root) {
                            body(root);
                            home.sql("CREATE TABLE products (id bigint PRIMARY KEY)");
                        },
                        options()),
                    isorow::not_owned);
    CHECK(kept() == "3");
    home.sql("DROP TABLE products");
    finish();
    CHECK(ran.empty());
}

TEST_CASE_METHOD(keeping_house, "outputs are kept from all threads") {
    sources.clear();
    for (std::int64_t i = 0; i < 200; ++i) sources.push_back({i, "product " + std::to_string(i)});
    threads = 4;
    die();
    // What waited for a thread when the run died was not begun.
    auto const count = std::stoull(kept());
    CHECK(count == ran.size());
    CHECK(count > 100);
    auto const done = finish();
    CHECK(ran.size() == 200 - count);
    CHECK(rows(done) == "200 inserted, 0 updated, 0 deleted, 0 unchanged");
}

TEST_CASE_METHOD(keeping_house, "components that declare more than rows are called again, those below them are not") {
    int outer = 0;
    int inner = 0;
    isorow::run_options options;
    options.keep_outputs = isorow::keep_outputs::always;
    auto const work = [&](bool dies) {
        app.run(
            [&](isorow::scope root) {
                auto const table = root.target<Product>();
                root.mount("outer", isorow::version{1}, 1, [&, table](isorow::scope here, int) {
                    ++outer;
                    here.mount("inner", isorow::version{1}, 2, [&, table](isorow::scope below, int) {
                        ++inner;
                        table.row(below, {1, "inner", {}});
                    });
                });
                if (dies) throw std::runtime_error("killed");
            },
            options);
    };
    CHECK_THROWS_AS(work(true), std::runtime_error);
    work(false);
    CHECK(outer == 2);
    CHECK(inner == 1);
    CHECK(stored() == "1=inner");
}

TEST_CASE_METHOD(keeping_house, "a plan uses kept outputs and keeps none") {
    die();
    sources.push_back({4, "new"});
    ran.clear();
    isorow::run_options options;
    options.keep_outputs = isorow::keep_outputs::always;
    auto const planned = app.plan(products(), options);
    CHECK(planned.inserted == 4);
    CHECK(kept() == "3");
}

TEST_CASE_METHOD(keeping_house, "a run goes on without keeping outputs where they cannot be kept") {
    finish();
    home.sql("ALTER TABLE isorow.kept_outputs ADD CHECK (false)");
    sources.push_back({4, "new"});
    CHECK(rows(finish()) == "1 inserted, 0 updated, 0 deleted, 3 unchanged");
}
