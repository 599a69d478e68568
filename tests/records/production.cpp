// What the reference's "Production Considerations" say of a store: dumps, metrics, lost connections, upgrades.

#include <isorow/records/ensure_database.hpp>
#include <isorow/records/store.hpp>
#include <support/faults.hpp>
#include <support/matchers.hpp>
#include <support/own_server.hpp>
#include <support/server.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using isorow::record;
using isorow::record_store;
using isorow::records::configuration;
using isorow::records::outcome;
using isorow::records::query;
using isorow::records::where;

[[nodiscard]] isorow::records::store_options searched() {
    return {.indexes = {"age"}, .texts = {{.places = {"name"}}}, .vector = {{.dimension = 3}}};
}

/// pg_dump of one database, read by psql into another; both of the server's version, where a machine has several.
void dump_and_restore(test::database const& from, test::database const& to) {
    auto const command =
        "PATH=/usr/lib/postgresql/17/bin:$PATH; pg_dump '" + from.dsn() + "' | psql -q -v ON_ERROR_STOP=1 '" + to.dsn() + "' >/dev/null";
    REQUIRE(std::system(command.c_str()) == 0);
}

}  // namespace

TEST_CASE("Backups: what pg_dump has written is a store with the same records, versions and indexes") {
    test::database const before;
    test::database const after;
    isorow::pool pool(before.dsn());
    record_store const store(pool, searched());
    std::vector<record> many(300);
    for (std::size_t i = 0; i < many.size(); ++i)
        many[i] = {.fields = {{"name", "name " + std::to_string(i)}, {"age", static_cast<std::int64_t>(i)}, {"embedding", {1, i, 0}}},
                   .metadata = {{"number", static_cast<std::int64_t>(i)}}};
    auto const ids = store.create_batch(many);
    store.patch(ids[0], {{"name", "renamed"}});
    dump_and_restore(before, after);

    isorow::pool restored(after.dsn());
    record_store const again(restored, searched());
    CHECK(again.search({}) == store.search({}));
    CHECK(again.search_text("renamed").size() == 1);
    CHECK(again.search_nearest(std::vector<float>{1, 5, 0}).at(0).record.id == ids[5]);
    CHECK(again.update(*store.read(ids[0]), store.read(ids[0])->updated_at) == outcome::updated);
    auto const indexes = "SELECT string_agg(indexdef, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'records'";
    CHECK(after.sql(indexes) == before.sql(indexes));
}

TEST_CASE("Upgrades: a dump is the way from one version of the server to the next, and a store refuses nothing of it") {
    // The server's catalogue is all that a store asks of a table: one that a dump has made is as one that a store has made.
    test::database const before;
    test::database const after;
    {
        isorow::pool pool(before.dsn());
        record_store(pool).create({.fields = {{"name", "Alice"}}});
    }
    dump_and_restore(before, after);
    isorow::pool pool(after.dsn());
    CHECK(record_store(pool, {.create = false}).count(where("name") == "Alice") == 1);
}

TEST_CASE("Monitoring: the pool of a store tells its metrics") {
    test::database const database;
    isorow::pool pool(database.dsn(), {.min_size = 1, .max_size = 2});
    record_store const store(pool);
    auto const before = pool.statistics();
    for (int i = 0; i < 10; ++i) store.create({});
    auto const after = pool.statistics();
    CHECK(after.requests_num - before.requests_num == 10);
    CHECK(after.pool_size >= 1);
    CHECK(after.pool_max == 2);
    CHECK(after.requests_errors == 0);
    CHECK(after.returns_bad == 0);
}

TEST_CASE("the pool of a store is shared with whoever has it") {
    test::database const database;
    isorow::pool pool(database.dsn(), {.min_size = 1, .max_size = 1});
    record_store const people(pool);
    record_store const orders(pool, {.table = "orders"});
    people.create({.fields = {{"name", "Alice"}}});
    orders.create({});
    CHECK(isorow::scalar<std::int64_t>(pool, "SELECT count(*) FROM records, orders") == 1);
    CHECK(pool.size() == 1);
    CHECK(pool.available() == 1);
}

TEST_CASE("the reference's example of a transaction commits on success and rolls back on error") {
    test::database const database;
    isorow::pool pool(database.dsn());
    record_store const store(pool);
    record const third{.id = store.create({.fields = {{"name", "third"}}})};
    auto const write = [&](record_store<>& inside) {
        inside.create({.fields = {{"name", "first"}}});
        inside.create({.fields = {{"name", "second"}}});
        inside.patch(third.id, {{"changed", true}});
    };
    store.transact(write);
    CHECK(store.count() == 3);
    CHECK(store.count(where("changed") == true) == 1);
    CHECK_THROWS_AS(store.transact([&](record_store<>& inside) {
        write(inside);
        inside.create({.id = third.id});
    }),
                    isorow::record_exists);
    CHECK(store.count() == 3);
}

