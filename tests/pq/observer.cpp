#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/listener.hpp>
#include <isorow/pq/observer.hpp>
#include <isorow/pq/pool.hpp>
#include <isorow/query/query.hpp>
#include <isorow/query/stack.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// An event that outlives the call.
struct seen_operation {
    std::string name;
    std::string sql;
    std::string database;
    std::string server_address;
    std::string server_port;
    std::chrono::nanoseconds duration{};
    std::int64_t rows = 0;
    std::int64_t statements = 0;
    std::string error;
    std::optional<std::size_t> values;

    explicit seen_operation(isorow::operation_event const& event)
        : name(event.name),
          sql(event.sql),
          database(event.database),
          server_address(event.server_address),
          server_port(event.server_port),
          duration(event.duration),
          rows(event.rows),
          statements(event.statements),
          error(event.error) {
        if (event.values != nullptr) values = event.values->size();
    }
};
struct seen_in_pool {
    isorow::pool_event::kind what;
    std::chrono::nanoseconds duration;
    std::size_t size;
    std::size_t available;
    std::string error;
};
struct seen_reconnect {
    int attempt;
    bool succeeded;
    bool given_up;
    std::string error;
};

/// Remembers all that it is told.
class witness final : public isorow::observer {
public:
    void on_connect(isorow::operation_event const& event) override { keep(connects_, event); }
    void on_query(isorow::operation_event const& event) override { keep(queries_, event); }
    void on_prepare(isorow::operation_event const& event) override { keep(preparations_, event); }
    void on_pipeline(isorow::operation_event const& event) override { keep(pipelines_, event); }
    void on_pool(isorow::pool_event const& event) override {
        keep(pool_, seen_in_pool{event.what, event.duration, event.size, event.available, std::string(event.error)});
    }
    void on_notice(isorow::diagnostics const& notice) override { keep(notices_, notice); }
    void on_reconnect(isorow::reconnect_event const& event) override {
        keep(reconnects_, seen_reconnect{event.attempt, event.succeeded, event.given_up, std::string(event.error)});
    }

    [[nodiscard]] auto connects() const { return copy(connects_); }
    [[nodiscard]] auto queries() const { return copy(queries_); }
    [[nodiscard]] auto preparations() const { return copy(preparations_); }
    [[nodiscard]] auto pipelines() const { return copy(pipelines_); }
    [[nodiscard]] auto in_pool() const { return copy(pool_); }
    [[nodiscard]] auto notices() const { return copy(notices_); }
    [[nodiscard]] auto reconnects() const { return copy(reconnects_); }

    [[nodiscard]] seen_operation last_query() const { return queries().back(); }
    [[nodiscard]] std::vector<seen_in_pool> of_kind(isorow::pool_event::kind what) const {
        auto all = in_pool();
        std::erase_if(all, [&](auto const& one) { return one.what != what; });
        return all;
    }

private:
    template <class Event, class Given>
    void keep(std::vector<Event>& list, Given const& event) {
        std::lock_guard const lock(mutex_);
        list.push_back(Event(event));
    }
    template <class Event>
    [[nodiscard]] std::vector<Event> copy(std::vector<Event> const& list) const {
        std::lock_guard const lock(mutex_);
        return list;
    }

    mutable std::mutex mutex_;
    std::vector<seen_operation> connects_;
    std::vector<seen_operation> queries_;
    std::vector<seen_operation> preparations_;
    std::vector<seen_operation> pipelines_;
    std::vector<seen_in_pool> pool_;
    std::vector<isorow::diagnostics> notices_;
    std::vector<seen_reconnect> reconnects_;
};

/// A connection that is watched.
struct watched {
    std::shared_ptr<witness> seen = std::make_shared<witness>();
    isorow::connection connection{test::dsn(), {.timeout = 120s, .observer = seen}};
};

std::string said(std::string_view keyword) { return isorow::detail::parse_conninfo(test::dsn()).get(keyword); }

template <class Holds>
bool soon(Holds holds) {
    for (int i = 0; i < 500 && !holds(); ++i) std::this_thread::sleep_for(10ms);
    return holds();
}

std::string attribute(std::vector<std::pair<std::string_view, std::string>> const& attributes, std::string_view name) {
    for (auto const& [key, value] : attributes)
        if (key == name) return value;
    return "(none)";
}

/// What a database says that has no pgvector.
std::vector<isorow::diagnostics> about_pgvector(witness const& seen) {
    auto all = seen.notices();
    std::erase_if(all, [](auto const& one) { return one.message.find("pgvector") == std::string::npos; });
    return all;
}

}  // namespace

