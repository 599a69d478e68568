#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/matchers.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using isorow::references;

namespace {

struct Customer {
    std::int64_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("customers").primary_key<&Customer::id>(); }
};

struct Order {
    std::int64_t id;
    std::int64_t customer;
    std::optional<std::int64_t> previous;

    static consteval auto isorow_table() {
        return isorow::table("orders")
            .primary_key<&Order::id>()
            .foreign_key<&Order::customer>(references<&Customer::id>())
            .foreign_key<&Order::previous>(references<&Order::id>());
    }
};

/// The same table with another action, and without one of the foreign keys.
struct CascadingOrder {
    std::int64_t id;
    std::int64_t customer;
    std::optional<std::int64_t> previous;

    static consteval auto isorow_table() {
        return isorow::table("orders").primary_key<&CascadingOrder::id>().foreign_key<&CascadingOrder::customer>(
            references<&Customer::id>({.on_delete = isorow::cascade}));
    }
};

/// The same table with no foreign key.
struct FreeOrder {
    std::int64_t id;
    std::int64_t customer;
    std::optional<std::int64_t> previous;

    static consteval auto isorow_table() { return isorow::table("orders").primary_key<&FreeOrder::id>(); }
};

/// Customers and orders whose keys are made of other columns: the customers' name is unique besides.
struct NamedCustomer {
    std::int64_t id;
    std::string name;

    static consteval auto isorow_table() {
        return isorow::table("customers").primary_key<&NamedCustomer::name>().unique<&NamedCustomer::id>();
    }
};

struct shop {
    test::database database;
    isorow::pool pool{database.dsn(), {.connection = {.timeout = std::chrono::seconds(120)}}};
    isorow::database home = isorow::register_db(database.name(), pool);
    isorow::app app{home, "shop"};

    /// A run that declares the orders' table before the customers', and rows of both.
    template <class T = Order>
    isorow::report run(std::vector<T> const& orders, std::vector<Customer> const& customers, isorow::run_options const& options = {}) {
        return app.run(
            [&](isorow::scope root) {
                auto const of_orders = root.target<T>();
                auto const of_customers = root.target<Customer>();
                of_orders.rows(root, orders);
                of_customers.rows(root, customers);
            },
            options);
    }
    std::string sql(std::string const& statement) const { return database.sql(statement); }
    [[nodiscard]] std::string keys() const {
        return sql(
            "SELECT coalesce(string_agg(conname || ' ' || pg_get_constraintdef(oid), ', ' ORDER BY conname), '') FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = 'public'::regnamespace");
    }
};

isorow::run_options destructive() {
    isorow::run_options options;
    options.commit.allow = isorow::destructive;
    return options;
}

constexpr auto both_keys =
    "orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers(id) DEFERRABLE, orders_previous_fkey FOREIGN KEY (previous) "
    "REFERENCES orders(id) DEFERRABLE";

std::vector<Customer> const customers{{1, "Ada"}, {2, "Bob"}};
std::vector<Order> const orders{{10, 1, {}}, {11, 2, 12}, {12, 2, 10}};

}  // namespace

TEST_CASE_METHOD(shop, "foreign keys are made in the run that makes the tables, in whatever order these are declared") {
    CHECK(to_string(run(orders, customers)) == "5 inserted, 0 updated, 0 deleted, 0 unchanged");
    CHECK(keys() == both_keys);
    auto const done = run(orders, customers);
    CHECK(done.unchanged == 5);
    CHECK(done.ddl.empty());
}

TEST_CASE_METHOD(shop, "rows move from one reference to another in one commit, whatever is deleted before") {
    run(orders, customers);
    CHECK(to_string(run({{10, 3, {}}, {12, 3, 10}, {13, 3, 12}}, {{3, "Eve"}})) == "2 inserted, 2 updated, 3 deleted, 0 unchanged");
    CHECK(sql("SELECT string_agg(id || ' ' || customer, ', ' ORDER BY id) FROM orders") == "10 3, 12 3, 13 3");
}

TEST_CASE_METHOD(shop, "a row that refers to none is an error that names table and constraint, and nothing is changed") {
    run(orders, customers);
    auto const refused = [&](std::vector<Order> const& wrong, std::string const& constraint) {
        try {
            run(wrong, customers);
            FAIL("the row was taken");
        } catch (isorow::server_error const& failure) {
            CHECK(failure.table() == "orders");
            CHECK(failure.constraint() == constraint);
            CHECK(std::string(failure.what()).find("orders") != std::string::npos);
        }
    };
    refused({{10, 7, {}}}, "orders_customer_fkey");
    refused({{10, 1, 99}}, "orders_previous_fkey");
    CHECK(sql("SELECT count(*) FROM orders") == "3");
}

