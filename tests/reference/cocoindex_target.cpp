/// @file
/// What the page of CocoIndex's Postgres connector says of connections and of Postgres as a target, sentence by sentence, in its words.
/// docs/targets.md has the table of them. Its examples stand in examples/products.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <isorow/json.hpp>
#include <support/matchers.hpp>
#include <support/server.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using isorow::annotated;
using isorow::column;
using isorow::pg_type;
using isorow::primary_key;
using isorow::table_schema;
using namespace std::chrono_literals;
using sys_microseconds = std::chrono::sys_time<std::chrono::microseconds>;

namespace {

/// A model whose dimension the compiler knows, which is to say: it can annotate a field.
struct fixed_embedder {
    [[nodiscard]] static constexpr isorow::vector_shape vector_schema() { return {.size = 3}; }
};

/// A model whose dimension is known when it is loaded.
struct loaded_embedder {
    std::size_t size;
    [[nodiscard]] isorow::vector_shape vector_schema() const { return {.size = size}; }
};

struct OutputProduct {
    std::string category;
    std::string name;
    double price;
    annotated<std::vector<float>, fixed_embedder> embedding;
};

struct Plain {
    std::string category;
    std::string name;
    std::optional<double> price;
};

/// Lacks a column of the key.
struct Nameless {
    std::string category;
    std::optional<double> price;
};

struct Keyed {
    std::int64_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("keyed").primary_key<&Keyed::id>(); }
};

struct MyRow {
    annotated<std::int64_t, pg_type<"integer">> id;
    annotated<double, pg_type<"real">> value;
    annotated<sys_microseconds, pg_type<"timestamp">> created_at;
};

struct Size {
    double width;
    double height;
    friend bool operator==(Size const&, Size const&) = default;
};

template <class T>
struct One {
    std::int64_t id;
    T value;

    static consteval auto isorow_table() { return isorow::table("kept").template primary_key<&One::id>(); }
};

table_schema plain_schema() { return table_schema::of<Plain>({.primary_key = {"category", "name"}}); }

/// A database of its own, an app, and what is in its tables.
struct shop {
    test::database home{};
    isorow::pool pool{home.dsn(), {.min_size = 2}};
    isorow::app app{isorow::register_db(home.name(), pool), "catalogue"};

    /// Declares a table and rows, and returns what was done.
    template <class Row>
    std::string declare(table_schema const& schema, std::vector<Row> const& rows,
                        isorow::target_options const& options = {.table = "products"}) {
        return to_string(app.run([&](isorow::scope scope) {
            auto const table = scope.target(schema, options);
            for (auto const& row : rows) table.row(scope / "row", row);
        }));
    }
    /// The column's type as the catalogue names it.
    [[nodiscard]] std::string type_of(std::string const& column, std::string const& table = "public.products") const {
        return home.sql(
            "SELECT format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END FROM pg_attribute"
            " WHERE attrelid = '" +
            table + "'::regclass AND attname = '" + column + "'");
    }
    [[nodiscard]] std::string names() const {
        return home.sql("SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM public.products");
    }
    [[nodiscard]] bool exists(std::string const& table) const { return home.sql("SELECT to_regclass('" + table + "') IS NOT NULL") == "t"; }

    /// The type that a C++ type is mapped to; a value goes there and, where its type is the compiler's to know, comes back.
    template <class T>
    [[nodiscard]] std::string kept_as(T const& value, isorow::column_overrides const& overrides = {}) {
        auto const schema = table_schema::of<One<T>>({.primary_key = {"id"}, .column_overrides = overrides});
        declare(schema, std::vector<One<T>>{{1, value}}, {.table = "kept"});
        if constexpr (isorow::mappable<One<T>>)
            if (overrides.empty()) CHECK(isorow::query_one<One<T>>(pool, "SELECT * FROM kept").value == value);
        return type_of("value", "public.kept");
    }
};

}  // namespace

// Connection setup

TEST_CASE("create_pool: dsn: a Postgres connection string") {
    isorow::pool pool{test::dsn(), {.min_size = 1}};
    CHECK(isorow::query_one<std::int32_t>(pool, "SELECT 1") == 1);
}