TEST_CASE_METHOD(watched, "a connection that was made is told with its server, its database and how long it took") {
    REQUIRE(seen->connects().size() == 1);
    auto const event = seen->connects().front();
    CHECK(event.name == "CONNECT");
    CHECK(event.database == said("dbname"));
    CHECK(event.server_address == said("host"));
    CHECK(event.server_port == said("port"));
    CHECK(event.duration > 0ns);
    CHECK(event.error.empty());
}

TEST_CASE("a connection that could not be made is told with what was said") {
    auto const seen = std::make_shared<witness>();
    CHECK_THROWS_AS(isorow::connection("host=127.0.0.1 port=1 dbname=shop password=S3NT1NEL", {.observer = seen}),
                    isorow::connection_error);
    REQUIRE(seen->connects().size() == 1);
    auto const event = seen->connects().front();
    CHECK(event.server_port == "1");
    CHECK(event.database == "shop");
    CHECK(event.duration >= 0ns);
    CHECK(event.error.find("could not connect to 127.0.0.1:1") != std::string::npos);
    CHECK(event.error.find("S3NT1NEL") == std::string::npos);
}

TEST_CASE_METHOD(watched, "a statement is told by its first word, its text, its rows and its duration") {
    isorow::execute(connection, "/* why */ -- and\n SELECT generate_series(1, $1), pg_sleep(0.01)", 3);
    auto const event = seen->last_query();
    CHECK(event.name == "SELECT");
    CHECK(event.sql == "/* why */ -- and\n SELECT generate_series(1, $1), pg_sleep(0.01)");
    CHECK(event.database == said("dbname"));
    CHECK(event.server_address == said("host"));
    CHECK(event.server_port == said("port"));
    CHECK(event.rows == 3);
    CHECK(event.statements == 1);
    CHECK(event.duration >= 10ms);
    CHECK(event.error.empty());
}

TEST_CASE_METHOD(watched, "a statement that fails is told with its SQLSTATE") {
    CHECK_THROWS_AS(isorow::execute(connection, "SELECT 1 / $1", 0), isorow::data_exception);
    auto const event = seen->last_query();
    CHECK(event.error == "22012");
    CHECK(event.rows == 0);
    CHECK(event.duration >= 0ns);
}

TEST_CASE_METHOD(watched, "a statement that ends at its deadline is told with what was thrown") {
    CHECK_THROWS_AS(isorow::execute(isorow::within(connection, 50ms), "SELECT pg_sleep(60)"), isorow::timed_out);
    CHECK(seen->last_query().error.find("deadline passed") != std::string::npos);
    CHECK(seen->last_query().duration >= 50ms);
}

TEST_CASE_METHOD(watched, "a connection that is lost under a statement is told, and the observer is not told of a server any more",
                 "[session]") {
    test::sql(test::dsn(), "SELECT pg_terminate_backend(" + std::to_string(connection.backend_pid()) + ", 5000)");
    CHECK_THROWS_AS(isorow::execute(connection, "SELECT 1"), isorow::error);
    CHECK_FALSE(seen->last_query().error.empty());
}

TEST_CASE_METHOD(watched, "bound values are not shown") {
    isorow::execute(connection, "SELECT $1::text", "secret");
    CHECK_FALSE(seen->last_query().values.has_value());
    CHECK(seen->last_query().sql.find("secret") == std::string::npos);
}

TEST_CASE("bound values are shown to whoever asks for them") {
    auto const seen = std::make_shared<witness>();
    isorow::connection connection(test::dsn(), {.observer = seen, .observe_values = true});
    isorow::execute(connection, "SELECT $1::text, $2::int", "secret", 7);
    CHECK(seen->last_query().values == 2U);
}

TEST_CASE_METHOD(watched, "a preparation is told beside the statement that it is for", "[session]") {
    for (int i = 0; i < 7; ++i) isorow::execute(connection, "SELECT 1");
    REQUIRE(seen->preparations().size() == 1);
    auto const event = seen->preparations().front();
    CHECK(event.name == "PREPARE");
    CHECK(event.sql == "SELECT 1");
    CHECK(event.database == said("dbname"));
    CHECK(event.duration >= 0ns);
    CHECK(event.error.empty());
    CHECK(seen->queries().size() == 7);
}

