/// @file
/// The code that docs/client.md shows, and what keeps that page true: each line of code on it stands in a test or an example, and each test
/// that it names is there.

#include <catch2/catch_test_macros.hpp>

#include <isorow/asio.hpp>
#include <isorow/isorow.hpp>
#include <isorow/pq/capabilities.hpp>
#include <isorow/pq/listener.hpp>
#include <isorow/query/copy_data.hpp>
#include <isorow/query/notify.hpp>
#include <isorow/query/stack.hpp>
#include <isorow/query/statement.hpp>
#include <isorow/query/upsert.hpp>
#include <support/connect.hpp>
#include <support/fault_proxy.hpp>
#include <support/matchers.hpp>
#include <support/page_check.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <syncstream>
#include <tuple>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct Product {
    std::int32_t id;
    std::string name;
    std::optional<double> price;

    static constexpr auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

struct Filter {
    std::string name;
    double below;
};

/// Says what takes long.
struct slow_statements final : isorow::observer {
    void on_query(isorow::operation_event const& event) override {
        if (event.duration > 100ms) std::osyncstream(std::clog) << event.name << " took long: " << event.sql << '\n';
    }
    void on_pool(isorow::pool_event const& event) override {
        if (event.what == isorow::pool_event::kind::timed_out) std::osyncstream(std::clog) << event.error << '\n';
    }
};

/// A shop's database.
struct shop {
    test::database database;
    std::string dsn = database.dsn();
    isorow::pool db{dsn, {.min_size = 1}};

    shop() {
        database.sql(
            "create table products (id int primary key, name text not null, price double precision);"
            "create table sales (id int generated always as identity, product int not null, pieces int not null);"
            "insert into products values (1, 'pen', 1.5), (2, 'ink', 2.5), (3, 'pad', null)");
    }
};

}  // namespace

TEST_CASE_METHOD(shop, "docs/client.md: connecting") {
    isorow::connection connection{dsn, {.timeout = 30s}};
    auto const greeting = isorow::scalar<std::string>(connection, "select %s || ' world'", "hello");
    CHECK(greeting == "hello world");
}

TEST_CASE("docs/client.md: a pool with parameters by name") {
    auto const said = isorow::detail::parse_conninfo(test::dsn());
    auto const host = said.get("host");
    auto const port = said.get("port");
    isorow::connection_parameters where{.host = host, .port = port, .user = "postgres", .dbname = "postgres"};
    where.connect_timeout = 10s;
    where.application_name = "shop";
    isorow::pool db{where, {.min_size = 2, .max_size = 20, .timeout = 60s, .max_lifetime = 1h, .max_idle = 10min}};
    isorow::execute(db, "select 1");  // on a connection that is lent for this call
    {
        auto const lease = db.acquire();  // lent until the end of the block
        isorow::execute(*lease, "select 1");
    }
    auto const numbers = db.statistics();
    CHECK(numbers.requests_num == 2);
    CHECK(numbers.pool_min == 2);
}

TEST_CASE_METHOD(shop, "docs/client.md: queries, in each parameter style") {
    auto const cheap = isorow::query<Product>(db, "select * from products where price < $1 order by id", 2.0);
    auto const pen = isorow::query_one<Product>(db, "select * from products where name = %s", "pen");
    auto const inks = isorow::query<Product>(db, "select * from products where name = %(name)s and price < %(below)s", Filter{"ink", 3.0});
    auto const pad = isorow::query_optional<Product>(db, "select * from products where id = :id", isorow::arg("id", 3));
    auto const pairs = isorow::query<std::tuple<std::int32_t, std::string>>(db, "select id, name from products");
    auto const changed = isorow::execute(isorow::within(db, 5s), "update products set price = 2 where price is null");
    CHECK(cheap.size() == 1);
    CHECK(pen.id == 1);
    CHECK(inks.size() == 1);
    CHECK(pad->name == "pad");
    CHECK(pairs.size() == 3);
    CHECK(changed == 1);
    double sum = 0;
    for (Product const& product : isorow::stream<Product>(db, "select * from products")) sum += product.price.value_or(0);
    CHECK(sum == 6.0);
}

