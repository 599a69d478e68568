// What systems of declared state are known to get wrong.

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <app/house.hpp>
#include <isorow/isorow.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using test::app_house;
using test::Product;
using test::rows;

namespace {

/// Counts statements and keeps notices.
class witness final : public isorow::observer {
public:
    void on_query(isorow::operation_event const& event) override { statements += event.statements; }
    void on_prepare(isorow::operation_event const& event) override { statements += event.statements; }
    void on_copy(isorow::operation_event const&) override { ++statements; }
    void on_pipeline(isorow::operation_event const& event) override { statements += event.statements; }
    void on_notice(isorow::diagnostics const& notice) override {
        std::scoped_lock const lock(mutex_);
        notices_.push_back(notice.message);
    }
    [[nodiscard]] bool was_told(std::string_view part) const {
        std::scoped_lock const lock(mutex_);
        return std::ranges::any_of(notices_, [&](auto const& notice) { return notice.find(part) != std::string::npos; });
    }

    std::atomic<std::int64_t> statements{0};

private:
    mutable std::mutex mutex_;
    std::vector<std::string> notices_{};
};

struct witnessed_house {
    test::database home{};
    std::shared_ptr<witness> seen = std::make_shared<witness>();
    isorow::pool pool{home.dsn(), {.min_size = 1, .connection = {.timeout = std::chrono::seconds(120), .observer = seen}}};
    isorow::database main = isorow::register_db(home.name(), pool);
    isorow::app app{main, "catalogue"};
};

struct Cell {
    std::int64_t x;
    std::string y;
    double value;

    static consteval auto isorow_table() { return isorow::table("cells").primary_key<&Cell::x, &Cell::y>(); }
};

isorow::vector<3> near(std::int64_t id) {
    isorow::vector<3> made{};
    made[0] = 0.5F;
    made[1] = static_cast<float>(id);
    return made;
}

struct Place {
    std::int64_t id;
    std::string name;
    std::int64_t height;
    isorow::vector<3> embedding;

    static consteval auto isorow_table() {
        return isorow::table("places")
            .primary_key<&Place::id>()
            .index<&Place::height>(isorow::btree{.operator_class = "int8_ops"})
            .index<&Place::name>(isorow::gin{.operator_class = "gin_trgm_ops"})
            .index<&Place::name>(isorow::gist{.name = "by_likeness", .operator_class = "gist_trgm_ops"})
            .index<&Place::embedding>(isorow::hnsw{.metric = isorow::l2, .m = 8, .ef_construction = 32})
            .index<&Place::embedding>(isorow::ivfflat{.metric = isorow::inner_product, .lists = 3, .name = "by_cluster"});
    }
};

struct Clustered {
    std::int64_t id;
    isorow::vector<3> embedding;

    static consteval auto isorow_table() {
        return isorow::table("clustered").primary_key<&Clustered::id>().index<&Clustered::embedding>(isorow::ivfflat{.lists = 4});
    }
};

struct Part {
    std::int64_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("parts").primary_key<&Part::id>(); }
};

struct CountedPart {
    std::int64_t id;
    std::string name;
    std::int64_t stock;

    static consteval auto isorow_table() {
        return isorow::table("parts").primary_key<&CountedPart::id>().column<&CountedPart::stock>({.default_value = "7"});
    }
};

}  // namespace

TEST_CASE_METHOD(app_house, "others see all of a run, in all its tables, or nothing of it") {
    auto const declare = [&](std::int64_t count) {
        isorow::run_options options;
        options.commit.guard.share = 1;
        auto const work = [=](isorow::scope root) {
            auto const products = root.target<Product>();
            auto const cells = root.target<Cell>();
            for (std::int64_t id = 0; id < count; ++id) {
                products.row(root, {id, "p", {}});
                cells.row(root, {id, "c", 0.5});
            }
        };
        app.run(work, options);
    };
    declare(10);
    std::atomic<int> whole{0};
    std::string torn;
    std::jthread reader([&](std::stop_token const& ended) {
        while (!ended.stop_requested()) {
            auto const seen = home.sql("SELECT (SELECT count(*) FROM products) || ' ' || (SELECT count(*) FROM cells)");
            if (seen == "10 10" || seen == "4000 4000") ++whole;
            else torn = seen;
        }
    });
    for (int round = 0; round < 5; ++round) {
        declare(4000);
        declare(10);
    }
    reader.request_stop();
    reader.join();
    CHECK(torn.empty());
    CHECK(whole > 0);
}

