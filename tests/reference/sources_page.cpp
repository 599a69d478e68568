/// @file
/// The code of docs/sources.md.

#include <catch2/catch_test_macros.hpp>

#include <isorow/isorow.hpp>
#include <support/connect.hpp>
#include <support/page_check.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

struct SourceProduct {
    std::string product_category;
    std::string product_name;
    double price = 0;
    double amount = 0;

    static consteval auto isorow_table() {
        return isorow::table("source_products").primary_key<&SourceProduct::product_category, &SourceProduct::product_name>();
    }
};

struct ProductKey {
    std::string product_category;
    std::string product_name;
};
struct ProductAmount {
    double amount;
};

struct ProductView {
    std::string_view product_category;  // text
    std::string_view product_name;
    std::optional<std::span<std::byte const>> picture;  // bytea
    double amount = 0;
};

struct source_page {
    test::database database;
    std::string dsn = database.dsn();
    isorow::pool db{dsn};

    source_page() {
        database.sql(
            "CREATE TABLE source_products (product_category text, product_name text, price float8 NOT NULL, amount float8 NOT NULL, "
            "picture bytea, PRIMARY "
            "KEY (product_category, product_name)); INSERT INTO source_products VALUES ('lamps', 'torch', 10, 2), ('lamps', 'candle', 1, "
            "0), "
            "('desks', 'oak', 400, 1)");
    }
};

}  // namespace

TEST_CASE_METHOD(source_page, "docs/sources.md: rows as structs, and without a struct") {
    double total = 0;
    isorow::source<SourceProduct> const products{db, {.table = "source_products"}};
    for (SourceProduct const& row : products.rows()) total += row.amount;
    auto const names = products.fetch_all([](SourceProduct&& row) { return row.product_name; });  // each row through a function
    CHECK(total == 3);
    CHECK(names.size() == 3);

    std::vector<double> prices;
    isorow::source<isorow::dynamic_row> const rows{db, {.table = "source_products"}};
    for (isorow::dynamic_row const& row : rows.rows()) prices.push_back(row["price"].as<double>());
    auto const marked_up = rows.fetch_all([](isorow::dynamic_row const& row) { return row["price"].as<double>() * 1.1; });
    CHECK(prices.size() == 3);
    CHECK(marked_up.size() == 3);
}

TEST_CASE_METHOD(source_page, "docs/sources.md: which rows, which columns") {
    std::string const category = "lamps";
    isorow::source<SourceProduct> const some{db,
                                             {.table = "source_products",
                                              .included_columns = {"amount"},  // beside those of the primary key
                                              .sql_filter = "amount > 0",      // SQL as it stands: it must be trusted
                                              .filter = isorow::where<&SourceProduct::product_category>() == category}};
    auto const rows = some.fetch_all();
    REQUIRE(rows.size() == 1);
    CHECK(rows.front().product_name == "torch");
    CHECK(rows.front().price == 0);
}

TEST_CASE_METHOD(source_page, "docs/sources.md: key and value, chunks, one moment") {
    isorow::source<SourceProduct> const products{db, {.table = "source_products"}};
    std::map<std::tuple<std::string, std::string>, double> by_key;
    for (auto const& [key, value] : products.keyed_rows()) by_key.emplace(key, std::get<0>(value));
    CHECK(by_key.at({"desks", "oak"}) == 400);
    auto parts = products.keyed_rows<ProductKey, ProductAmount>();
    double amounts = 0;
    for (auto const& [key, value] : parts) amounts += key.product_category == "lamps" ? value.amount : 0;
    CHECK(amounts == 2);

    std::vector<std::string> embedded;
    auto const embed = [&](SourceProduct& row) { embedded.push_back(std::move(row.product_name)); };
    for (SourceProduct& row : products.rows_in_chunks(500)) embed(row);
    CHECK(embedded == std::vector<std::string>{"oak", "candle", "torch"});

    isorow::connection connection{dsn};
    isorow::transaction one_moment{connection, {.isolation = isorow::isolation::repeatable_read, .read_only = true}};
    isorow::source<SourceProduct> const here{one_moment, {.table = "source_products"}};
    CHECK(here.fetch_all().size() == 3);
    database.sql("DELETE FROM source_products");
    CHECK(here.fetch_all().size() == 3);
}

TEST_CASE_METHOD(source_page, "docs/sources.md: batches, by several connections too") {
    std::size_t letters = 0;
    isorow::source<ProductView> const views{db, {.table = "source_products"}};
    for (auto const& batch : views.batches({.rows = 1000}))  // ranges of at most 1000 rows, and about 256 KiB
        for (ProductView const& row : batch) letters += row.product_name.size();
    CHECK(letters == 14);

    std::atomic<std::size_t> indexed{0};
    auto const index = [&](isorow::row_batch<ProductView> const& batch) {
        for (auto const& row : batch) indexed += row.product_name.size();
    };
    {
        std::vector<std::jthread> workers;
        for (auto& batch : views.batches()) workers.emplace_back([&index, batch = std::move(batch)] { index(batch); });
    }
    CHECK(indexed == 14);

    double amount = 0;
    for (auto const& batch : views.batches({.connections = 4}))
        for (ProductView const& row : batch) amount += row.amount;
    CHECK(amount == 3);
}

TEST_CASE_METHOD(source_page, "docs/sources.md: which database") {
    ::setenv("SOURCE_DATABASE_URL", dsn.c_str(), 1);
    isorow::source<SourceProduct> const configured{{.table = "source_products", .database_variable = "SOURCE_DATABASE_URL"}};
    ::unsetenv("SOURCE_DATABASE_URL");
    CHECK(configured.fetch_all().size() == 3);
}

TEST_CASE("docs/sources.md: what stands there stands in tests") { test::check_page("sources.md", 25); }