TEST_CASE("the statements of a store are prepared, and kept") {
    test::database const database;
    isorow::connection connection(database.dsn());
    record_store const store(connection);
    auto const id = store.create({});
    for (int i = 0; i < 6; ++i) CHECK(store.exists(id));
    CHECK(isorow::scalar<std::int64_t>(connection, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%EXISTS%'") == 1);
}

TEST_CASE("a connection that is lost under a store fails one call, of which nothing stays, and the next one has another") {
    test::database const database;
    isorow::pool pool(database.dsn(), {.min_size = 1, .max_size = 1});
    record_store const store(pool);
    auto const id = store.create({.fields = {{"n", 0}}});
    auto const end_sessions = [&] {
        database.sql(test::dsn(), "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + database.name() +
                                      "' AND pid <> pg_backend_pid()");
    };
    CHECK_THROWS_AS(store.transact([&](record_store<>& inside) {
        inside.patch(id, {{"n", 1}});
        end_sessions();
        inside.create({});
    }),
                    isorow::error);
    CHECK(store.read(id)->fields.at("n") == 0);
    CHECK(store.count() == 1);

    // In the middle of a scan there is nobody who could begin again: it is told.
    store.create_batch(std::vector<record>(5000, record{.fields = {{"text", std::string(4000, 'x')}}}));
    std::size_t seen = 0;
    auto const scanning = [&] {
        store.scan({}, [&](record&&) {
            if (++seen == 10) end_sessions();
        });
    };
    CHECK_THROWS_AS(scanning(), isorow::error);
    CHECK(seen < 5001);
    CHECK(store.count() == 5001);
}

TEST_CASE("a disk that fills under a batch leaves the records that were there, the error says so, and the store goes on") {
    // Files are kept short, in place of a small disk, which root alone could make.
    constexpr int room = 24 << 20;
    test::own_server const server({}, "ulimit -f " + std::to_string(room / 512));
    isorow::pool pool(server.dsn());
    record_store const store(pool);
    store.create_batch(std::vector<record>(100, record{.fields = {{"name", "kept"}}}));
    auto const before = store.search(query().order_by("id"));
    std::vector<record> const large(26'000, record{.fields = {{"text", std::string(1000, 'x')}}});
    auto const write = GENERATE(0, 1, 2);
    auto const told = test::outcome_of([&] {
        if (write == 0) store.create_batch(large);
        if (write == 1) store.create_each(large);
        if (write == 2) store.upsert_batch(large);
    });
    INFO(told);
    CHECK(told.how == test::ended::by_server);
    CHECK(told.text.find("could not extend file") != std::string::npos);
    CHECK(store.search(query().order_by("id")) == before);
    // What the failed write has left on the disk goes with the next vacuum.
    store.maintain();
    CHECK(store.read(store.create({.fields = {{"name", "new"}}})));
    CHECK(store.count() == 101);
}

TEST_CASE("transactions that race are run again, and each has its effect once", "[concurrency]") {
    test::database const database;
    isorow::pool pool(database.dsn(), {.min_size = 4, .max_size = 8});
    record_store const store(pool);
    auto const ids = store.create_batch(std::vector<record>(2, record{.fields = {{"n", 0}}}));
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 5; ++i)
                store.transact([&](record_store<>& outer) {
                    // Locks are taken in opposite orders: deadlocks are lost races.
                    for (std::size_t k = 0; k < 2; ++k) {
                        auto const& id = ids[(k + static_cast<std::size_t>(thread)) % 2];
                        outer.transact([&](record_store<>& inner) {
                            isorow::records::version const any{};
                            inner.patch(id, {{"touched", true}}, any);
                            inner.patch(id, {{"n", inner.read(id)->fields.at("n").as_int64() + 1}});
                        });
                    }
                });
        });
    for (auto& thread : threads) thread.join();
    for (auto const& id : ids) CHECK(store.read(id)->fields.at("n") == 20);
}

TEST_CASE("the database of a configuration is made where the server does not have it") {
    test::database const role_only;
    auto const name = role_only.name() + " \"made\"";
    auto from = configuration::read({{"url", role_only.dsn()}, {"database", name}, {"pool_size", 1}});
    CHECK(ensure_database(from));
    CHECK_FALSE(ensure_database(from));
    {
        record_store const store(from);
        CHECK(store.exists(store.create({})));
    }
    test::sql(test::dsn(), "DROP DATABASE \"" + role_only.name() + " \"\"made\"\"\" WITH (FORCE)");
    CHECK_THROWS_AS(ensure_database(configuration::read({{"url", role_only.dsn()}})), isorow::usage_error);
    auto const role = "may_not_" + role_only.name();
    test::sql(test::dsn(), "CREATE ROLE " + role + " LOGIN");
    from.where.dsn = role_only.dsn(role);
    CHECK_THROWS_MATCHES(ensure_database(from), isorow::missing_privilege, test::says("CREATE DATABASE"));
    test::sql(test::dsn(), "DROP ROLE " + role);
}
