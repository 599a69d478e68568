/// @file
/// The code of docs/targets.md, compiled and run, and a check that the page shows no line that is not compiled somewhere and names no test
/// that is not there.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/matchers.hpp>
#include <support/page_check.hpp>
#include <support/server.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Product {
    std::int64_t id;
    std::string name;
    std::optional<double> price;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

/// The struct of a later version of the program.
namespace later {
struct Product {
    std::int64_t id;
    std::string title;
    std::optional<isorow::numeric> price;
    bool sold;

    static consteval auto isorow_table() {
        return isorow::table("products")
            .primary_key<&Product::id>()
            .column<&Product::title>({.renamed_from = "name"})
            .column<&Product::price>({.using_expression = "price::numeric"})
            .column<&Product::sold>({.default_value = "false"})
            .index<&Product::title>();
    }
};
}  // namespace later

struct Document {
    std::int64_t id;
    std::string content;
    std::vector<float> embedding;
};

struct SourceProduct {
    std::int64_t id;
    std::string name;
};

struct Embedder {
    std::size_t size;
    [[nodiscard]] isorow::vector_shape vector_schema() const { return {.size = size}; }
    [[nodiscard]] std::vector<float> embed(std::string const& text) const {
        return std::vector<float>(size, static_cast<float>(text.size()));
    }
};

/// A database of its own with a pool.
struct target_page {
    test::database database;
    isorow::pool db{database.dsn(), {.min_size = 2}};
    std::vector<Product> const products{{1, "torch", 9.5}, {2, "lamp", {}}, {3, "bulb", 1.0}};
    std::vector<Product> const fewer{{1, "torch", 8.5}, {2, "lamp", {}}};
    std::vector<SourceProduct> sources{{1, "torch"}, {2, "lamp"}, {3, "bulb"}};

    std::string names(std::string const& table = "products") const {
        return database.sql("SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM " + table);
    }
};

}  // namespace

