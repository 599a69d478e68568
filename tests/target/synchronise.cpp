#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace {

struct Product {
    std::string category;
    std::string name;
    std::optional<double> price;
    std::vector<std::string> tags;

    static consteval auto isorow_table() {
        return isorow::table("products").primary_key<&Product::category, &Product::name>().index<&Product::price>();
    }
    friend bool operator==(Product const&, Product const&) = default;
};

struct Account {
    isorow::numeric number;
    isorow::numeric balance;

    static consteval auto isorow_table() {
        return isorow::table("accounts").primary_key<&Account::number>().column<&Account::balance>({.type = "numeric(10,2)"});
    }
};

struct Link {
    std::int32_t from;
    std::int32_t to;

    static consteval auto isorow_table() { return isorow::table("links").primary_key<&Link::from, &Link::to>(); }
};

struct Embedded {
    std::int64_t id;
    isorow::vector<3> embedding;

    static consteval auto isorow_table() {
        return isorow::table("embedded").primary_key<&Embedded::id>().index<&Embedded::embedding>(isorow::hnsw{.metric = isorow::cosine});
    }
};

std::vector<Product> products() {
    return {{"lamps", "desk", 10.0, {"a", "b"}}, {"lamps", "wall", std::nullopt, {}}, {"chairs", "desk", -0.0, {"c"}}};
}

struct shop {
    test::database database;
    isorow::connection connection = test::connect(database.dsn());

    std::vector<Product> stored() { return isorow::query<Product>(connection, "SELECT * FROM products ORDER BY category, name"); }
    std::string synchronised(std::vector<Product> const& rows, isorow::target_options options = {}) {
        return to_string(isorow::synchronise(connection, rows, std::move(options)));
    }
    std::int64_t count(std::string const& sql) { return isorow::query_one<std::int64_t>(connection, sql); }
};

}  // namespace