TEST_CASE_METHOD(shop, "a foreign key that rows violate which are there is an error that names it, and nothing is changed") {
    run(std::vector<FreeOrder>{{10, 7, {}}}, customers);
    try {
        run(std::vector<Order>{{10, 7, {}}}, customers);
        FAIL("the constraint was made");
    } catch (isorow::server_error const& failure) {
        CHECK(failure.table() == "orders");
        CHECK(failure.constraint() == "orders_customer_fkey");
    }
    CHECK(keys().empty());
}

TEST_CASE_METHOD(shop, "foreign keys are added, changed and taken away; those of the user's stay") {
    std::vector<FreeOrder> const free{{10, 1, {}}};
    std::vector<CascadingOrder> const cascading{{10, 1, {}}};
    std::vector<Order> const bound{{10, 1, {}}};
    run(free, customers);
    CHECK(keys().empty());
    run(bound, customers);
    CHECK(keys() == both_keys);
    run(cascading, customers);
    CHECK(keys() == "orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers(id) ON DELETE CASCADE DEFERRABLE");
    sql("ALTER TABLE orders ADD CONSTRAINT mine FOREIGN KEY (previous) REFERENCES orders");
    run(free, customers);
    CHECK(keys() == "mine FOREIGN KEY (previous) REFERENCES orders(id)");
    CHECK(run(free, customers).ddl.empty());
}

TEST_CASE_METHOD(shop, "what refers to a table whose key changes is parted from it until it has the new one") {
    run(orders, customers);
    auto const with_names = [&](isorow::scope root) {
        auto const of_orders = root.target<Order>();
        auto const of_customers = root.target<NamedCustomer>();
        of_orders.rows(root, orders);
        of_customers.rows(root, std::vector<NamedCustomer>{{1, "Ada"}, {2, "Bob"}});
    };
    auto const done = app.run(with_names, destructive());
    CHECK(keys() == both_keys);
    CHECK(sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'customers_pkey'") == "PRIMARY KEY (name)");
    CHECK(app.run(with_names).ddl.empty());
}

TEST_CASE_METHOD(shop, "tables that refer to each other are dropped, those that are referred to last") {
    run(orders, customers);
    auto const done = app.run([](isorow::scope) {}, destructive());
    CHECK(done.postponed.empty());
    CHECK(sql("SELECT coalesce(to_regclass('orders')::text, '') || coalesce(to_regclass('customers')::text, '')").empty());
}

TEST_CASE_METHOD(shop, "a table is dropped once what referred to it refers to it no longer") {
    run(orders, customers);
    auto const done =
        app.run([](isorow::scope root) { root.target<FreeOrder>().rows(root, std::vector<FreeOrder>{{10, 1, {}}}); }, destructive());
    CHECK(done.postponed.empty());
    CHECK(keys().empty());
    CHECK(sql("SELECT coalesce(to_regclass('customers')::text, '')").empty());
}

TEST_CASE_METHOD(shop, "a foreign key of a table of the user's is held against what it refers to, not its name") {
    isorow::connection other = test::connect(database.dsn());
    sql("CREATE TABLE customers (id bigint PRIMARY KEY, name text NOT NULL);"
        "CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL REFERENCES customers ON DELETE CASCADE, previous bigint "
        "CONSTRAINT follows REFERENCES orders)");
    isorow::target_options const managed{.managed_by = isorow::managed_by::user};
    CHECK_THROWS_MATCHES(isorow::synchronise(other, std::vector<Order>{}, managed), isorow::mismatch,
                         test::says("column \"orders_customer_fkey\": expected FOREIGN KEY (\"customer\") REFERENCES "
                                    "\"public\".\"customers\" (\"id\") DEFERRABLE, found FOREIGN KEY (customer) REFERENCES "
                                    "public.customers (id) ON DELETE CASCADE"));
    sql("ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey, ADD FOREIGN KEY (customer) REFERENCES customers");
    CHECK(isorow::synchronise(other, std::vector<Order>{}, managed).ddl.empty());
}
