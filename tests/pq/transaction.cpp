#include <catch2/catch_test_macros.hpp>

#include <isorow/pq/transaction.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>
#include <support/proxy.hpp>

#include <string>

namespace {

struct ledger {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    ledger() { database.sql("CREATE TABLE ledger (entry text)"); }

    static isorow::result run(isorow::connection& on, std::string const& sql) {
        return isorow::execute_script(on, sql, on.default_limits());
    }
    isorow::result run(std::string const& sql) { return run(connection, sql); }
    std::string entries() { return database.sql("SELECT coalesce(string_agg(entry, ' ' ORDER BY entry), '') FROM ledger"); }
};

}  // namespace

TEST_CASE_METHOD(ledger, "what is committed stays, what is not committed is rolled back") {
    {
        isorow::transaction work(connection);
        run("INSERT INTO ledger VALUES ('kept')");
        work.commit();
    }
    {
        isorow::transaction const work(connection);
        run("INSERT INTO ledger VALUES ('lost')");
    }
    CHECK(entries() == "kept");
    CHECK(connection.is_idle());
}

TEST_CASE_METHOD(ledger, "a transaction inside another is a savepoint") {
    isorow::transaction outer(connection);
    run("INSERT INTO ledger VALUES ('outer')");
    {
        isorow::transaction inner(connection);
        run("INSERT INTO ledger VALUES ('inner')");
        CHECK_THROWS_AS(run("SELECT 1/0"), isorow::data_exception);
    }
    {
        isorow::transaction inner(connection);
        run("INSERT INTO ledger VALUES ('second')");
        inner.commit();
    }
    outer.commit();
    CHECK(entries() == "outer second");
}

TEST_CASE_METHOD(ledger, "a transaction that a statement has failed cannot be committed, and says so") {
    isorow::transaction work(connection);
    run("INSERT INTO ledger VALUES ('lost')");
    CHECK_THROWS_AS(run("SELECT 1/0"), isorow::data_exception);
    CHECK_THROWS_MATCHES(work.commit(), isorow::usage_error, test::says("rolled it back"));
    CHECK(entries().empty());
}

TEST_CASE_METHOD(ledger, "isolation, read only and deferrable are what the server runs with") {
    auto const shown = [&](std::string const& name) {
        auto const result = run("SHOW " + name);
        return std::string(reinterpret_cast<char const*>(result.value(0, 0).data()), result.value(0, 0).size());
    };
    isorow::transaction const work(connection, {.isolation = isorow::isolation::serializable, .read_only = true, .deferrable = true});
    CHECK(shown("transaction_isolation") == "serializable");
    CHECK(shown("transaction_read_only") == "on");
    CHECK(shown("transaction_deferrable") == "on");
}

TEST_CASE_METHOD(ledger, "an ended transaction is not ended again") {
    isorow::transaction work(connection);
    work.rollback();
    CHECK_THROWS_AS(work.commit(), isorow::usage_error);
    CHECK_THROWS_AS(work.rollback(), isorow::usage_error);
}

TEST_CASE_METHOD(ledger, "a transaction on a pool keeps one connection and gives it back") {
    isorow::pool pool(database.dsn(), {.min_size = 1, .max_size = 1});
    {
        isorow::transaction work(pool);
        run(work.connection(), "INSERT INTO ledger VALUES ('pooled')");
        CHECK(pool.available() == 0);
        work.commit();
    }
    CHECK(pool.available() == 1);
    CHECK(entries() == "pooled");
}

TEST_CASE_METHOD(ledger, "a COMMIT whose answer is lost is settled on a new connection: it was committed") {
    test::proxy proxy(database.dsn());
    isorow::connection through(proxy.dsn());
    isorow::transaction work(through);
    run(through, "INSERT INTO ledger VALUES ('settled')");
    proxy.cut_answer_to("COMMIT");
    CHECK_NOTHROW(work.commit());
    CHECK(entries() == "settled");
}

TEST_CASE_METHOD(ledger, "a COMMIT that never arrived is settled on a new connection: it was rolled back") {
    test::proxy proxy(database.dsn());
    isorow::connection through(proxy.dsn());
    isorow::transaction work(through);
    run(through, "INSERT INTO ledger VALUES ('never')");
    proxy.cut_before("COMMIT");
    CHECK_THROWS_MATCHES(work.commit(), isorow::connection_lost, test::says("was rolled back"));
    CHECK(entries().empty());
}