TEST_CASE("a preparation that fails is told with its SQLSTATE") {
    auto const seen = std::make_shared<witness>();
    isorow::connection connection(test::dsn(), {.prepare_threshold = 0, .observer = seen});
    CHECK_THROWS_AS(isorow::execute(connection, "SELECT * FROM no_such_table"), isorow::syntax_error_or_access_rule_violation);
    REQUIRE(seen->preparations().size() == 1);
    CHECK(seen->preparations().front().error == "42P01");
    CHECK(seen->last_query().error == "42P01");
}

TEST_CASE_METHOD(watched, "a pipeline is told once, with its number of statements and all their rows") {
    isorow::stack work;
    work.execute("SELECT generate_series(1, 3)");
    work.execute("SELECT generate_series(1, 4)");
    static_cast<void>(work.run(connection));
    REQUIRE(seen->pipelines().size() == 1);
    auto const event = seen->pipelines().front();
    CHECK(event.name == "PIPELINE");
    CHECK(event.statements == 2);
    CHECK(event.rows == 7);
    CHECK(event.sql == "SELECT generate_series(1, 3)");
    CHECK(event.server_port == said("port"));
    CHECK(event.duration >= 0ns);
    CHECK(event.error.empty());
}

TEST_CASE_METHOD(watched, "a pipeline that fails is told with the SQLSTATE of its first failure") {
    isorow::stack work;
    work.execute("SELECT 1");
    work.execute("SELECT 1 / 0");
    CHECK_THROWS_AS(work.run(connection), isorow::data_exception);
    REQUIRE(seen->pipelines().size() == 1);
    CHECK(seen->pipelines().front().error == "22012");
}

TEST_CASE("the server's notices go to on_notice and to the observer") {
    auto const seen = std::make_shared<witness>();
    std::vector<std::string> noticed;
    isorow::connection connection(
        test::dsn(), {.on_notice = [&](isorow::diagnostics const& notice) { noticed.push_back(notice.message); }, .observer = seen});
    isorow::execute(connection, "DO $$ BEGIN RAISE WARNING 'careful' USING ERRCODE = '01H01'; END $$");
    CHECK(noticed == std::vector<std::string>{"careful"});
    REQUIRE(seen->notices().size() == 1);
    CHECK(seen->notices().front().severity == "WARNING");
    CHECK(seen->notices().front().sqlstate == "01H01");
}

TEST_CASE("a server on this machine is not warned of, whether it is verified or not") {
    auto const seen = std::make_shared<witness>();
    isorow::connection const by_address(test::dsn(), {.observer = seen});
    auto where = isorow::connection_parameters{.dsn = test::dsn()};
    where.host = "localhost";
    isorow::connection const by_name(
        where, {.resolve = [](std::string const&) { return std::vector<std::string>{"127.0.0.1"}; }, .observer = seen});
    CHECK(seen->notices().empty());
}

TEST_CASE("a pool tells the connections that it makes, lends and takes back") {
    using kind = isorow::pool_event::kind;
    auto const seen = std::make_shared<witness>();
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1, .connection = {.observer = seen}});
    pool.wait();
    REQUIRE(soon([&] { return seen->of_kind(kind::connected).size() == 1; }));
    auto const made = seen->of_kind(kind::connected).front();
    CHECK(made.duration > 0ns);
    CHECK(made.size == 1);
    CHECK(made.error.empty());
    {
        auto const lease = pool.acquire();
        REQUIRE(seen->of_kind(kind::acquired).size() == 1);
        CHECK(seen->of_kind(kind::acquired).front().duration >= 0ns);
        CHECK(seen->of_kind(kind::acquired).front().available == 0);
        std::this_thread::sleep_for(10ms);
    }
    REQUIRE(soon([&] { return seen->of_kind(kind::returned).size() == 1; }));
    CHECK(seen->of_kind(kind::returned).front().duration >= 10ms);
}

TEST_CASE("a pool tells a connection that comes back in a transaction as returned, too") {
    using kind = isorow::pool_event::kind;
    auto const seen = std::make_shared<witness>();
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1, .connection = {.observer = seen}});
    isorow::execute_script(*pool.acquire(), "BEGIN", isorow::limits::within(5s));
    CHECK(soon([&] { return seen->of_kind(kind::returned).size() == 1; }));
    CHECK(seen->of_kind(kind::discarded).empty());
}

TEST_CASE("a pool tells a connection that comes back broken as discarded") {
    using kind = isorow::pool_event::kind;
    auto const seen = std::make_shared<witness>();
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1, .connection = {.observer = seen}});
    {
        auto lease = pool.acquire();
        lease->close();
    }
    CHECK(soon([&] { return seen->of_kind(kind::discarded).size() == 1; }));
    CHECK(seen->of_kind(kind::returned).empty());
}

