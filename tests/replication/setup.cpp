// Publications and slots: made, dropped, looked at; what is missing is told with its cure; and the first rows, which meet the changes.

#include <catch2/catch_test_macros.hpp>

#include <replication/followed.hpp>
#include <support/matchers.hpp>
#include <support/own_server.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using isorow::change_kind;
using test::followed;
using test::Item;
using test::soon;
using test::take;

namespace {

struct Other {
    std::int64_t id = 0;

    static consteval auto isorow_table() { return isorow::table("others").primary_key<&Other::id>(); }
};

/// A role that goes with the test.
struct role {
    std::string name;

    role(std::string named, std::string const& with) : name(std::move(named)) {
        test::sql(test::dsn(), "CREATE ROLE " + name + " " + with);
    }
    role(role const&) = delete;
    role& operator=(role const&) = delete;
    ~role() {
        try {
            test::sql(test::dsn(), "DROP ROLE " + name);
        } catch (std::exception const&) {
            // It has grants in the test's database, which goes later.
        }
    }
};

/// A server that keeps little WAL, with a table, its publication and a slot.
struct forgetful_server {
    std::string slot;
    test::own_server server{{"wal_level=logical", "max_slot_wal_keep_size=1MB", "min_wal_size=32MB", "max_wal_size=64MB"}};

    explicit forgetful_server(std::string name) : slot(std::move(name)) {
        server.sql(std::string(test::items_ddl) + "; CREATE TABLE unpublished (t text)");
        isorow::connection db(server.dsn());
        isorow::create_publication<Item>(db, "p");
        static_cast<void>(isorow::create_slot(server.dsn(), slot));
    }

    /// Writes until the server has given the slot up.
    void lose_slot() const {
        isorow::connection db(server.dsn());
        REQUIRE(test::eventually(120s, [&] {
            server.sql("INSERT INTO unpublished SELECT repeat('x', 1000) FROM generate_series(1, 20000)");
            server.sql("SELECT pg_switch_wal()");
            server.sql("CHECKPOINT");
            return isorow::find_slot(db, slot)->is_lost();
        }));
    }
};

isorow::changes<Item> open(std::string const& dsn, std::string const& slot, std::string const& publication = "p") {
    return isorow::changes<Item>(dsn, {.slot = slot, .publication = publication});
}

}  // namespace

TEST_CASE("a publication is made of structs, of what is to be published, and dropped") {
    test::database const database;
    database.sql(std::string(test::items_ddl) + "; CREATE TABLE others (id bigint PRIMARY KEY)");
    isorow::connection db(database.dsn());
    isorow::create_publication<Item, Other>(db, "two \"tables\"", {.truncations = false});
    CHECK(database.sql("SELECT string_agg(tablename, ',' ORDER BY 1) FROM pg_publication_tables WHERE pubname = 'two \"tables\"'") ==
          "items,others");
    CHECK(database.sql("SELECT pubinsert AND pubupdate AND pubdelete AND NOT pubtruncate AND pubviaroot FROM pg_publication") == "t");
    isorow::drop_publication(db, "two \"tables\"");
    CHECK(database.sql("SELECT count(*) FROM pg_publication") == "0");
    isorow::drop_publication(db, "two \"tables\"", true);
    CHECK_THROWS_AS(isorow::drop_publication(db, "two \"tables\""), isorow::syntax_error_or_access_rule_violation);
}

TEST_CASE("a publication that is there is an error, or gets the tables that it lacks") {
    test::database const database;
    database.sql(std::string(test::items_ddl) + "; CREATE TABLE others (id bigint PRIMARY KEY)");
    isorow::connection db(database.dsn());
    isorow::create_publication<Item>(db, "p");
    CHECK_THROWS_MATCHES(isorow::create_publication<Item>(db, "p"), isorow::usage_error, test::says("exists_ok"));
    isorow::create_publication<Item>(db, "p", {.exists_ok = true});
    isorow::create_publication<Item, Other>(db, "p", {.exists_ok = true});
    CHECK(database.sql("SELECT count(*) FROM pg_publication_tables") == "2");
    database.sql("CREATE PUBLICATION everything FOR ALL TABLES");
    isorow::create_publication<Item, Other>(db, "everything", {.exists_ok = true});
}

