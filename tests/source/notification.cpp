#include <catch2/catch_test_macros.hpp>

#include <source/followed_items.hpp>
#include <support/connect.hpp>
#include <support/faults.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using test::Item;

namespace {

struct told_store : test::followed_items {
    std::vector<std::string> roles{};

    told_store() { run("INSERT INTO items VALUES (1, 1), (2, 1)"); }
    told_store(told_store const&) = delete;
    told_store& operator=(told_store const&) = delete;
    ~told_store() {
        for (auto const& role : roles) {
            try {
                database.sql("DROP OWNED BY " + role + "; DROP ROLE " + role);
            } catch (std::exception const&) {
                // The server goes at the end of the tests, and its roles with it.
            }
        }
    }

    /// A role of the test's own, with the suffix in its name.
    std::string make_role(std::string const& suffix, std::string const& options = "LOGIN") {
        auto role = "role_" + database.name() + "_" + suffix;
        database.sql("CREATE ROLE " + role + " " + options);
        roles.push_back(role);
        return role;
    }

    std::string create(isorow::notification_options const& options = {.channel = "items"}) {
        return isorow::create_notification(pool, "public", "items", "store", options);
    }
    [[nodiscard]] std::string objects() const {
        return database.sql(
            "SELECT string_agg(name, ' ' ORDER BY name) FROM (SELECT 'trigger ' || tgname AS name FROM pg_trigger WHERE NOT tgisinternal "
            "UNION ALL "
            "SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'isorow'::regnamespace UNION ALL SELECT 'table ' || relname "
            "FROM "
            "pg_class WHERE relnamespace = 'isorow'::regnamespace AND relkind = 'r' AND relname LIKE '%\\_log') o");
    }
    [[nodiscard]] std::string kinds() const {
        return database.sql("SELECT string_agg(kind::text, ' ' ORDER BY number) FROM isorow.items_log");
    }
};

}  // namespace

TEST_CASE_METHOD(told_store, "what a table needs to tell of its changes is made once, and named after the channel") {
    CHECK(create() == "items");
    CHECK(objects() ==
          "function items_n table items_log trigger items_t trigger items_t_delete trigger items_t_truncate trigger items_t_update");
    auto const changelog = database.sql("SELECT 'isorow.items_log'::regclass::oid");
    run("INSERT INTO items VALUES (3, 1)");
    CHECK(create() == "items");
    CHECK(database.sql("SELECT 'isorow.items_log'::regclass::oid") == changelog);
    CHECK(kinds() == "i");
}

TEST_CASE_METHOD(told_store, "the channel is named after consumer, table and suffix, where it is not given") {
    CHECK(create({}) == "store__items__isorow");
    CHECK(create({.suffix = "mine"}) == "store__items__mine");
}

TEST_CASE_METHOD(told_store, "a name that would be too long is shortened, with a hash of the whole; one that is given is refused") {
    auto const of_consumer = [&](std::string const& consumer) { return isorow::create_notification(pool, "public", "items", consumer); };
    std::string const longest(60, 'c');
    auto const one = of_consumer(longest + "1");
    CHECK(one.size() == 52);
    CHECK(one.starts_with(std::string(35, 'c') + "_"));
    CHECK(one != of_consumer(longest + "2"));
    CHECK(one == of_consumer(longest + "1"));
    // Never in the midst of a character.
    std::string umlauts = "x";
    for (int i = 0; i < 40; ++i) umlauts += "\u00fc";
    CHECK(of_consumer(umlauts).size() == 52);
    CHECK(of_consumer("x" + umlauts).size() == 51);
    CHECK(create({.channel = std::string(52, 'd')}) == std::string(52, 'd'));
    CHECK_THROWS_MATCHES(create({.channel = std::string(53, 'd')}), isorow::usage_error, test::says("it has at most 52"));
    CHECK_THROWS_AS(create({.channel = std::string("a\0b", 3)}), isorow::usage_error);
    CHECK_THROWS_AS(create({.channel = "\xff"}), isorow::usage_error);
    CHECK_THROWS_AS(of_consumer("\xff"), isorow::usage_error);
}

TEST_CASE_METHOD(told_store, "a channel that is another table's is refused") {
    create();
    run("CREATE TABLE others (id bigint PRIMARY KEY)");
    CHECK_THROWS_MATCHES(isorow::create_notification(pool, "public", "others", "store", {.channel = "items"}), isorow::usage_error,
                         test::says("is that of the table \"public\".\"items\""));
}