TEST_CASE_METHOD(witnessed_house, "twenty thousand rows with a key of two columns go in a handful of statements, whatever is compiled") {
    home.sql("ALTER DATABASE " + home.name() + " SET jit_above_cost = 0");
    auto const declare = [&](std::int64_t count) {
        isorow::run_options options;
        options.commit.guard.share = 1;
        auto const work = [=](isorow::scope root) {
            auto const cells = root.target<Cell>();
            for (std::int64_t x = 0; x < count; ++x) cells.row(root, {x, "y" + std::to_string(x % 7), 0.5});
        };
        return rows(app.run(work, options));
    };
    CHECK(declare(20'010) == "20010 inserted, 0 updated, 0 deleted, 0 unchanged");
    seen->statements = 0;
    CHECK(declare(10) == "0 inserted, 0 updated, 20000 deleted, 10 unchanged");
    CHECK(seen->statements > 0);
    CHECK(seen->statements < 100);
}

TEST_CASE_METHOD(app_house, "an index of each kind is built, with its operator class and its parameters") {
    home.sql("CREATE EXTENSION pg_trgm; CREATE EXTENSION vector");
    auto const declare = [&] {
        return app.run([](isorow::scope root) {
            auto const places = root.target<Place>();
            for (std::int64_t id = 0; id < 20; ++id) places.row(root, {id, "place", id, near(id)});
        });
    };
    declare();
    CHECK(home.sql("SELECT string_agg(regexp_replace(indexdef, '.* USING ', ''), '; ' ORDER BY indexname) FROM pg_indexes "
                   "WHERE tablename = 'places'") ==
          "ivfflat (embedding vector_ip_ops) WITH (lists='3'); gist (name gist_trgm_ops); "
          "hnsw (embedding vector_l2_ops) WITH (m='8', ef_construction='32'); btree (height); gin (name gin_trgm_ops); btree (id)");
    auto const before = home.sql("SELECT string_agg(indexrelid::text, ' ' ORDER BY indexrelid) FROM pg_index");
    declare();
    CHECK(home.sql("SELECT string_agg(indexrelid::text, ' ' ORDER BY indexrelid) FROM pg_index") == before);
}

TEST_CASE_METHOD(witnessed_house, "an IVFFlat index is made of the rows, not of the empty table") {
    // pgvector warns of a table that has fewer rows than lists.
    home.sql("CREATE EXTENSION vector");
    app.run([](isorow::scope root) {
        auto const clustered = root.target<Clustered>();
        for (std::int64_t id = 0; id < 2000; ++id) clustered.row(root, {id, near(id)});
    });
    CHECK(home.sql("SELECT indexdef LIKE '%ivfflat%' FROM pg_indexes WHERE tablename = 'clustered' AND indexname LIKE '%idx'") == "t");
    CHECK_FALSE(seen->was_told("little data"));
    auto const connection = pool.acquire();
    isorow::execute_script(*connection, "CREATE TABLE empty (v vector(3)); CREATE INDEX ON empty USING ivfflat (v vector_l2_ops)",
                           connection->default_limits());
    CHECK(seen->was_told("little data"));
}

TEST_CASE_METHOD(app_house, "a column that is added is written only to the rows whose values are not its default") {
    // Rows that are read back, and rows that are recorded by their fingerprints.
    bool const is_wide = GENERATE(false, true);
    std::string const name(is_wide ? 3000 : 5, 'n');
    auto const written = [&] { return home.sql("SELECT string_agg(id || ':' || xmin, ' ' ORDER BY id) FROM parts WHERE stock = 7"); };
    app.run([&](isorow::scope root) {
        auto const parts = root.target<Part>();
        for (std::int64_t id = 0; id < 100; ++id) parts.row(root, {id, name});
    });
    auto const writer = home.sql("SELECT string_agg(DISTINCT xmin::text, ' ') FROM parts");
    auto const counted = [&] {
        return app.run([&](isorow::scope root) {
            auto const parts = root.target<CountedPart>();
            for (std::int64_t id = 0; id < 100; ++id) parts.row(root, {id, name, id % 10 == 0 ? id : 7});
        });
    };
    CHECK(rows(counted()) == "0 inserted, 10 updated, 0 deleted, 90 unchanged");
    CHECK(home.sql("SELECT count(*) || ' by ' || string_agg(DISTINCT xmin::text, ' ') FROM parts WHERE stock = 7") == "90 by " + writer);
    auto const before = written();
    CHECK(rows(counted()) == "0 inserted, 0 updated, 0 deleted, 100 unchanged");
    CHECK(written() == before);
}

TEST_CASE_METHOD(app_house, "what cannot be dropped when an app is removed stays known, and is dropped by the next try") {
    run();
    home.sql("CREATE VIEW names AS SELECT name FROM products");
    isorow::run_options options;
    options.commit.allow = isorow::destructive;
    auto const first = app.remove(options);
    REQUIRE(first.postponed.size() == 1);
    CHECK(first.postponed[0].find("products") != std::string::npos);
    CHECK(home.sql("SELECT to_regclass('products') IS NOT NULL") == "t");
    home.sql("DROP VIEW names");
    CHECK(app.remove(options).postponed.empty());
    CHECK(home.sql("SELECT to_regclass('products') IS NULL") == "t");
    CHECK(rows(run()) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
}

TEST_CASE_METHOD(app_house, "a move that fails half-way leaves the row with its former owner") {
    auto const declare = [&](bool moved, std::optional<double> price) {
        return app.run([=](isorow::scope root) {
            auto const table = root.target<Product>();
            root.mount("old", [=](isorow::scope here) {
                if (!moved) table.row(here, {1, "lamp", 2.5});
            });
            root.mount("new", [=](isorow::scope here) {
                if (moved) table.row(here, {1, "lamp", 2.5});
                table.row(here, {2, "torch", price});
            });
        });
    };
    declare(false, 1.0);
    home.sql("ALTER TABLE products ADD CHECK (price < 100)");
    CHECK_THROWS_AS(declare(true, 200.0), isorow::error);
    CHECK(stored() == "1=lamp 2=torch");
    auto const done = declare(true, 1.0);
    CHECK(rows(done) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(done.tables[0].moved == 1);
}