TEST_CASE("a table without a replica identity is not published with its updates, which would fail from then on") {
    test::database const database;
    database.sql("CREATE TABLE items (id bigint NOT NULL, name text, price float8 NOT NULL)");
    isorow::connection db(database.dsn());
    CHECK_THROWS_MATCHES(isorow::create_publication<Item>(db, "p"), isorow::replication_not_set_up,
                         test::says("ALTER TABLE \"public\".\"items\" REPLICA IDENTITY USING INDEX … or FULL"));
    isorow::create_publication<Item>(db, "inserts", {.updates = false, .removals = false});
    database.sql("INSERT INTO items VALUES (1, NULL, 0); UPDATE items SET price = 1");
    database.sql("ALTER TABLE items REPLICA IDENTITY FULL");
    isorow::create_publication<Item>(db, "p");
    database.sql("UPDATE items SET price = 2");
    CHECK_THROWS_MATCHES(isorow::create_publication<Other>(db, "q"), isorow::replication_not_set_up,
                         test::says("the table \"public\".\"others\" does not exist"));
}

TEST_CASE("inserts alone are followed of a table without a replica identity") {
    followed<> const items("inserts_alone", "CREATE TABLE items (id bigint NOT NULL, name text, price float8 NOT NULL)",
                           {.updates = false, .removals = false});
    auto stream = items.changes();
    items.sql(
        "INSERT INTO items VALUES (1, NULL, 0); UPDATE items SET price = 1; DELETE FROM items; INSERT INTO items VALUES (2, NULL, 0)");
    CHECK(test::inserted(take(stream)).size() == 2);
}

TEST_CASE("a slot is made once, and taken as it is where that is asked for") {
    followed<> const items("made_once");
    CHECK_THROWS_MATCHES(isorow::create_slot(items.dsn, items.slot), isorow::usage_error, test::says("exists_ok"));
    auto const there = isorow::create_slot(items.dsn, items.slot, {.exists_ok = true});
    CHECK_FALSE(there.is_new());
    CHECK(there.name() == items.slot);

    isorow::connection db(items.dsn);
    isorow::drop_slot(db, items.slot);
    CHECK_FALSE(isorow::find_slot(db, items.slot).has_value());
    CHECK_THROWS_AS(isorow::drop_slot(db, items.slot), isorow::missing_slot);
    isorow::drop_slot(db, items.slot, {.missing_ok = true});
    CHECK(isorow::create_slot(items.dsn, items.slot, {.exists_ok = true}).is_new());
}

TEST_CASE("a slot of another database or plugin is not taken") {
    followed<> const items("of_another");
    test::database const other;
    CHECK_THROWS_MATCHES(isorow::create_slot(other.dsn(), items.slot, {.exists_ok = true}), isorow::usage_error,
                         test::says("in the database \"" + items.database.name() + "\""));
}

TEST_CASE("a slot is dropped when its reader has ended, and not while there is one") {
    followed<> const items("dropped");
    isorow::connection db(items.dsn);
    auto stream = items.changes();
    CHECK_THROWS_AS(isorow::drop_slot(db, items.slot, {.wait = 0ms}), isorow::slot_in_use);
    std::jthread const later([&] {
        std::this_thread::sleep_for(200ms);
        stream.close();
    });
    isorow::drop_slot(db, items.slot, {.wait = 60s});
    CHECK_FALSE(isorow::find_slot(db, items.slot).has_value());
}

TEST_CASE("a temporary slot goes with its stream") {
    followed<> const items("beside_temporary");
    isorow::replication_endpoint const where(items.dsn);
    {
        auto slot = isorow::create_slot(where, "temporary_one", {.temporary = true});
        isorow::changes<Item> stream(where, std::move(slot), {.publication = "p"});
        items.sql("INSERT INTO items VALUES (1, NULL, 0)");
        CHECK(test::inserted(take(stream)).size() == 1);
    }
    isorow::connection db(items.dsn);
    CHECK_FALSE(isorow::find_slot(db, "temporary_one").has_value());
}

