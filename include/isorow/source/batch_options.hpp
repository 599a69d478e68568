#pragma once

#include <cstddef>

namespace isorow::inline v1 {

/// How large the batches of a source are, and by how many connections they are read.
struct batch_options {
    std::size_t rows = 4096;                      ///< the most rows of a batch
    std::size_t bytes = std::size_t{256} * 1024;  ///< about how many bytes of values; a batch has one row at least
    /// The most connections that read. One: the batches come in the order of the query. More: they come in no order.
    std::size_t connections = 1;
};

}  // namespace isorow::inline v1
