#pragma once

/// @file
/// The names of constraints and indexes that have none of their own: made of table and columns, as Postgres makes them.

#include <isorow/config.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/table.hpp>

#include <string>
#include <string_view>

namespace isorow::inline v1 {

namespace detail {

/// A name of at most 63 bytes: a longer one keeps its front and gets a hash (FNV-1a), so that two long names stay two.
[[nodiscard]] std::string shortened(std::string name);

/// The name of a column's check: `products_price_check`.
[[nodiscard]] std::string check_name(table_description const& table, std::size_t place);

/// The name of the CHECK of a column's labels. Such names are isorow's: what stands under one over a column that isorow made is altered
/// and dropped with the labels. The table has no part in it, so that it stays right when the table is renamed.
[[nodiscard]] std::string labels_name(std::string_view column);

/// The foreign key's own name, or one made of table and columns as Postgres makes it: `orders_customer_fkey`.
[[nodiscard]] std::string foreign_key_name(table_description const& table, foreign_key_description const& key);

}  // namespace detail

/// The index's own name, or one made of table and columns as Postgres makes it, shortened where it is too long. Two different indexes of
/// the table that are made over the same columns are told apart by a number.
[[nodiscard]] std::string index_name(table_description const& table, index_description const& index);

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/schema/detail/made_names_code.hpp>
#endif
