#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <isorow/pq/pool.hpp>
#include <isorow/query/query.hpp>
#include <support/connect.hpp>
#include <support/listener.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <libpq-fe.h>
#include <unistd.h>

using namespace std::chrono_literals;
using isorow::connection;
using isorow::connection_parameters;
using isorow::usage_error;

namespace {

constexpr auto sentinel = "S3NT1NEL";

/// What the address of the tests' server says.
std::string said(std::string_view keyword) { return isorow::detail::parse_conninfo(test::dsn()).get(keyword); }

connection_parameters server() {
    connection_parameters where;
    where.host = said("host");
    where.port = said("port");
    where.user = said("user");
    where.dbname = said("dbname");
    return where;
}

/// The server behind another entry of a list.
connection_parameters second_after(std::string const& host, std::string const& port) {
    auto where = server();
    where.host = host + "," + said("host");
    where.port = port + "," + said("port");
    return where;
}

std::string show(connection& on, std::string const& setting) {
    return isorow::scalar<std::string>(on, "SELECT current_setting($1)", setting);
}

/// A keyword as libpq has it for a connection.
std::string keyword(connection& on, std::string const& name) {
    isorow::detail::owned_conninfo const used(PQconninfo(on.native_handle()));
    for (auto const* option = used.get(); option->keyword != nullptr; ++option)
        if (name == option->keyword) return option->val == nullptr ? "" : option->val;
    return "(unknown)";
}

/// What is thrown where something is wrong with the parameters.
template <class Where>
std::string refusal(Where const& where, isorow::connection_options options = {}) {
    try {
        connection const made(where, std::move(options));
        return "";
    } catch (std::exception const& failure) {
        return failure.what();
    }
}

std::chrono::steady_clock::duration time_of(auto&& work) {
    auto const begun = std::chrono::steady_clock::now();
    work();
    return std::chrono::steady_clock::now() - begun;
}

/// libpq's environment for the time of a test.
class environment {
public:
    environment() {
        for (auto const* name : {"PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSERVICE", "PGAPPNAME",
                                 "PGOPTIONS", "PGSSLMODE", "PGCONNECT_TIMEOUT", "PGTARGETSESSIONATTRS"}) {
            auto const* const value = std::getenv(name);
            before_.emplace(name, value == nullptr ? std::nullopt : std::optional<std::string>(value));
            ::unsetenv(name);
        }
    }
    environment(environment const&) = delete;
    environment& operator=(environment const&) = delete;
    ~environment() {
        for (auto const& [name, value] : before_) {
            if (value) ::setenv(name.c_str(), value->c_str(), 1);
            else ::unsetenv(name.c_str());
        }
    }
    static void set(char const* name, std::string const& value) { ::setenv(name, value.c_str(), 1); }
    static void set_server() {
        set("PGHOST", said("host"));
        set("PGPORT", said("port"));
        set("PGUSER", said("user"));
        set("PGDATABASE", said("dbname"));
    }

private:
    std::map<std::string, std::optional<std::string>> before_;
};

}  // namespace

TEST_CASE("parameters by name make the connection that they say") {
    test::database const own;
    auto where = server();
    where.dbname = own.name();
    where.application_name = "the tests' own";
    connection made(where);
    CHECK(isorow::scalar<std::string>(made, "SELECT current_database()::text") == own.name());
    CHECK(isorow::scalar<std::string>(made, "SELECT current_user::text") == said("user"));
    CHECK(show(made, "application_name") == "the tests' own");
}

TEST_CASE("a connection calls itself isorow where nothing else is said") {
    environment const empty;
    connection made(server());
    CHECK(show(made, "application_name") == "isorow");
}

TEST_CASE("options are settings of the server", "[session]") {
    auto where = server();
    where.options = "-c statement_timeout=30000";
    connection made(where);
    CHECK(isorow::scalar<std::string>(made, "SHOW statement_timeout") == "30s");
}