TEST_CASE_METHOD(shop, "docs/client.md: a statement") {
    static isorow::statement<Product(double)> const cheaper_than{"select * from products where price < $1 order by id"};
    cheaper_than.check(db);  // at the start of the program: all columns that do not fit are told
    auto const cheapest = cheaper_than.first(db, 10.0);
    CHECK(cheapest->name == "pen");
}

TEST_CASE_METHOD(shop, "docs/client.md: a stack and a batch") {
    isorow::stack work;
    auto const sold = work.execute("insert into sales (product, pieces) values (%s, %s)", 1, 12);
    auto const names = work.query<std::string>("select name from products where id = %s", 1);
    auto const done = work.run(db);
    CHECK(done[sold] == 1);
    CHECK(done[names].front() == "pen");
    std::vector<std::tuple<std::int32_t, std::int32_t>> const sales{{1, 3}, {2, 5}};
    auto const ids = isorow::query_many<std::int32_t>(db, "insert into sales (product, pieces) values (%s, %s) returning id", sales);
    CHECK(ids == std::vector<std::int32_t>{2, 3});
}

TEST_CASE_METHOD(shop, "docs/client.md: a stack that goes on") {
    isorow::stack work;
    auto const first = work.execute("insert into products values (4, 'cap')");
    auto const again = work.execute("insert into products values (4, 'cap')");
    auto const done = work.run(db, isorow::on_error::go_on);
    CHECK(done.outcome(first) == isorow::outcome::done);
    CHECK(done.outcome(again) == isorow::outcome::failed);
}

TEST_CASE_METHOD(shop, "docs/client.md: transactions") {
    isorow::transaction booking(db, {.isolation = isorow::isolation::repeatable_read});
    isorow::execute(booking, "insert into sales (product, pieces) values (1, 1)");
    {
        isorow::transaction attempt(booking.connection());  // a savepoint
        isorow::execute(attempt, "insert into sales (product, pieces) values (2, 1)");
    }  // not committed: rolled back
    booking.commit();
    CHECK(database.sql("select count(*) from sales") == "1");
}

TEST_CASE_METHOD(shop, "docs/client.md: a session") {
    isorow::session session(db);
    session.begin();
    isorow::execute(session, "set transaction isolation level serializable");
    isorow::execute(session, "update products set price = price * 1.1");
    session.commit();
    CHECK(database.sql("select price from products where id = 1") == "1.6500000000000001");
}

TEST_CASE_METHOD(shop, "docs/client.md: transact") {
    auto const sell = [](isorow::transaction& open) {
        isorow::execute(open, "insert into sales (product, pieces) values (1, 1)");
        return isorow::scalar<std::int64_t>(open, "select count(*) from sales");
    };
    isorow::retry_options const five_times{.transaction = {.isolation = isorow::isolation::serializable}, .attempts = 5};
    auto const sales = isorow::transact(db, sell, five_times);
    CHECK(sales == 1);
}

TEST_CASE_METHOD(shop, "docs/client.md: COPY") {
    isorow::data_writer lines{db, {"products", {"id", "name"}}};
    lines.write("4\tcap\n");
    CHECK(lines.finish() == 1);
    isorow::copy_writer<Product> rows(db, "public", "products");
    rows.write({5, "box", 4.0});
    CHECK(rows.finish() == 1);
    std::vector<Product> const products{{1, "pen", 1.5}, {2, "ink", 2.0}, {6, "cup", {}}};
    auto const [inserted, updated, unchanged] = isorow::upsert(db, products);
    CHECK(inserted == 1);
    CHECK(updated == 1);
    CHECK(unchanged == 1);
    isorow::data_reader table{db, {"products"}, {.format = isorow::data_format::csv}};
    std::int64_t bytes = 0;
    while (auto const line = table.next()) bytes += static_cast<std::int64_t>(line->size());
    CHECK(bytes > 0);
}

