// The table of products as a function of a list: what is declared is inserted, updated or deleted, what is as it was is left alone.
// DATABASE_URL says where; the table lives in a schema of its own.

#include "embedder.hpp"

#include <isorow/isorow.hpp>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

struct OutputProduct {
    std::string category;
    std::string name;
    std::string description;
    std::vector<float> embedding;
};

struct SourceProduct {
    std::string category;
    std::string name;
    std::string description;
};

using Catalogue = std::vector<SourceProduct>;

isorow::context_key<Embedder const> const embedder_key{"embedder"};
isorow::context_key<Catalogue const> const catalogue_key{"catalogue"};

void app_main(isorow::scope scope) {
    auto const& embedder = scope.use(embedder_key);

    // Declare the table. The embedder is what says the vector's dimension.
    auto const schema = isorow::table_schema::of<OutputProduct>({
        .primary_key = {"category", "name"},
        .column_overrides = {{"embedding", embedder}},
    });
    auto const declare_table = [&](isorow::scope here) { return here.declare_target(schema, {.table = "products", .schema = "shop"}); };
    auto const table = scope.run({"setup", "table"}, declare_table).resolve();

    // Declare the rows. A component is called again only if its product, or the version, is another one than in the last run.
    for (auto const& product : scope.use(catalogue_key))
        scope.mount({"row", product.category, product.name}, isorow::version{1}, product, [&](isorow::scope here, SourceProduct const& in) {
            table.row(here, OutputProduct{in.category, in.name, in.description, embedder.embed(in.description)});
        });
}

void expect(isorow::report const& done, std::string const& announced) {
    std::cout << done << '\n';
    if (to_string(done) != announced) throw std::runtime_error("announced was: " + announced);
}

int main() {
    // The lifespan: what the app uses is made before it and outlives it, and the database is unregistered at the end of the block.
    isorow::pool pool{std::getenv("DATABASE_URL")};
    isorow::execute(pool, "create schema if not exists shop");
    Embedder const embedder{"small"};
    Catalogue products{{"lamps", "torch", "shines in the dark"}, {"lamps", "desk lamp", "shines on a desk"}, {"pens", "ink", "is blue"}};

    isorow::app app{isorow::register_db("main_db", pool), "products"};
    app.provide(embedder_key, std::cref(embedder));
    app.provide(catalogue_key, std::cref(products));
    isorow::run_options const all{.commit = {.allow = isorow::destructive}};
    app.remove(all);  // what an earlier start of this example has left, if it did not come to its end

    expect(app.run(app_main), "3 inserted, 0 updated, 0 deleted, 0 unchanged");
    expect(app.run(app_main), "0 inserted, 0 updated, 0 deleted, 3 unchanged");
    products[0].description = "shines in the night";
    products.pop_back();
    expect(app.run(app_main), "0 inserted, 1 updated, 1 deleted, 1 unchanged");
    for (auto const& statement : app.remove(all).ddl) std::cout << statement << '\n';
}