TEST_CASE("a port is a number or a text") {
    auto where = server();
    where.port = std::stoi(said("port"));
    CHECK(connection(where).is_open());
    where.port = said("port");
    CHECK(connection(where).is_open());
    where.port = said("port").c_str();
    CHECK(connection(where).is_open());
}

TEST_CASE("one port serves all hosts, or each host has its own") {
    auto where = server();
    where.host = said("host") + "," + said("host");
    CHECK(connection(where).is_open());
    where.port = said("port") + "," + said("port");
    CHECK(connection(where).is_open());
    where.port = said("port") + "," + said("port") + "," + said("port");
    CHECK_THROWS_MATCHES(connection(where), usage_error, test::says("3 ports for 2 hosts"));
}

TEST_CASE("parameters go before what the DSN says", "[session]") {
    test::database const own;
    connection_parameters where;
    where.dsn = test::dsn() + "?application_name=from_dsn&options=-c%20statement_timeout%3D30000";
    where.dbname = own.name();
    where.application_name = "from_parameter";
    connection made(where);
    CHECK(show(made, "application_name") == "from_parameter");
    CHECK(show(made, "statement_timeout") == "30s");
    CHECK(isorow::scalar<std::string>(made, "SELECT current_database()::text") == own.name());
}

TEST_CASE("any other keyword of libpq is said by its name") {
    auto where = server();
    where.more = {{"fallback_application_name", "spare"}, {"keepalives_idle", "33"}};
    connection made(where);
    CHECK(keyword(made, "keepalives_idle") == "33");
}

TEST_CASE("an unknown keyword among pairs is named, with the nearest one") {
    CHECK_THROWS_MATCHES(connection("hots=127.0.0.1"), usage_error,
                         test::says("\"hots\" is no connection parameter; did you mean \"host\"?"));
    CHECK_THROWS_MATCHES(connection("host=127.0.0.1 user='a b' aplication_name=x"), usage_error,
                         test::says("did you mean \"application_name\"?"));
}

TEST_CASE("an unknown keyword in a URI is named, with the nearest one") {
    CHECK_THROWS_MATCHES(connection("postgresql://127.0.0.1/db?sslmod=require"), usage_error,
                         test::says("\"sslmod\" is no connection parameter; did you mean \"sslmode\"?"));
    CHECK_THROWS_MATCHES(connection("postgres://127.0.0.1/db?sslmode=require&conect_timeout=3"), usage_error,
                         test::says("did you mean \"connect_timeout\"?"));
}

TEST_CASE("an unknown keyword among the other ones is named, with the nearest one") {
    auto where = server();
    where.more = {{"tcp_user_timout", "5"}};
    CHECK_THROWS_MATCHES(connection(where), usage_error, test::says("did you mean \"tcp_user_timeout\"?"));
}

TEST_CASE("a keyword that is like none gets no guess") {
    auto where = server();
    where.more = {{"zzzzzzzzzz", "1"}};
    auto const text = refusal(where);
    CHECK(text.find("\"zzzzzzzzzz\" is no connection parameter") != std::string::npos);
    CHECK(text.find("did you mean") == std::string::npos);
    CHECK_THROWS_AS(connection("zzzzzzzzzz=1"), usage_error);
}

TEST_CASE("what is no connection string at all is told how one looks") {
    CHECK_THROWS_MATCHES(connection("db.example.org"), usage_error, test::says("it is a URI such as postgresql://"));
}

TEST_CASE("a wrong value is refused before anything is tried, with those that are right") {
    auto const wrong = GENERATE(values<std::pair<std::string, std::string>>({
        {"sslmode=verify-ful", "did you mean \"verify-full\"?"},
        {"sslmode=on", "sslmode is one of disable, allow, prefer, require, verify-ca, verify-full, not \"on\""},
        {"target_session_attrs=read-olny", "did you mean \"read-only\"?"},
        {"load_balance_hosts=radnom", "did you mean \"random\"?"},
        {"channel_binding=required", "did you mean \"require\"?"},
        {"port=http", "port is a number from 1 to 65535"},
        {"port=0", "port is a number from 1 to 65535"},
        {"port=65536", "port is a number from 1 to 65535"},
        {"port=5432x", "port is a number from 1 to 65535"},
        {"connect_timeout=soon", "connect_timeout is a number"},
        {"connect_timeout=-1", "connect_timeout is a number"},
    }));
    CHECK_THROWS_MATCHES(connection("host=127.0.0.1 " + wrong.first), usage_error, test::says(wrong.second));
    CHECK_THROWS_MATCHES(isorow::pool("host=127.0.0.1 " + wrong.first), usage_error, test::says(wrong.second));
}

