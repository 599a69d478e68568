#pragma once

/// @file
/// What the tests of apps share: a database of its own with an app, and runs over a few products.

#include <isorow/app/app.hpp>
#include <support/matchers.hpp>
#include <support/server.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

struct Product {
    std::int64_t id;
    std::string name;
    std::optional<double> price;

    friend bool operator==(Product const&, Product const&) = default;
    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

/// A row of what products are made of.
struct Source {
    std::int64_t id;
    std::string name;
};

struct app_house {
    test::database home{};
    isorow::pool pool{home.dsn(), {.min_size = 2, .connection = {.timeout = std::chrono::seconds(120)}}};
    isorow::database main = isorow::register_db(home.name(), pool);
    isorow::app app{main, "catalogue"};
    std::vector<Source> sources{{1, "torch"}, {2, "lamp"}, {3, "bulb"}};
    std::vector<std::int64_t> ran{};  ///< whose function was called; of runs with one thread

    /// Each source is a memoized component that declares one product.
    auto products(std::int64_t version = 1) {
        return [this, version](isorow::scope root) {
            auto const table = root.target<Product>();
            for (auto const& source : sources)
                root.mount({"product", source.id}, isorow::version{version}, source, [this, table](isorow::scope here, Source const& in) {
                    ran.push_back(in.id);
                    table.row(here, {in.id, in.name, 1.0});
                });
        };
    }
    isorow::report run(isorow::run_options const& options = {}) {
        ran.clear();
        return app.run(products(), options);
    }

    [[nodiscard]] std::string stored() const {
        return home.sql("SELECT coalesce(string_agg(id || '=' || name, ' ' ORDER BY id), '') FROM products");
    }
    [[nodiscard]] std::string owners() const {
        return home.sql(
            "SELECT string_agg(CASE path WHEN '' THEN '/' ELSE path END || CASE WHEN fingerprint IS NULL THEN '' ELSE '!' END, ' ' ORDER "
            "BY "
            "path COLLATE \"C\") FROM isorow.owners WHERE app = (SELECT id FROM isorow.apps WHERE name = 'catalogue')");
    }
};

[[nodiscard]] inline std::string rows(isorow::report const& done) { return to_string(static_cast<isorow::row_counts const&>(done)); }

[[nodiscard]] inline std::string components(isorow::report const& done) {
    auto const& all = done.components;
    return isorow::text("{} ran, {} unchanged, {} kept, {} removed, {} failed", all.ran, all.unchanged, all.kept, all.removed, all.failed);
}

}  // namespace test
