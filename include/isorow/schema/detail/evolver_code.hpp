#pragma once

#include <isorow/schema/detail/evolver.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

ISOROW_DECL evolver::evolver(table_description const& declared, live_table const* live, table_record record,
                             extension_schemas const& schemas, evolution_rules const& rules)
    : declared_(declared),
      schemas_(schemas),
      rules_(rules),
      record_(std::move(record)),
      quoted_(quote_identifier(declared.schema, declared.name)) {
    if (live != nullptr) live_ = *live;
}

ISOROW_DECL evolution evolver::run() {
    result_.projected_table = quoted_;
    add_extensions();
    add_types();
    if (!live_) create();
    else if (live_->kind == 'r' || live_->kind == 'p') alter();
    else refuse("", "a table", "a view, or a foreign table");
    for (auto& step : steps_) result_.changes.push_back(std::move(step.second));
    return std::move(result_);
}

ISOROW_DECL schema_change& evolver::add(stage stage, changed_object object, std::string_view name, std::string description,
                                        std::string sql) {
    schema_change change{.description = std::move(description),
                         .sql = std::move(sql),
                         .phase = stage <= stage::types        ? change_phase::before
                                  : stage == stage::concurrent ? change_phase::after
                                                               : change_phase::with_rows,
                         .after_rows = stage >= stage::tightening && stage < stage::concurrent,
                         .joins = stage == stage::parting || stage == stage::joining,
                         .lock = stage == stage::concurrent ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE",
                         .object = object,
                         .name = std::string(name)};
    return steps_.emplace(stage, std::move(change))->second;
}

ISOROW_DECL void evolver::put(stage stage, schema_change found) {
    auto const lock = found.lock;
    add(stage, found.object, found.name, std::move(found.description), std::move(found.sql)).lock = lock;
}

ISOROW_DECL schema_change& evolver::alter_column(stage stage, std::string_view name, std::string_view what, std::string description) {
    return add(stage, changed_object::column, name, std::move(description),
               text("ALTER TABLE {} ALTER COLUMN {} {}", quoted_, quote_identifier(name), what));
}

ISOROW_DECL void evolver::refuse(std::string_view column, std::string expected, std::string found, std::string_view field) {
    result_.refused.push_back({field.empty() ? std::string(declared_.struct_name) : text("{}.{}", declared_.struct_name, field),
                               std::string(column), std::move(expected), std::move(found)});
}

ISOROW_DECL void evolver::refuse(column_description const& column, std::string expected, std::string found) {
    refuse(column.name, std::move(expected), std::move(found), column.field);
}

ISOROW_DECL void evolver::add_extensions() {
    for (auto const extension : needed_extensions(declared_)) {
        if (find_schema(schemas_, extension) != nullptr) continue;
        auto const quoted = quote_identifier(extension);
        add(stage::extensions, changed_object::extension, extension, "create extension " + quoted,
            "CREATE EXTENSION IF NOT EXISTS " + quoted)
            .lock = {};
    }
}

ISOROW_DECL void evolver::add_types() {
    for (auto const* const type : needed_types(declared_)) {
        auto const name = quote_identifier(type->schema, type->name);
        auto const known = rules_.known_types.find(name);
        if (known == rules_.known_types.end()) add_type("create type " + name, name, create_type_sql(*type, schemas_));
        else if (type->kind == user_type_kind::enumeration) add_new_labels(*type, name, known->second);
        else compare_attributes(*type, name, known->second);
    }
}

ISOROW_DECL void evolver::add_type(std::string description, std::string const& name, std::string sql) {
    add(stage::types, changed_object::type, name, std::move(description), std::move(sql)).lock = {};
}

