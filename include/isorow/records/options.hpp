#pragma once

#include <isorow/records/path.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace isorow::inline v1::records {

/// How documents are indexed by GIN.
enum class document_index : std::uint8_t {
    none,
    all_keys,   ///< `jsonb_ops`: answers whether a key is there as well
    path_keys,  ///< `jsonb_path_ops`: smaller and faster, for equality, elements and inclusion
};

/// The table of a record store.
struct store_options {
    std::string table = "records";
    std::string schema = "public";
    document_index fields = document_index::all_keys;
    document_index metadata = document_index::all_keys;
    /// Places whose values get an index of their own, for ranges and orders of numbers: `{"age", "address.zip"}`.
    std::vector<path> indexes{};
    bool create = true;  ///< make the table where it is not there
};

}  // namespace isorow::inline v1::records