TEST_CASE_METHOD(told_store, "several threads make it at a time, and it is there once") {
    std::vector<std::jthread> threads;
    std::mutex mutex;
    std::vector<std::string> failures;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            try {
                isorow::pool own(database.dsn(), {.min_size = 1});
                for (int round = 0; round < 5; ++round)
                    static_cast<void>(
                        isorow::create_notification(own, "public", "items", "store", {.channel = "items", .lock_timeout = 60s}));
            } catch (std::exception const& failure) {
                std::lock_guard const lock(mutex);
                failures.emplace_back(failure.what());
            }
        });
    threads.clear();
    CHECK(failures == std::vector<std::string>{});
    CHECK(objects() ==
          "function items_n table items_log trigger items_t trigger items_t_delete trigger items_t_truncate trigger items_t_update");
}

TEST_CASE_METHOD(told_store, "what cannot tell of its changes is refused, with the reason") {
    run("CREATE VIEW seen AS SELECT * FROM items; CREATE MATERIALIZED VIEW kept AS SELECT * FROM items; CREATE TABLE keyless (id int);"
        "CREATE EXTENSION postgres_fdw; CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE far (id int) SERVER "
        "away;"
        "CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id)");
    auto const refused = [&](std::string const& table, std::string const& reason) {
        INFO(table);
        CHECK_THROWS_MATCHES(isorow::create_notification(pool, "public", table, "store"), isorow::usage_error, test::says(reason));
        isorow::source<isorow::dynamic_row> const one(pool, {.table = table});
        CHECK_THROWS_MATCHES(isorow::follow(one, isorow::changelog{}, {.consumer = "store"}), isorow::usage_error, test::says(reason));
    };
    refused("seen", "is a view");
    refused("kept", "is a view");
    refused("far", "is a foreign table");
    refused("keyless", "has no primary key");
    run("CREATE TABLE parent (id int, PRIMARY KEY (id)); ALTER FOREIGN TABLE far ALTER id SET NOT NULL; ALTER FOREIGN TABLE far INHERIT "
        "parent");
    CHECK_THROWS_MATCHES(isorow::create_notification(pool, "public", "parent", "store"), isorow::usage_error,
                         test::says("has the foreign table public.far below it"));
    CHECK_THROWS_MATCHES(isorow::create_notification(pool, "public", "nowhere", "store"), isorow::error, test::says("nowhere"));
}

TEST_CASE_METHOD(told_store, "it waits for those who write to the table, but not for ever") {
    auto writer = test::connect(database.dsn());
    test::run(writer, "BEGIN; INSERT INTO items VALUES (3, 1)");
    auto const told = test::outcome_of([&] { create({.channel = "items", .lock_timeout = 50ms}); });
    INFO(told);
    CHECK(told.sqlstate == isorow::sqlstate::lock_not_available);
    CHECK(objects().empty());
    {
        std::jthread const later([&] {
            std::this_thread::sleep_for(50ms);
            test::run(writer, "COMMIT");
        });
        CHECK(create({.channel = "items", .lock_timeout = 60s}) == "items");
    }
}

TEST_CASE_METHOD(told_store, "the clean-up takes away all of it, and nothing else") {
    create();
    run("CREATE FUNCTION items_n() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    CHECK(
        isorow::notification_cleanup_sql("public", "items", "items") ==
        "DROP TRIGGER IF EXISTS \"items_t\" ON \"public\".\"items\";\nDROP TRIGGER IF EXISTS \"items_t_update\" ON \"public\".\"items\";\n"
        "DROP TRIGGER IF EXISTS \"items_t_delete\" ON \"public\".\"items\";\nDROP TRIGGER IF EXISTS \"items_t_truncate\" ON "
        "\"public\".\"items\";\nDROP FUNCTION IF EXISTS \"isorow\".\"items_n\"() CASCADE;\nDROP TABLE IF EXISTS \"isorow\".\"items_log\";\n"
        "DELETE FROM isorow.positions WHERE channel = 'items';\nDELETE FROM isorow.changelogs WHERE channel = 'items';\n");
    static_cast<void>(follow());
    SECTION("by hand") { run(isorow::notification_cleanup_sql("public", "items", "items")); }
    SECTION("by call, twice") {
        isorow::remove_notification(pool, "public", "items", "items");
        isorow::remove_notification(pool, "public", "items", "items");
    }
    SECTION("where the table has another name by now") {
        run("ALTER TABLE items RENAME TO goods");
        isorow::remove_notification(pool, "public", "items", "items");
    }
    SECTION("where the table is gone") {
        run("DROP TABLE items");
        isorow::remove_notification(pool, "public", "items", "items");
    }
    CHECK(objects().empty());
    CHECK(isorow::positions(pool).empty());
    CHECK(database.sql("SELECT count(*) FROM isorow.changelogs") == "0");
    CHECK(database.sql("SELECT items_n()") == "1");
}

