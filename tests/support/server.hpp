#pragma once

/// @file
/// The server that `script/test` starts for the tests, and databases of their own on it. Written on libpq alone, so that the tests of the
/// wire do not rest on what they test.

#include <atomic>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <libpq-fe.h>
#include <unistd.h>

namespace test {

/// The address of the tests' server.
[[nodiscard]] inline std::string dsn() {
    auto const* const url = std::getenv("DATABASE_URL");
    if (url == nullptr)
        throw std::runtime_error("these tests need a server: run them by script/test, or by script/postgres run -- ctest …");
    return url;
}

/// Runs SQL and returns the first value as text, empty for NULL or where there is none.
inline std::string sql(std::string const& dsn, std::string const& statement) {
    std::unique_ptr<PGconn, decltype(&PQfinish)> const connection(PQconnectdb(dsn.c_str()), &PQfinish);
    std::unique_ptr<PGresult, decltype(&PQclear)> const result(PQexec(connection.get(), statement.c_str()), &PQclear);
    auto const status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
    return PQntuples(result.get()) > 0 && PQnfields(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

/// A database of its own for a test, dropped at its end.
class database {
public:
    database() : name_("test_" + std::to_string(::getpid()) + "_" + std::to_string(next())) {
        sql(test::dsn(), "CREATE DATABASE " + name_);
    }
    database(database const&) = delete;
    database& operator=(database const&) = delete;
    ~database() {
        try {
            sql(test::dsn(), "DROP DATABASE " + name_ + " WITH (FORCE)");
        } catch (std::exception const&) {
            // The server goes at the end of the tests, and this database with it.
        }
    }

    /// The address of the database; `user`: another role than the server's owner.
    [[nodiscard]] std::string dsn(std::string const& user = {}) const {
        auto address = test::dsn();
        address.replace(address.rfind('/') + 1, std::string::npos, name_);
        if (!user.empty()) address.replace(address.find("postgres@"), 8, user);
        return address;
    }
    std::string sql(std::string const& statement) const { return test::sql(dsn(), statement); }
    static std::string sql(std::string const& dsn, std::string const& statement) { return test::sql(dsn, statement); }
    [[nodiscard]] std::string const& name() const noexcept { return name_; }

private:
    static int next() {
        static std::atomic<int> last{0};
        return ++last;
    }

    std::string name_;
};

}  // namespace test
