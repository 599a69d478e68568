#pragma once

#include <cstdint>

namespace isorow::inline v1::records {

/// What a record is made of, and where a path in it begins.
enum class part : std::uint8_t { id, fields, metadata, created_at, updated_at };

}  // namespace isorow::inline v1::records
