// How a store is configured and operated: its pool, standbys, statements, dumps.

#include <isorow/records/configuration.hpp>
#include <isorow/records/store.hpp>
#include <support/matchers.hpp>
#include <support/server.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using isorow::record;
using isorow::uuid;
using isorow::records::configuration;
using isorow::records::query;
using isorow::records::where;

/// Keeps the statements that were run, with their rows.
class witness final : public isorow::observer {
public:
    void on_query(isorow::operation_event const& event) override {
        std::lock_guard const lock(mutex_);
        seen_.emplace_back(event.sql, event.rows);
    }
    [[nodiscard]] std::vector<std::pair<std::string, std::int64_t>> taken() {
        std::lock_guard const lock(mutex_);
        return std::exchange(seen_, {});
    }

private:
    std::mutex mutex_{};
    std::vector<std::pair<std::string, std::int64_t>> seen_{};
};

struct watched_store {
    test::database database{};
    std::shared_ptr<witness> seen = std::make_shared<witness>();
    isorow::connection connection{database.dsn(), {.observer = seen}};
    isorow::record_store<> store{connection};
};

}  // namespace

TEST_CASE("a configuration as the reference has it is read, and what is left out is as it says") {
    auto const read = configuration::read({{"host", "localhost"},
                                           {"port", 5432},
                                           {"database", "myapp"},
                                           {"user", "postgres"},
                                           {"password", "secret"},
                                           {"pool_size", 5},
                                           {"max_overflow", 7},
                                           {"table", "orders"},
                                           {"schema", "shop"},
                                           {"sslmode", "verify-full"},
                                           {"connect_timeout", 3}});
    CHECK(read.where.host == "localhost");
    CHECK(read.where.port.text() == "5432");
    CHECK(read.where.dbname == "myapp");
    CHECK(read.where.user == "postgres");
    CHECK(read.where.password == "secret");
    CHECK(read.where.sslmode == "verify-full");
    CHECK(read.where.connect_timeout == std::chrono::seconds(3));
    CHECK(read.pool().min_size == 5);
    CHECK(read.pool().max_size == 12);
    CHECK(read.store.table == "orders");
    CHECK(read.store.schema == "shop");
    auto const empty = configuration::read({});
    CHECK(empty.pool_size == 10);
    CHECK(empty.max_overflow == 20);
    CHECK(empty.store.table == "records");
    CHECK(configuration::read({{"pool_size", std::size_t{7}}}).pool_size == 7);
    CHECK_THROWS_AS(configuration::read({{"pool_size", 7.0}}), isorow::usage_error);
}

TEST_CASE("what a configuration does not have is told with the nearest that it has, and no value is shown") {
    CHECK_THROWS_MATCHES(configuration::read({{"pasword", "S3CRET"}}), isorow::usage_error, test::says("did you mean \"password\"?"));
    CHECK_THROWS_MATCHES(configuration::read({{"poolsize", 1}}), isorow::usage_error, test::says("did you mean \"pool_size\"?"));
    CHECK_THROWS_MATCHES(configuration::read({{"max_overflw", 1}}), isorow::usage_error, test::says("did you mean \"max_overflow\"?"));
    CHECK_THROWS_MATCHES(configuration::read({{"port", "5432"}}), isorow::usage_error, test::says("whole number from 1 to 65535"));
    CHECK_THROWS_MATCHES(configuration::read({{"pool_size", -1}}), isorow::usage_error, test::says("from 0 to 10000"));
    CHECK_THROWS_MATCHES(configuration::read({{"password", 5}}), isorow::usage_error, test::says("is a text"));
    try {
        static_cast<void>(configuration::read({{"pasword", "S3CRET"}}));
    } catch (isorow::usage_error const& failure) {
        CHECK(std::string(failure.what()).find("S3CRET") == std::string::npos);
    }
}

TEST_CASE("a store that is configured has a pool of its own, which its copies share") {
    test::database const database;
    auto from = configuration::read({{"url", database.dsn()}, {"pool_size", 1}, {"max_overflow", 1}, {"table", "orders"}});
    auto store = std::make_unique<isorow::record_store<>>(from);
    auto const copy = *store;
    auto const id = store->create({.fields = {{"name", "a"}}});
    store.reset();
    CHECK(copy.read(id)->fields.at("name") == "a");
    CHECK(database.sql("SELECT count(*) FROM orders") == "1");
}

TEST_CASE("reads go to the standby's pool, writes and transactions do not") {
    test::database const main;
    test::database const standby;
    isorow::pool pool(main.dsn());
    isorow::pool replicas(standby.dsn());
    isorow::record_store const there(replicas);
    auto const store = isorow::record_store(pool).reading_from(replicas);
    auto const id = store.create({.fields = {{"name", "a"}}});
    CHECK_FALSE(store.read(id));
    CHECK_FALSE(store.exists(id));
    CHECK(store.count() == 0);
    CHECK(store.search(query()).empty());
    CHECK(main.sql("SELECT count(*) FROM records") == "1");
    store.transact([&](isorow::record_store<>& inside) { CHECK(inside.count() == 1); });
    CHECK(store.update({.id = id}, std::chrono::sys_time<std::chrono::microseconds>{}) == isorow::records::outcome::conflict);
    CHECK(store.erase(id) == isorow::records::outcome::erased);
}

TEST_CASE("the server counts, and a batch is read by one statement") {
    watched_store watched;
    std::vector<record> many(300);
    auto const ids = watched.store.create_batch(many);
    static_cast<void>(watched.seen->taken());
    CHECK(watched.store.count(where("name").is_null()) == 300);
    auto const counting = watched.seen->taken();
    REQUIRE(counting.size() == 1);
    CHECK(counting[0].second == 1);
    CHECK(watched.store.read_batch(ids).size() == 300);
    auto const reading = watched.seen->taken();
    REQUIRE(reading.size() == 1);
    CHECK(reading[0].second == 300);
}

TEST_CASE("values are bound, and never stand in a statement") {
    watched_store watched;
    auto const id = watched.store.create({.fields = {{"name", "S3NT1NEL"}}, .metadata = {{"S3NT1NEL", 1}}});
    auto const& store = watched.store;
    CHECK(store.count(where("name") == "S3NT1NEL" && where("name").like("%S3NT1NEL") && where("name").in({"S3NT1NEL", "b"}) &&
                      where("name").contains("S3NT1NEL") && where("name") >= "S3NT1NEL" && !where("tags").has("S3NT1NEL") &&
                      where("name").matches("S3NT1NEL")) == 1);
    static_cast<void>(store.search(query().order_by("name").after(*store.read(id))));
    store.update({.id = id, .fields = {{"name", "S3NT1NEL"}}});
    store.patch(id, {{"S3NT1NEL", "S3NT1NEL"}});
    store.upsert({.id = id, .fields = {{"name", "S3NT1NEL"}}});
    for (auto const& [sql, rows] : watched.seen->taken()) CHECK(sql.find("S3NT1NEL") == std::string::npos);
}

TEST_CASE("maintaining vacuums and analyzes the table") {
    test::database const database;
    isorow::pool pool(database.dsn());
    isorow::record_store const store(pool);
    std::vector<record> many(500);
    store.create_batch(many);
    CHECK(database.sql("SELECT reltuples FROM pg_class WHERE relname = 'records'") == "-1");
    store.maintain();
    CHECK(database.sql("SELECT reltuples FROM pg_class WHERE relname = 'records'") == "500");
    CHECK_THROWS_AS(store.transact([](isorow::record_store<>& inside) { inside.maintain(); }), isorow::server_error);
}
