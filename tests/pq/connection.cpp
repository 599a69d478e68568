#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/statement.hpp>
#include <support/connect.hpp>
#include <support/listener.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

}  // namespace

TEST_CASE("a connection is made from a URI and knows where it goes") {
    auto connection = test::connect();
    CHECK(connection.is_idle());
    CHECK(connection.backend_pid() > 0);
    CHECK(connection.parameter_status("client_encoding") == "UTF8");
    CHECK(connection.endpoint().starts_with("127.0.0.1:"));
    CHECK(connection.server_version() >= 170000);
}

TEST_CASE("a refused connection names the endpoint") {
    CHECK_THROWS_MATCHES(isorow::connection("postgresql://me:sesame@127.0.0.1:1/shop"), isorow::connection_error,
                         test::says("could not connect to 127.0.0.1:1"));
}

TEST_CASE("a password is in no error text") {
    std::string const secret = "sentinel-password";
    std::vector<std::string> const addresses{"postgresql://me:" + secret + "@127.0.0.1:1/x",
                                             "host=127.0.0.1 port=1 password=" + secret,
                                             "postgresql://me:" + secret + "@127.0.0.1:1/x?nonsense=1",
                                             "host=127.0.0.1 password=" + secret + " nonsense",
                                             "postgresql://me:" + secret + "@no.such.host.invalid/x",
                                             "postgresql://nobody:" + secret + "@" + test::dsn().substr(test::dsn().find('@') + 1)};
    for (auto const& address : addresses) {
        try {
            isorow::connection const connection(address, {.connect_timeout = 3s});
            FAIL("connected to " << address);
        } catch (isorow::error const& failure) {
            CHECK(std::string(failure.what()).find(secret) == std::string::npos);
        }
    }
}

TEST_CASE("a connection string that cannot be read is a usage error that shows the forms") {
    CHECK_THROWS_MATCHES(isorow::connection("host="
                                            "'unclosed"),
                         isorow::usage_error, test::says("postgresql://user@host:5432/database"));
}

TEST_CASE("a listener that says nothing ends in a timeout at the deadline") {
    test::listener const deaf;
    auto const started = std::chrono::steady_clock::now();
    CHECK_THROWS_MATCHES(isorow::connection(deaf.dsn(), {.connect_timeout = 200ms}), isorow::timed_out,
                         test::says("the deadline passed while connecting to 127.0.0.1:"));
    CHECK(std::chrono::steady_clock::now() - started < 1200ms);
}

TEST_CASE("connecting is stopped from another thread") {
    test::listener const deaf;
    std::stop_source source;
    std::jthread const stopper([&] {
        std::this_thread::sleep_for(50ms);
        source.request_stop();
    });
    CHECK_THROWS_AS(isorow::connection(deaf.dsn(), {.connect_timeout = 30s}, isorow::limits::until_stopped(source.get_token())),
                    isorow::stopped);
}

TEST_CASE("a resolver that hangs ends in a timeout at the deadline") {
    auto const slow = [](std::string const&) {
        std::this_thread::sleep_for(2s);
        return std::vector<std::string>{};
    };
    auto const started = std::chrono::steady_clock::now();
    CHECK_THROWS_MATCHES(isorow::connection("host=db.example port=5432", {.connect_timeout = 100ms, .resolve = slow}), isorow::timed_out,
                         test::says("resolving the name of the host db.example"));
    CHECK(std::chrono::steady_clock::now() - started < 1100ms);
}

TEST_CASE("the addresses that a name resolves to are tried in order") {
    auto address = test::dsn();
    address.replace(address.find("127.0.0.1"), 9, "db.example");
    std::string asked;
    auto const resolve = [&](std::string const& host) {
        asked = host;
        return std::vector<std::string>{"127.0.0.2", "127.0.0.1"};
    };
    // Nothing listens on 127.0.0.2, as the server is bound to 127.0.0.1 alone.
    isorow::connection const connection(address, {.resolve = resolve});
    CHECK(connection.is_idle());
    CHECK(asked == "db.example");
}

TEST_CASE("a name that is not known is told") {
    auto const nothing = [](std::string const&) { return std::vector<std::string>{}; };
    CHECK_THROWS_MATCHES(isorow::connection("host=db.example", {.resolve = nothing}), isorow::connection_error,
                         test::says("the host's name is not known"));
}

TEST_CASE("addresses and sockets are not resolved") {
    auto const never = [](std::string const&) -> std::vector<std::string> { throw isorow::usage_error("resolved"); };
    isorow::connection const connection(test::dsn(), {.resolve = never});
    CHECK(connection.is_idle());
    CHECK_THROWS_AS(isorow::connection("host=/no/such/folder", {.resolve = never}), isorow::connection_error);
}

TEST_CASE("notices go to the handler, and nowhere without one") {
    std::vector<std::string> heard;
    isorow::connection connection(test::dsn(), {.on_notice = [&](isorow::diagnostics const& notice) { heard.push_back(notice.message); }});
    isorow::execute_script(connection, "DO $$ BEGIN RAISE NOTICE 'hello'; END $$", connection.default_limits());
    CHECK(heard == std::vector<std::string>{"hello"});
    auto moved = std::move(connection);
    isorow::execute_script(moved, "DO $$ BEGIN RAISE NOTICE 'again'; END $$", moved.default_limits());
    CHECK(heard.size() == 2);
}

TEST_CASE("a borrowed connection is used and given back as it was") {
    std::unique_ptr<PGconn, decltype(&PQfinish)> const lender(PQconnectdb(test::dsn().c_str()), &PQfinish);
    {
        auto borrower = isorow::connection::borrow(lender.get());
        CHECK(isorow::execute_script(borrower, "SELECT 1", borrower.default_limits()).rows() == 1);
        CHECK(PQisnonblocking(lender.get()) == 1);
    }
    CHECK(PQisnonblocking(lender.get()) == 0);
    std::unique_ptr<PGresult, decltype(&PQclear)> const result(PQexec(lender.get(), "SELECT 1"), &PQclear);
    CHECK(PQresultStatus(result.get()) == PGRES_TUPLES_OK);
}

TEST_CASE("a borrowed connection with another encoding is refused") {
    std::unique_ptr<PGconn, decltype(&PQfinish)> const lender(PQconnectdb(test::dsn().c_str()), &PQfinish);
    PQsetClientEncoding(lender.get(), "LATIN1");
    CHECK_THROWS_MATCHES(isorow::connection::borrow(lender.get()), isorow::usage_error, test::says("LATIN1"));
    CHECK_THROWS_AS(isorow::connection::borrow(nullptr), isorow::usage_error);
}

TEST_CASE("two hundred connections leave no descriptor behind, those that fail neither") {
    test::listener const deaf;
    static_cast<void>(test::connect());
    auto const before = open_descriptors();
    for (int i = 0; i < 200; ++i) {
        auto connection = test::connect();
        CHECK(connection.is_idle());
    }
    for (int i = 0; i < 20; ++i) CHECK_THROWS_AS(isorow::connection(deaf.dsn(), {.connect_timeout = 5ms}), isorow::timed_out);
    CHECK(open_descriptors() == before);
}
