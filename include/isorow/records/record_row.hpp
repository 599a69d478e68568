#pragma once

#include <isorow/json/value.hpp>
#include <isorow/records/detail/matching.hpp>
#include <isorow/records/filter.hpp>
#include <isorow/records/record.hpp>
#include <isorow/schema/overlay.hpp>

#include <optional>
#include <utility>

namespace isorow::inline v1::records {

/// A row of a record store's table, as `record_store::rows` reads it: the record but for its times.
struct record_row {
    uuid id;
    boost::json::object fields;
    std::optional<boost::json::object> metadata;

    static consteval auto isorow_table() { return isorow::table("records").primary_key<&record_row::id>(); }
};

/// The record of a row; its times are not known.
[[nodiscard]] inline record as_record(record_row&& row) {
    return {.id = row.id, .fields = std::move(row.fields), .metadata = row.metadata ? std::move(*row.metadata) : boost::json::object()};
}

/// Whether a condition holds for a record, as it does in each store.
[[nodiscard]] inline bool holds(filter const& condition, record const& of) { return detail::matcher(condition)(of); }

}  // namespace isorow::inline v1::records