TEST_CASE_METHOD(told_store, "a trigger that is dropped by hand is noticed, and made again") {
    auto items = follow();
    test::followed_copy<Item> copy;
    catch_up(items, copy);
    SECTION("dropped") { run("DROP TRIGGER items_t ON items"); }
    SECTION("disabled") { run("ALTER TABLE items DISABLE TRIGGER items_t"); }
    SECTION("of replicas only") { run("ALTER TABLE items ENABLE REPLICA TRIGGER items_t"); }
    SECTION("the function is dropped with all of them") { run("DROP FUNCTION isorow.items_n CASCADE"); }
    SECTION("the changelog may not be written any more") { run("REVOKE INSERT ON isorow.items_log FROM postgres"); }
    SECTION("the changelog is gone") { run("DROP TABLE isorow.items_log"); }
    SECTION("the changelog has another name") { run("ALTER TABLE isorow.items_log RENAME TO other"); }
    SECTION("the table was made anew") { run("DROP TABLE items; CREATE TABLE items (id bigint PRIMARY KEY, amount int NOT NULL)"); }
    SECTION("all is gone") { isorow::remove_notification(pool, "public", "items", "items"); }
    run("INSERT INTO items VALUES (3, 1)");
    catch_up(items, copy);
    CHECK(copy.rows() == table());
    run("INSERT INTO items VALUES (4, 1)");
    catch_up(items, copy);
    CHECK(copy.rows() == table());
    CHECK(kinds().find('r') == std::string::npos);
}

TEST_CASE_METHOD(told_store, "a writer never fails for what is with the changelog, and the reader reads all rows again, or is told") {
    auto items = follow();
    test::followed_copy<Item> copy;
    catch_up(items, copy);
    auto writer = test::connect(database.dsn());
    test::run(writer, "INSERT INTO items VALUES (3, 1)");
    auto const writes = [&](std::string_view key) {
        for (auto const* const sql : {"INSERT INTO items VALUES (10, 1), (11, 1)", "UPDATE items SET amount = 7",
                                      "UPDATE items SET {} = 12 WHERE {} = 11", "DELETE FROM items WHERE {} = 12"}) {
            std::string statement = sql;
            for (std::size_t place = 0; (place = statement.find("{}", place)) != std::string::npos;) statement.replace(place, 2, key);
            INFO(statement);
            auto const told = test::outcome_of([&] { test::run(writer, statement); });
            INFO(told);
            CHECK(told.well());
        }
    };
    SECTION("the changelog is gone") {
        run("DROP TABLE isorow.items_log");
        writes("id");
    }
    SECTION("the rights are gone") {
        run("REVOKE ALL ON isorow.items_log FROM postgres; ALTER FUNCTION isorow.items_n() OWNER TO " + make_role("weak", "NOLOGIN"));
        writes("id");
        CHECK(kinds() == "i");
    }
    SECTION("the changelog is another table") {
        run("DROP TABLE isorow.items_log; CREATE TABLE isorow.items_log (kind int CHECK (kind > 7))");
        writes("id");
    }
    SECTION("schema isorow is gone") {
        run("DROP SCHEMA isorow CASCADE");
        writes("id");
        CHECK_THROWS_AS(items.next(0ms), isorow::error);
        items = follow();
    }
    SECTION("the key's type is another") {
        run("ALTER TABLE items ALTER id TYPE numeric");
        test::run(writer, "INSERT INTO items VALUES (1e30, 1)");
        writes("id");
        CHECK(kinds() == "i r r r r r");
        // The struct does not fit any more.
        CHECK_THROWS_AS(items.next(0ms), isorow::error);
        run("DELETE FROM items WHERE id > 1e20; ALTER TABLE items ALTER id TYPE bigint");
    }
    SECTION("the key is wider") {
        run("ALTER TABLE items ALTER id TYPE int; INSERT INTO items VALUES (20, 1)");
        catch_up(items, copy);
        CHECK(copy.rows() == table());
        run("ALTER TABLE items ALTER id TYPE bigint");
        test::run(writer, "INSERT INTO items VALUES (9000000000, 1)");
        writes("id");
    }
    SECTION("the key's column has another name") {
        run("ALTER TABLE items RENAME id TO number");
        writes("number");
        CHECK_THROWS_AS(items.next(0ms), isorow::error);
        run("ALTER TABLE items RENAME number TO id");
    }
    SECTION("the key is another one") {
        run("ALTER TABLE items DROP CONSTRAINT items_pkey, ADD PRIMARY KEY (id, amount)");
        writes("id");
        CHECK_THROWS_MATCHES(catch_up(items, copy), isorow::usage_error, test::says("is not what it was when it began to be followed"));
        run("ALTER TABLE items DROP CONSTRAINT items_pkey, ADD PRIMARY KEY (id)");
    }
    SECTION("a column before the key is gone") {
        run("ALTER TABLE items DROP amount; ALTER TABLE items ADD amount int NOT NULL DEFAULT 1");
        writes("id");
    }
    catch_up(items, copy);
    CHECK(copy.rows() == table());
    test::run(writer, "UPDATE items SET amount = 8 WHERE id = 1");
    catch_up(items, copy);
    CHECK(copy.rows() == table());
    CHECK(kinds().find('r') == std::string::npos);
}

