#pragma once

/// @file
/// The texts and the vectors of documents in SQL, said once: what an index is over is what a search asks for.

#include <isorow/error/text.hpp>
#include <isorow/records/detail/filter_sql.hpp>
#include <isorow/records/options.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/index.hpp>
#include <isorow/schema/literal.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace isorow::inline v1::records::detail {

/// The text at a place of a document; NULL where there is none.
[[nodiscard]] inline std::string searched_text_sql(path const& place, std::string_view table) {
    if (!place.is_in_document() || place.steps().empty())
        throw usage_error("what is searched is a place in fields or metadata, not a column or a whole document");
    return "(" + value_sql(place, table) + " #>> '{}')";
}

/// `'english'::regconfig`
[[nodiscard]] inline std::string language_sql(text_field const& of) { return isorow::detail::quote_literal(of.language) + "::regconfig"; }

/// The words of the texts: `to_tsvector('english'::regconfig, coalesce(…, '') || ' ' || coalesce(…, ''))`.
[[nodiscard]] inline std::string words_sql(text_field const& of, std::string_view table) {
    if (of.places.empty()) throw usage_error("the texts of a record store are at one place at least");
    std::string texts;
    for (auto const& place : of.places)
        texts.append(texts.empty() ? "" : " || ' ' || ").append(text("coalesce({}, '')", searched_text_sql(place, table)));
    return text("to_tsvector({}, {})", language_sql(of), texts);
}

/// What pgvector has the metric's distance by.
[[nodiscard]] inline std::string_view distance_operator(metric metric) {
    switch (metric) {
        case metric::l2:
            return "<->";
        case metric::inner_product:
            return "<#>";
        case metric::cosine:
            return "<=>";
        case metric::l1:
            return "<+>";
        default:
            throw usage_error("vectors of a record store are compared by the metrics cosine, l2, inner_product or l1");
    }
}

/// Where the extension's types and operators are: its schema's name with a dot.
struct vector_extension {
    std::string prefix{};
    bool scans_on = false;  ///< an index goes on where a condition has left too few: pgvector >= 0.8
};

inline void check_vector_field(vector_field const& of) {
    constexpr std::size_t most_of_type = 16'000;
    constexpr std::size_t most_of_index = 2'000;
    static_cast<void>(distance_operator(of.metric));
    if (of.dimension == 0 || of.dimension > most_of_type)
        throw usage_error(text("the dimension of a record store's vector is 1 to {}, not {}", most_of_type, of.dimension));
    if (of.index && of.dimension > most_of_index)
        throw usage_error(text("an index of vectors has at most {} dimensions, not {}; `.index = std::nullopt` compares each vector",
                               most_of_index, of.dimension));
}

/// `"embedding" vector(384) GENERATED ALWAYS AS (…) STORED`
[[nodiscard]] inline std::string vector_column_sql(vector_field const& of, vector_extension const& extension) {
    check_vector_field(of);
    auto const type = text("{}vector({})", extension.prefix, of.dimension);
    return text("{} {} GENERATED ALWAYS AS ({}::{}) STORED", quote_identifier(of.column), type, searched_text_sql(of.place, ""), type);
}

/// An expression without what is written here and printed by the server differently: spaces, parentheses, casts to text.
[[nodiscard]] inline std::string bare_expression(std::string_view sql) {
    std::string bare;
    for (std::size_t i = 0; i < sql.size(); ++i) {
        constexpr std::string_view cast = "::text";
        constexpr std::string_view of_list = "[]";
        if (sql.substr(i).starts_with(cast)) {
            i += cast.size();
            if (sql.substr(i).starts_with(of_list)) i += of_list.size();
            --i;
        } else if (std::string_view(" ()").find(sql[i]) == std::string_view::npos) {
            bare += sql[i];
        }
    }
    return bare;
}

/// Whether the expression, as the server prints it, is the store's for the column of vectors.
[[nodiscard]] inline bool is_vector_expression(std::string_view printed, vector_field const& of) {
    return bare_expression(printed.substr(0, printed.rfind("::"))) == bare_expression(searched_text_sql(of.place, ""));
}

[[nodiscard]] inline std::string vector_index_sql(vector_field const& of, vector_extension const& extension) {
    return text("USING hnsw ({} {}vector{}) WITH (m = {}, ef_construction = {})", quote_identifier(of.column), extension.prefix,
                isorow::detail::metric_suffix(of.metric), of.index->m, of.index->ef_construction);
}

/// A vector as pgvector reads it: `[1,0.5]`. Throws `usage_error` for what no distance can be asked of.
[[nodiscard]] inline std::string vector_text(std::span<float const> vector, vector_field const& of) {
    if (vector.size() != of.dimension)
        throw usage_error(text("the store's vectors have {} dimensions, not {}", of.dimension, vector.size()));
    bool is_zero = true;
    std::string list = "[";
    for (auto const element : vector) {
        if (!std::isfinite(element)) throw usage_error("an element of the vector is not finite");
        is_zero = is_zero && element == 0;
        list.append(list.size() == 1 ? "" : ",").append(isorow::detail::as_text(element));
    }
    if (is_zero && of.metric == metric::cosine) throw usage_error("the vector is zero, which has no direction to compare by");
    return list + "]";
}

}  // namespace isorow::inline v1::records::detail
