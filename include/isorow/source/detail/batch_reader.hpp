#pragma once

#include <isorow/query/database_ref.hpp>
#include <isorow/query/filter.hpp>
#include <isorow/source/batch.hpp>
#include <isorow/source/batch_options.hpp>
#include <isorow/source/detail/reading.hpp>

#include <optional>
#include <string>
#include <utility>

namespace isorow::inline v1::detail {

/// Where batches come from.
template <class Row>
class batch_reader {
public:
    batch_reader() = default;
    batch_reader(batch_reader const&) = delete;
    batch_reader& operator=(batch_reader const&) = delete;
    virtual ~batch_reader() = default;

    /// Replaces the batch by the next one, which has rows. Returns false, and has given its connections back, where there is none.
    virtual bool next(row_batch<Row>& batch) = 0;
};

/// What is read in batches, and how.
struct batch_request {
    database_ref where;
    reading ready;
    isorow::filter filter;
    batch_options options;
    std::optional<std::pair<std::string, std::string>> table;  ///< schema and name, where it is a table or view
    bool has_conditions = false;                               ///< whether the SQL ends with a WHERE, to which AND may be added
};

}  // namespace isorow::inline v1::detail
