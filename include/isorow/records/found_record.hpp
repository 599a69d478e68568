#pragma once

#include <isorow/records/record.hpp>

#include <cstddef>

namespace isorow::inline v1::records {

/// A record that a search by text or vector has found.
template <class Record>
struct found {
    Record record{};
    /// By text the server's `ts_rank_cd`, and of hybrid searches the fused rank: more is better. By vector the distance, as pgvector has
    /// it: less is nearer.
    double score = 0;
};

using found_record = found<record>;

/// How the ranks of two searches become one: each record's score is the sum of `weight / (k + rank)` over the searches that find it.
/// Source: Cormack, Clarke, Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009.
struct fusion_options {
    double text_weight = 1;
    double vector_weight = 1;
    double k = 60;
    std::size_t candidates = 100;  ///< so many of each search are looked at, or what the query asks for where that is more
};

}  // namespace isorow::inline v1::records