TEST_CASE("a wrong value of a parameter by name is refused too") {
    auto where = server();
    where.sslmode = "requir";
    CHECK_THROWS_MATCHES(connection(where), usage_error, test::says("did you mean \"require\"?"));
    where = server();
    where.port = 70000;
    CHECK_THROWS_MATCHES(connection(where), usage_error, test::says("port is a number from 1 to 65535"));
}

TEST_CASE("no error about a connection string repeats the password or a part of it") {
    std::string const secret = sentinel;
    auto const dsn = GENERATE_COPY(values<std::string>({
        "host=127.0.0.1 port=1 password=" + secret,
        "postgresql://user:" + secret + "@127.0.0.1:1/db",
        "postgresql://user:" + secret + "@127.0.0.1:1/db?sslmod=x",
        "postgresql://user:" + secret + "@127.0.0.1:one/db",
        "postgresql://user:" + secret + "@127.0.0.1:1/db?password=" + secret + "&aplication_name=x",
        "postgresql://user:" + secret + "%zz@127.0.0.1:1/db",
        "hots=127.0.0.1 password=" + secret,
        "host=127.0.0.1 password='" + secret,
        "host=127.0.0.1 password='" + secret + "' sslmod=x",
        "host=127.0.0.1 password='it''s " + secret + "' port=x",
        "host=127.0.0.1 password=first " + secret + " port=1",
        "host=127.0.0.1 password=first " + secret,
        "host=127.0.0.1 password=first " + secret + "=x port=1",
        "password = " + secret + " hots = 127.0.0.1",
        "password=a\\ " + secret + " hots=127.0.0.1",
        "postgresql://user:a?" + secret + "=x@127.0.0.1:1/db?sslmod=x",
        "postgresql://user:a&" + secret + "@127.0.0.1:1/db?sslmod=x",
        "postgresql://user:" + secret + "/x@127.0.0.1:1/db",
        "postgresql://user:a/" + secret + "@127.0.0.1:1/db",
        "postgresql://user:a#" + secret + "@127.0.0.1:one/db",
        "postgresql://user:1/" + secret + "?x@127.0.0.1:1/db",
        "postgresql:/user:" + secret + "@127.0.0.1:1/db",
        "user:" + secret + "@127.0.0.1:1/db",
        "mysql://user:" + secret + "@127.0.0.1:1/db?password=x",
    }));
    auto const text = refusal(dsn, {.connect_timeout = 1s});
    INFO(dsn << " -> " << text);
    CHECK_FALSE(text.empty());
    CHECK(text.find(secret) == std::string::npos);
}

TEST_CASE("no error of a connection that cannot be made repeats the password") {
    auto where = server();
    where.password = sentinel;
    where.dbname = "no_such_database";
    auto const text = refusal(where);
    CHECK(text.find("no_such_database") != std::string::npos);
    CHECK(text.find(sentinel) == std::string::npos);
    where.sslmode = "requir";
    CHECK(refusal(where).find(sentinel) == std::string::npos);
    auto given = server();
    given.dbname = "no_such_database";
    CHECK(refusal(given, {.credentials = [] { return isorow::credentials{.user = "postgres", .password = sentinel}; }}).find(sentinel) ==
          std::string::npos);
}

TEST_CASE("without a DSN libpq's environment says where to go") {
    environment const own;
    own.set_server();
    connection made;
    CHECK(isorow::scalar<std::string>(made, "SELECT current_user::text") == said("user"));
    isorow::pool pool("", {.min_size = 1});
    CHECK(pool.acquire()->is_open());
}

