#pragma once

/// @file
/// What it takes for a live table to become the one that is declared. Nothing is asked of a server, and nothing is run.

#include <isorow/schema/detail/evolver.hpp>
#include <isorow/schema/schema_change.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// Finds the changes. `live`: the table as it is, null where it is not there. `record`: what isorow made of it; what is not in it is the
/// user's, and is left alone. `schemas`: where the extensions are that the declared types come from; those that are not in it are created.
///
/// What loses nothing is done by itself: columns and indexes are added, types widened, defaults set. What loses values is marked
/// `destructive`. A type that has no safe cast and no `using_expression` is refused, never guessed.
[[nodiscard]] inline evolution evolve(table_description const& declared, live_table const* live, table_record const& record,
                                      extension_schemas const& schemas = {}, evolution_rules const& rules = {}) {
    return detail::evolver(declared, live, record, schemas, rules).run();
}

/// The difference where no unique index stands over exactly the key's columns: without one, keys do not tell rows apart.
[[nodiscard]] inline std::vector<difference> compare_key(table_description const& declared, live_table const& live) {
    if (declared.key.empty() || detail::has_unique_index(live, detail::key_names(declared))) return {};
    auto const* const key = live.primary_key();
    return {{std::string(declared.struct_name), detail::listed(detail::key_names(declared)),
             "a primary key or a unique index over exactly these columns",
             key == nullptr ? "none" : text("a primary key over {}", detail::listed(key->columns))}};
}

/// The differences where a declared index has no like on the table, whatever it is called.
[[nodiscard]] inline std::vector<difference> compare_indexes(table_description const& declared, live_table const& live,
                                                             extension_schemas const& schemas = {}) {
    std::vector<difference> differences;
    for (auto const& index : declared_indexes(declared)) {
        auto const definition = create_index_sql(declared, index, schemas);
        auto const is_like = [&](live_index const& one) {
            return one.valid && detail::is_same_definition(definition, one.definition, schemas);
        };
        if (std::none_of(live.indexes.begin(), live.indexes.end(), is_like))
            differences.push_back({std::string(declared.struct_name), index_name(declared, index), definition, "no such index"});
    }
    return differences;
}

}  // namespace isorow::inline v1
