#pragma once

#include <isorow/reflect/constant_list.hpp>
#include <isorow/schema/detail/schema_state.hpp>

#include <cstddef>
#include <cstdint>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

ISOROW_DECL std::string type_problem(column_type const& type) {
    auto const& entry = entry_of(type.id);
    if (type.first_modifier < 0) return {};
    auto const range = modifiers_of(type.id);
    if (range.greatest < 0) return text("the type {} takes nothing in parentheses", entry.sql_name);
    if (type.first_modifier < range.least || type.first_modifier > range.greatest)
        return text("the type {} takes {} to {} in parentheses, not {}", entry.sql_name, range.least, range.greatest, type.first_modifier);
    if (type.second_modifier >= 0 && type.id != type_id::numeric)
        return text("the type {} takes one number in parentheses", entry.sql_name);
    if (type.second_modifier > range.greatest)
        return text("the scale of numeric is at most {}, not {}", range.greatest, type.second_modifier);
    return {};
}

ISOROW_DECL std::string identifier_problem(std::string_view name) {
    try {
        static_cast<void>(quote_identifier(name));
        return {};
    } catch (usage_error const& failure) {
        return failure.what();
    }
}

ISOROW_DECL schema_state schema_state::of(table_description const& table) {
    schema_state state;
    state.struct_name = table.struct_name;
    state.schema = table.schema;
    state.name = table.name;
    state.key = table.key;
    state.columns.assign(table.columns.begin(), table.columns.end());
    state.indexes.assign(table.indexes.begin(), table.indexes.end());
    state.checks.assign(table.checks.begin(), table.checks.end());
    state.foreign_keys.assign(table.foreign_keys.begin(), table.foreign_keys.end());
    state.comment = table.comment;
    state.keep_texts();
    return state;
}

ISOROW_DECL schema_state schema_state::copy() const {
    auto state = of(description());
    state.struct_name = struct_name;
    return state;
}

ISOROW_DECL void schema_state::set_type(std::size_t place, std::string_view sql) {
    auto& column = columns[place];
    if (!parse_column_type(sql, column.type)) {
        places_without_type.insert(place);
        return report(place, text("the type \"{}\" is not one that isorow knows{}", sql, type_suggestion(sql)));
    }
    column.has_type = true;
    // SQL reads `bit` as `bit(1)`, and `char` as `char(1)`. A bpchar of any length has no spelling in format_type's words.
    if (column.type.id == type_id::bit && column.type.first_modifier < 0) column.type.first_modifier = 1;
    if (column.type.id != type_id::bpchar || column.type.first_modifier >= 0) return;
    if (sql.starts_with("bpchar")) report(place, "the type bpchar needs a length; use varchar or text where it has none");
    else column.type.first_modifier = 1;
}

ISOROW_DECL void schema_state::add_index(std::vector<std::string> const& names, index_description index) {
    index.fields = places_of("an index", names);
    if (names.empty()) report("an index has at least one column");
    index.name = keep(index.name);
    index.operator_class = keep(index.operator_class);
    indexes.push_back(index);
}

ISOROW_DECL void schema_state::add_foreign_key(std::vector<std::string> const& names, named_reference const& reference) {
    foreign_key_description added{.fields = places_of("a foreign key", names),
                                  .schema = reference.schema,
                                  .table = reference.table,
                                  .columns = reference.columns,
                                  .options = reference.options};
    if (names.empty()) report("a foreign key has at least one column");
    if (reference.count != names.size())
        report(text("a foreign key of {} columns refers to {} columns of {}", names.size(), reference.count, reference.table));
    keep(added);
    foreign_keys.push_back(added);
}

ISOROW_DECL std::string schema_state::label(std::size_t place) const {
    auto const& column = columns[place];
    return struct_name.empty() ? text("column \"{}\"", column.name) : text("{}.{}", struct_name, column.field);
}

ISOROW_DECL std::string schema_state::suggestion(std::string_view wrong) const {
    for (auto const& column : columns)
        if (column.field == wrong) return text("; the column of the field {} is called \"{}\"", column.field, column.name);
    return did_you_mean(wrong, columns | std::views::transform(&column_description::name));
}

ISOROW_DECL void schema_state::check_stored_types(constant_list<storable_type> storable) {
    for (std::size_t place = 0; place < columns.size(); ++place) {
        if (places_without_type.contains(place)) continue;
        auto const& column = columns[place];
        if (!column.has_type)
            report(place, "the field's type has no column type; give it one as a column override: pg_type{\"…\"} or vector_schema{…}");
        else if (!storable[place](column.type))
            report(place, text("values of this field cannot be stored as {}; docs/types.md lists the pairs that can", to_sql(column.type)));
    }
}

ISOROW_DECL void schema_state::check() {
    check_names();
    check_columns();
    for (auto const place : key)
        if (columns[place].nullable) report(place, "the primary key's column may be NULL, but a key is never NULL");
    for (auto const& index : indexes) check_index(index);
    for (std::size_t place = 0; place < columns.size(); ++place) check_origin(place);
    check_constraints();
    if (problems.empty()) return;
    auto message =
        struct_name.empty() ? std::string("the table schema cannot be used:") : text("the table schema of {} cannot be used:", struct_name);
    for (auto const& problem : problems) message += "\n  " + problem;
    throw usage_error(message);
}