TEST_CASE_METHOD(told_store, "old rows that a domain does not allow any more can be deleted") {
    run("CREATE DOMAIN positive AS int; CREATE TABLE counted (n positive PRIMARY KEY); INSERT INTO counted VALUES (-1), (1); ALTER DOMAIN "
        "positive "
        "ADD CHECK (VALUE > 0) NOT VALID");
    isorow::create_notification(pool, "public", "counted", "store", {.channel = "items"});
    run("DELETE FROM counted WHERE n < 0");
    CHECK(kinds() == "d");
}

TEST_CASE_METHOD(told_store, "transactions with changes can be prepared, unless writers are to wake the readers") {
    create();
    auto const name = "of_" + database.name();
    run("BEGIN; INSERT INTO items VALUES (3, 1); PREPARE TRANSACTION '" + name + "'");
    run("COMMIT PREPARED '" + name + "'");
    CHECK(kinds() == "i");
    isorow::remove_notification(pool, "public", "items", "items");
    create({.channel = "items", .wakes = true});
    CHECK_THROWS_MATCHES(run("BEGIN; INSERT INTO items VALUES (4, 1); PREPARE TRANSACTION '" + name + "'"), isorow::server_error,
                         test::says("NOTIFY"));
}

TEST_CASE_METHOD(told_store, "writers wake the readers of the channel where they are to", "[session]") {
    auto const hears = [&](std::optional<bool> wakes) {
        isorow::remove_notification(pool, "public", "items", "items");
        create({.channel = "items", .wakes = wakes});
        isorow::listener listener(pool, {"items"});
        run("INSERT INTO items SELECT i, 1 FROM generate_series(10, 20) i; UPDATE items SET amount = 2; NOTIFY items, 'end'; DELETE FROM "
            "items");
        std::vector<std::string> payloads;
        while (payloads.empty() || payloads.back() != "end")
            if (auto const event = listener.next(60s)) payloads.push_back(event->received.payload);
        return payloads;
    };
    CHECK(hears(true) == std::vector<std::string>{"", "end"});
    CHECK(hears(false) == std::vector<std::string>{"end"});
    // This server takes prepared transactions.
    CHECK(database.sql("SELECT current_setting('max_prepared_transactions')::int > 0") == "t");
    CHECK(hears(std::nullopt) == std::vector<std::string>{"end"});
}

