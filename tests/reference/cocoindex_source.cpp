/// @file
/// What the pages of CocoIndex's Postgres connector and source say of reading, sentence by sentence, in their words. docs/sources.md has
/// the table of them.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using isorow::dynamic_row;

namespace {

struct Product {
    std::int64_t id;
    std::string name;
    double price = -1;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

struct shop {
    test::database database;
    isorow::pool pool{database.dsn()};

    shop() {
        database.sql(
            "CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, price float8 NOT NULL); INSERT INTO products VALUES "
            "(1, 'lamp', 10), (2, 'desk', 200)");
    }

    std::vector<dynamic_row> rows(isorow::source_options options) {
        return isorow::source<dynamic_row>(pool, std::move(options)).fetch_all();
    }
};

}  // namespace

TEST_CASE_METHOD(shop, "PgTableSource: table_name: the table to read from") {
    database.sql("CREATE TABLE others (LIKE products INCLUDING ALL); INSERT INTO others VALUES (3, 'chair', 30)");
    CHECK(isorow::source<Product>(pool, {.table = "others"}).fetch_all().at(0).id == 3);
}

TEST_CASE_METHOD(shop, "PgTableSource: columns: a subset of the record's fields") {
    auto const some = isorow::source<Product>(pool, {.columns = {"id", "name"}}).fetch_all();
    CHECK(some.at(0).price == -1);
    CHECK_THROWS_MATCHES(isorow::source<Product>(pool, {.columns = {"id", "colour"}}), isorow::usage_error,
                         test::says("no column \"colour\""));
}

TEST_CASE_METHOD(shop, "PgTableSource: columns: omitted without a row type, all columns") {
    CHECK(rows({.table = "products"}).at(0).size() == 3);
    CHECK(rows({.table = "products", .columns = {"name"}}).at(0) == dynamic_row{{"name", "lamp"}});
}

TEST_CASE_METHOD(shop, "PgTableSource: pg_schema_name: public by default") {
    database.sql("CREATE SCHEMA archive; CREATE TABLE archive.products (LIKE products INCLUDING ALL)");
    CHECK(rows({.table = "products"}).size() == 2);
    CHECK(rows({.table = "products", .schema = "archive"}).empty());
    isorow::connection elsewhere(database.dsn());
    isorow::execute(elsewhere, "SET search_path = archive");
    CHECK(isorow::source<dynamic_row>(elsewhere, {.table = "products"}).fetch_all().size() == 2);
}

TEST_CASE_METHOD(shop, "PgTableSource: row_type: rows are converted, columns inferred") {
    isorow::source<Product> const source(pool, {.table = "products"});
    CHECK(source.sql() == "SELECT \"id\", \"name\", \"price\" FROM \"public\".\"products\"");
    CHECK(source.fetch_all().at(1).name == "desk");
}

TEST_CASE_METHOD(shop, "PgTableSource: row_factory: each row dict through a callable") {
    isorow::source<dynamic_row> const source(pool, {.table = "products", .columns = {"id", "name", "price"}});
    auto const marked_up = [](dynamic_row const& row) { return std::pair(row["name"].as<std::string>(), row["price"].as<double>() * 1.5); };
    CHECK(source.fetch_all(marked_up).at(0) == std::pair(std::string("lamp"), 15.0));
    double sum = 0;
    for (auto const& [name, price] : source.rows(marked_up)) sum += price;
    CHECK(sum == 315);
}

TEST_CASE_METHOD(shop, "Row mapping: by default rows are dicts") {
    CHECK(rows({.table = "products"}).at(0) == dynamic_row{{"id", 1}, {"name", "lamp"}, {"price", 10.0}});
}

TEST_CASE_METHOD(shop, "Iterating rows: synchronous") {
    std::string shown;
    for (auto const& row : isorow::source<Product>(pool).rows()) shown += isorow::text("{} {};", row.name, row.price);
    CHECK(shown == "lamp 10;desk 200;");
}

TEST_CASE_METHOD(shop, "Setup: tables without a primary key are not supported") {
    database.sql(
        "CREATE TABLE loose AS TABLE products; ALTER TABLE loose ALTER id SET NOT NULL, ALTER name SET NOT NULL, ALTER price SET NOT "
        "NULL");
    CHECK(isorow::source<Product>(pool, {.table = "loose"}).fetch_all().size() == 2);  // where no key is needed
    auto const says = test::says("\"public\".\"loose\" has no primary key");
    CHECK_THROWS_MATCHES(isorow::source<Product>(pool, {.table = "loose"}).keyed_rows(), isorow::usage_error, says);
    CHECK_THROWS_MATCHES(isorow::source<Product>(pool, {.table = "loose"}).rows_in_chunks(), isorow::usage_error, says);
    CHECK_THROWS_MATCHES(rows({.table = "loose", .included_columns = {"price"}}), isorow::usage_error, says);
}

TEST_CASE_METHOD(shop, "Setup: SELECT is all that reading needs") {
    database.sql("DROP ROLE IF EXISTS isorow_reader; CREATE ROLE isorow_reader; GRANT SELECT ON products TO isorow_reader");
    {
        isorow::connection reader(database.dsn());
        isorow::execute(reader, "SET ROLE isorow_reader");
        CHECK(isorow::source<Product>(reader, {.included_columns = {"name"}}).fetch_all().size() == 2);
        CHECK(isorow::source<dynamic_row>(reader, {.table = "products"}).fetch_all().size() == 2);
    }
    database.sql("DROP OWNED BY isorow_reader; DROP ROLE isorow_reader");
}

TEST_CASE_METHOD(shop, "Spec: database: an explicit connection") {
    auto const main = isorow::register_db("sources: main", pool);
    CHECK(isorow::source<Product>(main).fetch_all().size() == 2);
}

TEST_CASE_METHOD(shop, "Spec: database: the default one") {
    ::setenv("ISOROW_DATABASE_URL", database.dsn().c_str(), 1);
    isorow::source<Product> const source({.table = "products"});
    ::unsetenv("ISOROW_DATABASE_URL");
    CHECK(source.fetch_all().size() == 2);
    CHECK_THROWS_MATCHES(isorow::source<Product>({.table = "products"}), isorow::usage_error, test::says("ISOROW_DATABASE_URL"));
}

TEST_CASE_METHOD(shop, "Spec: included_columns: beside the primary key's") {
    CHECK(rows({.table = "products", .included_columns = {"price"}}).at(0) == dynamic_row{{"id", 1}, {"price", 10.0}});
    CHECK(rows({.table = "products"}).at(0).size() == 3);  // all, where it is not said
}

TEST_CASE_METHOD(shop, "Spec: filter: an SQL boolean expression") {
    CHECK(rows({.table = "products", .sql_filter = "price > 100"}).size() == 1);
    CHECK(rows({.table = "products", .sql_filter = "price > 100 OR name = 'lamp'"}).size() == 2);
    CHECK(rows({.table = "products", .filter = isorow::where("price") > 100.0}).size() == 1);
}

TEST_CASE_METHOD(shop, "Spec: filter: must be boolean") {
    CHECK_THROWS_MATCHES(rows({.table = "products", .sql_filter = "price"}), isorow::server_error,
                         test::says("argument of WHERE must be type boolean"));
}

TEST_CASE_METHOD(shop, "Schema: key fields are the primary key's, value fields the others") {
    auto typed = isorow::source<Product>(pool).keyed_rows();
    auto const first = *typed.begin();
    CHECK(first.key == 1);
    CHECK(first.value == std::tuple(std::string("lamp"), 10.0));
    auto dynamic = isorow::source<dynamic_row>(pool, {.table = "products"}).keyed_rows();
    CHECK((*dynamic.begin()).key == dynamic_row{{"id", 1}});
}

// Change capture

namespace {

/// Takes what is told until it is this, or will never be.
template <class T>
bool told(isorow::followed<T>& rows, std::size_t count, std::function<bool(isorow::source_event<T> const&)> const& wanted) {
    auto const limits = isorow::limits::within(std::chrono::seconds(30));
    for (std::size_t seen = 0; seen < count;) {
        auto batch = rows.next(limits);
        if (!batch) return false;
        for (auto const& event : *batch) seen += wanted(event) ? 1 : 0;
    }
    return true;
}

}  // namespace

TEST_CASE_METHOD(shop, "Spec: ordinal_column: change tracking by a modified timestamp or a version") {
    database.sql("ALTER TABLE products ADD version bigint NOT NULL DEFAULT 1, ADD modified timestamptz NOT NULL DEFAULT now()");
    for (std::string const ordinal : {"version", "modified"}) {
        isorow::source<Product> const source(pool, {.included_columns = {"name"}, .ordinal_column = ordinal});
        auto rows = isorow::follow(source, isorow::polling{.interval = std::chrono::milliseconds(10)}, {.consumer = ordinal});
        CHECK(told<Product>(rows, 1, [](auto const& event) { return event.kind == isorow::event_kind::end_rows; }));
        database.sql("UPDATE products SET name = name || '!', version = version + 1, modified = clock_timestamp() WHERE id = 2");
        CHECK(told<Product>(rows, 1, [](auto const& event) { return event.kind == isorow::event_kind::upserted && event.key == 2; }));
    }
}

TEST_CASE_METHOD(shop, "Spec: ordinal_column: must not be a primary key column") {
    isorow::source<Product> const source(pool, {.ordinal_column = "id"});
    CHECK_THROWS_MATCHES(isorow::follow(source, isorow::polling{}, {.consumer = "x"}), isorow::usage_error,
                         test::says("it is of the primary key"));
}

TEST_CASE_METHOD(shop, "Spec: refresh interval") {
    isorow::source<Product> const source(pool);
    auto rows = isorow::follow(source, isorow::polling{.interval = std::chrono::milliseconds(10)}, {.consumer = "refresh"});
    CHECK(told<Product>(rows, 3, [](auto const& event) { return event.kind == isorow::event_kind::end_rows; }));
    CHECK(isorow::polling{}.interval == std::chrono::seconds(10));
}

TEST_CASE_METHOD(shop, "Spec: notification: change capture", "[session]") {
    isorow::source<Product> const source(pool);
    auto rows = isorow::follow(source, isorow::changelog{.notification = {.wakes = true}, .interval = std::chrono::hours(1)},
                               {.consumer = "capture"});
    CHECK(told<Product>(rows, 1, [](auto const& event) { return event.kind == isorow::event_kind::end_rows; }));
    database.sql("INSERT INTO products VALUES (3, 'chair', 30)");
    CHECK(told<Product>(rows, 1, [](auto const& event) { return event.row && event.row->name == "chair"; }));
    database.sql("DELETE FROM products WHERE id = 3");
    CHECK(told<Product>(rows, 1, [](auto const& event) { return event.kind == isorow::event_kind::removed && event.key == 3; }));
}

TEST_CASE_METHOD(shop, "Spec: notification: channel_name", "[session]") {
    isorow::source<Product> const source(pool);
    auto rows = isorow::follow(source, isorow::changelog{.notification = {.channel = "my channel", .wakes = true}}, {.consumer = "named"});
    isorow::listener other(pool, {"my channel"});
    CHECK(told<Product>(rows, 1, [](auto const& event) { return event.kind == isorow::event_kind::end_rows; }));
    database.sql("DELETE FROM products WHERE id = 1");
    CHECK(other.next(std::chrono::seconds(30)).has_value());
    CHECK(told<Product>(rows, 1, [](auto const& event) { return event.kind == isorow::event_kind::removed; }));
}

TEST_CASE_METHOD(shop, "Spec: notification: the channel's name where it is omitted") {
    isorow::source<Product> const source(pool);
    auto const rows = isorow::follow(source, isorow::changelog{}, {.consumer = "flow"});
    auto const other = isorow::follow(source, isorow::changelog{.notification = {.suffix = "shop"}}, {.consumer = "other"});
    CHECK(database.sql("SELECT string_agg(channel, ' ' ORDER BY channel) FROM isorow.changelogs") ==
          "flow__products__isorow other__products__shop");
}

TEST_CASE_METHOD(shop, "Spec: notification: function and trigger are created on demand") {
    isorow::source<Product> const source(pool);
    auto const objects = [&] {
        return database.sql(
            "SELECT concat_ws(' ', (SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = 'products'::regclass), "
            "(SELECT string_agg(proname, ' ') FROM pg_proc WHERE proname LIKE 'live\\_%'))");
    };
    CHECK(objects().empty());
    auto const follow = [&] {
        return isorow::follow(source, isorow::changelog{.notification = {.channel = "live"}},
                              {.consumer = "a", .begin = isorow::begin_with::changes});
    };
    static_cast<void>(follow());
    CHECK(objects() == "live_t live_t_delete live_t_truncate live_t_update live_n");
    static_cast<void>(follow());
    CHECK(objects() == "live_t live_t_delete live_t_truncate live_t_update live_n");
}

TEST_CASE_METHOD(shop, "Spec: notification: clean up") {
    isorow::source<Product> const source(pool);
    static_cast<void>(isorow::follow(source, isorow::changelog{.notification = {.channel = "live"}}, {.consumer = "a"}));
    auto const sql = isorow::notification_cleanup_sql("public", "products", "live");
    CHECK(sql.find("DROP TRIGGER IF EXISTS \"live_t\" ON \"public\".\"products\";") != std::string::npos);
    CHECK(sql.find("DROP FUNCTION IF EXISTS \"isorow\".\"live_n\"()") != std::string::npos);
    isorow::remove_notification(pool, "public", "products", "live");
    CHECK(database.sql("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'products'::regclass") == "0");
    CHECK(database.sql("SELECT count(*) FROM pg_proc WHERE proname = 'live_n'") == "0");
    CHECK(database.sql("SELECT count(*) FROM pg_class WHERE relname = 'live_log'") == "0");
    CHECK(isorow::positions(pool).empty());
    database.sql(sql);  // and again, which changes nothing
}
