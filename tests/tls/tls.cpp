#include <catch2/catch_test_macros.hpp>

#include <isorow/query/copy.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>
#include <support/own_server.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// Run by `script/postgres run --tls`, whose server takes TLS and plain text, but for the role secure_user.

using namespace std::chrono_literals;

namespace {

/// A file of the folder that the server's certificates are in.
std::string tls_file(std::string const& name) {
    auto const* const folder = std::getenv("ISOROW_TLS_DIR");
    if (folder == nullptr) throw std::runtime_error("these tests need a server with TLS: script/postgres run --tls -- test_tls");
    return std::string(folder) + "/" + name;
}

std::string line_of(std::string const& file) {
    std::ifstream stream(file);
    std::string line;
    std::getline(stream, line);
    return line;
}

/// The server's port as a parameter, and what else is given.
std::string at_port(std::string const& parameters) {
    auto const address = test::dsn();
    auto const colon = address.rfind(':');
    return "port=" + address.substr(colon + 1, address.rfind('/') - colon - 1) + " " + parameters;
}

/// Parameters of a connection as the server's owner.
std::string owner(std::string const& parameters) {
    return at_port("host=localhost hostaddr=127.0.0.1 user=postgres dbname=postgres " + parameters);
}

/// Parameters of the role that must use TLS and a password.
std::string secure_user(std::string const& parameters) {
    return at_port("host=localhost hostaddr=127.0.0.1 user=secure_user dbname=secure " + parameters);
}

std::string with_ca(std::string const& mode) { return "sslmode=" + mode + " sslrootcert='" + tls_file("ca.crt") + "'"; }

/// What connecting throws as text, with the exception's class checked.
std::string refusal_of(std::string const& dsn) {
    try {
        auto const connection = test::connect(dsn);
    } catch (isorow::connection_error const& failure) {
        return failure.what();
    }
    return "connected";
}

bool says(std::string const& refusal, std::string_view part) {
    INFO(refusal);
    CHECK(refusal.find(part) != std::string::npos);
    return refusal.find(part) != std::string::npos;
}

/// Names a file that does not exist as the CA of libpq's own choice, so that nobody's home folder decides a test.
struct no_home {
    no_home() { ::setenv("PGSSLROOTCERT", "/nowhere/root.crt", 1); }
    no_home(no_home const&) = delete;
    no_home& operator=(no_home const&) = delete;
    ~no_home() { ::unsetenv("PGSSLROOTCERT"); }
};

std::span<std::byte const> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

struct Measurement {
    std::int64_t id;
    std::string place;
    double degrees;
};

/// A connection by TLS to a database of the test's own, with a table to copy into.
struct secure_copy {
    test::database database;
    isorow::connection connection = test::connect(owner(with_ca("verify-full") + " dbname=" + database.name()));

    secure_copy() {
        run("CREATE TABLE measurement (id bigint NOT NULL CHECK (id < 1000000), place text NOT NULL, degrees float8 NOT NULL)");
    }

    isorow::result run(std::string const& sql) { return isorow::execute_script(connection, sql, connection.default_limits()); }

    /// Writes rows of a kilobyte until the server's refusal is noticed. Returns how many bytes were written until then.
    static std::size_t bytes_until_refused(isorow::copy_in& copy) {
        std::string const row = "1\t" + std::string(1000, 'x') + "\t1.5\n";
        std::size_t sent = 0;
        try {
            for (; sent < gigabyte; sent += row.size()) copy.write(bytes(row));
        } catch (isorow::integrity_constraint_violation const& failure) {
            CHECK(failure.sqlstate() == isorow::sqlstate::check_violation);
        }
        return sent;
    }

    static constexpr std::size_t gigabyte = std::size_t{1} << 30;
    static constexpr std::size_t few_megabytes = std::size_t{16} << 20;
};

std::string const too_large = "2000000\ttoo large\t1.5\n";

}  // namespace

TEST_CASE("sslmode=require connects by TLS") {
    auto const connection = test::connect(owner("sslmode=require"));
    CHECK(PQsslInUse(connection.native_handle()) == 1);
}

TEST_CASE("verify-full connects where CA and name are right, by name and by address") {
    for (std::string const host : {"host=localhost", "host=127.0.0.1"}) {
        auto const connection = test::connect(owner(with_ca("verify-full") + " " + host));
        CHECK(PQsslInUse(connection.native_handle()) == 1);
    }
}

TEST_CASE("a URI asks for TLS as well") {
    auto address = test::dsn();
    address.replace(address.find("127.0.0.1"), 9, "localhost");
    auto const connection = test::connect(address + "?sslmode=verify-full&sslrootcert=" + tls_file("ca.crt"));
    CHECK(PQsslInUse(connection.native_handle()) == 1);
}

