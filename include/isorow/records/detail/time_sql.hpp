#pragma once

/// @file
/// The times of a record in SQL, of a table whose alias is r. In a table of others they may be without a time zone, or NULL, which is read
/// as the epoch.

#include <string_view>

namespace isorow::inline v1::records::detail {

inline constexpr std::string_view created_at_sql = "coalesce(r.created_at::timestamptz, 'epoch')";
inline constexpr std::string_view updated_at_sql = "coalesce(r.updated_at::timestamptz, 'epoch')";

/// Both as columns of a `stored_row`.
inline constexpr std::string_view stored_times =
    "coalesce(r.created_at::timestamptz, 'epoch') AS created_at, coalesce(r.updated_at::timestamptz, 'epoch') AS updated_at";

/// Later than the last write, by the server's clock.
inline constexpr std::string_view next_version = "greatest(clock_timestamp(), r.updated_at::timestamptz + interval '1 microsecond')";

}  // namespace isorow::inline v1::records::detail
