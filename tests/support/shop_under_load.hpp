#pragma once

/// @file
/// A source under a load of writes, and an app that follows it in a process that is killed again and again.

#include <catch2/catch_test_macros.hpp>

#include <isorow/app/app.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>
#include <support/processes.hpp>

#include <chrono>
#include <cstdint>
#include <random>
#include <stop_token>
#include <string>
#include <thread>

namespace test {

struct SourceProduct {
    std::int64_t id;
    std::int64_t version;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("source_products").primary_key<&SourceProduct::id>(); }
};

struct Product {
    std::int64_t id;
    std::int64_t version;
    std::string label;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

/// A source under a load of writes, a table that is derived of it, and a ledger of all that is done to that table.
struct shop_under_load {
    database home{};

    shop_under_load() {
        auto connection = connect(home.dsn());
        // No two writes of the source have one version: so a change that is applied twice is in the ledger twice.
        isorow::execute_script(
            connection,
            "CREATE SEQUENCE versions; CREATE TABLE source_products (id bigint PRIMARY KEY, version bigint NOT NULL DEFAULT "
            "nextval('versions'), name text NOT NULL); INSERT INTO source_products (id, name) SELECT g, 'first' FROM generate_series(1, "
            "200) g;"
            "CREATE TABLE ledger (id bigint NOT NULL, version bigint NOT NULL);"
            "CREATE TABLE products (id bigint PRIMARY KEY, version bigint NOT NULL, label text NOT NULL);"
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO ledger VALUES (NEW.id, NEW.version); RETURN "
            "NULL; END';"
            "CREATE TRIGGER note AFTER INSERT OR UPDATE ON products FOR EACH ROW EXECUTE FUNCTION note()",
            connection.default_limits());
    }

    /// Inserts, updates of several rows, of keys, and deletes, until the process is killed or told to end.
    void write(unsigned seed, shared_flag const& ends) const {
        auto connection = connect(home.dsn());
        std::mt19937 random(seed);
        auto const any = [&](int least, int greatest) { return std::uniform_int_distribution(least, greatest)(random); };
        while (!ends.is_set()) {
            auto const id = any(1, 400);
            switch (any(0, 5)) {
                case 0:
                    isorow::execute(connection, "DELETE FROM source_products WHERE id BETWEEN $1 AND $1 + 2", id);
                    break;
                case 1:
                    isorow::execute(
                        connection,
                        "UPDATE source_products SET id = $2, version = nextval('versions') WHERE id = $1 AND NOT EXISTS (SELECT "
                        "FROM source_products WHERE id = $2)",
                        id, any(1, 400));
                    break;
                case 2:
                    isorow::execute(
                        connection,
                        "UPDATE source_products SET name = name || '.', version = nextval('versions') WHERE id BETWEEN $1 AND $1 + "
                        "5",
                        id);
                    break;
                default:
                    isorow::execute(
                        connection,
                        "INSERT INTO source_products (id, name) VALUES ($1, 'new') ON CONFLICT (id) DO UPDATE SET name = 'renewed', "
                        "version = nextval('versions')",
                        id);
            }
            if (any(0, 200) == 0) isorow::execute(connection, "TRUNCATE source_products");
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    /// Follows until the process is killed, or the flag is set.
    template <class How>
    void follow(How const& how, shared_flag const& ends) const {
        isorow::pool pool(home.dsn(), {.min_size = 1});
        isorow::app app(isorow::register_db(home.name(), pool), "shop");
        isorow::source<SourceProduct> const source(pool);
        std::stop_source stop;
        std::jthread const watch([&](std::stop_token const& token) {
            while (!ends.is_set() && !token.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
            stop.request_stop();
        });
        isorow::app_follow_options options;
        options.run.stop = stop.get_token();
        options.run.commit.guard.share = 1;
        app.follow(
            [&](isorow::scope root) {
                auto const products = root.target<Product>({.managed_by = isorow::managed_by::user, .adopt = isorow::adopt::table});
                root.mount_each("product", source, how, isorow::version{1}, [products](isorow::scope here, SourceProduct const& in) {
                    products.row(here, {in.id, in.version, "label of " + in.name});
                });
            },
            options);
    }

    [[nodiscard]] bool is_equal() const {
        return home.sql(
                   "SELECT NOT EXISTS (SELECT id, version, 'label of ' || name FROM source_products EXCEPT SELECT * FROM products) AND NOT "
                   "EXISTS (SELECT * FROM products EXCEPT SELECT id, version, 'label of ' || name FROM source_products)") == "t";
    }
    [[nodiscard]] std::string applied_twice() const {
        return home.sql("SELECT count(*) FROM (SELECT FROM ledger GROUP BY id, version HAVING count(*) > 1) twice");
    }

    template <class How>
    void kill_again_and_again(How const& how) const {
        std::mt19937 random(11);
        shared_flag const writing_ends;
        shared_flag const following_ends;
        child const writer([&] { write(5, writing_ends); });
        for (int point = 0; point < rounds(8, 100); ++point) {
            child follower([&] { follow(how, following_ends); });
            std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(20, 600)(random)));
            follower.kill();
        }
        writing_ends.set();
        child follower([&] { follow(how, following_ends); });
        CHECK(eventually(std::chrono::seconds(60), [&] { return writer.has_ended() && is_equal(); }));
        following_ends.set();
        CHECK(follower.exit_code() == 0);
        CHECK(is_equal());
        CHECK(applied_twice() == "0");
        CHECK(home.sql("SELECT count(*) > 0 FROM ledger") == "t");
    }
};

}  // namespace test
