#pragma once

/// @file
/// Publications: what the server sends of which tables.

#include <isorow/config.hpp>
#include <isorow/query/database_ref.hpp>
#include <isorow/schema/check.hpp>
#include <isorow/schema/table.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

struct publication_options {
    /// Where there is one of this name: the tables that it lacks are added, and it stays otherwise as it is. Else that is an error.
    bool exists_ok = false;
    bool inserts = true;
    bool updates = true;
    bool removals = true;
    bool truncations = true;
    bool via_partition_root = true;  ///< changes of partitions come as those of the table that is partitioned
};

/// A table of a publication.
struct published_table {
    std::string schema{};
    std::string name{};
};

/// Makes a publication of tables. Throws `replication_not_set_up` where a table does not exist, or has no replica identity although updates
/// or removals are published: all UPDATE and DELETE on it would fail from then on; `missing_privilege` with the SQL to ask for, as it needs
/// CREATE on the database and the tables' owner; `usage_error` for a name that is no identifier; and the server's errors.
void create_publication(database_ref const& where, std::string_view name, std::vector<published_table> const& tables,
                        publication_options const& options = {});

/// Makes a publication of the tables of structs: `create_publication<Product, Order>(db, "shop")`.
template <reflect::reflectable... Tables>
    requires(sizeof...(Tables) > 0)
void create_publication(database_ref const& where, std::string_view name, publication_options const& options = {}) {
    (check<Tables>(), ...);
    create_publication(where, name,
                       {published_table{std::string(description_of<Tables>.schema), std::string(description_of<Tables>.name)}...}, options);
}

/// Drops a publication. `missing_ok`: it need not exist.
void drop_publication(database_ref const& where, std::string_view name, bool missing_ok = false);

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/source/detail/publication_code.hpp>
#endif
