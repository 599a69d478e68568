#pragma once

/// @file
/// The smallest source whose rows are something else in a target: products, and their labels.

#include <isorow/schema.hpp>

#include <cstdint>
#include <string>

namespace test::labelled {

struct SourceProduct {
    std::int64_t id;
    std::string name;
    std::int32_t amount;

    static consteval auto isorow_table() { return isorow::table("source_products").primary_key<&SourceProduct::id>(); }
};

struct Product {
    std::int64_t id;
    std::string label;

    static consteval auto isorow_table() { return isorow::table("products").primary_key<&Product::id>(); }
};

[[nodiscard]] inline Product to_product(SourceProduct const& row) { return {row.id, row.name + " x " + std::to_string(row.amount)}; }

}  // namespace test::labelled
