/// @file
/// The code of docs/replication.md.

#include <catch2/catch_test_macros.hpp>

#include <replication/followed.hpp>
#include <support/page_check.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct Product {
    std::int64_t id = 0;
    std::string name{};
    std::optional<isorow::vector<384>> embedding{};

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

struct replication_page {
    test::database database{};
    std::string dsn = database.dsn();
    isorow::pool db{dsn};
    test::slot_guard guard{"shop_reader"};

    replication_page() {
        database.sql("CREATE EXTENSION vector; CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, embedding vector(384))");
    }
};

}  // namespace

TEST_CASE_METHOD(replication_page, "docs/replication.md: first the rows, then the changes") {
    database.sql("INSERT INTO products VALUES (1, 'lamp'), (2, 'desk'), (3, 'chair')");
    std::map<std::int64_t, std::string> copy;
    auto const deadline = isorow::limits::within(60s);

    isorow::create_publication<Product>(db, "shop", {.exists_ok = true});  // run by the table's owner, once
    isorow::new_slot slot = isorow::create_slot(db, "shop_reader");        // from here on the server keeps all changes
    {
        isorow::transaction moment{db, {.isolation = isorow::isolation::repeatable_read, .read_only = true}};
        slot.use_snapshot(moment);  // the table as it is where the slot begins
        for (Product const& row : isorow::source<Product>{moment}.rows()) copy[row.id] = row.name;
    }
    database.sql(
        "UPDATE products SET id = 10, name = 'oak desk' WHERE id = 2; DELETE FROM products WHERE id = 3; INSERT INTO products VALUES "
        "(4, 'bed')");

    isorow::changes<Product> stream{db, {.slot = "shop_reader", .publication = "shop"}};
    for (isorow::change<Product>& event : stream.until(deadline)) {
        using enum isorow::change_kind;
        if (event.kind == insert) copy[event.row.id] = event.row.name;
        if (event.kind == update) copy.erase(event.key());  // the key as it was
        if (event.kind == update) copy[event.row.id] = event.row.name;
        if (event.kind == remove) copy.erase(event.key());
        if (event.kind == truncate) copy.clear();
        if (event.kind != commit) continue;
        stream.confirm(event.transaction.end);  // it was dealt with: the server may forget it
        if (copy.contains(4)) break;
    }
    CHECK(copy == std::map<std::int64_t, std::string>{{1, "lamp"}, {4, "bed"}, {10, "oak desk"}});

    stream.close();
    isorow::drop_slot(db, "shop_reader");
    isorow::drop_publication(db, "shop");
}

TEST_CASE_METHOD(replication_page, "docs/replication.md: unchanged values, deadlines, going on") {
    isorow::create_publication<Product>(db, "shop");
    static_cast<void>(isorow::create_slot(db, "shop_reader"));
    isorow::changes<Product> stream{db, {.slot = "shop_reader", .publication = "shop"}};
    database.sql("INSERT INTO products SELECT 1, 'lamp', array_agg(i / 384.0)::vector(384) FROM generate_series(1, 384) i");
    database.sql("ALTER TABLE products ALTER COLUMN embedding SET STORAGE EXTERNAL");
    database.sql("INSERT INTO products VALUES (2, repeat('long ', 1000))");
    std::map<std::int64_t, Product> copy;
    bool running = true;
    bool broken = false;
    int rounds = 0;
    auto const apply = [&](isorow::change<Product>& event) {
        auto& mine = copy[event.row.id];
        if (event.is_unchanged<&Product::embedding>()) event.row.embedding = mine.embedding;  // as it was, which is not NULL
        mine = event.row;
    };
    while (running) {
        try {
            if (broken) stream.resume();  // on a new connection, from what was confirmed
            broken = false;
            isorow::change<Product>* const event = stream.next(std::chrono::seconds(1));
            if (event == nullptr) continue;  // nothing came within the second
            if (event->kind == isorow::change_kind::insert) apply(*event);
            if (event->kind == isorow::change_kind::commit) stream.confirm_delivered();
        } catch (isorow::error const& failure) {
            if (!failure.retryable()) throw;  // slot_lost, mismatch: going on will not help
            broken = true;
        }
        if (++rounds == 2) test::terminate(stream.slot()->process);
        running = copy.size() < 2;
    }
    CHECK(copy.at(1).embedding.has_value());
}

TEST_CASE_METHOD(replication_page, "docs/replication.md: exactly once into a database") {
    database.sql(
        "CREATE TABLE copied (id bigint PRIMARY KEY, name text NOT NULL); CREATE TABLE progress (place text NOT NULL); INSERT INTO "
        "progress VALUES ('0/0')");
    isorow::create_publication<Product>(db, "shop");
    static_cast<void>(isorow::create_slot(db, "shop_reader"));
    for (int round = 1; round <= 2; ++round) {
        database.sql("INSERT INTO products VALUES (" + std::to_string(round) + ", 'lamp')");

        auto const kept = isorow::lsn::parse(isorow::scalar<std::string>(db, "SELECT place FROM progress"));
        isorow::changes<Product> stream{db, {.slot = "shop_reader", .publication = "shop", .resume_from = kept}};
        isorow::connection own{dsn};
        for (bool ended = false; !ended;) {
            isorow::transaction both{own};  // what was applied, and how far that is
            isorow::execute(both, "SELECT FROM progress FOR UPDATE");
            while (auto* event = stream.next(60s)) {
                if (event->kind == isorow::change_kind::insert)
                    isorow::execute(both, "INSERT INTO copied VALUES ($1, $2)", event->row.id, event->row.name);
                if (event->kind != isorow::change_kind::commit) continue;
                isorow::execute(both, "UPDATE progress SET place = $1", event->transaction.end.to_string());
                break;
            }
            both.commit();
            if (round == 2) stream.confirm_delivered();
            ended = true;
        }
    }
    CHECK(database.sql("SELECT count(*) FROM copied") == "2");
}

TEST_CASE_METHOD(replication_page, "docs/replication.md: how a slot is doing") {
    isorow::create_publication<Product>(db, "shop");
    static_cast<void>(isorow::create_slot(db, "shop_reader"));
    std::vector<std::string> warnings;
    auto const warn = [&](std::string const& text) { warnings.push_back(text); };
    std::uint64_t const too_much = 0;

    if (auto const slot = isorow::find_slot(db, "shop_reader")) {
        if (slot->is_lost()) warn("snapshot again");
        if (slot->lag_bytes > too_much) warn("the reader is behind by " + std::to_string(*slot->lag_bytes) + " bytes of WAL");
        if (!slot->active) warn("nobody reads, and the server keeps " + std::to_string(slot->retained_bytes.value_or(0)) + " bytes");
    }
    CHECK_FALSE(warnings.empty());
}

TEST_CASE_METHOD(replication_page, "docs/replication.md: large transactions") {
    isorow::create_publication<Product>(db, "shop");
    static_cast<void>(isorow::create_slot(db, "shop_reader"));
    isorow::changes<Product> stream{db,
                                    {.slot = "shop_reader",
                                     .publication = "shop",
                                     .streaming = true,                          // while they are under way
                                     .memory = std::size_t{8} << 20,             // of all of them; the rest goes to a file
                                     .largest_spool = std::uint64_t{8} << 30}};  // of all files
    CHECK(stream.next(0s) == nullptr);
}

TEST_CASE("docs/replication.md: what stands there stands in tests") { test::check_page("replication.md", 25); }
