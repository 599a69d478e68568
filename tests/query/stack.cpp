#include <catch2/catch_test_macros.hpp>

#include <isorow/query/stack.hpp>
#include <isorow/query/stream.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <numeric>
#include <string>
#include <tuple>
#include <vector>

namespace {

struct User {
    std::int32_t id;
    std::string name;
};

}  // namespace

TEST_CASE("a stack runs in one round trip and gives each statement's rows by their type", "[session]") {
    auto connection = test::connect();
    isorow::execute(connection, "CREATE TEMP TABLE users (id int PRIMARY KEY, name text, logins int NOT NULL DEFAULT 0)");
    isorow::stack work;
    auto const added = work.execute("INSERT INTO users (id, name) VALUES (%s, %s), (%s, %s)", 1, "Ada", 2, std::string("Bob"));
    auto const changed = work.execute("UPDATE users SET logins = logins + 1 WHERE id = :id", isorow::arg("id", 1));
    auto const all = work.query<User>("SELECT * FROM users ORDER BY id");
    auto const number = work.query<std::int64_t>("SELECT count(*) FROM users WHERE logins > $1", 0);
    auto const done = work.run(connection);
    CHECK(done[added] == 2);
    CHECK(done[changed] == 1);
    REQUIRE(done[all].size() == 2);
    CHECK(done[all][1].name == "Bob");
    CHECK(done[number] == std::vector<std::int64_t>{1});
    CHECK(done.all_done());
    CHECK(connection.is_idle());
}

TEST_CASE("a stack is one transaction: after an error none of it has happened, and the error says which statement it was", "[session]") {
    auto connection = test::connect();
    isorow::execute(connection, "CREATE TEMP TABLE t (id int PRIMARY KEY)");
    isorow::stack work;
    work.execute("INSERT INTO t VALUES (1)");
    work.execute("INSERT INTO t VALUES (1)");
    work.execute("INSERT INTO t VALUES (2)");
    CHECK_THROWS_MATCHES(work.run(connection), isorow::integrity_constraint_violation, test::says("in statement 2 of 3: INSERT INTO t"));
    CHECK(isorow::scalar<std::int64_t>(connection, "SELECT count(*) FROM t") == 0);
}

TEST_CASE("a stack that goes on after errors tells each outcome exactly, and keeps what succeeded", "[session]") {
    auto connection = test::connect();
    isorow::execute(connection, "CREATE TEMP TABLE t (id int PRIMARY KEY)");
    isorow::stack work;
    auto const first = work.execute("INSERT INTO t VALUES (1)");
    auto const second = work.execute("INSERT INTO t VALUES (1)");
    auto const third = work.execute("INSERT INTO t VALUES (2)");
    auto const done = work.run(connection, isorow::on_error::go_on);
    CHECK(done.outcome(first) == isorow::outcome::done);
    CHECK(done.outcome(second) == isorow::outcome::failed);
    CHECK(done.outcome(third) == isorow::outcome::done);
    CHECK_FALSE(done.all_done());
    CHECK_THROWS_AS(done[second], isorow::integrity_constraint_violation);
    CHECK(isorow::scalar<std::int64_t>(connection, "SELECT count(*) FROM t") == 2);
}

TEST_CASE("where the connection is lost, answered statements are done, the others unknown", "[session]") {
    auto connection = test::connect();
    isorow::stack work;
    auto const first = work.execute("SELECT 1");
    auto const last_words = work.execute("SELECT pg_terminate_backend(pg_backend_pid())");
    auto const after = work.execute("SELECT 2");
    auto const done = work.run(connection, isorow::on_error::go_on);
    CHECK(done.outcome(first) == isorow::outcome::done);
    CHECK((done.outcome(last_words) == isorow::outcome::failed || done.outcome(last_words) == isorow::outcome::unknown));
    CHECK(done.outcome(after) == isorow::outcome::unknown);
    CHECK_FALSE(connection.is_open());
}

