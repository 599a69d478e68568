#pragma once

#include <isorow/types/vector_schema.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Embeds text by feature hashing: each word and each group of four letters adds to one of 256 dimensions, and the sum is brought to length
/// 1. Texts that share words are near each other. It stands in for a model, which would know that "picture" is near "image" as well.
class Embedder {
public:
    static constexpr std::size_t dimensions = 256;

    /// What makes it a provider of the column's type.
    [[nodiscard]] static constexpr isorow::vector_shape vector_schema() { return {.size = dimensions}; }

    [[nodiscard]] std::vector<float> operator()(std::string_view text) const {
        std::vector<float> embedding(dimensions);
        std::string word;
        for (char const character : text) {
            if (is_letter(character)) {
                word += lower(character);
            } else if (!word.empty()) {
                add(word, embedding);
                word.clear();
            }
        }
        if (!word.empty()) add(word, embedding);
        normalise(embedding);
        return embedding;
    }

private:
    /// All of UTF-8 beyond ASCII counts as letters.
    static bool is_letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    }
    static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

    static void add(std::string_view word, std::vector<float>& embedding) {
        if (word.size() < 3 && word != "c") return;
        static constexpr std::array<std::string_view, 12> common{"the",  "and", "for", "this",    "that",     "with",
                                                                 "from", "are", "can", "package", "provides", "contains"};
        if (std::find(common.begin(), common.end(), word) != common.end()) return;
        if (word.size() > 4 && word.back() == 's') word.remove_suffix(1);
        add_feature(word, 1.0f, embedding);
        for (std::size_t i = 0; i + 4 <= word.size(); ++i) add_feature(word.substr(i, 4), 0.25f, embedding);
    }

    /// The hash (FNV-1a) chooses the dimension and the sign, so that collisions cancel on the average.
    static void add_feature(std::string_view feature, float weight, std::vector<float>& embedding) {
        std::uint64_t hash = 14695981039346656037u;
        for (char const character : feature) hash = (hash ^ static_cast<std::uint8_t>(character)) * 1099511628211u;
        hash ^= hash >> 32;
        embedding[hash % dimensions] += (hash >> 16 & 1) != 0 ? weight : -weight;
    }

    static void normalise(std::vector<float>& embedding) {
        float sum = 0;
        for (float const value : embedding) sum += value * value;
        if (sum == 0) return;
        auto const length = std::sqrt(sum);
        for (float& value : embedding) value /= length;
    }
};
