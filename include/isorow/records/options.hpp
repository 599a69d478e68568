#pragma once

#include <isorow/records/path.hpp>
#include <isorow/schema/index.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace isorow::inline v1::records {

/// How documents are indexed by GIN.
enum class document_index : std::uint8_t {
    none,
    all_keys,   ///< `jsonb_ops`: answers whether a key is there as well
    path_keys,  ///< `jsonb_path_ops`: smaller and faster, for equality, elements and inclusion
};

/// The texts that `record_store::search_text` looks through, with an index of their words.
struct text_field {
    std::vector<path> places{};        ///< `{"title", "body"}`: texts of documents, joined in this order
    std::string language = "english";  ///< a text search configuration of the server's: how words are told apart and compared
};

/// An embedding in the documents, a list of numbers, which the server keeps as a vector beside them, however a record is written.
/// Documents without one have none; one of another dimension is refused by the server.
struct vector_field {
    path place = "embedding";
    std::size_t dimension = 0;
    /// What is near: `cosine`, `l2`, `inner_product` or `l1`.
    isorow::metric metric = isorow::metric::cosine;
    std::string column = "embedding";
    std::optional<hnsw> index = hnsw{};  ///< for a dimension of at most 2000; without one each vector is compared
};

/// The table of a record store.
struct store_options {
    std::string table = "records";
    std::string schema = "public";
    document_index fields = document_index::all_keys;
    document_index metadata = document_index::all_keys;
    /// Places whose values get an index of their own, for ranges of numbers: `{"age", "address.zip"}`. The server refuses records whose
    /// value there is longer than 2704 bytes.
    std::vector<path> indexes{};
    std::optional<text_field> texts{};
    std::optional<vector_field> vector{};
    bool create = true;  ///< make the table where it is not there
};

}  // namespace isorow::inline v1::records
