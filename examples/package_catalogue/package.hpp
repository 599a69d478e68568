#pragma once

#include "embedder.hpp"

#include <isorow/schema.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// A Debian package: one row of the table.
struct Package {
    std::string name;
    std::string architecture;
    std::string version;
    std::string section;
    std::optional<std::int64_t> installed_kilobytes;
    std::optional<std::int64_t> download_bytes;
    std::vector<std::string> dependencies;
    std::string description;
    isorow::annotated<std::vector<float>, Embedder> embedding;  // the embedder knows the dimension: vector(256)

    // No index on the embedding: hnsw takes half a minute to build for all of Debian, and the exact search through all rows is done in some
    // 30 ms. `.index<&Package::embedding>(isorow::hnsw{.metric = isorow::cosine})` is what a larger table wants.
    static consteval auto isorow_table() {
        return isorow::table("packages").schema("isorow_demo").primary_key<&Package::name, &Package::architecture>();
    }
};
