#pragma once

#include <isorow/schema/detail/index_definition.hpp>
#include <isorow/schema/schema_change.hpp>
#include <isorow/schema/type_change.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// What a table's changes may make use of.
struct evolution_rules {
    bool concurrently = true;  ///< indexes may be built after the transaction; not where it is the caller's own
    bool may_empty = true;     ///< all rows are isorow's, so that the table may be emptied for a new key
};

namespace detail {

[[nodiscard]] inline std::string listed(std::vector<std::string> const& names) {
    std::string list;
    for (auto const& name : names) list.append(list.empty() ? "" : ", ").append(quote_identifier(name));
    return list;
}

/// Whether a unique index over exactly these columns stands on the table.
[[nodiscard]] inline bool has_unique_index(live_table const& live, std::vector<std::string> const& columns) {
    return std::any_of(live.indexes.begin(), live.indexes.end(), [&](live_index const& index) {
        return index.unique && index.valid && index.plain && are_same_names(index.columns, columns);
    });
}

/// Whether a default may differ from row to row, so that adding it writes every row. Calls of other functions than these are taken for
/// such.
[[nodiscard]] inline bool is_volatile(std::string_view expression) noexcept {
    constexpr std::array<std::string_view, 3> stable{"now()", "transaction_timestamp()", "statement_timestamp()"};
    if (expression.starts_with("pg_catalog.")) expression.remove_prefix(11);
    return expression.find('(') != std::string_view::npos && std::find(stable.begin(), stable.end(), expression) == stable.end();
}

[[nodiscard]] inline std::string drop_index_sql(std::string_view schema, std::string_view name, bool concurrently) {
    return text("DROP INDEX {}{}", concurrently ? "CONCURRENTLY " : "", quote_identifier(schema, name));
}

/// The stages of the changes, in their order.
enum class stage : std::uint8_t {
    extensions,
    renaming,
    index_drops,
    key_drop,
    emptying,
    loosening,  ///< what would stand in the way: NOT NULL, defaults
    retyping,   ///< before columns are dropped, of which its expressions may make use
    adding,
    dropping,
    tightening,  ///< from here on with the rows in place
    key,
    indexes,
    concurrent,  ///< from here on outside of the transaction
};

/// Finds the changes that `evolve` tells. For one call of `run`.
class evolver {
public:
    evolver(table_description const& declared, live_table const* live, table_record record, extension_schemas const& schemas,
            evolution_rules const& rules)
        : declared_(declared),
          schemas_(schemas),
          rules_(rules),
          record_(std::move(record)),
          quoted_(quote_identifier(declared.schema, declared.name)) {
        if (live != nullptr) live_ = *live;
    }

    [[nodiscard]] evolution run() {
        result_.projected_table = quoted_;
        add_extensions();
        if (!live_) create();
        else if (live_->kind == 'r' || live_->kind == 'p') alter();
        else refuse("", "a table", "a view, or a foreign table");
        for (auto& step : steps_) result_.changes.push_back(std::move(step.second));
        return std::move(result_);
    }

private:
    schema_change& add(stage stage, changed_object object, std::string_view name, std::string description, std::string sql) {
        schema_change change{.description = std::move(description),
                             .sql = std::move(sql),
                             .phase = stage == stage::extensions   ? change_phase::before
                                      : stage == stage::concurrent ? change_phase::after
                                                                   : change_phase::with_rows,
                             .after_rows = stage >= stage::tightening && stage < stage::concurrent,
                             .lock = stage == stage::concurrent ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE",
                             .object = object,
                             .name = std::string(name)};
        return steps_.emplace(stage, std::move(change))->second;
    }

    schema_change& alter_column(stage stage, std::string_view name, std::string_view what, std::string description) {
        return add(stage, changed_object::column, name, std::move(description),
                   text("ALTER TABLE {} ALTER COLUMN {} {}", quoted_, quote_identifier(name), what));
    }

    void refuse(std::string_view column, std::string expected, std::string found, std::string_view field = {}) {
        result_.refused.push_back({field.empty() ? std::string(declared_.struct_name) : text("{}.{}", declared_.struct_name, field),
                                   std::string(column), std::move(expected), std::move(found)});
    }
    void refuse(column_description const& column, std::string expected, std::string found) {
        refuse(column.name, std::move(expected), std::move(found), column.field);
    }

