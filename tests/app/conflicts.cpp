#include "house.hpp"

#include <catch2/catch_test_macros.hpp>

#include <future>
#include <stdexcept>
#include <thread>

using test::app_house;
using test::Product;
using test::rows;

namespace {

/// Ends all connections to the database, and returns when they have ended.
void cut_off(test::database const& database) {
    std::string const others = " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    database.sql("SELECT pg_terminate_backend(pid)" + others);
    while (database.sql("SELECT count(*)" + others) != "0") std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

isorow::run_options refusing() {
    isorow::run_options options;
    options.on_conflict = isorow::on_conflict::refuse;
    return options;
}

}  // namespace

TEST_CASE_METHOD(app_house, "a second run of an app is refused, and says by whom it is being run", "[session]") {
    std::promise<void> let_go;
    std::promise<void> begun;
    isorow::app same(main, "catalogue");
    auto others = std::async(std::launch::async, [&] {
        same.run([&](isorow::scope) {
            begun.set_value();
            let_go.get_future().wait();
        });
    });
    begun.get_future().wait();
    CHECK_THROWS_MATCHES(
        app.run([](isorow::scope) {}, refusing()), isorow::run_in_progress,
        test::says("the app \"catalogue\" of the database \"" + home.name() + "\" is being run already: by the server's process "));
    isorow::run_options patient;
    patient.conflict_timeout = std::chrono::milliseconds(100);
    CHECK_THROWS_MATCHES(app.run([](isorow::scope) {}, patient), isorow::run_in_progress, test::says(", connected since 2"));
    std::stop_source stop;
    isorow::run_options stopping;
    stopping.stop = stop.get_token();
    std::jthread const stopper([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        stop.request_stop();
    });
    CHECK_THROWS_AS(app.run([](isorow::scope) {}, stopping), isorow::stopped);
    let_go.set_value();
    others.get();
    CHECK_NOTHROW(app.run([](isorow::scope) {}, refusing()));
}

TEST_CASE_METHOD(app_house, "a second run of an app waits for the first, and sees what it has done", "[session]") {
    isorow::app same(main, "catalogue");
    std::promise<void> begun;
    auto others = std::async(std::launch::async, [&] {
        same.run([&](isorow::scope root) {
            begun.set_value();
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            products()(root);
        });
    });
    begun.get_future().wait();
    CHECK(rows(app.run(products())) == "0 inserted, 0 updated, 0 deleted, 3 unchanged");
    others.get();
}

TEST_CASE_METHOD(app_house, "runs of two apps of one database go on at once") {
    isorow::app other(main, "other");
    app.run([&](isorow::scope) { CHECK_NOTHROW(other.run([](isorow::scope) {}, refusing())); });
}

TEST_CASE_METHOD(app_house, "the lock is given up at the end of a run, whatever its end") {
    CHECK_THROWS_AS(app.run([](isorow::scope) { throw std::runtime_error("no"); }), std::runtime_error);
    CHECK_NOTHROW(app.run([](isorow::scope) {}, refusing()));
    CHECK(home.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = "
                   "current_database())") == "0");
    std::optional<isorow::scope> left;
    CHECK_THROWS_AS(app.run([&](isorow::scope root) {
        left = root;
        throw std::runtime_error("no");
    }),
                    std::runtime_error);
    CHECK_NOTHROW(app.run([](isorow::scope) {}, refusing()));
}

TEST_CASE_METHOD(app_house, "a run whose connection is lost while it computes commits on another", "[session]") {
    run();
    sources[0].name = "other";
    auto const done = app.run([&](isorow::scope root) {
        products()(root);
        cut_off(home);
    });
    CHECK(rows(done) == "0 inserted, 1 updated, 0 deleted, 2 unchanged");
    CHECK(stored() == "1=other 2=lamp 3=bulb");
}

TEST_CASE_METHOD(app_house, "a run that was overtaken while it had lost its lock writes nothing", "[session]") {
    run();
    isorow::app same(main, "catalogue");
    sources[0].name = "overtaken";
    CHECK_THROWS_AS(app.run([&](isorow::scope root) {
        products()(root);
        cut_off(home);
        same.run([](isorow::scope other) {
            auto const table = other.target<Product>();
            table.row(other, {9, "overtaker", {}});
        });
    }),
                    isorow::run_conflict);
    CHECK(stored() == "9=overtaker");
}

TEST_CASE_METHOD(app_house, "rows that the server held for a run are lost with its connection", "[session]") {
    isorow::run_options options;
    options.commit.memory = 1 << 20;
    try {
        app.run(
            [&](isorow::scope root) {
                auto const table = root.target<Product>();
                for (std::int64_t i = 0; i < 50'000; ++i) table.row(root, {i, "product", {}});
                cut_off(home);
            },
            options);
        FAIL("it did not throw");
    } catch (isorow::error const& lost) {
        INFO(lost.what());
        CHECK(lost.retryable());
    }
    CHECK(home.sql("SELECT to_regclass('products') IS NULL") == "t");
}