TEST_CASE("a client's certificate is shown to the server") {
    auto connection =
        test::connect(owner(with_ca("verify-full") + " sslcert='" + tls_file("client.crt") + "' sslkey='" + tls_file("client.key") + "'"));
    auto const name =
        isorow::execute_script(connection, "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()", connection.default_limits());
    CHECK(std::string(reinterpret_cast<char const*>(name.value(0, 0).data()), name.value(0, 0).size()) == "/CN=postgres");
}

TEST_CASE("verify-full refuses a server whose certificate has another name, and says both") {
    auto const refusal = refusal_of(owner(with_ca("verify-full") + " host=wrong.example"));
    says(refusal, "could not connect to wrong.example:");
    says(refusal, "server certificate for \"localhost\"");
    says(refusal, "does not match host name \"wrong.example\"");
}

TEST_CASE("verify-ca refuses a server whose CA is not known") {
    no_home const nothing;
    says(refusal_of(owner("sslmode=verify-ca sslrootcert=/nowhere/ca.crt")), "root certificate file \"/nowhere/ca.crt\" does not exist");
    says(refusal_of(owner("sslmode=verify-ca sslrootcert='" + tls_file("client.crt") + "'")), "certificate verify failed");
    says(refusal_of(owner("sslmode=verify-full sslrootcert=system")), "certificate verify failed");
}

TEST_CASE("sslmode=require is refused by a server without TLS") {
    test::own_server const server;
    auto const refusal = refusal_of(server.dsn() + "?sslmode=require");
    says(refusal, "could not connect to 127.0.0.1:");
    says(refusal, "server does not support SSL, but SSL was required");
    CHECK(PQsslInUse(test::connect(server.dsn()).native_handle()) == 0);
}

TEST_CASE("a role that must use TLS connects by it with its password, and is told so in plain text") {
    auto const password = " password=" + line_of(tls_file("password"));
    auto const connection = test::connect(secure_user(with_ca("verify-full") + password));
    CHECK(PQsslInUse(connection.native_handle()) == 1);
    says(refusal_of(secure_user("sslmode=disable" + password)), "no encryption");
    says(refusal_of(secure_user("sslmode=disable" + password)), "sslmode=require");
}

TEST_CASE("a channel binding is made where it is asked for, and is not had in plain text") {
    auto const password = " channel_binding=require password=" + line_of(tls_file("password"));
    CHECK(test::connect(secure_user(with_ca("verify-full") + password)).is_idle());
    says(refusal_of(owner("sslmode=disable channel_binding=require")), "channel binding");
}

TEST_CASE("a password is in no error text, whatever fails") {
    no_home const nothing;
    std::string const secret = "sentinel-password";
    test::own_server const plaintext;
    auto plaintext_address = plaintext.dsn();
    plaintext_address.replace(plaintext_address.find("postgres@"), 8, "postgres:" + secret);
    auto const password = " password=" + secret;
    std::vector<std::string> const refused{
        secure_user("sslmode=require" + password),
        secure_user(with_ca("verify-full") + password),
        secure_user(with_ca("verify-full") + " host=wrong.example" + password),
        secure_user("sslmode=verify-ca sslrootcert=/nowhere/ca.crt" + password),
        secure_user("sslmode=verify-ca sslrootcert='" + tls_file("client.crt") + "'" + password),
        secure_user("sslmode=disable" + password),
        secure_user("sslmode=prefer" + password),
        secure_user("sslmode=nonsense" + password),
        secure_user("sslmode=require sslcert=/nowhere/client.crt sslkey=/nowhere/client.key sslpassword=" + secret + password),
        secure_user("sslmode=require require_auth=none" + password),
        secure_user("sslmode=require dbname=nothing user=nobody" + password),
        plaintext_address + "?sslmode=require",
    };
    for (auto const& dsn : refused) {
        INFO(dsn);
        try {
            auto const connection = test::connect(dsn);
            FAIL("connected");
        } catch (isorow::error const& failure) {
            CHECK(std::string(failure.what()).find(secret) == std::string::npos);
        }
    }
}

