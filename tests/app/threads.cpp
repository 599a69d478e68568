#include "house.hpp"

#include <catch2/catch_test_macros.hpp>

#include <isorow/app/detail/component_queue.hpp>
#include <isorow/pq/detail/turn.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

using test::app_house;
using test::components;
using test::Product;
using test::rows;

namespace {

isorow::run_options with_threads(std::size_t threads) {
    isorow::run_options options;
    options.threads = threads;
    return options;
}

/// Counts how many are in it at once.
class crowd {
public:
    template <class Work>
    void enter(Work&& work) {
        auto const now = ++inside_;
        for (auto most = most_.load(); now > most && !most_.compare_exchange_weak(most, now);) {
        }
        work();
        --inside_;
    }
    [[nodiscard]] int most() const noexcept { return most_; }

private:
    std::atomic<int> inside_{0};
    std::atomic<int> most_{0};
};

void rest(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

}  // namespace

TEST_CASE("a turn is had by one at a time, also where many wait") {
    isorow::detail::turn turn;
    crowd inside;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 50; ++n) {
                    isorow::detail::turn::hold const held(turn);
                    inside.enter([&] {
                        if (n % 10 == 0) rest(1);
                    });
                }
            });
    }
    CHECK(inside.most() == 1);
    CHECK(turn.try_acquire());
    CHECK_FALSE(turn.try_acquire());
    turn.release();
}

