#include <catch2/catch_test_macros.hpp>

#include <isorow/app/app.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>
#include <support/labelled_products.hpp>
#include <support/matchers.hpp>
#include <support/pooled_database.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using test::labelled::Product;
using test::labelled::SourceProduct;

namespace {

/// The tests' server takes prepared transactions, and so writers wake nobody unless that is said.
isorow::changelog const woken{.notification = {.wakes = true}};

/// An app that follows a source on a thread of its own.
struct live_house : test::pooled_database {
    isorow::source<SourceProduct> source{pool, {.sql_filter = "amount > 0"}};
    isorow::app app{isorow::register_db("live " + database.name(), pool), "catalogue"};
    std::atomic<int> calls{0};
    std::atomic<int> commits{0};
    isorow::version version{1};

    live_house() : pooled_database({.min_size = 1, .max_size = 8}) {
        run("CREATE TABLE source_products (id bigint PRIMARY KEY, name text NOT NULL, amount integer NOT NULL);"
            "INSERT INTO source_products VALUES (1, 'lamp', 10), (2, 'desk', 20), (3, 'gone', 0)");
    }

    void main(isorow::scope root) {
        auto products = root.target<Product>();
        root.mount_each("product", source, woken, version, [this, products](isorow::scope here, SourceProduct const& in) {
            ++calls;
            products.row(here, to_product(in));
        });
    }

    /// Follows on a thread of its own for as long as this lives.
    class following {
    public:
        explicit following(live_house& house, isorow::app_follow_options options = {}, std::function<void(isorow::scope)> main = {}) {
            if (!main) main = [&house](isorow::scope root) { house.main(std::move(root)); };
            options.run.stop = stop_.get_token();
            options.on_commit = [&house](isorow::report const&) { ++house.commits; };
            thread_ = std::jthread([this, &house, options = std::move(options), main = std::move(main)] {
                try {
                    house.app.follow(main, options);
                } catch (...) {
                    failure_ = std::current_exception();
                }
                has_ended_ = true;
            });
        }
        following(following const&) = delete;
        following& operator=(following const&) = delete;
        ~following() { end(); }

        void end() {
            stop_.request_stop();
            if (thread_.joinable()) thread_.join();
        }
        [[nodiscard]] bool has_ended() const { return has_ended_; }
        [[nodiscard]] bool eventually(std::function<bool()> const& holds) const {
            return test::eventually(30s, [&] { return has_ended() || holds(); }) && !has_ended();
        }
        void rethrow() {
            end();
            if (failure_) std::rethrow_exception(failure_);
        }

    private:
        std::stop_source stop_;
        std::exception_ptr failure_;
        std::atomic<bool> has_ended_{false};
        std::jthread thread_;
    };

    static constexpr auto derived = "SELECT string_agg(id || ' ' || label, ', ' ORDER BY id) FROM products";
    static constexpr auto expected =
        "SELECT string_agg(id || ' ' || name || ' x ' || amount, ', ' ORDER BY id) FROM source_products WHERE amount > 0";

    /// Waits until the table is what the source says, or until it will never be.
    void wait_until_equal(following const& live) const {
        auto const end = std::chrono::steady_clock::now() + 30s;
        while (std::chrono::steady_clock::now() < end && !live.has_ended()) {
            if (database.sql("SELECT to_regclass('products')") == "products" && database.sql(derived) == database.sql(expected)) break;
            std::this_thread::sleep_for(5ms);
        }
        CHECK(database.sql(derived) == database.sql(expected));
    }
};

}  // namespace

TEST_CASE_METHOD(live_house, "a followed source keeps its table equal to what is declared of it", "[session]") {
    following live(*this);
    wait_until_equal(live);
    CHECK(calls == 2);
    run("INSERT INTO source_products VALUES (4, 'chair', 5)");
    wait_until_equal(live);
    CHECK(calls == 3);
    run("UPDATE source_products SET amount = 7 WHERE id = 1; DELETE FROM source_products WHERE id = 2; UPDATE source_products SET amount = "
        "1 "
        "WHERE id = 3; UPDATE source_products SET id = 40 WHERE id = 4");
    wait_until_equal(live);
    CHECK(database.sql(derived) == "1 lamp x 7, 3 gone x 1, 40 chair x 5");
    run("UPDATE source_products SET amount = 0 WHERE id = 1");
    wait_until_equal(live);
    run("TRUNCATE source_products");
    wait_until_equal(live);
    run("INSERT INTO source_products SELECT g, 'many', g FROM generate_series(1, 5000) g");
    wait_until_equal(live);
    live.rethrow();
}