TEST_CASE_METHOD(shop, "docs/client.md: a listener", "[session]") {
    isorow::listener listener(db, {"prices"});
    isorow::notify(db, "prices", "7");
    std::string heard;
    while (auto const event = listener.next(100ms)) {
        if (event->gap) heard += "look at the table itself";  // the connection was lost for a while
        else heard += event->received.payload;
    }
    CHECK(heard == "7");
}

TEST_CASE_METHOD(shop, "docs/client.md: asynchronously") {
    asio::io_context context;
    auto const work = [&]() -> asio::awaitable<std::int64_t> {
        auto const executor = co_await asio::this_coro::executor;
        auto const cheap = co_await isorow::async_query<Product>(executor, db, "select * from products where price < $1", std::tuple(2.0),
                                                                 asio::use_awaitable);
        co_return co_await isorow::async_run(
            executor,
            [&] {  // any of isorow's calls: where they would block, this operation is suspended
                isorow::transaction booking(db);
                for (auto const& product : cheap)
                    isorow::execute(booking, "insert into sales (product, pieces) values ($1, 1)", product.id);
                booking.commit();
                return isorow::scalar<std::int64_t>(db, "select count(*) from sales");
            },
            asio::use_awaitable);
    };
    auto sold = asio::co_spawn(context, work(), asio::use_future);
    context.run();
    CHECK(sold.get() == 1);
}

TEST_CASE_METHOD(shop, "docs/client.md: an observer") {
    isorow::pool watched{dsn, {.min_size = 1, .connection = {.observer = std::make_shared<slow_statements>()}}};
    CHECK(isorow::execute(watched, "select 1") == 1);
}

TEST_CASE_METHOD(shop, "docs/client.md: capabilities") {
    auto const lease = db.acquire();
    auto const found = isorow::capabilities_of(*lease, lease->default_limits());
    found->require(&isorow::capabilities::transaction_status, "pg_xact_status");
    CHECK(found->engine.starts_with("PostgreSQL"));
}

TEST_CASE_METHOD(shop, "docs/client.md: behind PgBouncer in transaction mode") {
    isorow::pool pooled{dsn, {.min_size = 1, .connection = {.pooler = isorow::pooler::transaction}}};
    CHECK_THROWS_AS(isorow::execute(pooled, "listen prices"), isorow::unsupported);
    CHECK(isorow::scalar<std::int32_t>(pooled, "select 1") == 1);
}

TEST_CASE_METHOD(shop, "docs/client.md: a COMMIT that is cancelled tells what has become of it, as one does whose answer is lost") {
    test::fault_proxy far(dsn);
    far.always({.delay = 50ms});
    for (auto const moment : {60ms, 90ms, 120ms, 150ms, 180ms, 210ms, 240ms}) {
        database.sql("truncate sales");
        isorow::connection connection(far.dsn());
        asio::io_context context;
        asio::cancellation_signal signal;
        asio::steady_timer timer(context);
        std::string told;
        isorow::async_run(
            context.get_executor(),
            [&] {
                isorow::transaction booking(connection);
                isorow::execute(booking, "insert into sales (product, pieces) values (1, 1)");
                timer.expires_after(moment);
                timer.async_wait([&](boost::system::error_code const& ended) {
                    if (!ended) signal.emit(asio::cancellation_type::total);
                });
                booking.commit();
                return true;
            },
            asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr failure, bool) {
                timer.cancel();
                try {
                    if (failure) std::rethrow_exception(failure);
                    told = "1";
                } catch (isorow::commit_unknown const&) {
                    told = "unknown";
                } catch (isorow::error const&) {
                    told = "0";
                }
            }));
        context.run();
        connection.close();
        // What was sent before is done with when nobody holds the table's lock any more.
        database.sql("begin; lock table sales; commit");
        INFO(moment.count());
        CHECK((told == "unknown" || told == database.sql("select count(*) from sales")));
    }
}

TEST_CASE("docs/client.md shows no line of code that is not compiled, and names no test that is not there") {
    test::check_page("client.md", 150);
}
