#pragma once

#include <isorow/schema/table_schema.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

ISOROW_DECL table_schema::table_schema(std::vector<named_column> const& columns, class primary_key const& key) {
    detail::schema_state draft;
    for (auto const& column : columns) add(draft, column);
    finish(std::move(draft), key.names());
}

ISOROW_DECL table_schema table_schema::named(std::string_view schema, std::string_view table) const {
    auto draft = state_->copy();
    draft.schema = schema;
    draft.name = table;
    return table_schema(std::move(draft), {});
}

ISOROW_DECL table_schema table_schema::check(std::string_view constraint, std::string_view condition) const {
    auto draft = state_->copy();
    draft.checks.push_back({draft.keep(constraint), draft.keep(condition)});
    return table_schema(std::move(draft), {});
}

ISOROW_DECL table_schema table_schema::foreign_key(column_names const& columns, named_reference const& reference) const {
    auto draft = state_->copy();
    draft.add_foreign_key(columns.names(), reference);
    return table_schema(std::move(draft), {});
}

ISOROW_DECL table_schema table_schema::comment(std::string_view text) const {
    auto draft = state_->copy();
    draft.comment = text;
    return table_schema(std::move(draft), {});
}

ISOROW_DECL void table_schema::finish(detail::schema_state draft, std::vector<std::string> const& key) {
    if (!key.empty()) draft.set_key(key);
    draft.check();
    state_ = std::make_shared<detail::schema_state const>(std::move(draft));
}

ISOROW_DECL void table_schema::add(detail::schema_state& draft, named_column const& column) {
    auto const& definition = column.definition;
    column_description added{.field = draft.keep(column.name), .name = draft.keep(column.name), .type = {}};
    added.nullable = definition.nullability == nullability::nullable;
    added.unique = definition.unique;
    added.default_value = draft.keep(definition.default_value);
    added.renamed_from = draft.keep(definition.renamed_from);
    added.using_expression = draft.keep(definition.using_expression);
    added.generated = draft.keep(definition.generated);
    added.identity = definition.identity;
    added.check = draft.keep(definition.check);
    added.collation = draft.keep(definition.collation);
    added.comment = draft.keep(definition.comment);
    draft.columns.push_back(added);
    draft.set_type(draft.columns.size() - 1, definition.type);
}

ISOROW_DECL void table_schema::apply(detail::schema_state& draft, column_overrides const& overrides) {
    for (auto const& [name, said] : overrides) {
        auto const place = draft.find(name);
        if (!place)
            draft.report(
                text("an override names the column \"{}\", which {} does not have{}", name, draft.subject(), draft.suggestion(name)));
        else if (!said.problem().empty()) draft.report(*place, said.problem());
        else draft.set_type(*place, said.type());
    }
}

}  // namespace isorow::inline v1