TEST_CASE_METHOD(live_house, "an app that follows again goes on where it was, and runs nothing for what did not change", "[session]") {
    {
        following live(*this);
        wait_until_equal(live);
        live.rethrow();
    }
    run("INSERT INTO source_products VALUES (4, 'chair', 5)");
    calls = 0;
    {
        following live(*this);
        wait_until_equal(live);
        live.rethrow();
    }
    CHECK(calls == 1);
    version = isorow::version{2};
    calls = 0;
    following live(*this);
    while (calls < 3 && !live.has_ended()) std::this_thread::sleep_for(5ms);
    live.rethrow();
    CHECK(calls == 3);
}

TEST_CASE_METHOD(live_house, "an app that is run without following reads the rows that are there") {
    app.run([&](isorow::scope root) { main(std::move(root)); });
    CHECK(database.sql(derived) == database.sql(expected));
    calls = 0;
    run("DELETE FROM source_products WHERE id = 1; INSERT INTO source_products VALUES (9, 'late', 1)");
    app.run([&](isorow::scope root) { main(std::move(root)); });
    CHECK(database.sql(derived) == database.sql(expected));
    CHECK(calls == 1);
}

TEST_CASE_METHOD(live_house, "several sources are followed at once, below components, and rows of other components stand", "[session]") {
    struct Colour {
        std::int64_t id;
        std::string name;

        static consteval auto isorow_table() { return isorow::table("colours").primary_key<&Colour::id>(); }
    };
    run("CREATE TABLE colours (id bigint PRIMARY KEY, name text NOT NULL); INSERT INTO colours VALUES (1, 'red')");
    isorow::source<Colour> const colours(pool);
    std::atomic<int> others{0};
    following live(*this, {}, [&](isorow::scope root) {
        auto const products = root.target<Product>();
        products.row(root, {-1, "of the root"});
        root.mount("other", [&, products](isorow::scope here) {
            ++others;
            products.row(here, {-2, "of another"});
        });
        root.mount("shop", [&, products](isorow::scope shop) {
            products.row(shop, {-3, "of one above"});
            shop.mount_each("product", source, woken, version, [products](isorow::scope here, SourceProduct const& in) {
                products.row(here, {in.id, in.name});
                here.mount("below", [products, id = in.id](isorow::scope below) { products.row(below, {id + 1000, "below"}); });
            });
            shop.mount_each("colour", colours, woken, version,
                            [products](isorow::scope here, Colour const& in) { products.row(here, {in.id + 100, in.name}); });
        });
    });
    auto const rows = [&] { return database.sql("SELECT string_agg(id || ' ' || label, ', ' ORDER BY id) FROM products"); };
    auto const is = [&](std::string const& wanted) {
        CHECK(live.eventually([&] { return commits > 0 && rows() == wanted; }));
        CHECK(rows() == wanted);
    };
    std::string const standing = "-3 of one above, -2 of another, -1 of the root, ";
    is(standing + "1 lamp, 2 desk, 101 red, 1001 below, 1002 below");
    run("INSERT INTO colours VALUES (2, 'green'); UPDATE source_products SET amount = 0 WHERE id = 1");
    is(standing + "2 desk, 101 red, 102 green, 1002 below");
    run("TRUNCATE source_products; DELETE FROM colours WHERE id = 1");
    is(standing + "102 green");
    CHECK(others == 1);
    live.rethrow();
}

TEST_CASE_METHOD(live_house, "a table that somebody has dropped is made anew, with all its rows", "[session]") {
    following live(*this);
    wait_until_equal(live);
    run("DROP TABLE products; INSERT INTO source_products VALUES (7, 'new', 1)");
    wait_until_equal(live);
    live.rethrow();
}

TEST_CASE_METHOD(live_house, "a component that fails ends the following, whose position stays where it was", "[session]") {
    std::atomic<bool> fails{true};
    auto const main = [&](isorow::scope root) {
        auto const products = root.target<Product>();
        root.mount_each("product", source, woken, version, [&, products](isorow::scope here, SourceProduct const& in) {
            if (in.name == "broken" && fails) throw std::runtime_error("it is broken");
            products.row(here, to_product(in));
        });
    };
    {
        following live(*this, {}, main);
        wait_until_equal(live);
        run("INSERT INTO source_products VALUES (8, 'broken', 1), (9, 'whole', 1)");
        CHECK(test::eventually(30s, [&] { return live.has_ended(); }));
        CHECK_THROWS_MATCHES(live.rethrow(), isorow::component_failed, test::says("the component /product/8 failed: it is broken"));
        CHECK(database.sql(derived) == "1 lamp x 10, 2 desk x 20");
    }
    fails = false;
    following live(*this, {}, main);
    wait_until_equal(live);
    live.rethrow();
}