TEST_CASE_METHOD(shop, "a first run makes the table with its key and indexes and inserts all rows") {
    auto const report = isorow::synchronise(connection, products());
    CHECK(to_string(report) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(report.ddl.size() == 3);
    REQUIRE(report.tables.size() == 1);
    CHECK(report.tables[0].table == "\"public\".\"products\"");
    CHECK(report.tables[0].rows.inserted == 3);
    CHECK(stored().size() == 3);
    CHECK(count("SELECT count(*) FROM pg_indexes WHERE tablename = 'products'") == 2);
}

TEST_CASE_METHOD(shop, "a second identical run writes nothing") {
    synchronised(products());
    auto const before = database.sql("SELECT string_agg(ctid::text || xmin::text, ',') FROM products");
    auto const report = isorow::synchronise(connection, products());
    CHECK(to_string(report) == "0 inserted, 0 updated, 0 deleted, 3 unchanged");
    CHECK_FALSE(report.changed());
    CHECK(database.sql("SELECT string_agg(ctid::text || xmin::text, ',') FROM products") == before);
}

TEST_CASE_METHOD(shop, "new rows are inserted, changed ones updated, undeclared ones deleted, others left alone") {
    synchronised(products());
    auto rows = products();
    rows[0].price = std::nullopt;  // changed
    rows[1].name = "ceiling";      // another key: one vanishes, one comes
    CHECK(synchronised(rows) == "1 inserted, 1 updated, 1 deleted, 1 unchanged");
    auto sorted = rows;
    std::sort(sorted.begin(), sorted.end(),
              [](auto const& a, auto const& b) { return std::tie(a.category, a.name) < std::tie(b.category, b.name); });
    CHECK(stored() == sorted);
}

TEST_CASE_METHOD(shop, "declaring nothing empties the table") {
    synchronised(products());
    CHECK(synchronised({}) == "0 inserted, 0 updated, 3 deleted, 0 unchanged");
    CHECK(synchronised({}) == "0 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(synchronised(products()) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
}

TEST_CASE_METHOD(shop, "zero and minus zero are different rows' values, NaN is equal to itself") {
    std::vector<Product> rows{{"a", "b", -0.0, {}}, {"a", "c", std::numeric_limits<double>::quiet_NaN(), {}}};
    synchronised(rows);
    CHECK(synchronised(rows) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    rows[0].price = 0.0;
    CHECK(synchronised(rows) == "0 inserted, 1 updated, 0 deleted, 1 unchanged");
}

TEST_CASE_METHOD(shop, "a plan has the counts of the commit and writes nothing") {
    isorow::target<Product> first(connection);
    first.declare_all(products());
    CHECK(to_string(first.plan()) == "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(database.sql("SELECT to_regclass('public.products')").empty());
    CHECK(database.sql("SELECT to_regclass('isorow.targets')").empty());
    first.commit();

    isorow::target<Product> second(connection);
    auto rows = products();
    rows[2].tags.clear();
    rows.erase(rows.begin());
    rows.push_back({"new", "one", 1.0, {}});
    second.declare_all(rows);
    auto const plan = second.plan();
    CHECK(to_string(plan) == "1 inserted, 1 updated, 1 deleted, 1 unchanged");
    CHECK(stored().size() == 3);
    CHECK(to_string(second.commit()) == to_string(plan));
}

TEST_CASE_METHOD(shop, "two declared rows with one key are an error that names the key, and what was declared before stands") {
    isorow::target<Product> target(connection);
    target.declare({"lamps", "desk", 1.0, {}});
    CHECK_THROWS_MATCHES(
        target.declare({"lamps", "desk", 2.0, {}}), isorow::duplicate_key,
        test::says("two declared rows of \"public\".\"products\" have the key (category, name) = (lamps, desk): row 1 and row 2"));
    CHECK(to_string(target.commit()) == "1 inserted, 0 updated, 0 deleted, 0 unchanged");
}

TEST_CASE_METHOD(shop, "a value that its column cannot hold is told with struct, field and row") {
    isorow::target<Product> target(connection);
    target.declare({"a", "b", 1.0, {}});
    CHECK_THROWS_MATCHES(target.declare({"a", "c", 1.0, {"fine", "not \xff fine"}}), isorow::unrepresentable,
                         test::says("row 2: Product.tags: element 1: the text is not valid UTF-8 at byte 4"));
    CHECK(target.size() == 1);
}

TEST_CASE_METHOD(shop, "dirty text is stripped or replaced where that is asked for, but never in a key") {
    std::vector<Product> dirty{{"a", "b", 1.0, {std::string("x\0y", 3), "z\xff"}}};
    synchronised(dirty, {.text = isorow::text_policy::strip});
    CHECK(stored()[0].tags == std::vector<std::string>{"xy", "z"});
    CHECK(synchronised(dirty, {.text = isorow::text_policy::replace}) == "0 inserted, 1 updated, 0 deleted, 0 unchanged");
    CHECK(stored()[0].tags == std::vector<std::string>{"x\xEF\xBF\xBDy", "z\xEF\xBF\xBD"});
    dirty[0].name = std::string("b\0", 2);
    CHECK_THROWS_MATCHES(synchronised(dirty, {.text = isorow::text_policy::strip}), isorow::unrepresentable,
                         test::says("Product.name: the text has a NUL byte"));
}

TEST_CASE_METHOD(shop, "keys that are equal without being the same bytes are one key") {
    std::vector<Account> accounts{{1, 10}, {2, *isorow::numeric::parse("2.005")}};
    CHECK(to_string(isorow::synchronise(connection, accounts)) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    accounts[0].number = *isorow::numeric::parse("1.00");
    CHECK(to_string(isorow::synchronise(connection, accounts)) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    accounts[1].balance = *isorow::numeric::parse("2.014");  // stored with two digits as 2.01, as 2.005 was
    CHECK(to_string(isorow::synchronise(connection, accounts)) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    accounts[1] = {3, 1};
    CHECK(to_string(isorow::synchronise(connection, accounts)) == "1 inserted, 0 updated, 1 deleted, 1 unchanged");
    accounts.push_back({*isorow::numeric::parse("3.0"), 1});
    CHECK_THROWS_MATCHES(isorow::synchronise(connection, accounts), isorow::duplicate_key, test::says("two declared rows"));
    CHECK(count("SELECT count(*) FROM accounts") == 2);
}

TEST_CASE_METHOD(shop, "a table whose columns are all its key is kept too") {
    CHECK(to_string(isorow::synchronise(connection, std::vector<Link>{{1, 2}, {2, 1}})) == "2 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(to_string(isorow::synchronise(connection, std::vector<Link>{{1, 2}, {3, 1}})) == "1 inserted, 0 updated, 1 deleted, 1 unchanged");
}

TEST_CASE_METHOD(shop, "the extension vector is created where a column needs it, and its index built") {
    std::vector<Embedded> rows{{1, {1, 0, 0}}, {2, {0, 1, 0}}};
    auto const report = isorow::synchronise(connection, rows);
    CHECK(report.ddl.front() == "CREATE EXTENSION IF NOT EXISTS \"vector\"");
    CHECK(to_string(isorow::synchronise(connection, rows)) == "0 inserted, 0 updated, 0 deleted, 2 unchanged");
    rows[0].embedding = {0, 0, 1};
    CHECK(to_string(isorow::synchronise(connection, rows)) == "0 inserted, 1 updated, 0 deleted, 1 unchanged");
    CHECK(
        count("SELECT count(*) FROM pg_indexes WHERE indexname = 'embedded_embedding_idx' AND indexdef LIKE '%hnsw%vector_cosine_ops%'") ==
        1);
}

TEST_CASE_METHOD(shop, "an extension in another schema is found whatever search_path says") {
    database.sql("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions");
    std::vector<Embedded> const rows{{1, {1, 0, 0}}};
    CHECK(to_string(isorow::synchronise(connection, rows)) == "1 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(to_string(isorow::synchronise(connection, rows)) == "0 inserted, 0 updated, 0 deleted, 1 unchanged");
}

TEST_CASE_METHOD(shop, "a role that may not create the extension is told what to ask for") {
    database.sql("CREATE ROLE app_" + database.name() + " LOGIN; GRANT CREATE ON SCHEMA public TO app_" + database.name() +
                 "; GRANT CREATE ON DATABASE " + database.name() + " TO app_" + database.name());
    database.sql("UPDATE pg_proc SET proname = proname WHERE false");
    {
        auto limited = test::connect(database.dsn("app_" + database.name()));
        // pgvector is trusted, so a role with CREATE on the database may; without it, it may not.
        isorow::install(limited);
        database.sql("REVOKE CREATE ON DATABASE " + database.name() + " FROM app_" + database.name());
        CHECK_THROWS_MATCHES(isorow::synchronise(limited, std::vector<Embedded>{{1, {1, 0, 0}}}), isorow::missing_privilege,
                             test::says("ask an administrator to run: CREATE EXTENSION IF NOT EXISTS \"vector\""));
    }
    database.sql("DROP OWNED BY app_" + database.name() + "; DROP ROLE app_" + database.name());
}

TEST_CASE_METHOD(shop, "a role that may not create schema isorow is told the SQL to ask for") {
    auto const role = "guest_" + database.name();
    database.sql("CREATE ROLE " + role + " LOGIN");
    {
        auto limited = test::connect(database.dsn(role));
        CHECK_THROWS_MATCHES(isorow::synchronise(limited, products()), isorow::missing_privilege,
                             test::says("CREATE TABLE isorow.targets"));
    }
    database.sql("DROP ROLE " + role);
}

TEST_CASE_METHOD(shop, "a table of another shape is refused with every difference, and nothing is written") {
    synchronised(products());
    isorow::execute_script(
        connection,
        "ALTER TABLE products ALTER price TYPE text, ADD colour text NOT NULL DEFAULT ''; ALTER TABLE products ALTER colour DROP "
        "DEFAULT",
        connection.default_limits());
    try {
        synchronised({});
        FAIL("the table was taken");
    } catch (isorow::mismatch const& failure) {
        CHECK(failure.differences() ==
              std::vector<isorow::difference>{{"Product.price", "price", "double precision",
                                               "text, which has no safe conversion to it: say .using_expression for the column, or change "
                                               "the table by hand"},
                                              {"Product", "colour", "a field for it, or a default", "NOT NULL without a default"}});
    }
    CHECK(count("SELECT count(*) FROM products") == 3);
}

TEST_CASE_METHOD(shop, "an error of the server in the middle leaves the table as it was, and the rows declared") {
    synchronised(products());
    isorow::execute(connection, "ALTER TABLE products ADD CHECK (price < 100)");
    isorow::target<Product> target(connection);
    target.declare({"x", "y", 5.0, {}});
    target.declare({"x", "z", 500.0, {}});
    CHECK_THROWS_AS(target.commit(), isorow::integrity_constraint_violation);
    CHECK(stored().size() == 3);
    CHECK(target.size() == 2);
    isorow::execute(connection, "ALTER TABLE products DROP CONSTRAINT products_price_check");
    CHECK(to_string(target.commit()) == "2 inserted, 0 updated, 3 deleted, 0 unchanged");
}

TEST_CASE_METHOD(shop, "a commit inside a transaction of the user's is rolled back with it") {
    {
        isorow::transaction outer(connection);
        synchronised(products());
        CHECK(stored().size() == 3);
    }
    CHECK(database.sql("SELECT to_regclass('public.products')").empty());
}

TEST_CASE_METHOD(shop, "several synchronisations in one transaction follow each other") {
    isorow::transaction outer(connection);
    synchronised(products());
    auto rows = products();
    rows.pop_back();
    rows[0].price = 3;
    CHECK(synchronised(rows) == "0 inserted, 1 updated, 1 deleted, 1 unchanged");
    rows[0].price = 4;
    rows.pop_back();
    CHECK(synchronised(rows) == "0 inserted, 1 updated, 1 deleted, 0 unchanged");
    outer.commit();
    CHECK(stored().size() == 1);
}

TEST_CASE_METHOD(shop, "two commits of one table at once follow each other") {
    synchronised({});
    std::vector<std::jthread> threads;
    std::atomic<int> failures{0};
    for (int writer = 0; writer < 4; ++writer) {
        threads.emplace_back([&, writer] {
            auto own = test::connect(database.dsn());
            for (int round = 0; round < 10; ++round) {
                std::vector<Product> rows;
                for (int i = 0; i < 50; ++i) rows.push_back({"writer " + std::to_string(writer), std::to_string(i), 1.0 * round, {}});
                try {
                    isorow::synchronise(own, rows);
                } catch (isorow::error const&) {
                    ++failures;
                }
            }
        });
    }
    threads.clear();
    CHECK(failures == 0);
    CHECK(stored().size() == 50);
    CHECK(count("SELECT count(DISTINCT category) FROM products") == 1);
}

TEST_CASE_METHOD(shop, "progress is told while a commit compares and writes") {
    std::vector<Link> links;
    for (int i = 0; i < 10'000; ++i) links.push_back({i, i});
    std::map<isorow::progress_phase, std::int64_t> last;
    isorow::target_options const options{.commit = {.progress = [&](isorow::progress const& now) { last[now.phase] = now.rows; }}};
    isorow::synchronise(connection, links, options);
    CHECK(last == std::map<isorow::progress_phase, std::int64_t>{{isorow::progress_phase::writing, 10'000}});
    isorow::synchronise(connection, links, options);
    CHECK(last[isorow::progress_phase::comparing] == 10'000);
}

TEST_CASE_METHOD(shop, "random declarations agree with a model, and each second run is a no-op") {
    std::mt19937 random(42);
    std::map<std::pair<std::string, std::string>, Product> model;
    int const rounds = std::getenv("ISOROW_LONG") != nullptr ? 1000 : 40;
    for (int round = 0; round < rounds; ++round) {
        std::map<std::pair<std::string, std::string>, Product> next;
        for (int i = 0, size = static_cast<int>(random() % 60); i < size; ++i) {
            Product row{"c" + std::to_string(random() % 4), "n" + std::to_string(random() % 20), {}, {}};
            if (random() % 3 != 0) row.price = static_cast<double>(random() % 3);
            for (auto tags = random() % 3; tags > 0; --tags) row.tags.push_back(std::string(random() % 3, 't'));
            next[{row.category, row.name}] = row;
        }
        isorow::report expected;
        for (auto const& [key, row] : next) {
            auto const old = model.find(key);
            ++(old == model.end() ? expected.inserted : old->second == row ? expected.unchanged : expected.updated);
        }
        for (auto const& [key, row] : model) expected.deleted += next.contains(key) ? 0 : 1;
        std::vector<Product> declared;
        for (auto const& [key, row] : next) declared.push_back(row);
        CAPTURE(round);
        CHECK(synchronised(declared) == to_string(expected));
        CHECK(stored() == declared);
        CHECK(synchronised(declared) == "0 inserted, 0 updated, 0 deleted, " + std::to_string(declared.size()) + " unchanged");
        model = std::move(next);
    }
}