ISOROW_DECL void evolver::add_new_labels(user_type const& type, std::string const& name, std::vector<std::string> const& known) {
    std::string before;
    for (auto const label : type.labels) {
        if (!contains(known, label)) {
            auto const place = !before.empty() ? " AFTER " + before
                               : known.empty() ? std::string{}
                                               : " BEFORE " + quote_literal(known.front());
            add_type(text("add label {} to type {}", quote_literal(label), name), name,
                     text("ALTER TYPE {} ADD VALUE IF NOT EXISTS {}{}", name, quote_literal(label), place));
        }
        before = quote_literal(label);
    }
}

ISOROW_DECL void evolver::compare_attributes(user_type const& type, std::string const& name, std::vector<std::string> const& known) {
    auto const fits = [](user_attribute const& declared, std::string_view live) {
        return live.size() > declared.name.size() && live.starts_with(declared.name) && live[declared.name.size()] == ' ' &&
               is_type(declared.type, live.substr(declared.name.size() + 1));
    };
    if (std::equal(type.attributes.begin(), type.attributes.end(), known.begin(), known.end(), fits)) return;
    std::string found;
    for (auto const& attribute : known) found.append(found.empty() ? "" : ", ").append(attribute);
    refuse(name, create_type_sql(type, schemas_), text("a type of this name with the attributes ({})", found));
}

ISOROW_DECL bool evolver::is_known(column_type const& type) const {
    return type.user == nullptr || rules_.known_types.contains(quote_identifier(type.user->schema, type.user->name));
}

ISOROW_DECL void evolver::create() {
    result_.creates = true;
    result_.record.created = true;
    add(stage::adding, changed_object::table, declared_.name, "create table " + quoted_, create_table_sql(declared_, schemas_)).lock = {};
    for (auto const& column : declared_.columns) result_.record.columns.push_back(to_recorded(column));
    if (!declared_.key.empty()) add_key();
    for (auto const& index : declared_indexes(declared_)) make_index(index);
    for (auto const& column : declared_.columns) refuse_always(column);
    settle_constraints(nullptr);
    add_comments(nullptr);
}

ISOROW_DECL void evolver::add_key() {
    result_.record.key = key_names(declared_);
    add(stage::key, changed_object::key, declared_.name, text("add primary key ({})", listed(result_.record.key)), add_key_sql(declared_));
}

ISOROW_DECL void evolver::alter() {
    result_.record.created = record_.created;
    rename_columns();
    settle_key();
    for (auto const& column : declared_.columns) settle_column(column);
    for (bool const is_computed : {true, false})  // what is computed goes before what it is computed from
        for (auto const& column : record_.columns)
            if (!is_declared(column.name) && column.generated.empty() != is_computed) drop_column(column);
    settle_indexes();
    settle_constraints(&*live_);
    add_comments(&*live_);
    for (auto const& column : live_->columns)
        if (!is_declared(column.name) && find_named(record_.columns, column.name) == nullptr && column.not_null && !column.has_default())
            refuse(column.name, "a field for it, or a default", "NOT NULL without a default");
}

ISOROW_DECL bool evolver::is_declared(std::string_view name) const noexcept {
    return std::any_of(declared_.columns.begin(), declared_.columns.end(), [&](auto const& column) { return column.name == name; });
}

ISOROW_DECL bool evolver::is_renamed(column_description const& column) const noexcept {
    return !column.renamed_from.empty() && live_->find(column.name) == nullptr && live_->find(column.renamed_from) != nullptr &&
           !is_declared(column.renamed_from);
}

ISOROW_DECL void evolver::rename_columns() {
    std::vector<column_description> former(declared_.columns.begin(), declared_.columns.end());
    std::string names;
    for (auto& column : former) {
        if (!is_renamed(column)) continue;
        auto const from = quote_identifier(column.renamed_from);
        auto const to = quote_identifier(column.name);
        add(stage::renaming, changed_object::column, column.name, text("rename column {} to {}", from, to),
            text("ALTER TABLE {} RENAME COLUMN {} TO {}", quoted_, from, to));
        rename_labels(column.renamed_from, column.name);
        names += text(", {} AS {}", from, to);
        rename(column.renamed_from, column.name);
        column.name = column.renamed_from;
    }
    if (names.empty()) return;
    result_.projected_table = text("(SELECT *{} FROM {}) renamed", names, quoted_);
    auto before = declared_;
    before.columns = former;
    rename_indexes(before);
}

