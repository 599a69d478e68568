#pragma once

#include <isorow/isorow.hpp>

#include <cstdint>
#include <string>

struct Product {
    std::int64_t id;
    std::string name;
    isorow::vector<3> embedding;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

std::string ddl_as_the_other_file_sees_it();

/// What a service would do; linked, not run.
inline void use_every_floor(isorow::pool& db, Product const& product) {
    isorow::target<Product> target(db);
    target.declare(product);
    static_cast<void>(target.commit());
    for (Product const& row : isorow::source<Product>(db).rows()) static_cast<void>(row);
    static_cast<void>(isorow::query<Product>(db, "select * from products where id = $1", product.id));
}