TEST_CASE("rows of a slot's snapshot and the changes behind it make the table, while others write to it") {
    test::database const database;
    database.sql(test::items_ddl);
    isorow::pool db(database.dsn(), {.min_size = 1});
    isorow::create_publication<Item>(db, "p");
    std::jthread writer([&](std::stop_token const& stop) {
        isorow::connection own(database.dsn());
        for (int i = 1; !stop.stop_requested(); ++i) {
            test::run(own, "INSERT INTO items VALUES (" + std::to_string(i) + ", 'new', 0)");
            if (i % 3 == 0) test::run(own, "UPDATE items SET name = 'changed', id = -id WHERE id = " + std::to_string(i - 1));
            if (i % 5 == 0) test::run(own, "DELETE FROM items WHERE id = " + std::to_string(i - 4));
        }
    });
    while (database.sql("SELECT count(*) > 50 FROM items") != "t") std::this_thread::sleep_for(5ms);

    std::map<std::int64_t, Item> copy;
    auto slot = isorow::create_slot(db, "snapshot_meets");
    {
        isorow::transaction moment(db, {.isolation = isorow::isolation::repeatable_read, .read_only = true});
        slot.use_snapshot(moment);
        for (Item& row : isorow::source<Item>(moment).rows()) copy.emplace(row.id, row);
    }
    CHECK(copy.size() > 50);
    isorow::changes<Item> stream(db, std::move(slot), {.publication = "p"});
    std::this_thread::sleep_for(300ms);
    writer.request_stop();
    writer.join();
    database.sql("INSERT INTO items VALUES (0, 'last', 0)");
    for (bool last = false; !last;) {
        auto const* const event = stream.next(soon());
        REQUIRE(event != nullptr);
        if (event->kind == change_kind::insert) {
            CHECK(copy.emplace(event->row.id, event->row).second);  // nothing comes twice
            last = event->row.id == 0;
        } else if (event->kind == change_kind::update) {
            CHECK(copy.erase(event->key()) == 1);
            copy.emplace(event->row.id, event->row);
        } else if (event->kind == change_kind::remove) {
            CHECK(copy.erase(event->key()) == 1);
        }
    }
    std::map<std::int64_t, Item> table;
    for (auto const& row : isorow::source<Item>(db).fetch_all()) table.emplace(row.id, row);
    CHECK(copy == table);
    stream.close();
    isorow::drop_slot(db, "snapshot_meets");
}

TEST_CASE("a snapshot that is not there is told") {
    followed<> const items("no_snapshot");
    isorow::connection db(items.dsn);
    auto const there = isorow::create_slot(items.dsn, items.slot, {.exists_ok = true});
    isorow::transaction moment(db, {.isolation = isorow::isolation::repeatable_read});
    CHECK_THROWS_MATCHES(there.use_snapshot(moment), isorow::usage_error, test::says("has no snapshot"));
}

TEST_CASE("a reader needs LOGIN and REPLICATION, and SELECT for the first rows alone") {
    followed<> const items("least_privilege");
    role const reader("replication_reader", "LOGIN REPLICATION");
    items.sql("GRANT SELECT ON items TO replication_reader");
    items.sql("INSERT INTO items VALUES (1, 'before', 0)");
    auto const dsn = items.database.dsn(reader.name);
    {
        isorow::connection db(dsn);
        auto slot = isorow::create_slot(dsn, "of_reader");
        {
            isorow::transaction moment(db, {.isolation = isorow::isolation::repeatable_read});
            slot.use_snapshot(moment);
            CHECK(isorow::source<Item>(moment).fetch_all().size() == 1);
        }
        items.sql("REVOKE SELECT ON items FROM replication_reader");
        isorow::changes<Item> stream(dsn, std::move(slot), {.publication = "p"});
        items.sql("INSERT INTO items VALUES (2, 'behind', 0)");
        CHECK(test::inserted(take(stream)).at(0).id == 2);
        stream.confirm_delivered();
        CHECK(stream.slot()->active);
        stream.close();
        isorow::drop_slot(db, "of_reader");
    }
}