ISOROW_DECL void evolver::rename(std::string_view from, std::string_view to) {
    auto const in_list = [&](std::vector<std::string>& names) {
        std::replace(names.begin(), names.end(), std::string(from), std::string(to));
    };
    auto const in_named = [&](auto& elements) {
        if (auto* const element = find_named(elements, from)) element->name = to;
    };
    in_named(live_->columns);
    in_named(record_.columns);
    in_list(record_.key);
    for (auto& index : live_->indexes) {
        in_list(index.columns);
        in_list(index.mentioned);
    }
    for (auto& constraint : live_->constraints) in_list(constraint.columns);
}

ISOROW_DECL void evolver::rename_indexes(table_description const& before) {
    for (auto const& index : declared_indexes(declared_)) {
        auto const former = to_recorded(before, index, schemas_, false);
        auto* const known = find_named(record_.indexes, former.name);
        if (known == nullptr || known->definition != former.definition) continue;
        auto const now = to_recorded(declared_, index, schemas_, known->pending);
        auto* const found = find_named(live_->indexes, former.name);
        if (former.name != now.name && found != nullptr) {
            if (live_->find_index(now.name) != nullptr) continue;
            add(stage::renaming, changed_object::index, now.name,
                text("rename index {} to {}", quote_identifier(former.name), quote_identifier(now.name)),
                text("ALTER INDEX {} RENAME TO {}", quote_identifier(declared_.schema, former.name), quote_identifier(now.name)))
                .lock = "SHARE UPDATE EXCLUSIVE";
            found->name = now.name;
        }
        *known = now;
    }
}

ISOROW_DECL void evolver::settle_key() {
    if (declared_.key.empty()) return;
    auto const names = key_names(declared_);
    auto const* const key = live_->primary_key();
    bool const is_other = !record_.key.empty() && !are_same_names(record_.key, names);
    bool const is_ours = key == nullptr || are_same_names(key->columns, record_.key);
    if (is_other && is_ours) return rebuild(key, names);
    result_.record.key = names;
    if (has_unique_index(*live_, names)) return;
    if (key == nullptr) return add_key();
    refuse(listed(names), "a primary key or a unique index over exactly these columns",
           text("a primary key over {}", listed(key->columns)));
}

ISOROW_DECL void evolver::rebuild(live_index const* key, std::vector<std::string> const& names) {
    auto const former = listed(record_.key);
    if (!rules_.may_empty)
        return refuse(listed(names), "the key that the table's rows were written by, as the table also has rows of others", former);
    result_.rebuilds = true;
    if (key != nullptr)
        add(stage::key_drop, changed_object::key, key->constraint, text("drop the primary key ({})", former),
            text("ALTER TABLE {} DROP CONSTRAINT {}", quoted_, quote_identifier(key->constraint)))
            .destructive = true;
    add(stage::emptying, changed_object::table, declared_.name,
        text("empty table {}, whose rows are written anew as the key changes from ({}) to ({})", quoted_, former, listed(names)),
        "TRUNCATE " + quoted_)
        .destructive = true;
    add_key();
}

ISOROW_DECL void evolver::settle_constraints(live_table const* live) {
    auto gone = made_anew_;
    gone.insert(gone.end(), dropped_.begin(), dropped_.end());
    constraint_finder finder(declared_, live, record_, std::move(gone));
    auto checks = finder.find("CHECK", declared_checks(declared_));
    if (live == nullptr) checks.added.clear();  // CREATE TABLE has them
    take(std::move(checks), stage::loosening, stage::tightening, "ACCESS EXCLUSIVE");
    take(finder.find("FOREIGN KEY", declared_foreign_keys(declared_)), stage::parting, stage::joining, "SHARE ROW EXCLUSIVE");
}