TEST_CASE_METHOD(secure_copy, "rows go in by copy_in under TLS") {
    isorow::copy_in copy(connection, "COPY measurement FROM STDIN");
    for (int i = 0; i < 200'000; ++i) copy.write(bytes(std::to_string(i) + "\tsome place\t21.5\n"));
    CHECK(copy.finish() == 200'000);
    CHECK(database.sql("SELECT count(*) || ' ' || sum(id) FROM measurement") == "200000 19999900000");
}

TEST_CASE_METHOD(secure_copy, "structs go in by copy_writer under TLS") {
    isorow::copy_writer<Measurement> copy(connection);
    for (std::int64_t i = 0; i < 200'000; ++i) copy.write({i, "some place", 21.5});
    CHECK(copy.finish() == 200'000);
    CHECK(database.sql("SELECT count(*) || ' ' || sum(id) FROM measurement") == "200000 19999900000");
}

TEST_CASE_METHOD(secure_copy, "a refusal at the first row is noticed under TLS after a few megabytes") {
    isorow::copy_in copy(connection, "COPY measurement FROM STDIN");
    copy.write(bytes(too_large));
    CHECK(bytes_until_refused(copy) < few_megabytes);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(secure_copy, "a refusal in the midst of the data is noticed under TLS, each time") {
    for (int i = 0; i < 5; ++i) {
        isorow::copy_in copy(connection, "COPY measurement FROM STDIN");
        std::string const row = "1\t" + std::string(1000, 'x') + "\t1.5\n";
        for (int rows = 0; rows < 2000 * i; ++rows) copy.write(bytes(row));
        copy.write(bytes(too_large));
        REQUIRE(bytes_until_refused(copy) < few_megabytes);
    }
}

TEST_CASE_METHOD(secure_copy, "a refusal is noticed under TLS in the midst of a single write") {
    std::string data = too_large;
    std::string const row = "1\t" + std::string(1000, 'x') + "\t1.5\n";
    while (data.size() < (std::size_t{256} << 20)) data += row;
    isorow::copy_in copy(connection, "COPY measurement FROM STDIN");
    CHECK_THROWS_AS(copy.write(bytes(data)), isorow::integrity_constraint_violation);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(secure_copy, "a notice under TLS is not taken for a refusal, and does not hide one") {
    run("CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'row %', new.id; RETURN new; END $$");
    run("CREATE TRIGGER shout BEFORE INSERT ON measurement FOR EACH ROW WHEN (new.id % 1000 = 0) EXECUTE FUNCTION shout()");
    {
        isorow::copy_in copy(connection, "COPY measurement FROM STDIN");
        for (int i = 0; i < 200'000; ++i) copy.write(bytes(std::to_string(i) + "\tsome place\t21.5\n"));
        CHECK(copy.finish() == 200'000);
    }
    for (int i = 0; i < 5; ++i) {
        // 2000000 is a multiple of 1000: notice and refusal come together.
        isorow::copy_in copy(connection, "COPY measurement FROM STDIN");
        copy.write(bytes(too_large));
        REQUIRE(bytes_until_refused(copy) < few_megabytes);
    }
}

TEST_CASE_METHOD(secure_copy, "a notice of many kilobytes, which comes in parts, is not taken for a refusal under TLS") {
    run("CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', repeat('x', 3000000); RETURN new; END $$");
    run("CREATE TRIGGER shout BEFORE INSERT ON measurement FOR EACH ROW WHEN (new.id % 1000 = 0) EXECUTE FUNCTION shout()");
    isorow::copy_in copy(connection, "COPY measurement FROM STDIN");
    for (int i = 0; i < 50'000; ++i) {
        copy.write(bytes(std::to_string(i) + "\tsome place\t21.5\n"));
        if (i % 20 == 0) copy.flush();
        if (i % 200 == 0) std::this_thread::sleep_for(1ms);
    }
    CHECK(copy.finish() == 50'000);
}

TEST_CASE_METHOD(secure_copy, "a notification that waits to be read hides no refusal under TLS, and stays") {
    run("LISTEN channel");
    database.sql("NOTIFY channel, 'hello'");
    run("SELECT pg_sleep(0.2)");
    run("SELECT 1");
    isorow::copy_in copy(connection, "COPY measurement FROM STDIN");
    copy.write(bytes(too_large));
    CHECK(bytes_until_refused(copy) < few_megabytes);
    std::unique_ptr<PGnotify, void (*)(void*)> const notification(PQnotifies(connection.native_handle()), &PQfreemem);
    REQUIRE(notification);
    CHECK(std::string(notification->extra) == "hello");
}

TEST_CASE_METHOD(secure_copy, "settings that change on the server during a COPY are not taken for a refusal") {
    isorow::copy_in copy(connection, "COPY measurement FROM STDIN");
    for (int i = 0; i < 200'000; ++i) {
        copy.write(bytes(std::to_string(i) + "\tsome place\t21.5\n"));
        if (i == 50'000) {
            copy.flush();
            database.sql("ALTER SYSTEM SET TimeZone = 'Asia/Kathmandu'");
            database.sql("SELECT pg_reload_conf()");
            std::this_thread::sleep_for(200ms);
        }
    }
    CHECK(copy.finish() == 200'000);
    run("SELECT 1");
    CHECK(connection.parameter_status("TimeZone") == "Asia/Kathmandu");
    database.sql("ALTER SYSTEM RESET TimeZone");
    database.sql("SELECT pg_reload_conf()");
}