TEST_CASE("statements that go on after errors do not run in a transaction, which one error would fail as a whole") {
    auto connection = test::connect();
    isorow::transaction const transaction(connection);
    isorow::stack work;
    work.execute("SELECT 1");
    CHECK_THROWS_AS(work.run(connection, isorow::on_error::go_on), isorow::usage_error);
}

TEST_CASE("large parameters and large results at once do not wait for each other") {
    auto connection = test::connect();
    std::string const large(1'000'000, 'x');
    isorow::stack work;
    std::vector<isorow::rows_of<std::string>> echoes;
    for (int i = 0; i < 64; ++i) echoes.push_back(work.query<std::string>("SELECT $1::text", large));
    auto const done = work.run(isorow::within(connection, std::chrono::seconds(60)));
    for (auto const echo : echoes) CHECK(done[echo].front().size() == large.size());
}

TEST_CASE("ten thousand statements go through one pipeline, and the repeated one is prepared") {
    auto connection = test::connect();
    std::vector<std::int32_t> keys(10'000);
    std::iota(keys.begin(), keys.end(), 0);
    auto const squares = isorow::query_many<std::int64_t>(connection, "SELECT $1::int8 * $1::int8", keys);
    REQUIRE(squares.size() == keys.size());
    CHECK(squares[9'999] == 99'980'001);
    CHECK(connection.statements().prepared() >= 1);
}

TEST_CASE("a batch inserts tuples, or structs by their fields, and returns what the statement returns", "[session]") {
    auto connection = test::connect();
    isorow::execute(connection, "CREATE TEMP TABLE users (id int PRIMARY KEY, name text)");
    std::vector<std::tuple<std::int32_t, std::string>> const pairs{{1, "Ada"}, {2, "Bob"}};
    CHECK(isorow::execute_many(connection, "INSERT INTO users VALUES (%s, %s)", pairs) == 2);
    std::vector<User> const more{{3, "Eve"}, {4, "Dan"}};
    CHECK(isorow::query_many<std::string>(connection, "INSERT INTO users VALUES (%(id)s, %(name)s) RETURNING name", more) ==
          std::vector<std::string>{"Eve", "Dan"});
}

TEST_CASE("a batch that fails leaves nothing", "[session]") {
    auto connection = test::connect();
    isorow::execute(connection, "CREATE TEMP TABLE t (id int PRIMARY KEY)");
    std::vector<std::int32_t> keys(3000);
    std::iota(keys.begin(), keys.end(), 0);
    keys.back() = 0;
    CHECK_THROWS_AS(isorow::execute_many(connection, "INSERT INTO t VALUES ($1)", keys), isorow::integrity_constraint_violation);
    CHECK(connection.is_idle());
    CHECK(isorow::scalar<std::int64_t>(connection, "SELECT count(*) FROM t") == 0);
}

TEST_CASE("a stack whose prepared statement became stale runs once more") {
    auto connection = test::connect();
    auto other = test::connect();
    test::sql(test::dsn(), "DROP TABLE IF EXISTS stale_in_stack; CREATE TABLE stale_in_stack (a int)");
    isorow::stack work;
    auto const all = work.query<std::int32_t>("SELECT * FROM stale_in_stack");
    for (int i = 0; i < 10; ++i) static_cast<void>(work.run(connection));
    test::sql(test::dsn(), "ALTER TABLE stale_in_stack ADD b int; INSERT INTO stale_in_stack VALUES (7, 8)");
    CHECK(work.run(connection)[all].front() == 7);
    test::sql(test::dsn(), "DROP TABLE stale_in_stack");
}

TEST_CASE("a stack behind a stream on the same connection has all its rows") {
    auto connection = test::connect();
    for (auto const number : isorow::stream<std::int32_t>(connection, "SELECT generate_series(1, 1000)")) static_cast<void>(number);
    isorow::stack work;
    auto const rows = work.query<std::int32_t>("SELECT generate_series(1, 1000)");
    CHECK(work.run(connection)[rows].size() == 1000);
}