TEST_CASE_METHOD(target_page, "docs/targets.md: a table that is equal to a range") {
    isorow::report const done = isorow::synchronise(db, products);
    std::cout << done << '\n';  // 3 inserted, 0 updated, 0 deleted, 0 unchanged
    CHECK(to_string(done) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    isorow::target<Product> target{db, {.table = "goods", .commit = {.lock_timeout = 500ms}}};
    for (auto const& product : products) target.declare(product);
    isorow::report const filled = target.commit();
    CHECK(filled.inserted == 3);
    CHECK(filled.ddl.size() == 2);
}

TEST_CASE_METHOD(target_page, "docs/targets.md: plan and apply") {
    isorow::synchronise(db, products);
    isorow::target<Product> target{db};
    target.declare_all(fewer);
    isorow::plan const plan = target.plan();  // writes and locks nothing
    std::cout << describe(plan);
    if (plan.changes() && !plan.is_destructive()) target.apply(plan);
    CHECK(describe(plan).find("  ~ 1 (1)\n  - 1 (3)\n") != std::string::npos);
    CHECK(names() == "lamp torch");
}

TEST_CASE_METHOD(target_page, "docs/targets.md: exclusive and shared, owners, adoption") {
    database.sql(
        "CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, price double precision);"
        "INSERT INTO products VALUES (7, 'theirs')");
    CHECK_THROWS_AS(isorow::synchronise(db, products), isorow::not_owned);
    isorow::target_options options{.ownership = isorow::ownership::shared, .owner = "importer", .adopt = isorow::adopt::table};
    isorow::synchronise(db, products, options);  // row 7 stays: it is not the importer's
    CHECK(names() == "bulb lamp theirs torch");
    isorow::synchronise(db, std::vector<Product>{}, options);
    CHECK(names() == "theirs");
    isorow::forget(db, "public", "products");  // the table stays, the record of it goes
    CHECK_THROWS_AS(isorow::synchronise(db, products), isorow::not_owned);
}

TEST_CASE_METHOD(target_page, "docs/targets.md: a table of the user's") {
    database.sql("CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, price double precision)");
    isorow::target_options const theirs{.managed_by = isorow::managed_by::user, .ownership = isorow::ownership::shared};
    isorow::synchronise(db, products, theirs);
    CHECK(names() == "bulb lamp torch");
    database.sql("DROP TABLE products");
    CHECK_THROWS_AS(isorow::synchronise(db, products, theirs), isorow::usage_error);
}

TEST_CASE_METHOD(target_page, "docs/targets.md: a struct that has changed") {
    isorow::synchronise(db, products);
    std::vector<later::Product> const rows{{1, "torch", isorow::numeric(9), true}};
    isorow::target<later::Product> target{db};
    target.declare_all(rows);
    try {
        target.commit();
        FAIL("the change was made");
    } catch (isorow::destructive_change const& refused) {
        for (auto const& change : refused.changes()) std::cerr << change.description << ": " << change.sql << '\n';
        CHECK(refused.changes().size() == 1);
    }
    isorow::report const done = isorow::synchronise(db, rows, {.commit = {.allow = isorow::destructive}});
    for (auto const& statement : done.ddl) std::cout << statement << '\n';
    for (auto const& reason : done.postponed) std::cout << "not yet: " << reason << '\n';
    CHECK(database.sql("SELECT p::text FROM products p") == "(1,torch,9,t)");
}

TEST_CASE_METHOD(target_page, "docs/targets.md: attachments") {
    isorow::target_options const options{.attachments = {{
                                             .name = "cheap ones",
                                             .sql = "create view cheap as select * from products where price < 5",
                                             .undo = "drop view cheap",
                                         }}};
    isorow::synchronise(db, products, options);
    CHECK(names("cheap") == "bulb");
    isorow::synchronise(db, products);
    CHECK(database.sql("SELECT to_regclass('cheap') IS NULL") == "t");
}

TEST_CASE_METHOD(target_page, "docs/targets.md: tables described at run time") {
    isorow::app app{isorow::register_db("main_db", db), "catalogue"};
    Embedder const embedder{4};
    auto const documents = isorow::table_schema::of<Document>({
        .primary_key = {"id"},
        .column_overrides = {{"content", isorow::pg_type{"varchar(100)"}}, {"embedding", embedder}},
        .table = "documents",
    });
    isorow::table_schema const notes{
        {{"id", isorow::column{"bigint", isorow::not_null}}, {"note", isorow::column{"text"}}},
        isorow::primary_key{"id"},
    };
    app.run([&](isorow::scope root) {
        isorow::schema_target const first = root.target(documents.index({"embedding"}, isorow::hnsw{.metric = isorow::cosine}));
        first.row(root, Document{1, "a torch", embedder.embed("a torch")});
        isorow::schema_target const second = root.target(notes, {.table = "notes", .schema = "public"});
        second.row(root, isorow::dynamic_row{{"id", 1}, {"note", "shines"}});
        second.row(root, isorow::dynamic_row{{"id", 2}});  // note is NULL
    });
    CHECK(database.sql("SELECT d::text FROM documents d") == "(1,\"a torch\",\"[7,7,7,7]\")");
    CHECK(database.sql("SELECT count(*) FROM notes") == "2");
}

TEST_CASE_METHOD(target_page, "docs/targets.md: an app") {
    static isorow::context_key<Embedder const> const embedder_key{"embedder"};
    Embedder const embedder{4};
    isorow::app app{isorow::register_db("main_db", db), "catalogue"};
    app.provide(embedder_key, std::cref(embedder));
    auto const main = [&](isorow::scope root) {
        auto const table = root.target<Product>();
        for (SourceProduct const& source : sources)
            root.mount({"product", source.id}, isorow::version{1}, source, [=](isorow::scope here, SourceProduct const& in) {
                auto const& model = here.use(embedder_key);
                table.row(here, {in.id, in.name, model.embed(in.name).front()});
            });
    };
    isorow::report const done = app.run(main);
    CHECK(done.inserted == 3);
    CHECK(app.run(main).components.unchanged == 3);
    isorow::planned_run const planned = app.plan(main);
    if (planned.changes()) app.apply(planned);
    CHECK_FALSE(planned.changes());
    auto const part = app.run_under({"product", 2}, [](isorow::scope here) { here.target<Product>().row(here, {2, "lantern", {}}); });
    CHECK(part.updated == 1);
}

TEST_CASE_METHOD(target_page, "docs/targets.md: pending tables, and components that return a value") {
    isorow::app app{isorow::register_db("main_db", db), "catalogue"};
    app.run([&](isorow::scope root) {
        isorow::pending_target<Product> const pending = root.declare_target<Product>();
        isorow::table_target<Product> const table = pending.resolve();
        auto const count = root.run("count", [&](isorow::scope here) {
            table.rows(here, products);
            return products.size();
        });
        CHECK(count == 3);
    });
    CHECK(names() == "bulb lamp torch");
}

TEST_CASE_METHOD(target_page, "docs/targets.md: failures, threads, stops, conflicts") {
    isorow::app app{isorow::register_db("main_db", db), "catalogue"};
    auto const main = [&](isorow::scope root) {
        auto const table = root.target<Product>();
        for (SourceProduct const& source : sources)
            root.mount({"product", source.id}, isorow::version{1}, source, [=](isorow::scope here, SourceProduct const& in) {
                if (in.name == "lamp") throw std::runtime_error("no answer");
                table.row(here, {in.id, in.name, {}});
            });
    };
    CHECK_THROWS_AS(app.run(main), isorow::component_failed);
    std::stop_source stop;
    isorow::run_options options;
    options.on_failure = isorow::on_failure::keep_previous;
    options.threads = 4;
    options.keep_outputs = isorow::keep_outputs::always;
    options.on_conflict = isorow::on_conflict::wait;
    options.conflict_timeout = 10s;
    options.stop = stop.get_token();
    isorow::report const done = app.run(main, options);
    for (auto const& failure : done.failures) std::cerr << failure.path << ": " << failure.what << '\n';
    CHECK(done.failures.size() == 1);
    CHECK(names() == "bulb torch");
}

TEST_CASE_METHOD(target_page, "docs/targets.md: audit and repair") {
    isorow::app app{isorow::register_db("main_db", db), "catalogue"};
    auto const main = [&](isorow::scope root) { root.target<Product>().rows(root, products); };
    app.run(main);
    database.sql("UPDATE products SET name = 'broken' WHERE id = 1");
    for (isorow::table_drift const& table : app.audit())
        std::cout << table.table << ": " << table.changed << " changed, " << table.missing << " missing\n";
    app.repair(main);
    CHECK(names() == "bulb lamp torch");
    isorow::target_options mending{.table = "shared", .ownership = isorow::ownership::shared};
    mending.commit.drift = isorow::drift::mend;
    isorow::synchronise(db, products, mending);
}

TEST_CASE_METHOD(target_page, "docs/targets.md: the deletion guard, memory, progress") {
    std::vector<Product> many;
    for (std::int64_t id = 0; id < 2000; ++id) many.push_back({id, "product", {}});
    isorow::synchronise(db, many);
    CHECK_THROWS_AS(isorow::synchronise(db, products), isorow::too_many_deletions);
    isorow::commit_options options{
        .guard = {.share = 1.0},          // all of them may go
        .memory = std::size_t{32} << 20,  // bytes; what is more waits on the server
        .progress = [](isorow::progress const& now) { std::cout << now.table << ": " << now.rows << '\n'; },
    };
    isorow::synchronise(db, products, {.commit = options});
    CHECK(names() == "bulb lamp torch");
}

TEST_CASE_METHOD(target_page, "docs/targets.md: schema isorow by hand, for a role that may do no more than it needs") {
    auto const role = database.name() + "_keeper";
    database.sql("CREATE ROLE " + role);
    std::string const script = isorow::install_sql(role);
    database.sql(script);
    CHECK(database.sql("SELECT has_table_privilege('" + role + "', 'isorow.tracked', 'INSERT')") == "t");
    isorow::install(db);  // nothing is left to do
    CHECK(database.sql("SELECT version FROM isorow.version") == std::to_string(isorow::tracking_version));
    database.sql("DROP OWNED BY " + role);
    database.sql("DROP ROLE " + role);
}

TEST_CASE_METHOD(target_page, "docs/targets.md: the end of an app") {
    isorow::app app{isorow::register_db("main_db", db), "catalogue"};
    app.run([&](isorow::scope root) { root.target<Product>().rows(root, products); });
    app.remove({.commit = {.allow = isorow::destructive}});
    CHECK(database.sql("SELECT to_regclass('products') IS NULL") == "t");
}

TEST_CASE_METHOD(target_page, "docs/targets.md: two apps of one database") {
    database.sql("CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, price double precision)");
    isorow::database const main = isorow::register_db("main_db", db);
    isorow::app first{main, "first"};
    isorow::app second{main, "second"};
    isorow::target_options const theirs{.managed_by = isorow::managed_by::user, .ownership = isorow::ownership::shared};
    first.run([&](isorow::scope root) { root.target<Product>(theirs).row(root, {1, "torch", {}}); });
    second.run([&](isorow::scope root) { root.target<Product>(theirs).row(root, {2, "lamp", {}}); });
    CHECK(names() == "lamp torch");
    first.run([](isorow::scope) {});
    CHECK(names() == "lamp");
    first.run([](isorow::scope root) { root.target<Product>({.table = "goods"}).row(root, {1, "torch", {}}); });
    CHECK_THROWS_AS(second.run([](isorow::scope root) { static_cast<void>(root.target<Product>({.table = "goods"})); }), isorow::not_owned);
}

TEST_CASE("docs/targets.md shows no line of code that is not compiled, and names no test that is not there") {
    test::check_page("targets.md", 130);
}
