#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/copy.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

struct server {
    isorow::connection connection = test::connect();

    server() { run("CREATE TEMP TABLE t (id int CHECK (id < 1000000), name text)"); }

    isorow::result run(std::string const& sql) { return isorow::execute_script(connection, sql, connection.default_limits()); }
    std::string count() {
        auto const result = run("SELECT count(*) FROM t");
        return std::string(reinterpret_cast<char const*>(result.value(0, 0).data()), result.value(0, 0).size());
    }
};

std::span<std::byte const> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace

TEST_CASE_METHOD(server, "rows go in by COPY, many times the size of a put") {
    isorow::copy_in copy(connection, "COPY t FROM STDIN");
    for (int i = 0; i < 100'000; ++i) copy.write(bytes(std::to_string(i) + "\tname\n"));
    CHECK(copy.finish() == 100'000);
    CHECK(count() == "100000");
}

TEST_CASE_METHOD(server, "a single write of many megabytes goes in whole", "[session]") {
    isorow::copy_in copy(connection, "COPY t FROM STDIN");
    std::string rows;
    for (int i = 0; i < 500'000; ++i) rows += std::to_string(i) + "\tsome name or other\n";
    copy.write(bytes(rows));
    CHECK(copy.finish() == 500'000);
}

TEST_CASE_METHOD(server, "a COPY that is not finished leaves nothing, and the connection goes on", "[session]") {
    {
        isorow::copy_in copy(connection, "COPY t FROM STDIN");
        copy.write(bytes("1\ta\n"));
    }
    CHECK(connection.is_idle());
    CHECK(count() == "0");
}

TEST_CASE_METHOD(server, "an error of the server is noticed while rows are sent, after some megabytes at the most", "[session]") {
    isorow::copy_in copy(connection, "COPY t FROM STDIN");
    copy.write(bytes("2000000\ttoo large\n"));
    std::string const row = "1\t" + std::string(1000, 'x') + "\n";
    std::size_t sent = 0;
    try {
        for (; sent < (std::size_t{1} << 30); sent += row.size()) copy.write(bytes(row));
        FAIL("a gigabyte was sent");
    } catch (isorow::integrity_constraint_violation const& failure) {
        CHECK(failure.sqlstate() == isorow::sqlstate::check_violation);
        CHECK(sent < (std::size_t{32} << 20));
    }
    CHECK(connection.is_idle());
    CHECK(count() == "0");
    CHECK_THROWS_AS(copy.flush(), isorow::usage_error);
}

TEST_CASE_METHOD(server, "a notice in the middle of a COPY is not taken for an error", "[session]") {
    run("CREATE FUNCTION pg_temp.shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'row %', new.id; RETURN new; END $$");
    run("CREATE TRIGGER shout BEFORE INSERT ON t FOR EACH ROW WHEN (new.id % 1000 = 0) EXECUTE FUNCTION pg_temp.shout()");
    isorow::copy_in copy(connection, "COPY t FROM STDIN");
    for (int i = 0; i < 50'000; ++i) {
        copy.write(bytes(std::to_string(i) + "\tname\n"));
        if (i % 5000 == 0) {
            copy.flush();
            std::this_thread::sleep_for(2ms);
        }
    }
    CHECK(copy.finish() == 50'000);
}

TEST_CASE_METHOD(server, "an error at the end of the data is thrown by finish", "[session]") {
    isorow::copy_in copy(connection, "COPY t FROM STDIN");
    copy.write(bytes("not a number\tx\n"));
    CHECK_THROWS_AS(copy.finish(), isorow::data_exception);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(server, "a COPY that cannot begin says why, and one in the other direction is refused", "[session]") {
    CHECK_THROWS_AS(isorow::copy_in(connection, "COPY nothing FROM STDIN"), isorow::syntax_error_or_access_rule_violation);
    CHECK_THROWS_AS(isorow::copy_in(connection, "COPY t TO STDOUT"), isorow::usage_error);
    CHECK_THROWS_AS(isorow::copy_out(connection, "COPY t FROM STDIN"), isorow::usage_error);
    CHECK_THROWS_AS(isorow::copy_out(connection, "SELECT 1"), isorow::usage_error);
    CHECK(count() == "0");
}

TEST_CASE_METHOD(server, "rows come out by COPY one message each", "[session]") {
    isorow::copy_out copy(connection, "COPY (SELECT g, 'x' FROM generate_series(1, 100000) g) TO STDOUT");
    int rows = 0;
    for (auto row = copy.next(); row.data() != nullptr; row = copy.next()) {
        ++rows;
        if (rows == 1) CHECK(std::string(reinterpret_cast<char const*>(row.data()), row.size()) == "1\tx\n");
    }
    CHECK(rows == 100'000);
    CHECK(copy.next().data() == nullptr);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(server, "a COPY out that is left early gives the connection back idle", "[session]") {
    {
        isorow::copy_out copy(connection, "COPY (SELECT generate_series(1, 100000000), repeat('x', 1000)) TO STDOUT");
        CHECK(copy.next().data() != nullptr);
    }
    CHECK(connection.is_idle());
    CHECK(count() == "0");
}

TEST_CASE_METHOD(server, "an error in the middle of a COPY out is thrown", "[session]") {
    isorow::copy_out copy(connection, "COPY (SELECT 1 / (50000 - g) FROM generate_series(1, 100000) g) TO STDOUT");
    CHECK_THROWS_AS(
        [&] {
            while (copy.next().data() != nullptr) {
            }
        }(),
        isorow::data_exception);
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(server, "a backend terminated during a COPY is told, in both directions", "[session]") {
    auto const kill = [](int pid) { test::sql(test::dsn(), "SELECT pg_terminate_backend(" + std::to_string(pid) + ")"); };
    {
        isorow::copy_in copy(connection, "COPY t FROM STDIN");
        copy.write(bytes("1\ta\n"));
        kill(connection.backend_pid());
        std::string const row = "1\t" + std::string(1000, 'x') + "\n";
        CHECK_THROWS_AS(
            [&] {
                for (int i = 0; i < 100'000; ++i) copy.write(bytes(row));
            }(),
            isorow::error);
        CHECK_FALSE(connection.is_open());
    }
    auto other = test::connect();
    isorow::copy_out copy(other, "COPY (SELECT generate_series(1, 100000000), repeat('x', 1000)) TO STDOUT");
    CHECK(copy.next().data() != nullptr);
    kill(other.backend_pid());
    CHECK_THROWS_AS(
        [&] {
            while (copy.next().data() != nullptr) {
            }
        }(),
        isorow::error);
    CHECK_FALSE(other.is_open());
}

TEST_CASE_METHOD(server, "a COPY whose server does not read ends at the deadline", "[session]") {
    // The table is locked by another session, so that the server takes no row.
    test::database const database;
    database.sql("CREATE TABLE locked (name text)");
    auto holder = test::connect(database.dsn());
    isorow::execute_script(holder, "BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE", holder.default_limits());
    auto waiting = test::connect(database.dsn());
    CHECK_THROWS_AS(isorow::copy_in(waiting, "COPY locked FROM STDIN", isorow::limits::within(100ms)), isorow::timed_out);
    CHECK(waiting.is_idle());
}