TEST_CASE_METHOD(live_house,
                 "a component that fails and keeps its rows runs again when following begins again, though its row is as it was",
                 "[session]") {
    std::atomic<bool> fails{false};
    auto const main = [&](isorow::scope root) {
        auto const products = root.target<Product>();
        root.mount_each("product", source, woken, version, [&, products](isorow::scope here, SourceProduct const& in) {
            ++calls;
            if (in.id == 1 && fails) throw std::runtime_error("it is broken");
            products.row(here, to_product(in));
        });
    };
    isorow::app_follow_options const keeps{.run = {.on_failure = isorow::on_failure::keep_previous}};
    {
        following live(*this, keeps, main);
        wait_until_equal(live);
        fails = true;
        run("UPDATE source_products SET amount = amount + 1 WHERE id < 3");
        CHECK(live.eventually([&] { return database.sql(derived) == "1 lamp x 10, 2 desk x 21"; }));
        live.rethrow();
    }
    fails = false;
    calls = 0;
    following live(*this, keeps, main);
    wait_until_equal(live);
    CHECK(calls == 1);
    live.rethrow();
}

TEST_CASE_METHOD(live_house, "connections that are lost are made again, and a conflict with another run is tried again", "[session]") {
    following live(*this);
    wait_until_equal(live);
    for (int i = 10; i < 20; ++i) {
        database.sql("INSERT INTO source_products VALUES (" + std::to_string(i) + ", 'more', 1)");
        database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        if (i % 2 == 0) {
            isorow::pool other(database.dsn());
            isorow::execute(other, "UPDATE isorow.apps SET runs = runs + 1");
        }
    }
    wait_until_equal(live);
    live.rethrow();
}

TEST_CASE_METHOD(live_house, "components of a batch run on several threads", "[session]") {
    following live(*this, {.run = {.threads = 4}});
    wait_until_equal(live);
    run("INSERT INTO source_products SELECT g, 'many', g FROM generate_series(100, 3000) g");
    wait_until_equal(live);
    run("DELETE FROM source_products WHERE id % 3 = 0; UPDATE source_products SET amount = amount + 1 WHERE id % 3 = 1");
    wait_until_equal(live);
    live.rethrow();
}

TEST_CASE_METHOD(live_house, "by polling, and without a struct, an app follows as well") {
    isorow::source<isorow::dynamic_row> const rows(pool, {.table = "source_products", .sql_filter = "amount > 0"});
    following live(*this, {}, [&](isorow::scope root) {
        auto const products = root.target<Product>();
        root.mount_each("product", rows, isorow::polling{.interval = 20ms}, version,
                        [products](isorow::scope here, isorow::dynamic_row const& in) {
                            products.row(here, {in["id"].as<std::int64_t>(),
                                                in["name"].as<std::string>() + " x " + std::to_string(in["amount"].as<std::int32_t>())});
                        });
    });
    wait_until_equal(live);
    run("DELETE FROM source_products WHERE id = 1; INSERT INTO source_products VALUES (5, 'five', 5)");
    wait_until_equal(live);
    live.rethrow();
}

TEST_CASE_METHOD(live_house, "keys of several columns, of any type and of any length, name their components", "[session]") {
    struct Entry {
        std::string text;
        std::chrono::sys_days day;
        double number;
        std::int32_t value;

        static consteval auto isorow_table() { return isorow::table("entries").primary_key<&Entry::text, &Entry::day, &Entry::number>(); }
    };
    run("CREATE TABLE entries (text text, day date, number float8, value integer NOT NULL, PRIMARY KEY (text, day, number));"
        "INSERT INTO entries SELECT repeat(E'\\x01/~\"', 500) || g, date '2026-01-01' + g, g / 3.0, g FROM generate_series(1, 20) g");
    isorow::source<Entry> const entries(pool);
    following live(*this, {}, [&](isorow::scope root) {
        auto const products = root.target<Product>();
        root.mount_each("entry", entries, woken, version,
                        [products](isorow::scope here, Entry const& in) { products.row(here, {in.value, "entry"}); });
    });
    auto const sum = [&] { return database.sql("SELECT count(*) || ' ' || sum(id) FROM products"); };
    CHECK(live.eventually([&] { return commits > 0 && sum() == "20 210"; }));
    run("DELETE FROM entries WHERE value = 7; UPDATE entries SET value = 100 WHERE value = 8; UPDATE entries SET number = -1 WHERE value = "
        "9");
    CHECK(live.eventually([&] { return sum() == "19 295"; }));
    live.rethrow();
}