TEST_CASE("a role without REPLICATION is told what to ask for") {
    followed<> const items("no_privilege");
    role const nobody("not_replicating", "LOGIN");
    auto const dsn = items.database.dsn(nobody.name);
    CHECK_THROWS_MATCHES(isorow::create_slot(dsn, "never_made"), isorow::missing_privilege,
                         test::says("ALTER ROLE \"not_replicating\" REPLICATION"));
    CHECK_THROWS_MATCHES(open(dsn, items.slot), isorow::missing_privilege, test::says("ALTER ROLE \"not_replicating\" REPLICATION"));
    isorow::connection db(dsn);
    CHECK_THROWS_AS(isorow::drop_slot(db, items.slot), isorow::missing_privilege);
    CHECK_THROWS_MATCHES(isorow::create_publication<Item>(db, "q"), isorow::missing_privilege,
                         test::says("to run: CREATE PUBLICATION \"q\""));
}

TEST_CASE("a slot has one reader at a time") {
    followed<> const items("one_reader");
    auto const first = items.changes();
    try {
        static_cast<void>(items.changes([](auto& options) { options.wait_for_slot = 0ms; }));
        FAIL("a second reader");
    } catch (isorow::slot_in_use const& failure) {
        CHECK(failure.process() == items.status().process);
        CHECK(failure.retryable());
        CHECK_THAT(failure, test::says("\"one_reader\" is read by somebody else"));
    }
}

TEST_CASE("a reader that is just ending is waited for") {
    followed<> const items("ending_reader");
    auto first = items.changes();
    std::jthread const later([&] {
        std::this_thread::sleep_for(300ms);
        first.close();
    });
    auto second = items.changes([](auto& options) { options.wait_for_slot = 60s; });
    items.sql("INSERT INTO items VALUES (1, NULL, 0)");
    CHECK(test::inserted(take(second)).size() == 1);
}

TEST_CASE("what is not there is told with its cure: slot, publication, table") {
    followed<> const items("not_there", std::string(test::items_ddl) + "; CREATE TABLE others (id bigint PRIMARY KEY)");
    CHECK_THROWS_MATCHES(open(items.dsn, "no_such_slot"), isorow::missing_slot, test::says("make it with create_slot"));
    CHECK_THROWS_MATCHES(open(items.dsn, items.slot, "no such publication"), isorow::replication_not_set_up,
                         test::says("make it with create_publication, before the slot"));
    CHECK_THROWS_MATCHES(isorow::changes<Other>(items.dsn, {.slot = items.slot, .publication = "p"}), isorow::replication_not_set_up,
                         test::says("ALTER PUBLICATION \"p\" ADD TABLE \"public\".\"others\""));
    CHECK_THROWS_AS(isorow::changes<Item>(items.dsn, {.slot = items.slot}), isorow::usage_error);
    CHECK_THROWS_AS(isorow::changes<Item>(items.dsn, {.publication = "p"}), isorow::usage_error);
    items.sql("ALTER TABLE items REPLICA IDENTITY NOTHING");
    CHECK_THROWS_MATCHES(open(items.dsn, items.slot), isorow::replication_not_set_up, test::says("REPLICA IDENTITY"));
    items.sql("ALTER TABLE items REPLICA IDENTITY DEFAULT; ALTER TABLE items DROP COLUMN name");
    CHECK_THROWS_MATCHES(open(items.dsn, items.slot), isorow::mismatch, test::says("Item.name: column \"name\": expected text"));
}

TEST_CASE("a replica identity without the struct's key is refused, as removals would not tell their row") {
    followed<> const items("identity_misfit",
                           "CREATE TABLE items (id bigint NOT NULL, name text, price float8 NOT NULL, code int PRIMARY KEY)");
    auto stream = items.changes();
    items.sql("INSERT INTO items VALUES (1, NULL, 0, 5)");
    CHECK_THROWS_MATCHES(take(stream), isorow::replication_not_set_up,
                         test::says("the replica identity of \"public\".\"items\" leaves out the column \"id\" of the key of Item"));
}

