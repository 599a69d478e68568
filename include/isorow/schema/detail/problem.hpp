#pragma once

/// @file
/// What can be wrong with a struct as a table.

#include <cstdint>

namespace isorow::inline v1::detail {

enum class problem : std::uint8_t {
    none,
    not_aggregate,
    no_fields,
    has_unnamed,
    has_base,
    too_many_fields,
    too_many_columns,
    has_array,
    no_type_float_vector,
    no_type_unsigned,
    no_type_byte,
    no_type_json,
    no_type_enum,
    no_type,
    unknown_type,
    unconvertible_type,
    foreign_key_member,
    foreign_member,
    optional_key,
    repeated_key,
    long_column_name,
    long_table_name,
    duplicate_column_name,
    missing_metric,
    contradiction,
    mixed_key_positions,
    misplaced_annotation,
    view,
    generated_key,
    two_values,
    identity_type,
    identity_optional,
    collation_type,
    reference_type,
    reference_count,
};

}  // namespace isorow::inline v1::detail