TEST_CASE_METHOD(told_store, "who writes to the table needs no right to schema isorow, nor gets one") {
    create();
    auto const role = make_role("writer");
    database.sql("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON items TO " + role);
    auto writer = test::connect(database.dsn(role));
    test::run(writer, "INSERT INTO items VALUES (3, 1)");
    test::run(writer, "UPDATE items SET id = 4 WHERE id = 3");
    test::run(writer, "DELETE FROM items WHERE id = 4");
    test::run(writer, "TRUNCATE items");
    CHECK(kinds() == "i u u d t");
    for (auto const* const sql : {"SELECT * FROM isorow.items_log", "INSERT INTO isorow.items_log (kind) VALUES ('t')",
                                  "DELETE FROM isorow.items_log", "SELECT * FROM isorow.positions",
                                  "CREATE TABLE mine (id int); CREATE TRIGGER t AFTER INSERT ON mine FOR EACH STATEMENT "
                                  "EXECUTE FUNCTION isorow.items_n()"}) {
        INFO(sql);
        CHECK(test::outcome_of([&] { test::run(writer, sql); }).sqlstate == isorow::sqlstate::insufficient_privilege);
    }
}

TEST_CASE_METHOD(told_store, "a role that may not log in can own the function, and may do nothing but add to the changelog") {
    auto const role = make_role("adder", "NOLOGIN");
    create({.channel = "items", .writer_role = role});
    run("INSERT INTO items VALUES (3, 1); UPDATE items SET amount = 2; TRUNCATE items");
    CHECK(kinds() == "i u u u t");
    CHECK(database.sql("SELECT proowner::regrole FROM pg_proc WHERE proname = 'items_n'") == role);
    for (auto const* const right : {"SELECT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"})
        CHECK(database.sql("SELECT has_table_privilege('" + role + "', 'isorow.items_log', '" + right + "')") == "f");
    CHECK(database.sql("SELECT has_schema_privilege('" + role + "', 'isorow', 'CREATE')") == "f");
    CHECK(database.sql("SELECT has_table_privilege('" + role + "', 'isorow.positions', 'SELECT')") == "f");
    auto items =
        isorow::follow(source, isorow::changelog{.notification = {.channel = "items", .writer_role = role}}, {.consumer = "store"});
    test::followed_copy<Item> copy;
    catch_up(items, copy);
    run("INSERT INTO items VALUES (3, 1)");
    catch_up(items, copy);
    CHECK(copy.rows() == table());
    // What it may not do any more is noticed.
    run("REVOKE INSERT ON isorow.items_log FROM " + role + "; INSERT INTO items VALUES (4, 1)");
    catch_up(items, copy);
    CHECK(copy.rows() == table());
    CHECK_THROWS_AS(create({.channel = "others", .writer_role = "nobody_" + database.name()}), isorow::error);
    CHECK(objects() ==
          "function items_n table items_log trigger items_t trigger items_t_delete trigger items_t_truncate trigger items_t_update");
}

TEST_CASE_METHOD(told_store, "look-alikes of what the function uses never run with its owner's rights") {
    create();
    auto const role = make_role("hostile");
    database.sql("GRANT CREATE ON SCHEMA public TO " + role + "; GRANT TEMPORARY ON DATABASE " + database.name() + " TO " + role +
                 "; GRANT SELECT, INSERT, UPDATE, DELETE ON items TO " + role +
                 "; CREATE TABLE canary (who text, what text); GRANT ALL ON canary TO PUBLIC; CREATE ROLE " + make_role("none") +
                 "_x NOLOGIN");
    roles.push_back("role_" + database.name() + "_none_x");
    auto hostile = test::connect(database.dsn(role));
    auto const sing = [](std::string_view what) {
        return isorow::text("BEGIN INSERT INTO public.canary VALUES (current_user, '{}'); ", what);
    };
    for (std::string const schema : {"public", "pg_temp"}) {
        test::run(hostile,
                  "CREATE FUNCTION " + schema + ".pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS $$" + sing("pg_notify") + "END$$");
        test::run(hostile, "CREATE FUNCTION " + schema + ".has_table_privilege(oid, text) RETURNS bool LANGUAGE plpgsql AS $$" +
                               sing("rights") + "RETURN true; END$$");
        test::run(hostile,
                  "CREATE FUNCTION " + schema + ".same(text, text) RETURNS bool LANGUAGE plpgsql AS $$" + sing("=") + "RETURN true; END$$");
        test::run(hostile, "CREATE OPERATOR " + schema + ".= (LEFTARG = text, RIGHTARG = text, FUNCTION = " + schema + ".same)");
        test::run(hostile,
                  "CREATE FUNCTION " + schema + ".same(name, text) RETURNS bool LANGUAGE plpgsql AS $$" + sing("=") + "RETURN true; END$$");
        test::run(hostile, "CREATE OPERATOR " + schema + ".= (LEFTARG = name, RIGHTARG = text, FUNCTION = " + schema + ".same)");
        test::run(hostile,
                  "CREATE FUNCTION " + schema + ".same(oid, int) RETURNS bool LANGUAGE plpgsql AS $$" + sing("=") + "RETURN true; END$$");
        test::run(hostile, "CREATE OPERATOR " + schema + ".= (LEFTARG = oid, RIGHTARG = int, FUNCTION = " + schema + ".same)");
    }
    test::run(
        hostile,
        "CREATE TEMPORARY TABLE isorow_new (id bigint); CREATE TEMPORARY TABLE pg_attribute (attrelid oid, attname name, atttypid oid); "
        "CREATE TEMPORARY TABLE items_log (kind text)");
    test::run(hostile, "SET search_path = pg_temp, public, pg_catalog");
    test::run(hostile, "INSERT INTO public.items VALUES (3, 1)");
    test::run(hostile, "UPDATE public.items SET id = 4 WHERE items.id OPERATOR(pg_catalog.=) 3");
    test::run(hostile, "DELETE FROM public.items");
    CHECK(database.sql("SELECT count(*) FROM canary") == "0");
    CHECK(kinds() == "i u u d d d");
    CHECK(database.sql("SELECT proconfig::text FROM pg_proc WHERE proname = 'items_n'") == "{\"search_path=pg_catalog, pg_temp\"}");
}