ISOROW_DECL void schema_state::keep_texts() {
    for (auto& column : columns)
        for (auto const part : {&column_description::field, &column_description::name, &column_description::default_value,
                                &column_description::renamed_from, &column_description::using_expression, &column_description::generated,
                                &column_description::check, &column_description::collation, &column_description::comment})
            column.*part = keep(column.*part);
    for (auto& index : indexes)
        for (auto const part : {&index_description::name, &index_description::operator_class}) index.*part = keep(index.*part);
    for (auto& check : checks) check = {keep(check.name), keep(check.condition)};
    for (auto& one : foreign_keys) keep(one);
}

ISOROW_DECL void schema_state::keep(foreign_key_description& one) {
    one.schema = keep(one.schema);
    one.table = keep(one.table);
    for (auto& column : one.columns) column = keep(column);
    one.options.name = keep(one.options.name);
}

ISOROW_DECL std::string schema_state::type_suggestion(std::string_view sql) {
    std::vector<std::string_view> names;
    for (auto const& entry : type_catalog)
        if (entry.id != type_id::user) names.insert(names.end(), {entry.catalog_name, entry.sql_name});
    return did_you_mean(sql, names);
}

ISOROW_DECL field_list schema_state::places_of(std::string_view what, std::vector<std::string> const& names) {
    field_list list;
    if (names.size() > index_column_limit) {
        report(text("{} has {} columns; Postgres takes at most {}", what, names.size(), index_column_limit));
        return list;
    }
    for (auto const& column : names) {
        auto const place = find(column);
        if (!place) report(text("{} names the column \"{}\", which {} does not have{}", what, column, subject(), suggestion(column)));
        else if (list.contains(*place)) report(text("{} names the column \"{}\" twice", what, column));
        else list.places[list.count++] = static_cast<std::uint16_t>(*place);
    }
    return list;
}

ISOROW_DECL void schema_state::check_names() {
    for (auto const* const part : {&schema, &name})
        if (auto const problem = identifier_problem(*part); !part->empty() && !problem.empty()) report(problem);
    if (schema.empty()) schema = "public";
    for (auto const& index : indexes)
        if (auto const problem = identifier_problem(index.name); !index.name.empty() && !problem.empty()) report(problem);
}

ISOROW_DECL void schema_state::check_columns() {
    if (columns.empty()) report("it has no columns; a table needs at least one");
    if (columns.size() > table_column_limit)
        report(text("it has {} columns; Postgres takes at most {}", columns.size(), table_column_limit));
    std::set<std::string_view> names;
    for (std::size_t place = 0; place < columns.size(); ++place) {
        auto const& column = columns[place];
        if (auto const problem = identifier_problem(column.name); !problem.empty()) report(place, problem);
        else if (!names.insert(column.name).second) report(place, text("two columns have the name \"{}\"", column.name));
        if (auto const problem = type_problem(column.type); !problem.empty()) report(place, problem);
    }
}

ISOROW_DECL void schema_state::check_origin(std::size_t place) {
    auto const& column = columns[place];
    bool const is_numbered = column.identity != identity::none;
    if ((column.default_value.empty() ? 0 : 1) + (column.generated.empty() ? 0 : 1) + (is_numbered ? 1 : 0) > 1)
        report(place, "it has more than one of default_value, generated and identity");
    if (!column.is_written() && key.contains(place)) report(place, "a generated column is in the primary key, whose columns are written");
    if (is_numbered && column.nullable) report(place, "the server numbers columns only that are not_null");
    if (places_without_type.contains(place) || !column.has_type) return;
    if (is_numbered && !may_be_numbered(column.type))
        report(place, text("the server numbers smallint, integer and bigint, not {}", to_sql(column.type)));
    if (!column.collation.empty() && !is_collatable(column.type))
        report(place, text("a collation is for texts, not for {}", to_sql(column.type)));
}

ISOROW_DECL void schema_state::check_constraints() {
    for (auto const& check : checks) {
        if (auto const problem = identifier_problem(check.name); !problem.empty()) report(problem);
        if (check.condition.empty()) report(text("the check \"{}\" has no condition", check.name));
    }
    for (auto const& one : foreign_keys) {
        for (auto const part : {one.schema, one.table, one.options.name})
            if (auto const problem = identifier_problem(part); !part.empty() && !problem.empty()) report(problem);
        if (one.table.empty()) report("a foreign key refers to a table");
    }
}

ISOROW_DECL void schema_state::check_index(index_description const& index) {
    if (!index.is_of_pgvector()) return;
    if (index.fields.size() > 1) report("an index of pgvector has one column");
    for (auto const place : index.fields) {
        auto const& type = columns[place].type;
        if (places_without_type.contains(place) || !columns[place].has_type) continue;
        if (!has_vector_index(type.id) || type.array || type.first_modifier < 0)
            report(place, text("an index of pgvector needs a vector, halfvec, sparsevec or bit with its dimension, not {}", to_sql(type)));
        else if (auto const problem = metric_problem(index, type); !problem.empty()) report(place, problem);
    }
}

}  // namespace isorow::inline v1::detail
