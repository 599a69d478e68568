#include "measure/measure.hpp"
#include "narrow.hpp"
#include "synchronise.hpp"

#include <isorow/app/app.hpp>

#include <iostream>
#include <stdexcept>

namespace {

constexpr std::int64_t components = 8;

std::int64_t run_components(isorow::database const& main, std::string const& table, std::int64_t count, std::int64_t state) {
    isorow::app app(main, "app of " + table);
    auto const done = app.run([&](isorow::scope root) {
        auto const rows = root.target<Narrow>({.table = table});
        for (std::int64_t one = 0; one < components; ++one)
            root.mount({"component", one}, [&](isorow::scope here) {
                Narrow row{};
                for (auto id = count * one / components; id < count * (one + 1) / components; ++id) {
                    set_row(row, id, state);
                    rows.row(here, row);
                }
            });
    });
    return done.inserted + done.updated + done.deleted;
}

/// What is told of a product by its source.
struct Source {
    std::int64_t id;
    std::string name;
};

struct Product {
    std::int64_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

/// Returns how often the components' function was called.
std::int64_t run_memoized(isorow::app& app, std::vector<Source> const& sources) {
    std::int64_t calls = 0;
    app.run([&](isorow::scope root) {
        auto const products = root.target<Product>();
        for (auto const& source : sources)
            root.mount({"product", source.id}, isorow::version{1}, source, [&calls, products](isorow::scope here, Source const& in) {
                ++calls;
                products.row(here, {in.id, in.name});
            });
    });
    return calls;
}

}  // namespace

Way scopes_way(isorow::pool& db) {
    auto const main = std::make_shared<isorow::database>(isorow::register_db("benchmark", db));
    return {"scopes", [](std::string const&) {},
            [main](std::string const& table, std::int64_t count, std::int64_t state) { return run_components(*main, table, count, state); },
            [main](std::string const& table) { isorow::app(*main, "app of " + table).remove({.commit = {.allow = isorow::destructive}}); }};
}

void measure_memoized(std::string const& dsn, std::int64_t inputs, int rounds, std::vector<Figure>& figures) {
    std::cerr << "measuring memoized components\n";
    std::vector<Source> sources;
    for (std::int64_t id = 0; id < inputs; ++id) sources.push_back({id, "name of " + std::to_string(1'000'000 + id)});
    isorow::pool db(dsn);
    auto const main = isorow::register_db("memoized", db);
    isorow::app app(main, "memoized");
    auto const started = wall_seconds();
    if (run_memoized(app, sources) != inputs) throw std::runtime_error("not all components were called");
    auto const first = wall_seconds() - started;
    std::vector<double> wall;
    std::vector<double> processor;
    std::int64_t calls = 0;
    for (int round = 0; round < rounds; ++round) {
        auto const processor_before = processor_seconds();
        auto const wall_before = wall_seconds();
        calls += run_memoized(app, sources);
        wall.push_back(wall_seconds() - wall_before);
        processor.push_back(processor_seconds() - processor_before);
    }
    auto const add = [&](std::string const& workload, std::string const& metric, double value, std::string const& unit) {
        figures.push_back({workload, "100k", "memoized", metric, value, unit});
    };
    add("first_run", "milliseconds", 1e3 * first, "ms");
    add("unchanged", "milliseconds", 1e3 * median(wall), "ms");
    add("unchanged", "client_cpu_ns_per_input", 1e9 * median(processor) / static_cast<double>(inputs), "ns");
    figures.push_back({"unchanged", "100k", "memoized", "calls", static_cast<double>(calls), "calls", exactly(0)});
    app.remove({.commit = {.allow = isorow::destructive}});
}