    void add_extensions() {
        for (auto const extension : needed_extensions(declared_)) {
            if (schemas_.find(extension) != schemas_.end()) continue;
            auto const quoted = quote_identifier(extension);
            add(stage::extensions, changed_object::extension, extension, "create extension " + quoted,
                "CREATE EXTENSION IF NOT EXISTS " + quoted)
                .lock = {};
        }
    }

    // A table that is not there.

    void create() {
        result_.creates = true;
        result_.record.created = true;
        add(stage::adding, changed_object::table, declared_.name, "create table " + quoted_, create_table_sql(declared_, schemas_))
            .lock = {};
        for (auto const& column : declared_.columns) result_.record.columns.push_back(to_recorded(column));
        if (!declared_.key.empty()) add_key();
        for (auto const& index : declared_indexes(declared_)) make_index(index);
    }

    void add_key() {
        result_.record.key = key_names(declared_);
        add(stage::key, changed_object::key, declared_.name, text("add primary key ({})", listed(result_.record.key)),
            add_key_sql(declared_));
    }

    // A table that is there.

    void alter() {
        result_.record.created = record_.created;
        rename_columns();
        settle_key();
        for (auto const& column : declared_.columns) settle_column(column);
        for (auto const& column : record_.columns)
            if (!is_declared(column.name)) drop_column(column);
        settle_indexes();
        for (auto const& column : live_->columns)
            if (!is_declared(column.name) && find_named(record_.columns, column.name) == nullptr && column.not_null &&
                !column.has_default())
                refuse(column.name, "a field for it, or a default", "NOT NULL without a default");
    }

    [[nodiscard]] bool is_declared(std::string_view name) const noexcept {
        return std::any_of(declared_.columns.begin(), declared_.columns.end(), [&](auto const& column) { return column.name == name; });
    }

    [[nodiscard]] bool is_renamed(column_description const& column) const noexcept {
        return !column.renamed_from.empty() && live_->find(column.name) == nullptr && live_->find(column.renamed_from) != nullptr &&
               !is_declared(column.renamed_from);
    }

