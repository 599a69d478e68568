#pragma once

/// @file
/// The second phase of two-phase commit: what `transaction::prepare` left.

#include <isorow/config.hpp>
#include <isorow/query/query.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

/// A transaction that is prepared and neither committed nor rolled back. It holds its locks until it is.
struct prepared_transaction {
    std::string gid;
    timestamptz prepared;
    std::string owner;
    std::string database;
};

/// Commits a transaction that was prepared under this id in this database. Not inside of another transaction.
void commit_prepared(database_ref const& where, std::string_view global_id);

/// Rolls it back.
void rollback_prepared(database_ref const& where, std::string_view global_id);

/// The transactions of this database that wait for their second phase, the oldest first: to be looked at when a program starts again.
[[nodiscard]] std::vector<prepared_transaction> recover_prepared(database_ref const& where);

#if ISOROW_HAS_CODE

ISOROW_DECL void commit_prepared(database_ref const& where, std::string_view global_id) {
    execute(where, text("COMMIT PREPARED {}", detail::quote_literal(global_id)));
}

ISOROW_DECL void rollback_prepared(database_ref const& where, std::string_view global_id) {
    execute(where, text("ROLLBACK PREPARED {}", detail::quote_literal(global_id)));
}

ISOROW_DECL std::vector<prepared_transaction> recover_prepared(database_ref const& where) {
    return query<prepared_transaction>(
        where,
        "SELECT gid, prepared, owner::text AS owner, database::text AS database FROM pg_catalog.pg_prepared_xacts"
        " WHERE database = pg_catalog.current_database() ORDER BY prepared");
}

#endif

}  // namespace isorow::inline v1
