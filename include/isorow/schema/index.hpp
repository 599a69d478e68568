#pragma once

#include <isorow/types/column_type.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace isorow::inline v1 {

/// How pgvector measures the distance of two embeddings; the last two are those of binary vectors, `bit(n)`.
enum class metric : std::uint8_t { l2, inner_product, cosine, l1, hamming, jaccard };
inline constexpr metric l2 = metric::l2;
inline constexpr metric inner_product = metric::inner_product;
inline constexpr metric cosine = metric::cosine;
inline constexpr metric l1 = metric::l1;
inline constexpr metric hamming = metric::hamming;
inline constexpr metric jaccard = metric::jaccard;

/// The access methods that isorow builds indexes with.
enum class index_method : std::uint8_t { btree, hash, gin, gist, brin, hnsw, ivfflat };

/// Options of the plain access methods. `name` is made from table and columns where it is empty. `operator_class`, with or without its
/// schema, is that of each of the columns: "gin_trgm_ops", "jsonb_path_ops"; the type's default where it is empty.
struct btree {
    std::string_view name{};
    bool unique = false;
    std::string_view operator_class{};
};
struct hash {
    std::string_view name{};
    std::string_view operator_class{};
};
struct gin {
    std::string_view name{};
    std::string_view operator_class{};
};
struct gist {
    std::string_view name{};
    std::string_view operator_class{};
};
struct brin {
    std::string_view name{};
    std::string_view operator_class{};
};

/// pgvector's graph index. `m`: links per layer; `ef_construction`: candidates looked at while building. `operator_class`: the metric's
/// where it is empty.
struct hnsw {
    isorow::metric metric = isorow::metric::cosine;
    std::int32_t m = 16;
    std::int32_t ef_construction = 64;
    std::string_view name{};
    std::string_view operator_class{};
};

/// pgvector's inverted file index, which is built after the rows are there. `lists`: the number of clusters.
struct ivfflat {
    isorow::metric metric = isorow::metric::cosine;
    std::int32_t lists = 100;
    std::string_view name{};
    std::string_view operator_class{};
};

/// The most columns of a key or an index: Postgres' INDEX_MAX_KEYS.
inline constexpr std::size_t index_column_limit = 32;

/// A list of a struct's fields by their places, as flat data.
struct field_list {
    std::array<std::uint16_t, index_column_limit> places{};
    std::uint16_t count = 0;

    [[nodiscard]] constexpr std::uint16_t const* begin() const noexcept { return places.data(); }
    [[nodiscard]] constexpr std::uint16_t const* end() const noexcept { return places.data() + count; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return count; }
    [[nodiscard]] constexpr bool empty() const noexcept { return count == 0; }
    [[nodiscard]] constexpr std::uint16_t operator[](std::size_t i) const noexcept { return places[i]; }
    [[nodiscard]] constexpr bool contains(std::size_t place) const noexcept {
        for (auto const one : *this)
            if (one == place) return true;
        return false;
    }
    /// The places behind the last field say nothing.
    friend constexpr bool operator==(field_list const& left, field_list const& right) noexcept {
        if (left.count != right.count) return false;
        for (std::size_t i = 0; i < left.count; ++i)
            if (left.places[i] != right.places[i]) return false;
        return true;
    }
};

/// An index as flat data.
struct index_description {
    field_list fields;
    index_method method = index_method::btree;
    bool unique = false;
    isorow::metric metric = isorow::metric::cosine;
    std::int32_t m = 0;
    std::int32_t ef_construction = 0;
    std::int32_t lists = 0;
    std::string_view name{};            ///< empty: made from table and columns
    std::string_view operator_class{};  ///< with or without its schema; empty: the type's default, or pgvector's for the metric

    friend constexpr bool operator==(index_description const&, index_description const&) = default;

    /// Whether pgvector brings the access method.
    [[nodiscard]] constexpr bool is_of_pgvector() const noexcept { return method == index_method::hnsw || method == index_method::ivfflat; }
};

namespace detail {

constexpr index_description describe(field_list const& fields, btree const& o) {
    return {.fields = fields, .unique = o.unique, .name = o.name, .operator_class = o.operator_class};
}
constexpr index_description describe(field_list const& fields, hash const& o) {
    return {.fields = fields, .method = index_method::hash, .name = o.name, .operator_class = o.operator_class};
}
constexpr index_description describe(field_list const& fields, gin const& o) {
    return {.fields = fields, .method = index_method::gin, .name = o.name, .operator_class = o.operator_class};
}
constexpr index_description describe(field_list const& fields, gist const& o) {
    return {.fields = fields, .method = index_method::gist, .name = o.name, .operator_class = o.operator_class};
}
constexpr index_description describe(field_list const& fields, brin const& o) {
    return {.fields = fields, .method = index_method::brin, .name = o.name, .operator_class = o.operator_class};
}
constexpr index_description describe(field_list const& fields, hnsw const& o) {
    return {.fields = fields,
            .method = index_method::hnsw,
            .metric = o.metric,
            .m = o.m,
            .ef_construction = o.ef_construction,
            .name = o.name,
            .operator_class = o.operator_class};
}
constexpr index_description describe(field_list const& fields, ivfflat const& o) {
    return {.fields = fields,
            .method = index_method::ivfflat,
            .metric = o.metric,
            .lists = o.lists,
            .name = o.name,
            .operator_class = o.operator_class};
}

/// What pgvector's operator classes for a metric have behind their type's name: `vector_cosine_ops`. Source: pgvector's README, "Indexing".
[[nodiscard]] constexpr std::string_view metric_suffix(metric metric) noexcept {
    switch (metric) {
        case metric::l2:
            return "_l2_ops";
        case metric::inner_product:
            return "_ip_ops";
        case metric::cosine:
            return "_cosine_ops";
        case metric::l1:
            return "_l1_ops";
        case metric::hamming:
            return "_hamming_ops";
        case metric::jaccard:
            return "_jaccard_ops";
    }
    return {};
}

[[nodiscard]] constexpr std::string_view method_name(index_method method) noexcept {
    switch (method) {
        case index_method::btree:
            return "btree";
        case index_method::hash:
            return "hash";
        case index_method::gin:
            return "gin";
        case index_method::gist:
            return "gist";
        case index_method::brin:
            return "brin";
        case index_method::hnsw:
            return "hnsw";
        case index_method::ivfflat:
            return "ivfflat";
    }
    return {};
}

/// Why pgvector has no operator class for an index over a column of the type; empty where it has one, or the user names one. Source:
/// pgvector's README, "Indexing".
[[nodiscard]] constexpr std::string_view metric_problem(index_description const& index, column_type const& type) noexcept {
    if (!index.is_of_pgvector() || !index.operator_class.empty()) return {};
    bool const is_binary_metric = index.metric == metric::hamming || index.metric == metric::jaccard;
    bool const is_ivfflat = index.method == index_method::ivfflat;
    bool const is_bits = type.id == type_id::bit || type.id == type_id::varbit;
    if (is_bits && !is_binary_metric) return "bits are compared by the metrics hamming and jaccard";
    if (!is_bits && is_binary_metric) return "the metrics hamming and jaccard are those of bits";
    if (type.id == type_id::sparsevec && is_ivfflat) return "pgvector has no ivfflat index for sparsevec; use hnsw";
    if (is_ivfflat && index.metric == metric::jaccard) return "pgvector has no ivfflat index for the metric jaccard; use hnsw";
    if (is_ivfflat && index.metric == metric::l1) return "pgvector has no ivfflat index for the metric l1; use hnsw";
    return {};
}

}  // namespace detail

}  // namespace isorow::inline v1
