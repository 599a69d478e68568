#pragma once

/// @file
/// What it takes for a live table to become the one that is declared. Nothing is asked of a server, and nothing is run.

#include <isorow/config.hpp>
#include <isorow/schema/schema_change.hpp>

#include <vector>

namespace isorow::inline v1 {

/// Finds the changes. `live`: the table as it is, null where it is not there. `record`: what isorow made of it; what is not in it is the
/// user's, and is left alone. `schemas`: where the extensions are that the declared types come from; those that are not in it are created.
///
/// What loses nothing is done by itself: columns and indexes are added, types widened, defaults set. What loses values is marked
/// `destructive`. A type that has no safe cast and no `using_expression` is refused, never guessed.
[[nodiscard]] evolution evolve(table_description const& declared, live_table const* live, table_record const& record,
                               extension_schemas const& schemas = {}, evolution_rules const& rules = {});

/// The difference where no unique index stands over exactly the key's columns: without one, keys do not tell rows apart.
[[nodiscard]] std::vector<difference> compare_key(table_description const& declared, live_table const& live);

/// The differences where a declared index has no like on the table, whatever it is called.
[[nodiscard]] std::vector<difference> compare_indexes(table_description const& declared, live_table const& live,
                                                      extension_schemas const& schemas = {});

/// The differences where a declared check or foreign key has no like on the table: neither one of its name nor one that looks like it.
/// Two spellings of one condition may look different, so that a check's name will do; a foreign key is held against what it says.
[[nodiscard]] std::vector<difference> compare_constraints(table_description const& declared, live_table const& live);

/// The differences in what is declared of columns beside type and nullability: identity and collation. A column that the server always
/// numbers can be written by no target.
[[nodiscard]] std::vector<difference> compare_column_rules(table_description const& declared, live_table const& live);

}  // namespace isorow::inline v1

#if ISOROW_HAS_CODE
#include <isorow/schema/detail/evolution_code.hpp>
#endif
