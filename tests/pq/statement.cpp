#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/row_stream.hpp>
#include <isorow/pq/statement.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using isorow::limits;

namespace {

struct server {
    isorow::connection connection = test::connect();

    isorow::result run(std::string const& sql) { return isorow::execute_script(connection, sql, connection.default_limits()); }
};

isorow::parameters one_text(std::string_view value) {
    isorow::parameters bound;
    bound.add(25).put_bytes(value);
    bound.end();
    return bound;
}

}  // namespace

TEST_CASE_METHOD(server, "a statement's rows come in binary with names and types") {
    auto const result = isorow::execute_statement(connection, "SELECT 258::int AS number, NULL::text AS nothing, ''::text AS empty", {},
                                                  connection.default_limits());
    CHECK(result.rows() == 1);
    CHECK(result.columns() == 3);
    CHECK(result.column_name(0) == "number");
    CHECK(result.column_type(0) == 23);
    CHECK(isorow::byte_reader(result.value(0, 0)).take_int32() == 258);
    CHECK(result.value(0, 1).data() == nullptr);
    CHECK(result.value(0, 2).data() != nullptr);
    CHECK(result.value(0, 2).empty());
}

TEST_CASE_METHOD(server, "parameters are bytes with types, empty ones and NULL told apart") {
    isorow::parameters bound;
    static_cast<void>(bound.add(25));
    bound.end();
    bound.add_null(25);
    auto const result = isorow::execute_statement(connection, "SELECT $1 = '', $2 IS NULL", bound, connection.default_limits());
    CHECK(result.value(0, 0)[0] == std::byte{1});
    CHECK(result.value(0, 1)[0] == std::byte{1});
}

TEST_CASE_METHOD(server, "an error has its SQLSTATE's class and all fields, and its text neither data nor values") {
    run("CREATE TEMP TABLE stock (id int PRIMARY KEY, owner text)");
    run("INSERT INTO stock VALUES (1, 'x')");
    try {
        static_cast<void>(isorow::execute_statement(connection, "INSERT INTO stock VALUES (1, $1)", one_text("secret value"),
                                                    connection.default_limits()));
        FAIL("inserted");
    } catch (isorow::integrity_constraint_violation const& failure) {
        CHECK(failure.sqlstate() == isorow::sqlstate::unique_violation);
        CHECK(failure.table() == "stock");
        CHECK(failure.constraint() == "stock_pkey");
        CHECK(failure.detail() == "Key (id)=(1) already exists.");
        CHECK(failure.sql() == "INSERT INTO stock VALUES (1, $1)");
        std::string const text = failure.what();
        CHECK(text.find("duplicate key value violates unique constraint \"stock_pkey\" (SQLSTATE 23505, ") == 0);
        CHECK(text.find("in: INSERT INTO stock") != std::string::npos);
        CHECK(text.find("already exists") == std::string::npos);
        CHECK(text.find("secret") == std::string::npos);
        CHECK_FALSE(failure.retryable());
    }
}

TEST_CASE_METHOD(server, "each class of errors can be caught by its name") {
    CHECK_THROWS_AS(run("SELEC"), isorow::syntax_error_or_access_rule_violation);
    CHECK_THROWS_AS(run("SELECT 1/0"), isorow::data_exception);
    CHECK_THROWS_AS(run("SELECT 1; VACUUM"), isorow::invalid_transaction_state);
    CHECK_THROWS_AS(run("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$"), isorow::transaction_rollback);
    CHECK_THROWS_AS(run("DO $$ BEGIN RAISE SQLSTATE 'Q1234'; END $$"), isorow::server_error);
}

TEST_CASE_METHOD(server, "an error says whether a retry can help") {
    for (std::string const code : {"40001", "40P01", "53300", "55P03", "57P01", "08006"}) {
        try {
            run("DO $$ BEGIN RAISE SQLSTATE '" + code + "'; END $$");
            FAIL(code);
        } catch (isorow::server_error const& failure) {
            CHECK(failure.retryable());
        }
    }
}

TEST_CASE_METHOD(server, "the first error of a script is the one that is thrown, and the connection goes on") {
    CHECK_THROWS_MATCHES(run("SELECT 1; SELECT 1/0; SELECT nothing"), isorow::data_exception, test::says("division by zero"));
    CHECK(run("SELECT 1").rows() == 1);
}

TEST_CASE_METHOD(server, "SQL with a NUL byte is refused before it is sent") {
    CHECK_THROWS_MATCHES(run(std::string("SELECT 1\0", 9)), isorow::usage_error, test::says("NUL byte"));
}

TEST_CASE_METHOD(server, "more parameters than the protocol counts are refused before they are sent") {
    isorow::parameters bound;
    for (int i = 0; i < 65536; ++i) bound.add_null(23);
    CHECK_THROWS_MATCHES(isorow::execute_statement(connection, "SELECT 1", bound, connection.default_limits()), isorow::usage_error,
                         test::says("at most 65535 parameters, not 65536"));
    CHECK(run("SELECT 1").rows() == 1);
}

