#pragma once

#include <isorow/types/uuid.hpp>

#include <boost/json/object.hpp>

#include <chrono>

namespace isorow::inline v1 {

/// A document with a key, as a record store keeps it.
struct record {
    uuid id{};  ///< nil where the store is to make one
    boost::json::object fields{};
    boost::json::object metadata{};
    /// When it was made, and last written, as the store says it: what is set here is not written, but by a migration.
    std::chrono::sys_time<std::chrono::microseconds> created_at{};
    /// Grows with each write, so that it is the record's version as well.
    std::chrono::sys_time<std::chrono::microseconds> updated_at{};

    friend bool operator==(record const&, record const&) = default;
};

}  // namespace isorow::inline v1
