#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/pool.hpp>
#include <isorow/pq/transact.hpp>
#include <isorow/query/query.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include <libpq-fe.h>

namespace {

/// A connection that prepares after so many runs.
isorow::connection connect(std::optional<int> threshold = 5, std::size_t maximum = 100, std::string const& dsn = test::dsn()) {
    return isorow::connection(dsn, {.timeout = std::chrono::seconds(120), .prepare_threshold = threshold, .prepared_max = maximum});
}

/// Runs SQL beside isorow, through the same connection.
std::string raw(isorow::connection& connection, std::string const& sql) {
    auto* const result = PQexec(connection.native_handle(), sql.c_str());
    auto const value = PQntuples(result) > 0 ? std::string(PQgetvalue(result, 0, 0)) : std::string();
    PQclear(result);
    return value;
}

/// How many statements with this text the server has prepared for the connection.
int on_server(isorow::connection& connection, std::string const& sql) {
    auto const literal = isorow::detail::quote_literal(sql);
    return std::stoi(raw(connection, "SELECT count(*) FROM pg_prepared_statements WHERE statement = " + literal));
}
int all_on_server(isorow::connection& connection) { return std::stoi(raw(connection, "SELECT count(*) FROM pg_prepared_statements")); }

void run(isorow::connection& connection, std::string const& sql, int times = 1) {
    for (int i = 0; i < times; ++i) isorow::execute(connection, sql);
}

/// A database with a table whose columns change.
struct changing {
    test::database database;