TEST_CASE("a pool tells a connection that has grown old as retired") {
    using kind = isorow::pool_event::kind;
    auto const seen = std::make_shared<witness>();
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1, .max_lifetime = 50ms, .connection = {.observer = seen}});
    {
        auto const lease = pool.acquire();
        std::this_thread::sleep_for(60ms);
    }
    CHECK(soon([&] { return !seen->of_kind(kind::retired).empty(); }));
}

TEST_CASE("a pool tells a connection that nobody needs as retired") {
    using kind = isorow::pool_event::kind;
    auto const seen = std::make_shared<witness>();
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 2, .max_idle = 50ms, .connection = {.observer = seen}});
    {
        auto const one = pool.acquire();
        auto const other = pool.acquire();
    }
    CHECK(soon([&] { return !seen->of_kind(kind::retired).empty(); }));
}

TEST_CASE("a pool tells who waited for a connection and got none") {
    using kind = isorow::pool_event::kind;
    auto const seen = std::make_shared<witness>();
    isorow::pool pool(test::dsn(), {.min_size = 1, .max_size = 1, .connection = {.observer = seen}});
    auto acquired = pool.acquire();
    auto const passed_on = std::move(acquired);
    CHECK_THROWS_AS(pool.acquire(isorow::limits::within(20ms)), isorow::timed_out);
    REQUIRE(seen->of_kind(kind::timed_out).size() == 1);
    CHECK(seen->of_kind(kind::timed_out).front().duration >= 20ms);
    CHECK_FALSE(seen->of_kind(kind::timed_out).front().error.empty());
}

TEST_CASE("a pool whose server cannot be reached tells each attempt, and when it gives up") {
    using kind = isorow::pool_event::kind;
    auto const seen = std::make_shared<witness>();
    isorow::pool pool("host=127.0.0.1 port=1",
                      {.min_size = 1, .max_size = 1, .reconnect_timeout = 400ms, .connection = {.observer = seen}});
    REQUIRE(soon([&] {
        auto const all = seen->reconnects();
        return std::any_of(all.begin(), all.end(), [](auto const& one) { return one.given_up; });
    }));
    auto const attempts = seen->reconnects();
    REQUIRE(attempts.size() >= 2);
    CHECK(attempts[0].attempt == 1);
    CHECK(attempts[1].attempt == 2);
    CHECK_FALSE(attempts[0].succeeded);
    CHECK_FALSE(attempts[0].given_up);
    CHECK(attempts[0].error.find("could not connect") != std::string::npos);
    CHECK(seen->of_kind(kind::connect_failed).size() >= attempts.size());
    CHECK(seen->of_kind(kind::connect_failed).front().error.find("could not connect") != std::string::npos);
    CHECK(seen->connects().size() >= 2);
}

TEST_CASE("a pool that reaches its server again tells so", "[session]") {
    test::database const own;
    auto const seen = std::make_shared<witness>();
    isorow::pool pool(own.dsn(), {.min_size = 1, .max_size = 1, .timeout = 10s, .connection = {.observer = seen}});
    pool.wait();
    test::sql(test::dsn(), "ALTER DATABASE " + own.name() + " ALLOW_CONNECTIONS false");
    pool.drain();
    REQUIRE(soon([&] { return !seen->reconnects().empty(); }));
    test::sql(test::dsn(), "ALTER DATABASE " + own.name() + " ALLOW_CONNECTIONS true");
    REQUIRE(soon([&] { return seen->reconnects().back().succeeded; }));
    CHECK(seen->reconnects().back().error.empty());
    CHECK(seen->reconnects().back().attempt >= 2);
}

TEST_CASE("a listener that loses its connection tells that it has another one", "[session]") {
    auto const seen = std::make_shared<witness>();
    isorow::listener listener(test::dsn(), {"watched"}, {.connection = {.observer = seen}});
    test::sql(test::dsn(), "SELECT pg_terminate_backend(" + std::to_string(listener.connection().backend_pid()) + ", 5000)");
    auto const event = listener.next(10s);
    REQUIRE(event);
    CHECK(event->gap);
    REQUIRE_FALSE(seen->reconnects().empty());
    CHECK(seen->reconnects().back().succeeded);
    CHECK(seen->reconnects().front().attempt == 1);
}

