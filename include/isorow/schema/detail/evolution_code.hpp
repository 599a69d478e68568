#pragma once

#include <isorow/schema/detail/constraint_changes.hpp>
#include <isorow/schema/detail/evolver.hpp>
#include <isorow/schema/evolution.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

ISOROW_DECL evolution evolve(table_description const& declared, live_table const* live, table_record const& record,
                             extension_schemas const& schemas, evolution_rules const& rules) {
    return detail::evolver(declared, live, record, schemas, rules).run();
}

ISOROW_DECL std::vector<difference> compare_key(table_description const& declared, live_table const& live) {
    if (declared.key.empty() || detail::has_unique_index(live, detail::key_names(declared))) return {};
    auto const* const key = live.primary_key();
    return {{std::string(declared.struct_name), detail::listed(detail::key_names(declared)),
             "a primary key or a unique index over exactly these columns",
             key == nullptr ? "none" : text("a primary key over {}", detail::listed(key->columns))}};
}

ISOROW_DECL std::vector<difference> compare_indexes(table_description const& declared, live_table const& live,
                                                    extension_schemas const& schemas) {
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

ISOROW_DECL std::vector<difference> compare_constraints(table_description const& declared, live_table const& live) {
    std::vector<difference> differences;
    auto const compare = [&](constraint_sql const& constraint, bool by_name) {
        auto const stands = [&](live_constraint const& one) {
            return (by_name && one.name == constraint.name) || detail::is_like(constraint, one);
        };
        if (std::any_of(live.constraints.begin(), live.constraints.end(), stands)) return;
        auto const* const other = live.find_constraint(constraint.name);
        differences.push_back({std::string(declared.struct_name), constraint.name, constraint.definition,
                               other == nullptr ? std::string("no such constraint") : other->definition});
    };
    for (auto const& check : declared_checks(declared)) compare(check, true);
    for (auto const& key : declared_foreign_keys(declared)) compare(key, false);
    return differences;
}

ISOROW_DECL std::vector<difference> compare_column_rules(table_description const& declared, live_table const& live) {
    std::vector<difference> differences;
    for (auto const& column : declared.columns) {
        auto const* const found = live.find(column.name);
        if (found == nullptr) continue;
        auto const report = [&](std::string expected, std::string there) {
            differences.push_back(
                {text("{}.{}", declared.struct_name, column.field), std::string(column.name), std::move(expected), std::move(there)});
        };
        if (found->identity_always) report("a column that can be written", "GENERATED ALWAYS AS IDENTITY");
        else if (column.identity != identity::none && !found->identity)
            report(text("GENERATED {}", detail::identity_sql(column.identity)), "a column that the server does not number");
        if (!column.collation.empty() && found->collation != column.collation)
            report(text("COLLATE {}", quote_identifier(column.collation)),
                   found->collation.empty() ? std::string("the type's collation") : "COLLATE " + quote_identifier(found->collation));
    }
    return differences;
}

}  // namespace isorow::inline v1
