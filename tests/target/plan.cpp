#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace {

struct Item {
    std::int32_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&Item::id>(); }
};

/// The same table with one more column, and one of another type.
struct PricedItem {
    std::int64_t id;
    std::string name;
    std::optional<double> price;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&PricedItem::id>().index<&PricedItem::name>(); }
};

/// The same table with a column less.
struct BareItem {
    std::int32_t id;

    static consteval auto isorow_table() { return isorow::table("items").primary_key<&BareItem::id>(); }
};

struct store {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    template <class Row>
    isorow::target<Row> declared(std::vector<Row> const& rows, isorow::target_options options = {}) {
        isorow::target<Row> target(connection, std::move(options));
        target.declare_all(rows);
        return target;
    }
    std::string items() { return database.sql("SELECT coalesce(string_agg(id || name, ' ' ORDER BY id), '') FROM items"); }
};

std::vector<Item> many(std::int32_t count) {
    std::vector<Item> items;
    for (std::int32_t id = 1; id <= count; ++id) items.push_back({id, "n" + std::to_string(id)});
    return items;
}

}  // namespace

TEST_CASE_METHOD(store, "a plan lists tables, statements, counts and a few keys") {
    auto first = declared<Item>({{1, "a"}, {2, "b"}});
    auto const creating = first.plan();
    REQUIRE(creating.tables.size() == 1);
    CHECK(creating.inserted == 2);
    CHECK(creating.tables[0].inserted_keys == std::vector<std::string>{"(1)", "(2)"});
    REQUIRE_FALSE(creating.tables[0].changes.empty());
    CHECK(creating.tables[0].changes[0].sql.starts_with("CREATE TABLE \"public\".\"items\""));
    CHECK_FALSE(creating.is_destructive());
    first.commit();

    auto const plan = declared<Item>({{2, "x"}, {3, "c"}}).plan();
    CHECK(to_string(plan) == "1 inserted, 1 updated, 1 deleted, 0 unchanged");
    CHECK(plan.tables[0].inserted_keys == std::vector<std::string>{"(3)"});
    CHECK(plan.tables[0].updated_keys == std::vector<std::string>{"(2)"});
    CHECK(plan.tables[0].deleted_keys == std::vector<std::string>{"(1)"});
    CHECK(describe(plan) ==
          "\"public\".\"items\": 1 inserted, 1 updated, 1 deleted, 0 unchanged\n  + 1 (3)\n  ~ 1 (2)\n  - 1 (1)\n"
          "in all: 1 inserted, 1 updated, 1 deleted, 0 unchanged\n");
    CHECK(items() == "1a 2b");
}