TEST_CASE("what the DSN says goes before the environment") {
    environment const own;
    own.set_server();
    own.set("PGPORT", "1");
    own.set("PGAPPNAME", "from_environment");
    connection made("port=" + said("port"));
    CHECK(show(made, "application_name") == "from_environment");
}

TEST_CASE("the environment's host and port are in the error where nobody listens there") {
    environment const own;
    own.set("PGHOST", "127.0.0.1");
    own.set("PGPORT", "1");
    CHECK_THROWS_MATCHES(connection(), isorow::connection_error, test::says("could not connect to 127.0.0.1:1"));
}

TEST_CASE("a wrong value in the environment is an error that names it") {
    environment const own;
    own.set_server();
    own.set("PGSSLMODE", "requir");
    CHECK_THROWS_MATCHES(connection(), isorow::error, test::says("sslmode"));
}

TEST_CASE("where the first host is dead the second serves") {
    CHECK(connection(second_after("127.0.0.1", "1")).is_open());
    CHECK(connection(second_after("/no/such/folder", "5432")).is_open());
}

TEST_CASE("where every host is dead each is in the error") {
    auto where = server();
    where.host = "127.0.0.1,/no/such/folder";
    where.port = "1,2";
    CHECK_THROWS_MATCHES(connection(where), isorow::connection_error, test::says("127.0.0.1:1"));
    CHECK_THROWS_MATCHES(connection(where), isorow::connection_error, test::says("/no/such/folder:2"));
}

TEST_CASE("a host whose name is not known does not keep the next one from serving") {
    auto const nobody = [](std::string const&) { return std::vector<std::string>{}; };
    CHECK(connection(second_after("no.such.host.invalid", "5432"), {.resolve = nobody}).is_open());
}

TEST_CASE("a deaf host costs its own connect_timeout only") {
    test::listener const deaf;
    auto const port = isorow::detail::parse_conninfo(deaf.dsn()).get("port");
    auto const took = time_of([&] { CHECK(connection(second_after("127.0.0.1", port), {.connect_timeout = 300ms}).is_open()); });
    CHECK(took >= 300ms);
    CHECK(took < 5s);
}

TEST_CASE("each deaf host of a list has a connect_timeout of its own") {
    test::listener const deaf;
    auto const port = isorow::detail::parse_conninfo(deaf.dsn()).get("port");
    connection_parameters where;
    where.host = "127.0.0.1,127.0.0.1";
    where.port = port;
    auto const took = time_of([&] { CHECK_THROWS_AS(connection(where, {.connect_timeout = 200ms}), isorow::timed_out); });
    CHECK(took >= 400ms);
    CHECK(took < 5s);
}

TEST_CASE("the connect_timeout of the DSN holds") {
    test::listener const deaf;
    auto const took = time_of([&] { CHECK_THROWS_AS(connection(deaf.dsn() + " connect_timeout=1"), isorow::timed_out); });
    CHECK(took >= 900ms);
    CHECK(took < 5s);
}

TEST_CASE("the connect_timeout of the options goes before the DSN's") {
    test::listener const deaf;
    auto const took =
        time_of([&] { CHECK_THROWS_AS(connection(deaf.dsn() + " connect_timeout=60", {.connect_timeout = 100ms}), isorow::timed_out); });
    CHECK(took < 5s);
}

TEST_CASE("a connect_timeout by name holds") {
    test::listener const deaf;
    connection_parameters where;
    where.dsn = deaf.dsn() + " connect_timeout=60";
    where.connect_timeout = 1s;
    CHECK(time_of([&] { CHECK_THROWS_AS(connection(where), isorow::timed_out); }) < 5s);
}

TEST_CASE("a primary is refused where a standby or a server for reading is asked for") {
    auto where = server();
    where.target_session_attrs = GENERATE("read-only", "standby");
    auto const text = refusal(where);
    INFO(text);
    CHECK((text.find("read-only") != std::string::npos || text.find("hot standby") != std::string::npos));
    CHECK(text.find(said("port")) != std::string::npos);
}

