#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using isorow::identity;

namespace {

struct Item {
    std::int64_t id;
    std::string name;
    double price;
    std::int32_t amount;
    double total;  ///< computed by the server

    static consteval auto isorow_table() {
        return isorow::table("items")
            .primary_key<&Item::id>()
            .column<&Item::id>({.identity = identity::by_default})
            .column<&Item::name>({.collation = "C", .comment = "as it's called"})
            .column<&Item::price>({.check = "price > 0"})
            .column<&Item::total>({.generated = "price * amount"})
            .check("items_are_there", "amount >= 0")
            .comment("what is for sale");
    }
    friend bool operator==(Item const&, Item const&) = default;
};

/// The same table with nothing but types.
struct PlainItem {
    std::int64_t id;
    std::string name;
    double price;
    std::int32_t amount;
    double total;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&PlainItem::id>(); }
};

/// With other rules.
struct OtherItem {
    std::int64_t id;
    std::string name;
    double price;
    std::int32_t amount;
    double total;

    static consteval auto isorow_table() {
        return isorow::table("items")
            .primary_key<&OtherItem::id>()
            .column<&OtherItem::id>({.identity = identity::by_default})
            .column<&OtherItem::name>({.collation = "POSIX", .comment = "another"})
            .column<&OtherItem::price>({.check = "price >= 1"})
            .column<&OtherItem::total>({.generated = "price * amount + 1"})
            .index<&OtherItem::total>()
            .check("items_are_there", "amount >= 0");
    }
};

/// Without the computed column.
struct ShortItem {
    std::int64_t id;
    std::string name;
    double price;
    std::int32_t amount;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&ShortItem::id>(); }
};

/// The computed column depends on one that is new.
struct TaxedItem {
    std::int64_t id;
    std::string name;
    double price;
    std::int32_t amount;
    double total;
    std::optional<double> tax;

    static consteval auto isorow_table() {
        return isorow::table("items").primary_key<&TaxedItem::id>().column<&TaxedItem::total>(
            {.generated = "price * amount * (1 + coalesce(tax, 0))"});
    }
};

struct AlwaysNumbered {
    std::int32_t key;
    std::int64_t number;

    static consteval auto isorow_table() {
        return isorow::table("numbered")
            .primary_key<&AlwaysNumbered::key>()
            .column<&AlwaysNumbered::number>({.identity = identity::always});
    }
};

struct Sized {
    std::int32_t id;
    isorow::numeric price;
    std::string code;
    std::string letters;

    static consteval auto isorow_table() {
        return isorow::table("sized")
            .primary_key<&Sized::id>()
            .column<&Sized::price>({.type = "numeric(10,2)"})
            .column<&Sized::code>({.type = "varchar(3)"})
            .column<&Sized::letters>({.type = "char(3)"});
    }
};

std::vector<Item> items() { return {{1, "lamp", 10, 2, 0}, {2, "chair", 2.5, 4, -1}}; }

