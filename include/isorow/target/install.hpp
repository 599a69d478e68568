#pragma once

/// @file
/// Schema `isorow`: what isorow remembers of the tables and rows that it keeps, in the same database as these and committed with them.

#include <isorow/config.hpp>
#include <isorow/query/database_ref.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// The version of schema `isorow` that this isorow works with.
inline constexpr int tracking_version = 4;

/// The SQL that makes schema `isorow`, or brings it from an older version to this one, for those who install it by hand. Running it again
/// changes nothing. `grantee`: a role that uses the schema; it gets what it needs and no more. The role that keeps tables also needs
/// what the tables themselves ask for: CREATE in their schema where isorow is to make them.
[[nodiscard]] std::string install_sql(std::string_view grantee = {});

/// Makes schema `isorow` where it does not exist, and brings an older one up to date. Throws `missing_privilege` where the role may not,
/// with the SQL to ask for, and `usage_error` where a newer isorow has used the database.
void install(database_ref const& where);

namespace detail {

/// Makes those who set up schemas and extensions at once do so one after another, as `IF NOT EXISTS` alone does not.
void lock_setup(connection& connection);

/// The version of schema `isorow` in this database; 0 where there is none.
[[nodiscard]] std::int32_t installed_version(connection& connection);

}  // namespace detail

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/target/detail/install_code.hpp>
#endif
