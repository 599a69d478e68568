#pragma once

#include <isorow/isorow.hpp>

#include <cstdint>
#include <string>

struct Product {
    std::int64_t id;
    std::string name;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

isorow::report keep(isorow::pool& db, std::vector<Product> const& products);