struct store {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    template <class T = Item>
    isorow::report synchronise(std::vector<T> const& rows, isorow::target_options options = {}) {
        return isorow::synchronise(connection, rows, std::move(options));
    }
    template <class T>
    isorow::plan plan(std::vector<T> const& rows) {
        isorow::target<T> target(connection);
        target.declare_all(rows);
        return target.plan();
    }
    std::string sql(std::string const& statement) const { return database.sql(statement); }
    [[nodiscard]] std::string rows() const {
        return sql("SELECT string_agg(id || ' ' || name || ' ' || price || ' ' || amount || ' ' || total, ', ' ORDER BY id) FROM items");
    }
    [[nodiscard]] std::string rules() const {
        return sql(
            "SELECT string_agg(a.attname || CASE WHEN a.attidentity <> '' THEN ' numbered ' || a.attidentity::text ELSE '' END ||"
            " CASE WHEN a.attgenerated <> '' THEN ' = ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END ||"
            " CASE WHEN a.attcollation <> t.typcollation THEN ' by ' || l.collname ELSE '' END ||"
            " coalesce(' -- ' || col_description(a.attrelid, a.attnum), ''), ', ' ORDER BY a.attname)"
            " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = "
            "a.attnum LEFT JOIN pg_collation l ON l.oid = a.attcollation WHERE a.attrelid = 'items'::regclass AND a.attnum > 0 AND NOT "
            "a.attisdropped");
    }
    [[nodiscard]] std::string checks() const {
        return sql(
            "SELECT coalesce(string_agg(conname || ' ' || pg_get_constraintdef(oid), ', ' ORDER BY conname), '') FROM pg_constraint"
            " WHERE conrelid = 'items'::regclass AND contype = 'c'");
    }
    [[nodiscard]] std::string comment() const { return sql("SELECT obj_description('items'::regclass, 'pg_class')"); }
    /// All that is written down, and by whom.
    [[nodiscard]] std::string record() const {
        return sql(
            "SELECT (SELECT string_agg(c::text || c.xmin::text, ' ' ORDER BY name) FROM isorow.columns c) ||"
            " (SELECT coalesce(string_agg(o::text || o.xmin::text, ' ' ORDER BY name), '') FROM isorow.objects o) ||"
            " (SELECT string_agg(t::text || t.xmin::text, ' ') FROM isorow.targets t)");
    }
};

bool has(std::vector<std::string> const& lines, std::string_view part) {
    return std::ranges::any_of(lines, [&](auto const& line) { return line.find(part) != std::string::npos; });
}

bool plans(isorow::plan const& plan, std::string_view part) {
    return std::ranges::any_of(plan.tables.at(0).changes,
                               [&](auto const& change) { return change.description.find(part) != std::string::npos; });
}

constexpr auto all_rules = "amount, id numbered d, name by C -- as it's called, price, total = (price * (amount)::double precision)";
constexpr auto all_checks = "items_are_there CHECK ((amount >= 0)), items_price_check CHECK ((price > (0)::double precision))";
constexpr auto no_rules = "amount, id, name, price, total";

}  // namespace