TEST_CASE_METHOD(store, "a plan counts rows as they will be once the table is altered, and alters nothing") {
    declared<Item>({{1, "a"}, {2, "b"}, {3, "c"}}).commit();
    auto target = declared<PricedItem>({{1, "a", {}}, {2, "b", 5.0}, {4, "d", {}}});
    auto const plan = target.plan();
    CHECK(to_string(plan) == "1 inserted, 1 updated, 1 deleted, 1 unchanged");
    CHECK(database.sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 'items'::regclass AND attnum > 0") == "2");
    CHECK(to_string(target.commit()) == "1 inserted, 1 updated, 1 deleted, 1 unchanged");
    CHECK(to_string(declared<PricedItem>({{1, "a", {}}, {2, "b", 5.0}, {4, "d", {}}}).commit()) ==
          "0 inserted, 0 updated, 0 deleted, 3 unchanged");
    CHECK(database.sql("SELECT count(*) FROM pg_indexes WHERE tablename = 'items' AND indexname = 'items_name_idx'") == "1");
}

TEST_CASE_METHOD(store, "exactly the plan is applied") {
    declared<Item>({{1, "a"}, {2, "b"}}).commit();
    auto target = declared<Item>({{2, "x"}, {3, "c"}});
    auto const plan = target.plan();
    CHECK(to_string(target.apply(plan)) == "1 inserted, 1 updated, 1 deleted, 0 unchanged");
    CHECK(items() == "2x 3c");
}

TEST_CASE_METHOD(store, "a plan is refused where the database has moved on") {
    declared<Item>({{1, "a"}, {2, "b"}}).commit();
    auto target = declared<Item>({{2, "x"}, {3, "c"}});
    auto const plan = target.plan();
    database.sql("INSERT INTO items VALUES (7, 'new')");
    CHECK_THROWS_MATCHES(target.apply(plan), isorow::plan_outdated, test::says("1 inserted, 1 updated, 2 deleted"));
    CHECK(items() == "1a 2b 7new");
    database.sql("DELETE FROM items WHERE id = 7");
    CHECK(to_string(target.apply(plan)) == "1 inserted, 1 updated, 1 deleted, 0 unchanged");
}

TEST_CASE_METHOD(store, "a plan is refused where the table was altered since") {
    declared<Item>({{1, "a"}}).commit();
    auto target = declared<PricedItem>({{1, "a", 1.0}});
    auto const plan = target.plan();
    database.sql("ALTER TABLE items ADD COLUMN price double precision");
    CHECK_THROWS_AS(target.apply(plan), isorow::plan_outdated);
}

TEST_CASE_METHOD(store, "a column that is declared no longer goes only where that is allowed, and the plan says so first") {
    declared<Item>({{1, "a"}}).commit();
    auto refused = declared<BareItem>({{1}});
    auto const plan = refused.plan();
    CHECK(plan.is_destructive());
    CHECK(describe(plan).find("destructive") != std::string::npos);
    CHECK_THROWS_MATCHES(refused.commit(), isorow::destructive_change, test::says("DROP COLUMN \"name\""));
    CHECK_THROWS_AS(refused.apply(plan), isorow::destructive_change);
    CHECK(items() == "1a");
    refused.apply(plan, isorow::destructive);
    CHECK(database.sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 'items'::regclass AND attnum > 0 AND NOT attisdropped") == "1");
}

TEST_CASE_METHOD(store, "a commit that would delete most of a large table is refused unless it is told to") {
    declared(many(2000)).commit();
    auto few = declared(many(900));
    CHECK_THROWS_MATCHES(few.commit(), isorow::too_many_deletions, test::says("1100 of 2000 rows of \"public\".\"items\""));
    CHECK_THROWS_AS(few.plan(), isorow::too_many_deletions);
    CHECK(database.sql("SELECT count(*) FROM items") == "2000");
    CHECK(to_string(declared(many(900), {.commit = {.guard = {.share = 1}}}).commit()) ==
          "0 inserted, 0 updated, 1100 deleted, 900 unchanged");
    CHECK(to_string(declared(many(450)).commit()) == "0 inserted, 0 updated, 450 deleted, 450 unchanged");  // small tables are not guarded
}

TEST_CASE_METHOD(store, "the guard counts rows that the server holds, too") {
    declared(many(2000)).commit();
    CHECK_THROWS_AS(declared(many(900), {.commit = {.memory = 1}}).commit(), isorow::too_many_deletions);
}

TEST_CASE_METHOD(store, "a row that a constraint refuses is named by its key, among many") {
    declared(many(10)).commit();
    database.sql("ALTER TABLE items ADD CONSTRAINT short CHECK (length(name) < 9)");
    auto rows = many(3000);
    rows[2345].name = "far too long";
    auto target = declared(rows);
    CHECK_THROWS_MATCHES(
        target.commit(), isorow::integrity_constraint_violation,
        test::says("\"public\".\"items\", the row with the key (id) = (2346): new row for relation \"items\" violates check "
                   "constraint \"short\""));
    CHECK(target.size() == 3000);
    CHECK(database.sql("SELECT count(*) FROM items") == "10");
}

TEST_CASE_METHOD(store, "a row that is refused while an empty table is loaded is named by its key") {
    declared<Item>({}).commit();
    database.sql("ALTER TABLE items ADD CONSTRAINT short CHECK (length(name) < 9)");
    CHECK_THROWS_MATCHES(declared<Item>({{1, "a"}, {2, "far too long"}}).commit(), isorow::integrity_constraint_violation,
                         test::says("the row with the key (id) = (2)"));
}

TEST_CASE_METHOD(store, "a key that occurs twice among rows that were sent ahead is an error of the commit", "[session]") {
    auto target = declared<Item>({}, {.commit = {.memory = 1}});
    target.declare({1, "a"});
    target.declare({1, "b"});
    CHECK_THROWS_MATCHES(target.commit(), isorow::duplicate_key, test::says("two declared rows of \"public\".\"items\" have the key (1)"));
}

TEST_CASE_METHOD(store, "a lock that is not free is waited for, and the commit tried again") {
    declared<Item>({{1, "a"}}).commit();
    auto other = test::connect(database.dsn());
    std::optional<isorow::transaction> reader(other);
    CHECK(isorow::query<Item>(*reader, "SELECT * FROM items").size() == 1);
    std::jthread const release([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        reader->rollback();
    });
    using namespace std::chrono_literals;
    auto target = declared<PricedItem>({{1, "a", 2.0}}, {.commit = {.lock_timeout = 50ms, .lock_attempts = 20}});
    CHECK(to_string(target.commit()) == "0 inserted, 1 updated, 0 deleted, 0 unchanged");
}

TEST_CASE_METHOD(store, "a lock that does not become free ends the commit, and the table is as it was") {
    declared<Item>({{1, "a"}}).commit();
    auto other = test::connect(database.dsn());
    isorow::transaction reader(other);
    CHECK(isorow::query<Item>(reader, "SELECT * FROM items").size() == 1);
    using namespace std::chrono_literals;
    auto target = declared<PricedItem>({{1, "a", 2.0}}, {.commit = {.lock_timeout = 20ms, .lock_attempts = 2}});
    try {
        target.commit();
        FAIL("the lock was free");
    } catch (isorow::server_error const& failure) {
        CHECK(failure.sqlstate() == isorow::sqlstate::lock_not_available);
    }
    CHECK(items() == "1a");
    CHECK(target.size() == 1);
}