TEST_CASE("a primary that takes writes serves whom it suits") {
    auto where = server();
    where.target_session_attrs = GENERATE("any", "read-write", "primary", "prefer-standby");
    CHECK(connection(where).is_open());
}

TEST_CASE("prefer-standby takes what is there, also behind a dead host") {
    auto where = second_after("127.0.0.1", "1");
    where.target_session_attrs = "prefer-standby";
    CHECK(connection(where).is_open());
}

TEST_CASE("hosts in random order are all reached after some tries") {
    auto where = server();
    where.host = "one.invalid,two.invalid";
    where.load_balance_hosts = "random";
    isorow::connection_options const options{.resolve = [](std::string const&) { return std::vector<std::string>{"127.0.0.1"}; }};
    std::set<std::string> reached;
    for (int i = 0; i < 64 && reached.size() < 2; ++i) reached.insert(PQhost(connection(where, options).native_handle()));
    CHECK(reached == std::set<std::string>{"one.invalid", "two.invalid"});
}

TEST_CASE("hosts are tried in their order where nothing else is said") {
    auto where = server();
    where.host = "one.invalid,two.invalid";
    isorow::connection_options const options{.resolve = [](std::string const&) { return std::vector<std::string>{"127.0.0.1"}; }};
    for (int i = 0; i < 8; ++i) CHECK(std::string(PQhost(connection(where, options).native_handle())) == "one.invalid");
}

TEST_CASE("credentials are asked for at each connecting, and their user is used") {
    auto const role = "visitor_" + std::to_string(::getpid());
    test::sql(test::dsn(), "CREATE ROLE " + role + " LOGIN");
    int asked = 0;
    isorow::connection_options const options{.credentials = [&] {
        ++asked;
        return isorow::credentials{.user = role, .password = sentinel};
    }};
    for (int i = 1; i <= 3; ++i) {
        connection made(test::dsn(), options);
        CHECK(isorow::scalar<std::string>(made, "SELECT current_user::text") == role);
        CHECK(asked == i);
    }
    test::sql(test::dsn(), "DROP ROLE " + role);
}

TEST_CASE("credentials without a name leave the user that the parameters say") {
    connection made(test::dsn(), {.credentials = [] { return isorow::credentials{.user = {}, .password = sentinel}; }});
    CHECK(isorow::scalar<std::string>(made, "SELECT current_user::text") == said("user"));
    CHECK(keyword(made, "password") == sentinel);
}

TEST_CASE("what contradicts a secure connection is refused before anything is tried") {
    auto where = server();
    where.sslmode = "disable";
    CHECK_THROWS_MATCHES(connection(where, {.secure = true}), usage_error,
                         test::says("a secure connection has sslmode=verify-full, but the parameters say disable"));
    where = server();
    where.more = {{"channel_binding", "disable"}};
    CHECK_THROWS_MATCHES(connection(where, {.secure = true}), usage_error, test::says("channel_binding=require"));
}

TEST_CASE("a secure connection to a server without TLS fails") {
    CHECK_THROWS_AS(connection(server(), {.connect_timeout = 5s, .secure = true}), isorow::error);
}

TEST_CASE("a peer that is gone is noticed by keepalives, unless other ones are said") {
    connection made(server());
    CHECK(keyword(made, "keepalives_idle") == "10");
    CHECK(keyword(made, "keepalives_interval") == "5");
    CHECK(keyword(made, "keepalives_count") == "3");
    auto const unanswered = std::stoi(keyword(made, "tcp_user_timeout"));
    CHECK((unanswered > 0 && unanswered <= 30'000));
    connection other(test::dsn() + "?keepalives_idle=77&tcp_user_timeout=5000");
    CHECK(keyword(other, "keepalives_idle") == "77");
    CHECK(keyword(other, "tcp_user_timeout") == "5000");
    CHECK(keyword(other, "keepalives_interval") == "5");
}

TEST_CASE("text is UTF-8 whatever the parameters say") {
    connection made(test::dsn() + "?client_encoding=LATIN1");
    CHECK(show(made, "client_encoding") == "UTF8");
}