TEST_CASE_METHOD(store, "the catalogue says what was declared of columns and of the table") {
    CHECK(to_string(synchronise(items())) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(rules() == all_rules);
    CHECK(checks() == all_checks);
    CHECK(comment() == "what is for sale");
    CHECK(rows() == "1 lamp 10 2 20, 2 chair 2.5 4 10");
}

TEST_CASE_METHOD(store, "a second run with generated columns and rules changes nothing") {
    synchronise(items());
    auto const before = record();
    auto rows = items();
    rows[0].total = 99;  // what a generated field holds is not written
    auto const done = synchronise(rows);
    CHECK(to_string(done) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(done.ddl.empty());
    CHECK(record() == before);
}

TEST_CASE_METHOD(store, "generated columns are read, and follow the values that are written") {
    synchronise(items());
    auto rows = items();
    rows[1].amount = 5;
    CHECK(to_string(synchronise(rows)) == "0 inserted, 1 updated, 0 deleted, 1 unchanged");
    std::vector<Item> read;
    isorow::source<Item> source{connection};
    for (Item const& row : source.rows()) read.push_back(row);
    std::ranges::sort(read, {}, &Item::id);
    CHECK(read == std::vector<Item>{{1, "lamp", 10, 2, 20}, {2, "chair", 2.5, 5, 12.5}});
    CHECK(isorow::query<Item>(connection, "SELECT * FROM items WHERE id = 2") == std::vector<Item>{{2, "chair", 2.5, 5, 12.5}});
}

TEST_CASE_METHOD(store, "rows of shared tables and more rows than memory allows leave generated columns out") {
    std::vector<Item> many;
    for (std::int64_t id = 1; id <= 3000; ++id) many.push_back({id, "n" + std::to_string(id), 1, 2, 0});
    isorow::target_options options{.ownership = isorow::ownership::shared};
    options.commit.memory = 50'000;
    CHECK(to_string(synchronise(many, options)) == "3000 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(sql("SELECT sum(total) FROM items") == "6000");
    many[7].amount = 3;
    CHECK(to_string(synchronise(many, options)) == "0 inserted, 1 updated, 0 deleted, 2999 unchanged");
    CHECK(sql("SELECT sum(total) FROM items") == "6001");
    CHECK(rules() == all_rules);
    CHECK(comment() == "what is for sale");
}

TEST_CASE_METHOD(store, "rules are added to a table that has none, and taken away again") {
    std::vector<PlainItem> const plain{{1, "lamp", 10, 2, 20}, {2, "chair", 2.5, 4, 10}};
    synchronise(plain);
    CHECK(rules() == no_rules);
    auto const planned = plan(items());
    CHECK(plans(planned, "let the server number column \"id\""));
    CHECK(plans(planned, "let column \"name\" be compared by the collation \"C\""));
    CHECK(plans(planned, "add constraint \"items_price_check\" CHECK (price > 0)"));
    CHECK(plans(planned, "add constraint \"items_are_there\" CHECK (amount >= 0)"));
    CHECK(plans(planned, "set the comment of \"name\""));
    CHECK(plans(planned, "set the comment of \"items\""));
    CHECK(plans(planned, "which loses the values that were written"));
    CHECK_THROWS_AS(synchronise(items()), isorow::destructive_change);
    CHECK(rules() == no_rules);
    CHECK(checks().empty());
    isorow::target_options options;
    options.commit.allow = isorow::destructive;
    CHECK(to_string(synchronise(items(), options)) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(rules() == all_rules);
    CHECK(checks() == all_checks);
    CHECK(comment() == "what is for sale");
    CHECK(rows() == "1 lamp 10 2 20, 2 chair 2.5 4 10");
    CHECK(sql("INSERT INTO items (name, price, amount) VALUES ('desk', 1, 1) RETURNING id") == "3");
    CHECK(synchronise(items()).deleted == 1);
    CHECK(synchronise(items()).ddl.empty());

    CHECK(to_string(synchronise(plain)) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(rules() == no_rules);
    CHECK(checks().empty());
    CHECK(comment().empty());
    CHECK(synchronise(plain).ddl.empty());
}

TEST_CASE_METHOD(store, "rules that are declared otherwise are changed") {
    synchronise(items());
    std::vector<OtherItem> const other{{1, "lamp", 10, 2, 0}, {2, "chair", 2.5, 4, 0}};
    auto const done = synchronise(other);
    CHECK(to_string(done) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(rules() ==
          "amount, id numbered d, name by POSIX -- another, price, total = ((price * (amount)::double precision) + (1)::double precision)");
    CHECK(checks() == "items_are_there CHECK ((amount >= 0)), items_price_check CHECK ((price >= (1)::double precision))");
    CHECK(comment().empty());
    CHECK(rows() == "1 lamp 10 2 21, 2 chair 2.5 4 11");
    CHECK(sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'items_total_idx'") == "1");
    CHECK(synchronise(other).ddl.empty());
    CHECK(to_string(synchronise(items(), {.commit = {.allow = isorow::destructive}})) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(rules() == all_rules);
    CHECK(rows() == "1 lamp 10 2 20, 2 chair 2.5 4 10");
}

TEST_CASE_METHOD(store, "a generated column is added, and may be computed from one that is added with it") {
    std::vector<ShortItem> const short_items{{1, "lamp", 10, 2}};
    synchronise(short_items);
    CHECK(to_string(synchronise(std::vector<TaxedItem>{{1, "lamp", 10, 2, 0, 0.5}})) == "0 inserted, 1 updated, 0 deleted, 0 unchanged");
    CHECK(rows() == "1 lamp 10 2 30");
    CHECK(synchronise(std::vector<TaxedItem>{{1, "lamp", 10, 2, 0, 0.5}}).ddl.empty());
    CHECK_THROWS_AS(synchronise(short_items), isorow::destructive_change);
}

TEST_CASE_METHOD(store, "a row that violates a check is named with table and constraint") {
    auto rows = items();
    rows[1].price = 0;
    try {
        synchronise(rows);
        FAIL("the row was taken");
    } catch (isorow::server_error const& failure) {
        CHECK(std::string(failure.what()).find("\"public\".\"items\", the row with the key (id) = (2)") != std::string::npos);
        CHECK(failure.table() == "items");
        CHECK(failure.constraint() == "items_price_check");
    }
    CHECK(sql("SELECT to_regclass('items')").empty());
}

TEST_CASE_METHOD(store, "a check that rows violate which are there is an error that names it, before anything is changed") {
    std::vector<PlainItem> const plain{{1, "lamp", -1, 2, -2}};
    synchronise(plain);
    auto const before = record();
    std::vector<OtherItem> const other{{1, "lamp", -1, 2, 0}};
    isorow::target_options options;
    options.commit.allow = isorow::destructive;
    try {
        synchronise(other, options);
        FAIL("the check was made");
    } catch (isorow::server_error const& failure) {
        CHECK(failure.table() == "items");
        CHECK(failure.constraint() == "items_price_check");
    }
    CHECK(rules() == no_rules);
    CHECK(checks().empty());
    CHECK(record() == before);
}

TEST_CASE_METHOD(store, "constraints and comments of the user's stay, and one under a declared name is refused") {
    synchronise(items());
    sql("ALTER TABLE items ADD CONSTRAINT mine CHECK (name <> ''); COMMENT ON COLUMN items.amount IS 'mine'");
    CHECK(synchronise(items()).ddl.empty());
    std::vector<PlainItem> const plain{{1, "lamp", 10, 2, 20}, {2, "chair", 2.5, 4, 10}};
    synchronise(plain);
    CHECK(checks() == "mine CHECK ((name <> ''::text))");
    CHECK(rules() == "amount -- mine, id, name, price, total");
    sql("ALTER TABLE items ADD CONSTRAINT items_are_there CHECK (amount > -5)");
    isorow::target_options options;
    options.commit.allow = isorow::destructive;
    CHECK_THROWS_MATCHES(synchronise(items(), options), isorow::mismatch,
                         test::says("column \"items_are_there\": expected CHECK (amount >= 0), found a constraint of this name that isorow "
                                    "did not make: CHECK ((amount > '-5'::integer))"));
    sql("ALTER TABLE items DROP CONSTRAINT items_are_there; ALTER TABLE items ADD CONSTRAINT items_are_there CHECK (amount >= 0)");
    synchronise(items(), options);
    synchronise(plain);
    CHECK(checks() == "items_are_there CHECK ((amount >= 0)), mine CHECK ((name <> ''::text))");
}

TEST_CASE_METHOD(store, "what somebody took away of isorow's constraints is made again") {
    synchronise(items());
    sql("ALTER TABLE items DROP CONSTRAINT items_price_check; COMMENT ON TABLE items IS 'another'");
    auto const done = synchronise(items());
    CHECK(done.ddl.size() == 2);
    CHECK(has(done.ddl, "ADD CONSTRAINT \"items_price_check\""));
    CHECK(checks() == all_checks);
    CHECK(comment() == "what is for sale");
}

TEST_CASE_METHOD(store, "a generated column that was not declared so is refused for writing, as is a written one that was") {
    sql("CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL, price float8 NOT NULL, amount int NOT NULL, total float8 NOT NULL "
        "GENERATED ALWAYS AS (price) STORED)");
    std::vector<PlainItem> const plain{{1, "lamp", 10, 2, 20}};
    isorow::target_options const adopted{.adopt = isorow::adopt::rows};
    CHECK_THROWS_MATCHES(synchronise(plain, adopted), isorow::mismatch,
                         test::says("column \"total\": expected a column that can be written, found a generated column"));
    sql("ALTER TABLE items ALTER total DROP EXPRESSION");
    CHECK_THROWS_MATCHES(synchronise(std::vector<TaxedItem>{{1, "lamp", 10, 2, 0, {}}}, adopted), isorow::mismatch,
                         test::says("column \"total\": expected a generated column, found a column that is written"));
}

TEST_CASE_METHOD(store, "a column that the server always numbers is refused in a target with advice") {
    CHECK_THROWS_MATCHES(synchronise(std::vector<AlwaysNumbered>{{1, 1}}), isorow::mismatch,
                         test::says("AlwaysNumbered.number: column \"number\": expected identity::by_default, or no field for the column"));
    CHECK(sql("SELECT to_regclass('numbered')").empty());
}

TEST_CASE_METHOD(store, "COPY writes identity columns that are always numbered, and reads them") {
    sql("CREATE TABLE numbered (key int PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY)");
    isorow::copy_writer<AlwaysNumbered> writer(connection);
    writer.write({1, 7});
    CHECK(writer.finish() == 1);
    CHECK(isorow::query_one<AlwaysNumbered>(connection, "SELECT * FROM numbered").number == 7);
}

TEST_CASE_METHOD(store, "COPY and upsert leave generated columns out") {
    isorow::execute_script(connection, isorow::ddl<Item>(), connection.default_limits());
    isorow::copy_writer<Item> writer(connection);
    writer.write(items()[0]);
    CHECK(writer.finish() == 1);
    CHECK(isorow::upsert(connection, items()) == isorow::upsert_counts{.inserted = 1, .updated = 0, .unchanged = 1});
    CHECK(rows() == "1 lamp 10 2 20, 2 chair 2.5 4 10");
    isorow::copy_reader<Item> reader(connection);
    Item row{};
    REQUIRE(reader.next(row));
    CHECK(row == Item{1, "lamp", 10, 2, 20});
}

TEST_CASE_METHOD(store, "tables of the user's are held against what is declared, and every difference is named") {
    sql("CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL, price float8 NOT NULL, amount int NOT NULL, total float8 NOT "
        "NULL)");
    isorow::target_options const managed{.managed_by = isorow::managed_by::user};
    for (auto const* const part :
         {"Item.total: column \"total\": expected a generated column, found a column that is written",
          "Item.id: column \"id\": expected GENERATED BY DEFAULT AS IDENTITY, found a column that the server does not number",
          "Item.name: column \"name\": expected COLLATE \"C\", found the type's collation",
          "Item: column \"items_price_check\": expected CHECK (price > 0), found no such constraint"})
        CHECK_THROWS_MATCHES(synchronise(items(), managed), isorow::mismatch, test::says(part));
    sql("DROP TABLE items");
    isorow::execute_script(connection, isorow::ddl<Item>(), connection.default_limits());
    sql("ALTER TABLE items RENAME CONSTRAINT items_are_there TO called_otherwise");
    CHECK(to_string(synchronise(items(), managed)) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(rows() == "1 lamp 10 2 20, 2 chair 2.5 4 10");
}

TEST_CASE_METHOD(store, "values that are longer than their columns are refused before anything is sent") {
    std::vector<Sized> const right{{1, *isorow::numeric::parse("99999999.99"), "äöü", "abc"},
                                   {2, *isorow::numeric::parse("-99999999.99"), "", "a"}};
    CHECK(to_string(synchronise(right)) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(to_string(synchronise(right)) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    CHECK(sql("SELECT price || ' ' || code FROM sized WHERE id = 1") == "99999999.99 äöü");
    auto const refused = [&](Sized const& row, std::string const& part) {
        isorow::target<Sized> target(connection);
        CHECK_THROWS_MATCHES(target.declare(row), isorow::unrepresentable, test::says(part));
    };
    refused({1, *isorow::numeric::parse("100000000"), "", ""}, "Sized.price");
    refused({1, *isorow::numeric::parse("99999999.995"), "", ""}, "Sized.price");
    refused({1, isorow::numeric::infinity(), "", ""}, "Sized.price");
    refused({1, isorow::numeric(1), "abcd", ""}, "Sized.code");
    refused({1, isorow::numeric(1), "", "abcd"}, "Sized.letters");
    CHECK(sql("SELECT count(*) FROM sized") == "2");
}