TEST_CASE_METHOD(told_store, "a role follows with the rights that create_notification lists, and no others") {
    create();
    auto const role = make_role("reader");
    database.sql("GRANT USAGE ON SCHEMA isorow TO " + role + "; GRANT SELECT ON isorow.version, isorow.changelogs TO " + role +
                 "; GRANT SELECT, INSERT, UPDATE, DELETE ON isorow.positions TO " + role +
                 "; GRANT SELECT, DELETE ON isorow.items_log TO " + role + "; GRANT SELECT ON items TO " + role);
    isorow::pool own(database.dsn(role), {.min_size = 1});
    isorow::source<Item> const from(own);
    {
        auto items = isorow::follow(from, test::by_changelog, {.consumer = "reader"});
        test::followed_copy<Item> copy;
        catch_up(items, copy);
        run("INSERT INTO items VALUES (3, 1); UPDATE items SET id = 4 WHERE id = 1; DELETE FROM items WHERE id = 2");
        catch_up(items, copy);
        CHECK(copy.rows() == table());
        CHECK(test::eventually(60s, [&] {
            static_cast<void>(items.next(30ms));
            return changelog_size() == "0";
        }));
        // What it would have to make anew is told.
        run("DROP TABLE isorow.items_log");
        CHECK_THROWS_AS(items.next(0ms), isorow::error);
        create();
        database.sql("GRANT SELECT, DELETE ON isorow.items_log TO " + role);
        run("INSERT INTO items VALUES (7, 1)");
        catch_up(items, copy);
        CHECK(copy.rows() == table());
    }
    CHECK(isorow::forget_position(own, "reader"));
    CHECK_THROWS_AS(isorow::create_notification(own, "public", "items", "reader", {.channel = "mine"}), isorow::error);
}

TEST_CASE_METHOD(told_store, "a role sets it up with the right to create in schema isorow, and triggers on the table") {
    isorow::install(pool);
    auto const role = make_role("owner");
    database.sql("GRANT USAGE, CREATE ON SCHEMA isorow TO " + role + "; GRANT SELECT ON isorow.version TO " + role +
                 "; GRANT SELECT, INSERT, UPDATE ON isorow.changelogs TO " + role +
                 "; GRANT SELECT, INSERT, UPDATE, DELETE ON isorow.positions TO " + role + "; GRANT SELECT, TRIGGER ON items TO " + role);
    isorow::pool own(database.dsn(role), {.min_size = 1});
    isorow::source<Item> const from(own);
    auto const told = test::outcome_of([&] {
        auto items = isorow::follow(from, test::by_changelog, {.consumer = "owner"});
        test::followed_copy<Item> copy;
        catch_up(items, copy);
        run("INSERT INTO items VALUES (3, 1)");
        catch_up(items, copy);
        CHECK(copy.rows() == table());
    });
    INFO(told);
    CHECK(told.sqlstate == isorow::sqlstate::insufficient_privilege);  // ALTER TABLE asks for the owner
}