    changing() { database.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (7)"); }
    void add_column() const { database.sql("ALTER TABLE t ADD COLUMN b text DEFAULT 'new'"); }
};

}  // namespace

TEST_CASE("a statement is prepared when it runs for the sixth time", "[session]") {
    auto connection = connect();
    run(connection, "SELECT 1", 5);
    CHECK(on_server(connection, "SELECT 1") == 0);
    run(connection, "SELECT 1");
    CHECK(on_server(connection, "SELECT 1") == 1);
    run(connection, "SELECT 1", 10);
    CHECK(on_server(connection, "SELECT 1") == 1);
}

TEST_CASE("a statement that was prepared gives the same rows", "[session]") {
    auto connection = connect();
    for (std::int32_t i = 0; i < 10; ++i) CHECK(isorow::scalar<std::int32_t>(connection, "SELECT $1 * 2", i) == 2 * i);
    CHECK(on_server(connection, "SELECT $1 * 2") == 1);
}

TEST_CASE("without a threshold nothing is prepared", "[session]") {
    auto connection = connect(std::nullopt);
    run(connection, "SELECT 1", 20);
    CHECK(all_on_server(connection) == 0);
    CHECK(connection.statements().size() == 0);
}

TEST_CASE("with the threshold 0 a statement is prepared at its first run", "[session]") {
    auto connection = connect(0);
    run(connection, "SELECT 1");
    CHECK(on_server(connection, "SELECT 1") == 1);
}

TEST_CASE("with room for none nothing is prepared", "[session]") {
    auto connection = connect(0, 0);
    run(connection, "SELECT 1", 20);
    CHECK(all_on_server(connection) == 0);
}

TEST_CASE("scripts are never prepared", "[session]") {
    auto connection = connect(0);
    isorow::execute_script(connection, "SELECT 1; SELECT 2", connection.default_limits());
    CHECK(all_on_server(connection) == 0);
}

TEST_CASE("beyond the maximum the statement goes that was not used for longest, on the server too", "[session]") {
    auto connection = connect(0, 2);
    run(connection, "SELECT 1");
    run(connection, "SELECT 2");
    run(connection, "SELECT 1");
    run(connection, "SELECT 3");
    CHECK(connection.statements().prepared() == 2);
    run(connection, "SELECT 1");
    CHECK(on_server(connection, "SELECT 1") == 1);
    CHECK(on_server(connection, "SELECT 2") == 0);
    CHECK(on_server(connection, "SELECT 3") == 1);
}

TEST_CASE("what fell out of the cache is prepared again under another name", "[session]") {
    auto connection = connect(0, 1);
    run(connection, "SELECT 1");
    auto const first = raw(connection, "SELECT name FROM pg_prepared_statements");
    run(connection, "SELECT 2");
    run(connection, "SELECT 1", 2);
    CHECK(raw(connection, "SELECT name FROM pg_prepared_statements WHERE statement = 'SELECT 1'") != first);
    CHECK(all_on_server(connection) == 1);
}

TEST_CASE("statements are closed on the server after a transaction, not in it", "[session]") {
    auto connection = connect(0, 1);
    isorow::transaction work(connection);
    run(connection, "SELECT 1");
    run(connection, "SELECT 2");
    run(connection, "SELECT 3");
    work.commit();
    run(connection, "SELECT 3");
    CHECK(all_on_server(connection) == 1);
}

TEST_CASE("the same text with parameters of other types is another statement", "[session]") {
    auto connection = connect(0);
    CHECK(isorow::scalar<std::string>(connection, "SELECT pg_typeof($1)::text", std::int32_t{1}) == "integer");
    CHECK(isorow::scalar<std::string>(connection, "SELECT pg_typeof($1)::text", "one") == "text");
    CHECK(isorow::scalar<std::string>(connection, "SELECT pg_typeof($1)::text", std::int32_t{2}) == "integer");
    CHECK(on_server(connection, "SELECT pg_typeof($1)::text") == 2);
}

TEST_CASE("a statement that the server refuses is not taken for prepared") {
    auto connection = connect(0);
    for (int i = 0; i < 3; ++i)
        CHECK_THROWS_AS(isorow::execute(connection, "SELECT * FROM no_such_table"), isorow::syntax_error_or_access_rule_violation);
    CHECK(connection.statements().prepared() == 0);
    CHECK(connection.is_idle());
}

TEST_CASE("after DISCARD ALL through isorow statements go on", "[session]") {
    auto connection = connect(0);
    run(connection, "SELECT 1", 2);
    run(connection, "DISCARD ALL");
    run(connection, "SELECT 1", 2);
    CHECK(on_server(connection, "SELECT 1") == 1);
}

TEST_CASE("after DEALLOCATE ALL through isorow statements go on", "[session]") {
    auto connection = connect(0);
    run(connection, "SELECT 1", 2);
    run(connection, "DEALLOCATE ALL");
    run(connection, "SELECT 1", 2);
    CHECK(on_server(connection, "SELECT 1") == 1);
}

TEST_CASE("a statement that is gone from the server without isorow's knowing is prepared anew", "[session]") {
    auto connection = connect(0);
    run(connection, "SELECT 1", 2);
    raw(connection, "DISCARD ALL");
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT 1") == 1);
    CHECK(on_server(connection, "SELECT 1") == 1);
}

TEST_CASE_METHOD(changing, "a select of all columns goes on after the table has got one more", "[session]") {
    auto connection = connect(0, 100, database.dsn());
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT * FROM t") == 7);
    add_column();
    CHECK(std::get<1>(isorow::query_one<std::tuple<std::int32_t, std::string>>(connection, "SELECT * FROM t")) == "new");
}

TEST_CASE_METHOD(changing, "in a transaction a stale statement is a retryable error that says what to do", "[session]") {
    auto connection = connect(0, 100, database.dsn());
    run(connection, "SELECT * FROM t");
    isorow::transaction const work(connection);
    add_column();
    try {
        run(connection, "SELECT * FROM t");
        FAIL("no error");
    } catch (isorow::feature_not_supported const& failure) {
        CHECK(failure.retryable());
        CHECK(failure.hint().find("run the transaction again") != std::string::npos);
        CHECK(std::string(failure.what()).find("SELECT * FROM t") != std::string::npos);
    }
}

TEST_CASE_METHOD(changing, "transact runs the whole again where a statement was stale", "[session]") {
    auto connection = connect(0, 100, database.dsn());
    run(connection, "SELECT * FROM t");
    int runs = 0;
    auto const columns = isorow::transact(connection, [&](isorow::transaction& work) {
        if (++runs == 1) add_column();
        return std::get<1>(isorow::query_one<std::tuple<std::int32_t, std::string>>(work, "SELECT * FROM t"));
    });
    CHECK(columns == "new");
    CHECK(runs == 2);
}

TEST_CASE("transact runs the whole again where the server had lost a statement", "[session]") {
    auto connection = connect(0);
    run(connection, "SELECT 1");
    raw(connection, "DEALLOCATE ALL");
    int runs = 0;
    isorow::transact(connection, [&](isorow::transaction& work) {
        ++runs;
        isorow::execute(work, "SELECT 1");
    });
    CHECK(runs == 2);
}

TEST_CASE_METHOD(changing, "an ALTER or a DROP through one connection of a pool makes all of them prepare anew", "[session]") {
    isorow::pool pool(database.dsn(), {.min_size = 2, .max_size = 2, .connection = {.prepare_threshold = 0}});
    auto const one = pool.acquire();
    auto const other = pool.acquire();
    run(*one, "SELECT * FROM t");
    run(*other, "SELECT * FROM t");
    REQUIRE(other->statements().prepared() > 0);
    run(*one, "ALTER TABLE t ADD COLUMN b int");
    CHECK(one->statements().prepared() == 0);
    CHECK(other->statements().prepared() == 0);
    run(*other, "SELECT * FROM t");
    CHECK(other->statements().prepared() == 1);
    run(*one, "DROP TABLE t");
    CHECK(other->statements().prepared() == 0);
}

TEST_CASE_METHOD(changing, "after an ALTER through one connection a transaction on another one of the pool meets no stale statement",
                 "[session]") {
    isorow::pool pool(database.dsn(), {.min_size = 2, .max_size = 2, .connection = {.prepare_threshold = 0}});
    auto const one = pool.acquire();
    auto const other = pool.acquire();
    run(*other, "SELECT * FROM t");
    run(*one, "ALTER TABLE t ADD COLUMN b int");
    isorow::transaction const work(*other);
    run(*other, "SELECT * FROM t");
    CHECK(on_server(*other, "SELECT * FROM t") >= 1);
}

TEST_CASE("a name that somebody else has taken does not matter", "[session]") {
    auto connection = connect(0);
    raw(connection, "PREPARE isorow_1 AS SELECT 'not mine'");
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT 1") == 1);
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT 1") == 1);
    CHECK(isorow::scalar<std::int32_t>(connection, "SELECT 2") == 2);
    CHECK(raw(connection, "EXECUTE isorow_1") == "not mine");
}

TEST_CASE("a name that somebody else has taken does not matter in a transaction that is run again", "[session]") {
    auto connection = connect(0);
    raw(connection, "PREPARE isorow_1 AS SELECT 'not mine'");
    CHECK(isorow::transact(connection, [](isorow::transaction& work) { return isorow::scalar<std::int32_t>(work, "SELECT 1"); }) == 1);
}

TEST_CASE("a cancelled statement stays prepared or is prepared anew, and runs again", "[session]") {
    auto connection = connect(0);
    std::string const slow = "SELECT pg_sleep($1)";
    isorow::execute(connection, slow, 0.0);
    CHECK_THROWS_AS(isorow::execute(isorow::within(connection, std::chrono::milliseconds(50)), slow, 60.0), isorow::timed_out);
    REQUIRE(connection.is_idle());
    isorow::execute(connection, slow, 0.0);
    CHECK(on_server(connection, slow) == 1);
}