    void rename_columns() {
        std::vector<column_description> former(declared_.columns.begin(), declared_.columns.end());
        std::string names;
        for (auto& column : former) {
            if (!is_renamed(column)) continue;
            auto const from = quote_identifier(column.renamed_from);
            auto const to = quote_identifier(column.name);
            add(stage::renaming, changed_object::column, column.name, text("rename column {} to {}", from, to),
                text("ALTER TABLE {} RENAME COLUMN {} TO {}", quoted_, from, to));
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

    /// What is known of the table, with a column's new name.
    void rename(std::string_view from, std::string_view to) {
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

    /// An index follows its columns' new names by itself; only its own name, where that is made of them, is left behind.
    void rename_indexes(table_description const& before) {
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

    // The key.

    void settle_key() {
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

    /// With another key the rows that are there are others: all are written anew, in the one transaction, and what is attached stays.
    void rebuild(live_index const* key, std::vector<std::string> const& names) {
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

    // Columns.

    void settle_column(column_description const& column) {
        auto const* const found = live_->find(column.name);
        auto const* const known = find_named(record_.columns, column.name);
        if (found == nullptr) return add_column(column);
        if (found->generated) refuse(column, "a column that can be written", "a generated column");
        if (found->identity_always) refuse(column, "a column that can be written", "GENERATED ALWAYS AS IDENTITY");
        if (known != nullptr) result_.record.columns.push_back(to_recorded(column));
        result_.projection.push_back(quote_identifier(column.name));
        bool const loses = settle_type(column, *found, known);
        settle_nullability(column, found->not_null, loses);
    }

    void add_column(column_description const& column) {
        bool const waits = !column.nullable && column.default_value.empty() && !result_.rebuilds;
        auto added = column;
        added.nullable = column.nullable || waits;
        auto const sql = column_sql(added, schemas_);
        add(stage::adding, changed_object::column, column.name, "add column " + sql, text("ALTER TABLE {} ADD COLUMN {}", quoted_, sql))
            .rewrites = is_volatile(column.default_value);
        if (waits) set_not_null(column);
        result_.needs_values = result_.needs_values || waits;
        result_.record.columns.push_back(to_recorded(column));
        result_.projection.push_back(value_sql(column, column.default_value.empty() ? "NULL" : column.default_value));
    }

    /// An expression of the column's type; of a type that the database does not have yet there is only NULL.
    [[nodiscard]] std::string value_sql(column_description const& column, std::string_view expression) const {
        auto const extension = entry_of(column.type.id).extension;
        if (!extension.empty() && schemas_.find(extension) == schemas_.end()) return "NULL";
        return text("({})::{}", expression, type_sql(column.type, schemas_));
    }

    /// Returns whether the column's values are lost.
    bool settle_type(column_description const& column, live_column const& found, recorded_column const* known) {
        if (is_type(column.type, found.type)) return settle_default(column, found, known), false;
        auto const change = type_change_of(column, found);
        if (change == type_change::unknown) {
            refuse(column, to_sql(column.type),
                   text("{}, which has no safe conversion to it: say .using_expression for the column, or change the table by hand",
                        found.type));
            return false;
        }
        bool const is_safe = change == type_change::keeps || change == type_change::rewrites;
        bool const loses = change == type_change::loses;
        auto& step = retype(column, found, loses);
        step.rewrites = change != type_change::keeps;
        step.destructive = !is_safe;
        if (loses) lose(column, step);
        // A default follows where its cast is as safe as the values'; another one would keep the type from being changed.
        bool const is_ours = known != nullptr || !column.default_value.empty();
        if (is_safe || found.default_value.empty() || !is_ours) return settle_default(column, found, known), loses;
        alter_column(stage::loosening, column.name, "DROP DEFAULT", "drop the default of column " + quote_identifier(column.name));
        if (!column.default_value.empty()) set_default(column);
        return loses;
    }

    [[nodiscard]] type_change type_change_of(column_description const& column, live_column const& found) const {
        column_type live;
        auto const change = read_live_type(found.type, live) ? change_of_type(live, column.type) : type_change::unknown;
        if (result_.rebuilds) return change == type_change::unknown ? type_change::loses : change;
        return column.using_expression.empty() ? change : type_change::converts;
    }

    schema_change& retype(column_description const& column, live_column const& found, bool loses) {
        auto const name = quote_identifier(column.name);
        bool const is_said = !column.using_expression.empty() && !result_.rebuilds;
        auto const value = value_sql(column, loses ? "NULL" : is_said ? column.using_expression : std::string_view(name));
        retyped_.emplace_back(column.name);
        result_.projection.back() = value;
        return alter_column(stage::retyping, column.name, text("TYPE {} USING {}", type_sql(column.type, schemas_), value),
                            text("change the type of column {} from {} to {}", name, found.type, to_sql(column.type)));
    }

    /// An emptied table has no values to lose.
    void lose(column_description const& column, schema_change& step) {
        lost_.emplace_back(column.name);
        if (result_.rebuilds) return;
        result_.loses_values = true;
        step.description += ", which loses its values: all rows must be declared again";
    }

    void settle_default(column_description const& column, live_column const& found, recorded_column const* known) {
        bool const is_set =
            known != nullptr ? known->default_value == column.default_value : column.default_value.empty() || found.has_default();
        if (is_set) return;
        if (!column.default_value.empty()) return set_default(column);
        alter_column(stage::loosening, column.name, "DROP DEFAULT", "drop the default of column " + quote_identifier(column.name));
    }

    void set_default(column_description const& column) {
        alter_column(stage::adding, column.name, text("SET DEFAULT {}", column.default_value),
                     text("set the default of column {} to {}", quote_identifier(column.name), column.default_value));
    }

    void settle_nullability(column_description const& column, bool not_null, bool loses) {
        bool const must_loosen = column.nullable || (loses && !result_.rebuilds);
        if (not_null && must_loosen) drop_not_null(column.name);
        if (!column.nullable && (!not_null || must_loosen)) set_not_null(column);
    }

    void drop_not_null(std::string_view name) {
        alter_column(stage::loosening, name, "DROP NOT NULL", text("let column {} be NULL", quote_identifier(name)));
    }
    void set_not_null(column_description const& column) {
        alter_column(stage::tightening, column.name, "SET NOT NULL",
                     text("let column {} not be NULL, which reads the whole table", quote_identifier(column.name)));
    }

    // Columns that are declared no longer.

    /// The user's index or check that a column would take with it when it is dropped; empty where there is none.
    [[nodiscard]] std::string thing_in_the_way(std::string_view column) const {
        for (auto const& index : live_->indexes)
            if (contains(index.mentioned, column) && !is_ours(index)) return "the index " + quote_identifier(index.name);
        for (auto const& constraint : live_->constraints)
            if (contains(constraint.columns, column)) return "the constraint " + quote_identifier(constraint.name);
        return {};
    }

    [[nodiscard]] bool is_ours(live_index const& index) const {
        return find_named(record_.indexes, index.name) != nullptr || (index.primary && are_same_names(index.columns, record_.key));
    }

    void drop_column(recorded_column const& column) {
        auto const* const found = live_->find(column.name);
        if (found == nullptr) return;
        auto const quoted = quote_identifier(column.name);
        bool const hinders_rows = found->not_null && !found->has_default();
        if (auto const thing = thing_in_the_way(column.name); !thing.empty()) {
            result_.record.columns.push_back(column);
            result_.postponed.push_back(text("drop column {} of {}: {}, which isorow did not make, is over it", quoted, quoted_, thing));
            if (hinders_rows) drop_not_null(column.name);
            return;
        }
        auto& change = add(stage::dropping, changed_object::column, column.name, "drop column " + quoted,
                           text("ALTER TABLE {} DROP COLUMN {}", quoted_, quoted));
        change.destructive = !column.to_be_dropped;
        change.may_be_postponed = true;
        if (hinders_rows) change.instead = text("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL", quoted_, quoted);
        if (column.to_be_dropped) change.description += ", as was allowed before";
        dropped_.push_back(column.name);
    }

    // Indexes.

    void settle_indexes() {
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

    void settle_index(index_description const& index) {
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

    [[nodiscard]] static bool mentions(live_index const& index, std::vector<std::string> const& columns) {
        return std::any_of(columns.begin(), columns.end(), [&](auto const& column) { return contains(index.mentioned, column); });
    }

    /// Partitioned tables have no concurrent builds.
    [[nodiscard]] bool is_built_after() const noexcept {
        return rules_.concurrently && !result_.creates && !result_.rebuilds && live_->kind == 'r';
    }

    schema_change& drop_index(live_index const& index, bool concurrently) {
        auto sql = index.constraint.empty() ? drop_index_sql(declared_.schema, index.name, concurrently)
                                            : text("ALTER TABLE {} DROP CONSTRAINT {}", quoted_, quote_identifier(index.constraint));
        return add(concurrently ? stage::concurrent : stage::index_drops, changed_object::index, index.name,
                   text("drop index {}", quote_identifier(index.name)), std::move(sql));
    }

    void make_index(index_description const& index) {
        bool const after = is_built_after();
        result_.record.indexes.push_back(to_recorded(declared_, index, schemas_, after));
        auto const name = index_name(declared_, index);
        auto& change = add(after ? stage::concurrent : stage::indexes, changed_object::index, name,
                           text("create index {}", quote_identifier(name)), create_index_sql(declared_, index, schemas_, after));
        if (!after) change.lock = "SHARE";
    }

    table_description declared_;
    extension_schemas const& schemas_;
    evolution_rules rules_;
    table_record record_;
    std::optional<live_table> live_{};
    std::string quoted_;
    evolution result_{};
    std::multimap<stage, schema_change> steps_{};  ///< in the order of their stages, those of one in that of their making
    std::vector<std::string> retyped_{};
    std::vector<std::string> lost_{};
    std::vector<std::string> dropped_{};
};

}  // namespace detail

}  // namespace isorow::inline v1
