#pragma once

#include <isorow/config.hpp>
#include <isorow/schema/detail/constraint_changes.hpp>
#include <isorow/schema/detail/index_definition.hpp>
#include <isorow/schema/detail/labels.hpp>
#include <isorow/schema/schema_change.hpp>
#include <isorow/schema/type_change.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

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

[[nodiscard]] inline std::string drop_index_sql(std::string_view schema, std::string_view name, bool concurrently) {
    return text("DROP INDEX {}{}", concurrently ? "CONCURRENTLY " : "", quote_identifier(schema, name));
}

/// The stages of the changes, in their order.
enum class stage : std::uint8_t {
    extensions,
    types,
    parting,  ///< foreign keys go before any table of the run is altered
    renaming,
    index_drops,
    key_drop,
    emptying,
    loosening,  ///< what would stand in the way: NOT NULL, defaults, checks
    retyping,   ///< before columns are dropped, of which its expressions may make use
    adding,
    computing,  ///< generated columns: once the columns are there that they are computed from, and before others are dropped
    dropping,
    tightening,  ///< from here on with the rows in place
    numbering,
    key,
    indexes,
    comments,
    joining,     ///< foreign keys come once all tables of the run have their rows and keys
    concurrent,  ///< from here on outside of the transaction
};

/// Finds the changes that `evolve` tells. For one call of `run`.
class evolver {
public:
    evolver(table_description const& declared, live_table const* live, table_record record, extension_schemas const& schemas,
            evolution_rules const& rules);
    [[nodiscard]] evolution run();

private:
    schema_change& add(stage stage, changed_object object, std::string_view name, std::string description, std::string sql);

    /// The same of a change that was found elsewhere.
    void put(stage stage, schema_change found);
    schema_change& alter_column(stage stage, std::string_view name, std::string_view what, std::string description);
    void refuse(std::string_view column, std::string expected, std::string found, std::string_view field = {});
    void refuse(column_description const& column, std::string expected, std::string found);
    void add_extensions();

    // Types of the user's. A new label cannot be used in the transaction that adds it, so they are made before.

    void add_types();
    void add_type(std::string description, std::string const& name, std::string sql);

    /// Each new label stands behind the one before it, or before the first that is there.
    void add_new_labels(user_type const& type, std::string const& name, std::vector<std::string> const& known);
    void compare_attributes(user_type const& type, std::string const& name, std::vector<std::string> const& known);
    [[nodiscard]] bool is_known(column_type const& type) const;

    // A table that is not there.

    void create();
    void add_key();

    // A table that is there.

    void alter();
    [[nodiscard]] bool is_declared(std::string_view name) const noexcept;
    [[nodiscard]] bool is_renamed(column_description const& column) const noexcept;
    void rename_columns();

    /// What is known of the table, with a column's new name.
    void rename(std::string_view from, std::string_view to);

    /// An index follows its columns' new names by itself; only its own name, where that is made of them, is left behind.
    void rename_indexes(table_description const& before);

    // The key.

    void settle_key();

    /// With another key the rows that are there are others: all are written anew, in the one transaction, and what is attached stays.
    void rebuild(live_index const* key, std::vector<std::string> const& names);

    // Columns.

    void settle_column(column_description const& column);

    /// Targets write all columns that the server does not compute.
    void refuse_always(column_description const& column);

    // Columns whose values are the server's.

    void settle_generated(column_description const& column, live_column const& found, recorded_column const* known);

    /// The values are computed anew, so that none is lost, unless they were written so far. What stands over the column goes with it: the
    /// indexes that are isorow's are made again, others' keep it from being done.
    void regenerate(column_description const& column, live_column const& found);
    void settle_identity(column_description const& column, live_column const& found, recorded_column const* known);

    /// The server begins behind the numbers that are there. It numbers columns only that are NOT NULL.
    void number(column_description const& column);

    /// A collation of the user's stays where none was declared.
    [[nodiscard]] static bool is_collation(column_description const& column, live_column const& found,
                                           recorded_column const* known) noexcept;
    void add_column(column_description const& column);

    /// An expression of the column's type; of a type that the database does not have yet there is only NULL.
    [[nodiscard]] std::string value_sql(column_description const& column, std::string_view expression) const;

    /// Returns whether the column's values are lost.
    bool settle_type(column_description const& column, live_column const& found, recorded_column const* known);
    [[nodiscard]] type_change type_change_of(column_description const& column, live_column const& found) const;
    schema_change& retype(column_description const& column, live_column const& found, bool loses);
    [[nodiscard]] static std::string collation_sql(column_description const& column);

    /// The values stay what they are; the indexes over them are sorted anew by the server.
    void collate(column_description const& column);

    /// An emptied table has no values to lose.
    void lose(column_description const& column, schema_change& step);
    void settle_default(column_description const& column, live_column const& found, recorded_column const* known);
    void set_default(column_description const& column);
    void settle_nullability(column_description const& column, bool not_null, bool loses);
    void drop_not_null(std::string_view name);
    void set_not_null(column_description const& column);

    // The checks of columns with labels.

    /// The column's check that isorow made, or null.
    [[nodiscard]] live_constraint const* labels_check(std::string_view column) const;
    void settle_labels(column_description const& column);
    void add_labels(column_description const& column);

    /// A check follows its column's new name by itself, but for its own name.
    void rename_labels(std::string_view from, std::string_view to);

    // Columns that are declared no longer.

    /// The user's index or check that a column would take with it when it is dropped; empty where there is none.
    [[nodiscard]] std::string thing_in_the_way(std::string_view column) const;
    [[nodiscard]] bool is_ours(live_index const& index) const;
    void drop_column(recorded_column const& column);

    // Constraints and comments.

    void settle_constraints(live_table const* live);
    void take(constraint_changes changes, stage drops, stage additions, std::string_view lock);

    /// A column that is made anew has lost its comment.
    void add_comments(live_table const* live);

    // Indexes.

    void settle_indexes();
    void settle_index(index_description const& index);
    [[nodiscard]] static bool mentions(live_index const& index, std::vector<std::string> const& columns);

    /// Partitioned tables have no concurrent builds.
    [[nodiscard]] bool is_built_after() const noexcept;
    schema_change& drop_index(live_index const& index, bool concurrently);
    void make_index(index_description const& index);

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
    std::vector<std::string> made_anew_{};
};

}  // namespace isorow::inline v1::detail

#if ISOROW_HAS_CODE
#include <isorow/schema/detail/evolver_code.hpp>
#include <isorow/schema/detail/evolver_columns_code.hpp>
#endif