TEST_CASE("create_pool: pgvector is registered on each connection") {
    test::database home;
    home.sql("CREATE EXTENSION vector");
    isorow::pool pool{home.dsn(), {.min_size = 1}};
    CHECK(isorow::query_one<isorow::vector<2>>(pool, "SELECT '[1,2]'::vector") == isorow::vector<2>{1, 2});
}

TEST_CASE("create_pool: init initialises each connection, after the extensions were registered") {
    test::database home;
    home.sql("CREATE EXTENSION vector");
    std::atomic<int> calls{0};
    isorow::pool pool{home.dsn(), {.min_size = 2, .init = [&](isorow::connection& connection) {
                                       static_cast<void>(isorow::query_one<isorow::vector<2>>(connection, "SELECT '[1,2]'::vector"));
                                       ++calls;
                                   }}};
    auto const first = pool.acquire();
    auto const second = pool.acquire();
    CHECK(calls >= 2);
}

TEST_CASE("create_pool: kwargs: what else there is to say of a pool is said in pool_options") {
    isorow::pool pool{test::dsn(), {.min_size = 1, .max_size = 1, .timeout = 50ms, .max_lifetime = 1h, .connection = {.timeout = 10s}}};
    pool.wait(isorow::limits::within(30s));
    auto const only = pool.acquire();
    CHECK_THROWS_AS(pool.acquire(), isorow::error);
}

