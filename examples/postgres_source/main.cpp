// A table of products with embeddings, kept equal to another table as that one changes. The source is a table of one database, named by the
// environment variable SOURCE_DATABASE_URL, the products are in the database of DATABASE_URL: here both are the same, and each side has a
// schema of its own.
//
//   postgres_source            follows the changelog that triggers on the source write
//   postgres_source --poll     looks every now and then what was modified: asks for no more than SELECT on the source

#include "../products/embedder.hpp"

#include <isorow/isorow.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using modified_time = std::chrono::local_time<std::chrono::microseconds>;

struct SourceProduct {
    std::string product_category;
    std::string product_name;
    std::string description;
    double price;
    std::int32_t amount;
    modified_time modified;

    static consteval auto isorow_table() {
        return isorow::table("source_products")
            .primary_key<&SourceProduct::product_category, &SourceProduct::product_name>()
            .column<&SourceProduct::modified>({.name = "modified_time"});
    }
};

struct OutputProduct {
    std::string product_category;
    std::string product_name;
    std::string full_description;
    double total_value;
    isorow::annotated<std::vector<float>, SmallEmbedder> embedding;

    static consteval auto isorow_table() {
        return isorow::table("output_products").primary_key<&OutputProduct::product_category, &OutputProduct::product_name>();
    }
};

isorow::context_key<Embedder const> const embedder_key{"embedder"};

/// What becomes of one row of the source: one product, whose embedding is made anew only when the row has changed.
struct to_product {
    isorow::table_target<OutputProduct> products;

    void operator()(isorow::scope here, SourceProduct const& row) const {
        auto const full_description = "Category: " + row.product_category + "\nName: " + row.product_name + "\n\n" + row.description;
        products.row(here, {row.product_category, row.product_name, full_description, row.price * row.amount,
                            here.use(embedder_key).embed(full_description)});
    }
};

/// `how`: `isorow::changelog` or `isorow::polling`. `name`: of the app, and of the schema of its table.
template <class How>
auto flow(isorow::source<SourceProduct> const& source, std::string const& name, How const& how) {
    return [&](isorow::scope root) {
        auto const products = root.target<OutputProduct>({.schema = name});
        root.mount_each("products", source, how, isorow::version{1}, to_product{products});
    };
}

/// Follows the source until the products are there as `announced`. Returns whether they are.
template <class How>
bool follow(isorow::pool& db, std::string const& name, How const& how, std::function<void()> const& change, std::string const& announced) {
    isorow::source<SourceProduct> const source{{.table = "source_products",
                                                .schema = "shop",
                                                .ordinal_column = "modified_time",
                                                .sql_filter = "amount > 0",
                                                .database_variable = "SOURCE_DATABASE_URL"}};
    Embedder const embedder{"small"};
    isorow::app app{isorow::register_db("main_db", db), name};
    app.provide(embedder_key, std::cref(embedder));
    std::stop_source stop;
    std::atomic<bool> has_begun = false;
    std::atomic<bool> is_as_announced = false;
    std::jthread const user([&] {
        auto const shown = [&] {
            return isorow::scalar<std::optional<std::string>>(
                       db, "select string_agg(product_name || ' ' || total_value, ', ' order by product_name) from " + name +
                               ".output_products")
                .value_or("nothing");
        };
        while (!has_begun && !stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (stop.stop_requested()) return;
        std::cout << "at first: " << shown() << '\n';
        change();
        for (int i = 0; i < 2000 && shown() != announced; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        std::cout << "and then: " << shown() << '\n';
        is_as_announced = shown() == announced;
        if (!is_as_announced) std::cout << "announced was: " << announced << '\n';
        stop.request_stop();
    });
    try {
        app.follow(flow(source, name, how), {.run = {.stop = stop.get_token()}, .on_commit = [&](isorow::report const& done) {
                                                 std::cout << done << '\n';
                                                 has_begun = true;
                                             }});
    } catch (...) {
        stop.request_stop();
        throw;
    }
    return is_as_announced;
}

int main(int count, char** arguments) {
    bool const polls = count > 1 && std::string_view(arguments[1]) == "--poll";
    if (std::getenv("SOURCE_DATABASE_URL") == nullptr) ::setenv("SOURCE_DATABASE_URL", std::getenv("DATABASE_URL"), 1);
    isorow::pool db{std::getenv("DATABASE_URL")};
    isorow::execute_script(
        *db.acquire(),
        "create schema if not exists postgres_source; create schema if not exists polling_source; create schema if not exists shop;"
        "create table if not exists shop.source_products (product_category text, product_name text, description text not "
        "null, price float8 not null, amount integer not null, modified_time timestamp not null default "
        "clock_timestamp(), primary key (product_category, product_name)); truncate shop.source_products;"
        "insert into shop.source_products values ('lamps', 'torch', 'shines in the dark', 5, 10), ('lamps', 'desk lamp', "
        "'shines on a desk', 20, 0), ('pens', 'ink', 'is blue', 2, 100)",
        isorow::limits::within(std::chrono::seconds(10)));
    auto const change = [&] {
        isorow::execute(db,
                        "update shop.source_products set amount = 3, modified_time = clock_timestamp() where product_name = 'desk lamp'");
        isorow::execute(db, "update shop.source_products set amount = 0, modified_time = clock_timestamp() where product_name = 'ink'");
    };
    std::string const announced = "desk lamp 60, torch 50";
    // Who follows by another mechanism is another consumer, and an app of its own.
    bool const is_right = polls
                              ? follow(db, "polling_source", isorow::polling{.interval = std::chrono::milliseconds(200)}, change, announced)
                              : follow(db, "postgres_source", isorow::changelog{.notification = {}}, change, announced);
    return is_right ? 0 : 1;
}