TEST_CASE("a publication that is younger than its slot is told, as the slot does not know it") {
    followed<> const items("younger_publication");
    items.sql("INSERT INTO items VALUES (1, NULL, 0)");
    items.sql("CREATE PUBLICATION younger FOR TABLE items");
    auto stream = open(items.dsn, items.slot, "younger");
    CHECK_THROWS_MATCHES(take(stream), isorow::replication_not_set_up, test::says("as the slot is older than it"));
}

TEST_CASE("a table whose partitions are published under their own names is told") {
    test::database const database;
    database.sql(
        "CREATE TABLE items (id bigint PRIMARY KEY, name text, price float8 NOT NULL) PARTITION BY HASH (id);"
        "CREATE TABLE items_0 PARTITION OF items FOR VALUES WITH (MODULUS 1, REMAINDER 0)");
    isorow::connection db(database.dsn());
    isorow::create_publication<Item>(db, "p", {.via_partition_root = false});
    static_cast<void>(isorow::create_slot(database.dsn(), "own_names"));
    CHECK_THROWS_MATCHES(open(database.dsn(), "own_names"), isorow::replication_not_set_up,
                         test::says("publish_via_partition_root = true"));
    isorow::drop_slot(db, "own_names");
}

TEST_CASE("a server whose wal_level is not logical is told with its cure") {
    test::own_server const server({"wal_level=replica"});
    server.sql(test::items_ddl);
    isorow::connection db(server.dsn());
    isorow::create_publication<Item>(db, "p");
    CHECK_THROWS_MATCHES(isorow::create_slot(server.dsn(), "s"), isorow::replication_not_set_up,
                         test::says("ALTER SYSTEM SET wal_level = 'logical'"));
    CHECK_THROWS_MATCHES(open(server.dsn(), "s"), isorow::replication_not_set_up, test::says("wal_level is replica"));
}

TEST_CASE("a slot that the server has given up is told, with what to do, and a new snapshot cures it") {
    forgetful_server const forgetful("lost_one");
    auto const& server = forgetful.server;
    isorow::connection db(server.dsn());
    server.sql("INSERT INTO items VALUES (1, 'missed', 0)");
    forgetful.lose_slot();
    CHECK(isorow::find_slot(db, "lost_one")->wal_status == "lost");
    CHECK_THROWS_MATCHES(open(server.dsn(), "lost_one"), isorow::slot_lost, test::says("Snapshot again: drop the slot, make it anew"));
    CHECK_THROWS_AS(isorow::create_slot(server.dsn(), "lost_one", {.exists_ok = true}), isorow::slot_lost);

    isorow::drop_slot(db, "lost_one");
    auto slot = isorow::create_slot(server.dsn(), "lost_one");
    {
        isorow::transaction moment(db, {.isolation = isorow::isolation::repeatable_read});
        slot.use_snapshot(moment);
        CHECK(isorow::source<Item>(moment).fetch_all().size() == 1);
    }
    isorow::changes<Item> stream(server.dsn(), std::move(slot), {.publication = "p"});
    server.sql("INSERT INTO items VALUES (2, 'seen', 0)");
    CHECK(test::inserted(take(stream)).at(0).id == 2);
}

TEST_CASE("a slot that is lost under its stream is told when the stream goes on") {
    forgetful_server const forgetful("lost_under");
    auto const& server = forgetful.server;
    auto stream = open(server.dsn(), "lost_under");
    server.sql("INSERT INTO items VALUES (1, 'never confirmed', 0)");
    take(stream);
    forgetful.lose_slot();
    auto const how = test::outcome_of([&] {
        for (;;) take(stream);
    });
    INFO(how);
    CHECK(how.lost_or("57P01"));
    CHECK_THROWS_AS(stream.resume(), isorow::slot_lost);
}

TEST_CASE("no room for another slot is told with its cure") {
    test::own_server const server({"wal_level=logical", "max_replication_slots=1"});
    static_cast<void>(isorow::create_slot(server.dsn(), "first"));
    CHECK_THROWS_MATCHES(isorow::create_slot(server.dsn(), "second"), isorow::replication_not_set_up, test::says("max_replication_slots"));
}