TEST_CASE("create_pool: async with: the pool is closed at the end of its block", "[session]") {
    test::database home;
    {
        isorow::pool const pool{home.dsn(), {.min_size = 1}};
    }
    for (int i = 0; i < 100 && home.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") != "1"; ++i)
        std::this_thread::sleep_for(20ms);
    CHECK(home.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") == "1");
}

// Database registration

TEST_CASE_METHOD(shop, "as target: what rows should exist is tracked, upserts and deletions are done by themselves") {
    CHECK(declare<Plain>(plain_schema(), {{"a", "x", 1.0}, {"a", "y", 2.0}, {"a", "z", {}}}) ==
          "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(declare<Plain>(plain_schema(), {{"a", "x", 1.0}, {"a", "y", 3.0}, {"b", "w", {}}}) ==
          "1 inserted, 1 updated, 1 deleted, 1 unchanged");
    CHECK(names() == "w x y");
}

TEST_CASE("register_db: key: the same database is recognised when user, password or host are others", "[session]") {
    test::database home;
    auto const other_user = home.name() + "_other";
    home.sql("CREATE ROLE " + other_user + " SUPERUSER LOGIN PASSWORD 'other'");
    auto const run = [&](std::string const& dsn, std::vector<Keyed> const& rows) {
        isorow::pool pool{dsn, {.min_size = 1}};
        isorow::app app{isorow::register_db("main_db", pool), "catalogue"};
        return to_string(app.run([&](isorow::scope scope) { scope.target<Keyed>().rows(scope, rows); }));
    };
    CHECK(run(home.dsn(), {{1, "a"}, {2, "b"}}) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(run(home.dsn(other_user), {{2, "b"}}) == "0 inserted, 0 updated, 1 deleted, 1 unchanged");
    home.sql("DROP ROLE " + other_user);
}

TEST_CASE("register_db: key must be unique") {
    isorow::pool pool{test::dsn(), {.min_size = 1}};
    auto const first = isorow::register_db("main_db", pool);
    CHECK_THROWS_MATCHES(isorow::register_db("main_db", pool), isorow::usage_error, test::says("registered as \"main_db\" already"));
    CHECK_NOTHROW(isorow::register_db("other_db", pool));
}

TEST_CASE("register_db: pool, and returns: a handle with the key and the pool, on which target states are declared") {
    test::database home;
    isorow::pool pool{home.dsn(), {.min_size = 1}};
    isorow::database db = isorow::register_db("main_db", pool);
    CHECK(db.key() == "main_db");
    CHECK(&db.pool() == &pool);
    isorow::app app{db, "catalogue"};
    CHECK(app.run([](isorow::scope scope) { scope.target<Keyed>().row(scope, {1, "a"}); }).inserted == 1);
}

TEST_CASE("register_db: as a context manager: the database is unregistered at the end of its block") {
    isorow::pool pool{test::dsn(), {.min_size = 1}};
    {
        auto const db = isorow::register_db("my_db", pool);
        CHECK_THROWS_AS(isorow::register_db("my_db", pool), isorow::usage_error);
    }
    CHECK_NOTHROW(isorow::register_db("my_db", pool));
}

// Tables

TEST_CASE_METHOD(shop, "declare_table_target: scope: any component may declare a table, and it is declared by those that do") {
    app.run([](isorow::scope scope) {
        scope.mount({"setup", "table"}, [](isorow::scope here) {
            auto const table = here.target(plain_schema(), {.table = "products"});
            table.row(here, Plain{"a", "x", {}});
        });
    });
    CHECK(names() == "x");
    CHECK(home.sql("SELECT count(*) FROM isorow.owners WHERE path = '/setup/table'") == "1");
}

TEST_CASE_METHOD(shop, "declare_table_target: table_name") {
    declare<Plain>(plain_schema(), {{"a", "x", {}}}, {.table = "goods"});
    CHECK(home.sql("SELECT name FROM public.goods") == "x");
}

TEST_CASE_METHOD(shop, "declare_table_target: table_schema: columns and primary key") {
    declare<Plain>(plain_schema(), {});
    CHECK(type_of("category") == "text not null");
    CHECK(type_of("price") == "double precision");
    CHECK(home.sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'products'::regclass AND contype = 'p'") ==
          "PRIMARY KEY (category, name)");
}

TEST_CASE("declare_table_target: pg_schema_name is public by default, whatever search_path says") {
    test::database home;
    home.sql("CREATE SCHEMA theirs");
    home.sql("ALTER DATABASE " + home.name() + " SET search_path = theirs, public");
    isorow::pool pool{home.dsn(), {.min_size = 1}};
    isorow::app app{isorow::register_db("main_db", pool), "catalogue"};
    app.run([](isorow::scope scope) {
        auto const table = scope.target(plain_schema(), {.table = "products"});
        CHECK(table.name() == "\"public\".\"products\"");
        table.row(scope, Plain{"a", "x", {}});
    });
    CHECK(home.sql("SELECT name FROM public.products") == "x");
    CHECK(home.sql("SELECT to_regclass('theirs.products') IS NULL") == "t");
}

TEST_CASE_METHOD(shop, "declare_table_target: pg_schema_name: none and public are one table") {
    CHECK(declare<Plain>(plain_schema(), {{"a", "x", {}}}, {.table = "products"}) == "1 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(declare<Plain>(plain_schema(), {{"a", "x", {}}}, {.table = "products", .schema = "public"}) ==
          "0 inserted, 0 updated, 0 deleted, 1 unchanged");
}

TEST_CASE_METHOD(shop, "declare_table_target: pg_schema_name: another schema") {
    home.sql("CREATE SCHEMA theirs");
    declare<Plain>(plain_schema(), {{"a", "x", {}}}, {.table = "products", .schema = "theirs"});
    CHECK(home.sql("SELECT name FROM theirs.products") == "x");
    CHECK_FALSE(exists("public.products"));
}

TEST_CASE_METHOD(shop, "declare_table_target: managed_by is system by default: the table is created") {
    declare<Keyed>(table_schema::of<Keyed>(), {{1, "a"}}, {});
    CHECK(type_of("name", "public.keyed") == "text not null");
}

TEST_CASE_METHOD(shop, "declare_table_target: managed_by system: the table is created, altered and dropped") {
    isorow::target_options const options{.table = "products", .managed_by = isorow::managed_by::system};
    declare<Plain>(plain_schema(), {{"a", "x", {}}}, options);
    table_schema const wider{{{"category", column{"text", isorow::not_null}},
                              {"name", column{"text", isorow::not_null}},
                              {"price", column{"double precision"}},
                              {"note", column{"text"}}},
                             primary_key{"category", "name"}};
    declare<Plain>(wider, {{"a", "x", {}}}, options);
    CHECK(type_of("note") == "text");
    isorow::run_options const destructive{.commit = {.allow = isorow::destructive}};
    CHECK_THROWS_AS(app.run([](isorow::scope) {}), isorow::destructive_change);
    CHECK(exists("public.products"));
    app.run([](isorow::scope) {}, destructive);
    CHECK_FALSE(exists("public.products"));
}

TEST_CASE_METHOD(shop, "declare_table_target: managed_by user: the table is assumed to exist, and never altered or dropped") {
    isorow::target_options const options{
        .table = "products", .managed_by = isorow::managed_by::user, .ownership = isorow::ownership::shared};
    CHECK_THROWS_MATCHES(declare<Plain>(plain_schema(), {}, options), isorow::usage_error, test::says("it is yours to make"));
    home.sql(
        "CREATE TABLE products (category text, name text, price double precision, note text, PRIMARY KEY (category, name));"
        "INSERT INTO products VALUES ('b', 'theirs')");
    CHECK(declare<Plain>(plain_schema(), {{"a", "x", {}}}, options) == "1 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(names() == "theirs x");
    app.run([](isorow::scope) {}, {.commit = {.allow = isorow::destructive}});
    CHECK(names() == "theirs");
    home.sql("ALTER TABLE products DROP COLUMN price");
    CHECK_THROWS_MATCHES(declare<Plain>(plain_schema(), {}, options), isorow::mismatch, test::says("price"));
}

TEST_CASE_METHOD(shop, "declare_table_target: returns a pending target; mount_run and result wait for its resolution") {
    auto const done = app.run([](isorow::scope scope) {
        isorow::pending_schema_target const pending =
            scope.run({"setup", "table"}, [](isorow::scope here) { return here.declare_target(plain_schema(), {.table = "products"}); });
        CHECK(pending.name() == "\"public\".\"products\"");
        isorow::schema_target const table = pending.resolve();
        table.row(scope / "row", Plain{"a", "x", {}});
    });
    CHECK(done.inserted == 1);
    CHECK(names() == "x");
}

TEST_CASE_METHOD(shop, "declare_table_target: result throws where the table cannot be had, before any row is declared") {
    home.sql("CREATE TABLE products (id int)");
    bool declared = false;
    CHECK_THROWS_AS(app.run([&](isorow::scope scope) {
        auto const table = scope.declare_target(plain_schema(), {.table = "products"}).resolve();
        declared = true;
    }),
                    isorow::not_owned);
    CHECK_FALSE(declared);
}

// Rows

TEST_CASE_METHOD(shop, "declare_row: scope: a row belongs to its component, and goes when the component is mounted no longer") {
    auto const run = [&](std::vector<std::string> const& all) {
        return to_string(app.run([&](isorow::scope scope) {
            auto const table = scope.target(plain_schema(), {.table = "products"});
            for (auto const& name : all) scope.mount({"row", name}, [&](isorow::scope here) { table.row(here, Plain{"a", name, {}}); });
        }));
    };
    CHECK(run({"x", "y"}) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(run({"y"}) == "0 inserted, 0 updated, 1 deleted, 1 unchanged");
}

TEST_CASE_METHOD(shop, "declare_row: row: a struct, as a dataclass, a NamedTuple or a Pydantic model") {
    declare<OutputProduct>(table_schema::of<OutputProduct>({.primary_key = {"category", "name"}}), {{"a", "x", 1.5, {{1, 2, 3}}}});
    CHECK(home.sql("SELECT p::text FROM products p") == "(a,x,1.5,\"[1,2,3]\")");
}

TEST_CASE_METHOD(shop, "declare_row: row: a dynamic row, as a dict") {
    declare<isorow::dynamic_row>(plain_schema(), {{{"category", "a"}, {"name", "x"}, {"price", 1.5}}, {{"name", "y"}, {"category", "a"}}});
    CHECK(home.sql("SELECT string_agg(p::text, ' ' ORDER BY name) FROM products p") == "(a,x,1.5) (a,y,)");
}

TEST_CASE_METHOD(shop, "declare_row: row must include all primary key columns") {
    CHECK_THROWS_MATCHES(declare<isorow::dynamic_row>(plain_schema(), {{{"category", "a"}, {"price", 1.5}}}), isorow::unrepresentable,
                         test::says("name"));
    CHECK_THROWS_MATCHES(declare<isorow::dynamic_row>(plain_schema(), {{{"category", "a"}, {"name", isorow::null}}}),
                         isorow::unrepresentable, test::says("name"));
    CHECK_THROWS_MATCHES(declare<Nameless>(plain_schema(), {{"a", 1.5}}), isorow::mismatch, test::says("name"));
    CHECK_FALSE(exists("public.products"));
}

// TableSchema from a class

TEST_CASE("TableSchema: columns: a record type whose fields define the columns") {
    auto const schema = table_schema::of<Plain>({.primary_key = {"category", "name"}});
    REQUIRE(schema.columns().size() == 3);
    CHECK(schema.columns()[0].name == "category");
    CHECK(schema.columns()[2].name == "price");
    CHECK(schema.columns()[2].nullable);
}

TEST_CASE("TableSchema: primary_key: the names of the key's columns") {
    auto const schema = table_schema::of<Plain>({.primary_key = {"name", "category"}});
    CHECK(std::vector<std::size_t>(schema.key().begin(), schema.key().end()) == std::vector<std::size_t>{1, 0});
    CHECK_THROWS_MATCHES(table_schema::of<Plain>({.primary_key = {"nam"}}), isorow::usage_error, test::says("did you mean \"name\"?"));
    CHECK(table_schema::of<Keyed>().key().size() == 1);
}

TEST_CASE("TableSchema: column_overrides: another type, or the shape of a vector, by the column's name") {
    auto const schema = table_schema::of<Plain>({.primary_key = {"category", "name"}, .column_overrides = {{"price", pg_type{"real"}}}});
    CHECK(to_sql(schema.columns()[2].type) == "real");
    CHECK_THROWS_MATCHES(table_schema::of<Plain>({.primary_key = {"name"}, .column_overrides = {{"prise", pg_type{"real"}}}}),
                         isorow::usage_error, test::says("did you mean \"price\"?"));
}

TEST_CASE_METHOD(shop, "TableSchema: example: OutputProduct with an embedder") {
    auto const schema = table_schema::of<OutputProduct>({.primary_key = {"category", "name"}});
    declare<OutputProduct>(schema, {{"lamps", "torch", 39.5, {{1, 0, 0}}}});
    CHECK(type_of("category") == "text not null");
    CHECK(type_of("price") == "double precision not null");
    CHECK(type_of("embedding") == "vector(3) not null");
}

// The mapping, row by row

TEST_CASE_METHOD(shop, "type mapping: bool: boolean") { CHECK(kept_as(true) == "boolean not null"); }
TEST_CASE_METHOD(shop, "type mapping: int: bigint") { CHECK(kept_as(std::int64_t{1} << 62) == "bigint not null"); }
TEST_CASE_METHOD(shop, "type mapping: float: double precision") { CHECK(kept_as(0.1) == "double precision not null"); }
TEST_CASE_METHOD(shop, "type mapping: Decimal: numeric") { CHECK(kept_as(*isorow::numeric::parse("12.50")) == "numeric not null"); }
TEST_CASE_METHOD(shop, "type mapping: str: text") { CHECK(kept_as(std::string("größer")) == "text not null"); }
TEST_CASE_METHOD(shop, "type mapping: bytes: bytea") {
    CHECK(kept_as(std::vector<std::byte>{std::byte{0}, std::byte{255}}) == "bytea not null");
}
TEST_CASE_METHOD(shop, "type mapping: UUID: uuid") {
    CHECK(kept_as(*isorow::uuid::parse("550e8400-e29b-41d4-a716-446655440000")) == "uuid not null");
}
TEST_CASE_METHOD(shop, "type mapping: date: date") {
    CHECK(kept_as(std::chrono::year_month_day{std::chrono::year{2026} / 11 / 20}) == "date not null");
}
TEST_CASE_METHOD(shop, "type mapping: time: time with time zone") {
    CHECK(kept_as(isorow::timetz(isorow::time(13h), 2h)) == "time with time zone not null");
}
TEST_CASE_METHOD(shop, "type mapping: datetime: timestamp with time zone") {
    CHECK(kept_as(sys_microseconds{1'700'000'000'000'001us}) == "timestamp with time zone not null");
}
TEST_CASE_METHOD(shop, "type mapping: timedelta: interval") { CHECK(kept_as(std::chrono::microseconds{90min}) == "interval not null"); }
TEST_CASE_METHOD(shop, "type mapping: list: jsonb") {
    CHECK(kept_as(isorow::jsonb<std::vector<std::string>>{{"a", "b"}}) == "jsonb not null");
    CHECK(table_schema::of<One<std::vector<Size>>>().columns()[1].type == isorow::column_type{isorow::type_id::jsonb});
}
TEST_CASE_METHOD(shop, "type mapping: dict: jsonb") { CHECK(kept_as(std::map<std::string, double>{{"a", 1.5}}) == "jsonb not null"); }
TEST_CASE_METHOD(shop, "type mapping: nested structs: jsonb") { CHECK(kept_as(Size{1, 2.5}) == "jsonb not null"); }
TEST_CASE_METHOD(shop, "type mapping: NDArray: vector(n)") {
    CHECK(kept_as(annotated<std::vector<float>, isorow::vector_schema<3>>{{1, 2, 3}}) == "vector(3) not null");
}
TEST_CASE_METHOD(shop, "type mapping: NDArray: halfvec(n)") {
    CHECK(kept_as(annotated<std::vector<float>, isorow::vector_schema<3, isorow::vector_element::float16>>{{1, 2, 3}}) ==
          "halfvec(3) not null");
}
TEST_CASE("type mapping: NDArray: without a vector schema there is no type") {
    CHECK_THROWS_MATCHES(table_schema::of<One<std::vector<float>>>({.primary_key = {"id"}}), isorow::usage_error, test::says("value"));
}

// PgType

TEST_CASE_METHOD(shop, "PgType: by annotation: integer, real, timestamp without time zone") {
    declare<MyRow>(table_schema::of<MyRow>({.primary_key = {"id"}}), {{1, 0.5, sys_microseconds{}}});
    CHECK(type_of("id") == "integer not null");
    CHECK(type_of("value") == "real not null");
    CHECK(type_of("created_at") == "timestamp without time zone not null");
    CHECK(home.sql("SELECT created_at FROM products") == "1970-01-01 00:00:00");
}

TEST_CASE_METHOD(shop, "PgType: by column_overrides") {
    CHECK(kept_as(sys_microseconds{1s}, {{"value", pg_type{"timestamp"}}}) == "timestamp without time zone not null");
}

TEST_CASE("PgType: by column_overrides beats the annotation") {
    using stock = annotated<std::int64_t, pg_type<"integer">>;
    auto const schema = table_schema::of<One<stock>>({.primary_key = {"id"}, .column_overrides = {{"value", pg_type{"smallint"}}}});
    CHECK(to_sql(schema.columns()[1].type) == "smallint");
}

TEST_CASE("PgType: a type that cannot hold the field's values is refused") {
    CHECK_THROWS_MATCHES(table_schema::of<One<double>>({.primary_key = {"id"}, .column_overrides = {{"value", pg_type{"uuid"}}}}),
                         isorow::usage_error, test::says("value"));
}

// VectorSchemaProvider

TEST_CASE_METHOD(shop, "VectorSchemaProvider: an embedding model, by annotation: the dimension comes from the model") {
    CHECK(kept_as(annotated<std::vector<float>, fixed_embedder>{{1, 2, 3}}) == "vector(3) not null");
}

TEST_CASE_METHOD(shop, "VectorSchemaProvider: an embedding model, by column_overrides: the dimension comes from the model") {
    loaded_embedder const model{4};
    CHECK(kept_as(std::vector<float>{1, 2, 3, 4}, {{"value", model}}) == "vector(4) not null");
    CHECK_THROWS_MATCHES(declare<One<std::vector<float>>>(table_schema::of<One<std::vector<float>>>(
                                                              {.primary_key = {"id"}, .column_overrides = {{"value", std::ref(model)}}}),
                                                          {{1, {1, 2, 3}}}, {.table = "kept"}),
                         isorow::unrepresentable, test::says("value"));
}

TEST_CASE_METHOD(shop,
                 "VectorSchemaProvider: an embedding model with other dimensions: all rows are declared anew, where that is allowed") {
    auto const run = [&](std::size_t size, isorow::run_options const& options = {}) {
        return app.run(
            [&](isorow::scope scope) {
                auto const schema = table_schema::of<One<std::vector<float>>>(
                    {.primary_key = {"id"}, .column_overrides = {{"value", loaded_embedder{size}}}, .table = "kept"});
                auto const table = scope.target(schema);
                scope.mount("one", isorow::version{1}, 7,
                            [&](isorow::scope here, int) { table.row(here, One<std::vector<float>>{1, std::vector<float>(size)}); });
            },
            options);
    };
    run(3);
    CHECK_THROWS_AS(run(4), isorow::destructive_change);
    CHECK(run(4, {.commit = {.allow = isorow::destructive}}).components.ran == 2);
    CHECK(type_of("value", "public.kept") == "vector(4) not null");
}

TEST_CASE_METHOD(shop, "VectorSchema: dtype float32 and size, by annotation") {
    CHECK(kept_as(annotated<std::vector<float>, isorow::vector_schema<384>>(std::vector<float>(384))) == "vector(384) not null");
}

TEST_CASE_METHOD(shop, "VectorSchema: dtype float32 and size, by column_overrides") {
    CHECK(kept_as(std::vector<float>(384), {{"value", isorow::vector_schema{384}}}) == "vector(384) not null");
}

TEST_CASE_METHOD(shop, "VectorSchema: dtype float16 is halfvec") {
    CHECK(kept_as(std::vector<float>(384), {{"value", isorow::vector_schema{384, isorow::vector_element::float16}}}) ==
          "halfvec(384) not null");
}

TEST_CASE_METHOD(shop, "pgvector: the extension is created when it is needed, and only then") {
    auto const run = [&](bool with_vectors) {
        app.run([&](isorow::scope scope) {
            static_cast<void>(scope.target(plain_schema(), {.table = "products"}));
            if (with_vectors)
                static_cast<void>(scope.target(table_schema::of<OutputProduct>({.primary_key = {"name"}}), {.table = "embedded"}));
        });
        return home.sql("SELECT count(*) FROM pg_extension WHERE extname = 'vector'");
    };
    CHECK(run(false) == "0");
    CHECK(run(true) == "1");
}

// ColumnDef

TEST_CASE("ColumnDef: type, as SQL writes it") {
    table_schema const schema{{{"id", column{"integer", isorow::not_null}}, {"price", column{.type = "numeric(10,2)"}}}, primary_key{"id"}};
    CHECK(to_sql(schema.columns()[1].type) == "numeric(10,2)");
    CHECK_THROWS_MATCHES((table_schema{{{"id", column{"no type", isorow::not_null}}}, primary_key{"id"}}), isorow::usage_error,
                         test::says("no type"));
}

TEST_CASE("ColumnDef: nullable is true by default") {
    table_schema const schema{{{"id", column{"integer", isorow::not_null}}, {"price", column{"numeric"}}}, primary_key{"id"}};
    CHECK_FALSE(schema.columns()[0].nullable);
    CHECK(schema.columns()[1].nullable);
}

TEST_CASE_METHOD(shop, "ColumnDef: example: a table by explicit column definitions") {
    table_schema const schema{{{"category", column{"text", isorow::not_null}},
                               {"name", column{"text", isorow::not_null}},
                               {"price", column{"numeric"}},
                               {"embedding", column{"vector(384)"}}},
                              primary_key{"category", "name"}};
    declare<isorow::dynamic_row>(schema, {{{"category", "lamps"}, {"name", "torch"}, {"price", *isorow::numeric::parse("39.50")}}});
    CHECK(type_of("name") == "text not null");
    CHECK(type_of("price") == "numeric");
    CHECK(type_of("embedding") == "vector(384)");
    CHECK(home.sql("SELECT p::text FROM products p") == "(lamps,torch,39.50,)");
}

// The complete example

TEST_CASE("example: lifespan, provide, use, declare_table_target, mount_run, declare_row") {
    test::database home;
    isorow::context_key<std::vector<OutputProduct> const> const products_key{"products"};
    auto const app_main = [&](isorow::scope scope) {
        auto const declare_table = [](isorow::scope here) {
            return here.declare_target(table_schema::of<OutputProduct>({.primary_key = {"category", "name"}}), {.table = "products"});
        };
        auto const table = scope.run({"setup", "table"}, declare_table).resolve();
        for (auto const& product : scope.use(products_key)) table.row(scope / "row" / product.category / product.name, product);
    };
    std::vector<OutputProduct> products{{"lamps", "torch", 39.5, {{1, 0, 0}}}, {"pens", "ink", 2.5, {{0, 1, 0}}}};
    {
        isorow::pool pool{home.dsn(), {.min_size = 1}};
        isorow::app app{isorow::register_db("main_db", pool), "products"};
        app.provide(products_key, std::cref(products));
        CHECK(to_string(app.run(app_main)) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
        products.pop_back();
        CHECK(to_string(app.run(app_main)) == "0 inserted, 0 updated, 1 deleted, 1 unchanged");
    }
    isorow::pool pool{home.dsn(), {.min_size = 1}};
    CHECK_NOTHROW(isorow::register_db("main_db", pool));
}