TEST_CASE("a database without pgvector is told once for a pool, and the pool serves") {
    test::database const own;
    auto const seen = std::make_shared<witness>();
    isorow::pool pool(own.dsn(), {.min_size = 3, .connection = {.observer = seen}});
    pool.wait();
    REQUIRE(soon([&] { return pool.available() == 3; }));
    pool.drain();
    pool.wait();
    CHECK(isorow::scalar<std::int32_t>(pool, "SELECT 1") == 1);
    auto const told = about_pgvector(*seen);
    REQUIRE(told.size() == 1);
    CHECK(told.front().severity == "DEBUG");
    CHECK(told.front().message.find("CREATE EXTENSION vector") != std::string::npos);
}

TEST_CASE("a database without pgvector is a warning to who wants it") {
    test::database const own;
    auto const seen = std::make_shared<witness>();
    isorow::pool pool(own.dsn(), {.min_size = 2, .connection = {.enable_pgvector = isorow::pgvector_support::on, .observer = seen}});
    REQUIRE(soon([&] { return pool.available() == 2; }));
    REQUIRE(about_pgvector(*seen).size() == 1);
    CHECK(about_pgvector(*seen).front().severity == "WARNING");
}

TEST_CASE("without pgvector a vector is an error that says what to create, and after that it works on the same pool") {
    test::database const own;
    isorow::pool pool(own.dsn(), {.min_size = 2});
    pool.wait();
    isorow::vector<3> const sent{1.0F, 2.0F, 3.0F};
    CHECK_THROWS_MATCHES(isorow::execute(pool, "SELECT $1", sent), isorow::usage_error, test::says("CREATE EXTENSION vector"));
    own.sql("CREATE EXTENSION vector");
    CHECK(isorow::scalar<isorow::vector<3>>(pool, "SELECT $1", sent) == sent);
}

TEST_CASE("where pgvector is turned off, vectors are refused and nothing is told of it") {
    test::database const own;
    own.sql("CREATE EXTENSION vector");
    auto const seen = std::make_shared<witness>();
    isorow::pool pool(own.dsn(), {.min_size = 1, .connection = {.enable_pgvector = isorow::pgvector_support::off, .observer = seen}});
    isorow::vector<3> const sent{1.0F, 2.0F, 3.0F};
    CHECK_THROWS_MATCHES(isorow::execute(pool, "SELECT $1", sent), isorow::usage_error, test::says("enable_pgvector turns off"));
    CHECK(about_pgvector(*seen).empty());
    CHECK(isorow::scalar<std::int32_t>(pool, "SELECT 1") == 1);
}

TEST_CASE("an operation's attributes have the names of OpenTelemetry") {
    auto const attributes = isorow::opentelemetry_attributes(
        {.name = "SELECT", .sql = "SELECT 1", .database = "shop", .server_address = "db.example.org", .server_port = "5432", .rows = 7});
    CHECK(attribute(attributes, "db.system.name") == "postgresql");
    CHECK(attribute(attributes, "db.namespace") == "shop");
    CHECK(attribute(attributes, "db.operation.name") == "SELECT");
    CHECK(attribute(attributes, "db.query.text") == "SELECT 1");
    CHECK(attribute(attributes, "server.address") == "db.example.org");
    CHECK(attribute(attributes, "server.port") == "5432");
    CHECK(attribute(attributes, "db.response.returned_rows") == "7");
    CHECK(attribute(attributes, "db.operation.batch.size") == "(none)");
    CHECK(attribute(attributes, "db.response.status_code") == "(none)");
    CHECK(attribute(attributes, "error.type") == "(none)");
}

TEST_CASE("the attributes of a failure have its SQLSTATE") {
    auto const attributes = isorow::opentelemetry_attributes({.name = "SELECT", .error = "22012"});
    CHECK(attribute(attributes, "db.response.status_code") == "22012");
    CHECK(attribute(attributes, "error.type") == "22012");
    CHECK(attribute(attributes, "db.response.returned_rows") == "(none)");
}

TEST_CASE("the attributes of a pipeline have its size") {
    CHECK(attribute(isorow::opentelemetry_attributes({.name = "PIPELINE", .statements = 12}), "db.operation.batch.size") == "12");
}

TEST_CASE("the first word of a statement is found behind blanks, brackets and comments") {
    using isorow::detail::first_word;
    CHECK(first_word("select 1") == "select");
    CHECK(first_word("  (SELECT 1)") == "SELECT");
    CHECK(first_word("-- why\nDELETE FROM t") == "DELETE");
    CHECK(first_word("/* a */ /* b */ UPDATE t") == "UPDATE");
    CHECK(first_word("/* a /* b */ c */ UPDATE t") == "UPDATE");
    CHECK(first_word("-- nothing else").empty());
    CHECK(first_word("/* never ended").empty());
    CHECK(first_word("").empty());
}