ISOROW_DECL void evolver::take(constraint_changes changes, stage drops, stage additions, std::string_view lock) {
    for (auto& change : changes.dropped) put(drops, std::move(change));
    for (auto& change : changes.added) {
        change.lock = lock;
        put(additions, std::move(change));
    }
    auto const append = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(result_.record.constraints, changes.record);
    append(result_.refused, changes.refused);
}

ISOROW_DECL void evolver::add_comments(live_table const* live) {
    std::optional<live_table> there;
    if (live != nullptr) there = *live;
    for (auto const& name : made_anew_)
        if (auto* const column = find_named(there->columns, name)) column->comment.clear();
    result_.record.comment = declared_.comment;
    for (auto& change : comment_changes(declared_, there ? &*there : nullptr, record_)) put(stage::comments, std::move(change));
}

ISOROW_DECL void evolver::settle_indexes() {
    std::vector<std::string> names;
    for (auto const& index : declared_indexes(declared_)) {
        auto name = index_name(declared_, index);
        if (contains(names, name)) refuse(name, "one index of this name", "two different ones are declared");
        else settle_index(index);
        names.push_back(std::move(name));
    }
    for (auto const& known : record_.indexes)
        if (auto const* const found = live_->find_index(known.name); found != nullptr && !contains(names, known.name))
            drop_index(*found, false).may_be_postponed = true;
}

ISOROW_DECL void evolver::settle_index(index_description const& index) {
    auto declared = to_recorded(declared_, index, schemas_, false);
    auto const* const known = find_named(record_.indexes, declared.name);
    auto const* const found = live_->find_index(declared.name);
    if (found == nullptr) return make_index(index);
    // pg_get_indexdef's words, so that a definition which only reads otherwise is no reason to build anew.
    bool const is_like = is_same_definition(declared.definition, found->definition, schemas_);
    if (known == nullptr) {
        if (!is_like)
            refuse(declared.name, declared.definition, text("an index of this name that isorow did not make: {}", found->definition));
        return;
    }
    bool const is_right = is_like || (known->definition == declared.definition && !known->pending);
    if (found->valid && is_right && !mentions(*found, lost_)) return result_.record.indexes.push_back(std::move(declared));
    bool const goes_early = mentions(*found, retyped_) || mentions(*found, dropped_) || !found->constraint.empty();
    drop_index(*found, is_built_after() && !goes_early);
    make_index(index);
}

ISOROW_DECL bool evolver::mentions(live_index const& index, std::vector<std::string> const& columns) {
    return std::any_of(columns.begin(), columns.end(), [&](auto const& column) { return contains(index.mentioned, column); });
}

ISOROW_DECL bool evolver::is_built_after() const noexcept {
    return rules_.concurrently && !result_.creates && !result_.rebuilds && live_->kind == 'r';
}

ISOROW_DECL schema_change& evolver::drop_index(live_index const& index, bool concurrently) {
    auto sql = index.constraint.empty() ? drop_index_sql(declared_.schema, index.name, concurrently)
                                        : text("ALTER TABLE {} DROP CONSTRAINT {}", quoted_, quote_identifier(index.constraint));
    return add(concurrently ? stage::concurrent : stage::index_drops, changed_object::index, index.name,
               text("drop index {}", quote_identifier(index.name)), std::move(sql));
}

ISOROW_DECL void evolver::make_index(index_description const& index) {
    bool const after = is_built_after();
    result_.record.indexes.push_back(to_recorded(declared_, index, schemas_, after));
    auto const name = index_name(declared_, index);
    auto& change = add(after ? stage::concurrent : stage::indexes, changed_object::index, name,
                       text("create index {}", quote_identifier(name)), create_index_sql(declared_, index, schemas_, after));
    if (!after) change.lock = "SHARE";
}

}  // namespace isorow::inline v1::detail
