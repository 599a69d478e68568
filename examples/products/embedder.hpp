#pragma once

#include <isorow/types/vector_schema.hpp>

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Counts the letters of a text. It stands in for a model: its name says which one is loaded, and only then its dimension is known.
class Embedder {
public:
    explicit Embedder(std::string model) : model_(std::move(model)) {}

    /// What makes it a provider of the column's type.
    [[nodiscard]] isorow::vector_shape vector_schema() const { return {.size = model_ == "small" ? 8u : 26u}; }

    [[nodiscard]] std::vector<float> embed(std::string_view text) const {
        std::vector<float> embedding(vector_schema().size);
        for (unsigned char const character : text)
            if (std::isalpha(character) != 0) embedding[static_cast<std::size_t>(std::tolower(character)) % embedding.size()] += 1;
        return embedding;
    }

private:
    std::string model_;
};

/// A model whose dimension the compiler knows: it can be the annotation of a field.
struct SmallEmbedder {
    [[nodiscard]] static constexpr isorow::vector_shape vector_schema() { return {.size = 8}; }
};