TEST_CASE_METHOD(app_house, "components run on so many threads as were asked for, and no more") {
    crowd inside;
    std::set<std::thread::id> threads;
    std::mutex mutex;
    auto const done = app.run(
        [&](isorow::scope root) {
            auto const table = root.target<Product>();
            for (std::int64_t i = 0; i < 60; ++i)
                root.mount({"product", i}, isorow::version{1}, i, [&, table](isorow::scope here, std::int64_t id) {
                    inside.enter([] { rest(5); });
                    table.row(here, {id, "product", {}});
                    std::lock_guard const lock(mutex);
                    threads.insert(std::this_thread::get_id());
                });
        },
        with_threads(3));
    CHECK(rows(done) == "60 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(components(done) == "61 ran, 0 unchanged, 0 kept, 0 removed, 0 failed");
    CHECK(inside.most() <= 3);
    CHECK(inside.most() >= 2);
    CHECK(threads.size() >= 2);
    CHECK(threads.size() <= 3);
}

TEST_CASE_METHOD(app_house, "with one thread each component runs where it is mounted") {
    auto const here = std::this_thread::get_id();
    std::vector<int> order;
    app.run([&](isorow::scope root) {
        for (int i = 0; i < 3; ++i) {
            root.mount({"a", i}, [&](isorow::scope) {
                CHECK(std::this_thread::get_id() == here);
                order.push_back(i);
            });
            order.push_back(10 + i);
        }
    });
    CHECK(order == std::vector<int>{0, 10, 1, 11, 2, 12});
}

TEST_CASE_METHOD(app_house, "inputs are copied or moved to the threads, and outlive the mounter's") {
    std::mutex mutex;
    std::multiset<std::string> seen;
    app.run(
        [&](isorow::scope root) {
            for (int i = 0; i < 20; ++i) {
                auto copied = std::make_unique<std::string>("copied " + std::to_string(i % 2));
                std::string const name = *copied;
                root.mount({"copied", i}, isorow::version{1}, name, [&](isorow::scope, std::string const& in) {
                    rest(1);
                    std::lock_guard const lock(mutex);
                    seen.insert(in);
                });
                root.mount({"moved", i}, isorow::version{1}, std::move(copied), [&](isorow::scope, std::unique_ptr<std::string> const& in) {
                    std::lock_guard const lock(mutex);
                    seen.insert("moved " + *in);
                });
            }
        },
        with_threads(4));
    CHECK(seen.size() == 40);
    CHECK(seen.count("copied 0") == 10);
    CHECK(seen.count("moved copied 1") == 10);
}

TEST_CASE_METHOD(app_house, "components mount components, and run others for their values, on all threads") {
    auto const work = [&](std::size_t threads) {
        return app.run(
            [&](isorow::scope root) {
                auto const table = root.target<Product>();
                for (std::int64_t shop = 0; shop < 8; ++shop)
                    root.mount({"shop", shop}, [&, table, shop](isorow::scope here) {
                        auto const base = here.run("base", [&](isorow::scope below) {
                            for (std::int64_t i = 0; i < 5; ++i)
                                below.mount({"part", i}, [=](isorow::scope part) {
                                    rest(1);
                                    table.row(part, {shop * 1000 + 500 + i, "part", {}});
                                });
                            return shop * 1000;
                        });
                        for (std::int64_t i = 0; i < 5; ++i)
                            here.mount({"product", i}, isorow::version{1}, base + i, [=](isorow::scope below, std::int64_t id) {
                                rest(1);
                                table.row(below, {id, "product", {}});
                            });
                    });
            },
            with_threads(threads));
    };
    auto const done = work(4);
    CHECK(rows(done) == "80 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(done.components.ran == 1 + 8 * 12);
    CHECK(rows(work(1)) == "0 inserted, 0 updated, 0 deleted, 80 unchanged");
}

TEST_CASE_METHOD(app_house, "what a component that is run for its value mounts has ended when it returns") {
    std::atomic<int> ended{0};
    app.run(
        [&](isorow::scope root) {
            root.run("all", [&](isorow::scope here) {
                for (int i = 0; i < 20; ++i)
                    here.mount({"a", i}, [&](isorow::scope) {
                        rest(2);
                        ++ended;
                    });
            });
            CHECK(ended == 20);
        },
        with_threads(4));
}

TEST_CASE_METHOD(app_house, "one component may declare rows on several threads of its own") {
    auto const done = app.run([&](isorow::scope root) {
        auto const table = root.target<Product>();
        root.mount("a", [&, table](isorow::scope here) {
            std::vector<std::jthread> threads;
            for (std::int64_t thread = 0; thread < 4; ++thread)
                threads.emplace_back([&, thread] {
                    for (std::int64_t i = 0; i < 5000; ++i) table.row(here, {thread * 10'000 + i, "product", {}});
                });
        });
    });
    CHECK(rows(done) == "20000 inserted, 0 updated, 0 deleted, 0 unchanged");
}

TEST_CASE_METHOD(app_house, "the first failure fails the run when what was running has ended, and what had not begun does not begin") {
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    std::atomic<bool> failed{false};
    CHECK_THROWS_MATCHES(app.run(
                             [&](isorow::scope root) {
                                 for (int i = 0; i < 1000; ++i)
                                     root.mount({"a", i}, [&, i](isorow::scope) {
                                         ++begun;
                                         if (i == 7) {
                                             failed = true;
                                             ++ended;
                                             throw std::runtime_error("seven");
                                         }
                                         rest(2);
                                         ++ended;
                                     });
                             },
                             with_threads(4)),
                         isorow::component_failed, test::says("the component /a/7 failed: seven"));
    CHECK(begun == ended);
    CHECK(begun < 100);
    CHECK(app.run([](isorow::scope) {}).components.ran == 1);
}

TEST_CASE_METHOD(app_house, "components that fail on threads keep what they had") {
    bool fails = false;
    auto const work = [&] {
        auto options = with_threads(4);
        options.on_failure = isorow::on_failure::keep_previous;
        return app.run(
            [&](isorow::scope root) {
                auto const table = root.target<Product>();
                for (std::int64_t shop = 0; shop < 10; ++shop)
                    root.mount({"shop", shop}, [&, table, shop](isorow::scope here) {
                        for (std::int64_t i = 0; i < 5; ++i)
                            here.mount({"product", i}, [&, table, shop, i](isorow::scope below) {
                                rest(1);
                                table.row(below, {shop * 10 + i, fails ? "second" : "first", {}});
                                if (fails && shop == 3 && i == 2) throw std::runtime_error("a part");
                            });
                        if (fails && shop == 5) throw std::runtime_error("a whole");
                    });
            },
            options);
    };
    CHECK(rows(work()) == "50 inserted, 0 updated, 0 deleted, 0 unchanged");
    fails = true;
    auto const done = work();
    CHECK(rows(done) == "0 inserted, 44 updated, 0 deleted, 6 unchanged");
    REQUIRE(done.failures.size() == 2);
    CHECK(done.failures[0].path == "/shop/3/product/2");
    CHECK(done.failures[1].path == "/shop/5");
    CHECK(home.sql("SELECT string_agg(id::text, ' ' ORDER BY id) FROM products WHERE name = 'first'") == "32 50 51 52 53 54");
}

TEST_CASE_METHOD(app_house, "a key that two threads declare is refused") {
    CHECK_THROWS_MATCHES(app.run(
                             [&](isorow::scope root) {
                                 auto const table = root.target<Product>();
                                 for (std::int64_t i = 0; i < 50; ++i)
                                     root.mount({"a", i}, [=](isorow::scope here) { table.row(here, {i == 40 ? 20 : i, "a", {}}); });
                             },
                             with_threads(4)),
                         isorow::duplicate_key, test::says("with the key (id) = (20): /a/"));
}

TEST_CASE_METHOD(app_house, "a component on a thread that uses another one's scope is refused") {
    CHECK_THROWS_MATCHES(app.run(
                             [&](isorow::scope root) {
                                 auto const table = root.target<Product>();
                                 for (std::int64_t i = 0; i < 5; ++i)
                                     root.mount({"a", i}, [&root, table, i](isorow::scope) {
                                         rest(2);
                                         table.row(root, {i, "a", {}});
                                     });
                                 rest(20);
                             },
                             with_threads(3)),
                         isorow::usage_error, test::says("uses the scope of /"));
}

TEST_CASE_METHOD(app_house, "what cannot be copied to its thread is its component's failure") {
    isorow::run_options options = with_threads(2);
    options.on_failure = isorow::on_failure::keep_previous;
    auto const done = app.run(
        [&](isorow::scope root) {
            struct throwing {
                throwing() = default;
                throwing(throwing const&) { throw std::runtime_error("not me"); }
                void operator()(isorow::scope) const {}
            };
            throwing const one;
            root.mount("copied", one);
        },
        options);
    REQUIRE(done.failures.size() == 1);
    CHECK(done.failures[0].path == "/copied");
    CHECK(done.failures[0].what == "not me");
}

TEST_CASE_METHOD(app_house, "a stop ends a run that waits for its threads, when these have ended") {
    std::stop_source stop;
    auto options = with_threads(3);
    options.stop = stop.get_token();
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    CHECK_THROWS_AS(app.run(
                        [&](isorow::scope root) {
                            for (int i = 0; i < 3; ++i)
                                root.mount({"a", i}, [&](isorow::scope here) {
                                    if (++begun == 2) stop.request_stop();
                                    while (!here.stop().stop_requested()) rest(1);
                                    rest(20);
                                    ++ended;
                                });
                        },
                        options),
                    isorow::stopped);
    CHECK(begun == ended);
}