TEST_CASE_METHOD(server, "a COPY given to the wrong call is refused, and the connection goes on") {
    run("CREATE TEMP TABLE copied (id int)");
    CHECK_THROWS_MATCHES(run("COPY copied FROM STDIN"), isorow::usage_error, test::says("copy_in and copy_out"));
    CHECK_THROWS_AS(run("COPY copied TO STDOUT"), isorow::usage_error);
    CHECK(run("SELECT 1").rows() == 1);
}

TEST_CASE_METHOD(server, "at the deadline the statement is cancelled on the server, and the connection goes on") {
    auto const started = std::chrono::steady_clock::now();
    CHECK_THROWS_MATCHES(isorow::execute_script(connection, "SELECT pg_sleep(30)", limits::within(100ms)), isorow::timed_out,
                         test::says("the deadline passed while waiting for the answer to a statement"));
    CHECK(std::chrono::steady_clock::now() - started < 1100ms);
    CHECK(connection.is_idle());
    CHECK(run("SELECT 1").rows() == 1);
}

TEST_CASE_METHOD(server, "a statement is stopped from another thread, and the connection goes on") {
    std::stop_source source;
    std::jthread const stopper([&] {
        std::this_thread::sleep_for(50ms);
        source.request_stop();
    });
    CHECK_THROWS_AS(isorow::execute_script(connection, "SELECT pg_sleep(30)", limits::within(60s, source.get_token())), isorow::stopped);
    CHECK(run("SELECT 1").rows() == 1);
}

TEST_CASE_METHOD(server, "a stop that came before the wait is noticed") {
    std::stop_source source;
    source.request_stop();
    CHECK_THROWS_AS(isorow::execute_script(connection, "SELECT pg_sleep(30)", limits::within(60s, source.get_token())), isorow::stopped);
}

TEST_CASE_METHOD(server, "a cancelled statement never cancels the next one") {
    int const rounds = std::getenv("ISOROW_LONG") != nullptr ? 10'000 : 300;
    for (int i = 0; i < rounds; ++i) {
        try {
            isorow::execute_script(connection, "SELECT pg_sleep(0.001)", limits::within(std::chrono::microseconds(900 + i % 400)));
        } catch (isorow::timed_out const&) {
        }
        REQUIRE(run("SELECT 1").rows() == 1);
    }
}

TEST_CASE_METHOD(server, "a terminated backend is told by SQLSTATE, and the connection is closed to statements", "[session]") {
    std::jthread const killer([pid = connection.backend_pid()] {
        std::this_thread::sleep_for(100ms);
        test::sql(test::dsn(), "SELECT pg_terminate_backend(" + std::to_string(pid) + ")");
    });
    try {
        run("SELECT pg_sleep(30)");
        FAIL("not terminated");
    } catch (isorow::operator_intervention const& failure) {
        CHECK(failure.sqlstate() == isorow::sqlstate::admin_shutdown);
        CHECK(failure.retryable());
    }
    CHECK_FALSE(connection.is_open());
    CHECK_THROWS_AS(run("SELECT 1"), isorow::connection_error);
}

TEST_CASE_METHOD(server, "a backend terminated while it was idle is told at the next statement", "[session]") {
    test::sql(test::dsn(), "SELECT pg_terminate_backend(" + std::to_string(connection.backend_pid()) + ", 5000)");
    CHECK_THROWS_AS(run("SELECT 1"), isorow::error);
    CHECK_FALSE(connection.is_open());
}

TEST_CASE_METHOD(server, "a stream comes in chunks, the last of them telling the columns of an empty result") {
    isorow::row_stream rows(connection, "SELECT generate_series(1, 1000)", {});
    int count = 0;
    while (auto const chunk = rows.next()) {
        CHECK(chunk->rows() <= connection.options().chunk_rows);
        count += chunk->rows();
    }
    CHECK(count == 1000);
    CHECK(connection.is_idle());
    isorow::row_stream nothing(connection, "SELECT 1 AS one WHERE false", {});
    auto const empty = nothing.next();
    REQUIRE(empty);
    CHECK(empty->rows() == 0);
    CHECK(empty->column_name(0) == "one");
    CHECK_FALSE(nothing.next());
}

TEST_CASE("no call that blocks outside the one place to wait stands in the headers") {
    std::string found;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(ISOROW_SOURCE_DIR "/include")) {
        if (entry.path().extension() != ".hpp") continue;
        std::ifstream file(entry.path());
        std::string line;
        bool before_libpq_17 = false;
        while (std::getline(file, line)) {
            if (line.find("#else") != std::string::npos) before_libpq_17 = entry.path().filename() == "cancel.hpp";
            for (std::string const call : {"PQexec(", "PQexecParams(", "PQprepare(", "PQreset(", "PQconnectdb", "PQsetdb", "PQfn(",
                                           "PQcancelBlocking(", "PQcancel("})
                if (auto const place = line.find(call); place != std::string::npos && !(call == "PQcancel(" && before_libpq_17))
                    found += entry.path().string() + ": " + line + "\n";
        }
    }
    CHECK(found.empty());
}
