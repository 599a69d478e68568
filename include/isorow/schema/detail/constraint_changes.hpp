#pragma once

/// @file
/// Checks, foreign keys and comments that are declared, held against those of a live table. Postgres prints a condition otherwise than it
/// was written, so that isorow's own are known by the record, and others only compared by what they look like.

#include <isorow/error/mismatch.hpp>
#include <isorow/schema/ddl_statements.hpp>
#include <isorow/schema/detail/bare_constraint.hpp>
#include <isorow/schema/schema_change.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// Whether a live constraint looks like a declared one, whatever its name is.
[[nodiscard]] inline bool is_like(constraint_sql const& declared, live_constraint const& live) {
    return bare_constraint(declared.definition) == bare_constraint(live.definition);
}

[[nodiscard]] inline schema_change addition_of_constraint(table_description const& table, constraint_sql const& constraint) {
    return {.description = text("add constraint {} {}", quote_identifier(constraint.name), constraint.definition),
            .sql = add_constraint_sql(table, constraint),
            .lock = "ACCESS EXCLUSIVE",
            .object = changed_object::constraint,
            .name = constraint.name};
}

[[nodiscard]] inline schema_change drop_of_constraint(table_description const& table, std::string const& name,
                                                      std::string_view definition) {
    return {.description = text("drop constraint {} {}", quote_identifier(name), definition),
            .sql = text("ALTER TABLE {} DROP CONSTRAINT {}", quote_identifier(table.schema, table.name), quote_identifier(name)),
            .lock = "ACCESS EXCLUSIVE",
            .object = changed_object::constraint,
            .name = name};
}

/// What is to be done with the constraints of one kind.
struct constraint_changes {
    std::vector<schema_change> dropped{};
    std::vector<schema_change> added{};
    std::vector<recorded_object> record{};
    std::vector<difference> refused{};
};

/// Finds the changes of a table's constraints.
class constraint_finder {
public:
    /// `live`: null where the table is not there. `gone`: columns that are dropped, or made anew, and take their constraints with them.
    constraint_finder(table_description const& declared, live_table const* live, table_record const& record, std::vector<std::string> gone)
        : declared_(declared), live_(live), record_(record), gone_(std::move(gone)) {}

    /// `keyword`: what the definitions of the kind begin with.
    [[nodiscard]] constraint_changes find(std::string_view keyword, std::vector<constraint_sql> const& wanted) {
        constraint_changes changes;
        std::vector<std::string> names;
        for (auto const& constraint : wanted) {
            if (contains(names, constraint.name)) refuse(changes, constraint, "two different constraints of this name are declared");
            else settle(changes, constraint);
            names.push_back(constraint.name);
        }
        for (auto const& known : record_.constraints)
            if (known.definition.starts_with(keyword) && !contains(names, known.name) && find_live(known.name) != nullptr)
                changes.dropped.push_back(drop_of_constraint(declared_, known.name, known.definition));
        return changes;
    }

private:
    [[nodiscard]] live_constraint const* find_live(std::string_view name) const noexcept {
        return live_ == nullptr ? nullptr : live_->find_constraint(name);
    }

    void settle(constraint_changes& changes, constraint_sql const& constraint) const {
        auto const* const found = find_live(constraint.name);
        auto const* const known = find_named(record_.constraints, constraint.name);
        if (found != nullptr && known == nullptr) {
            if (!is_like(constraint, *found))
                refuse(changes, constraint, text("a constraint of this name that isorow did not make: {}", found->definition));
            return;
        }
        changes.record.push_back({constraint.name, constraint.definition});
        if (found != nullptr && known->definition == constraint.definition && !goes(*found)) return;
        if (found != nullptr) changes.dropped.push_back(drop_of_constraint(declared_, known->name, known->definition));
        changes.added.push_back(addition_of_constraint(declared_, constraint));
    }

    [[nodiscard]] bool goes(live_constraint const& found) const {
        return std::any_of(gone_.begin(), gone_.end(), [&](auto const& column) { return contains(found.columns, column); });
    }

    void refuse(constraint_changes& changes, constraint_sql const& constraint, std::string found) const {
        changes.refused.push_back({std::string(declared_.struct_name), constraint.name, constraint.definition, std::move(found)});
    }

    table_description const& declared_;
    live_table const* live_;
    table_record const& record_;
    std::vector<std::string> gone_;
};

/// The comments that are to be set or taken away: those that isorow has set and that are declared no longer go, others' stay.
[[nodiscard]] inline std::vector<schema_change> comment_changes(table_description const& declared, live_table const* live,
                                                                table_record const& record) {
    std::vector<schema_change> changes;
    auto const settle = [&](std::string_view comment, std::string_view found, std::string_view known, std::string sql,
                            std::string_view name) {
        bool const is_right = comment.empty() ? known.empty() || found != known : found == comment;
        if (is_right) return;
        changes.push_back({.description = comment.empty() ? text("take the comment of {} away", quote_identifier(name))
                                                          : text("set the comment of {}", quote_identifier(name)),
                           .sql = std::move(sql),
                           .lock = "SHARE UPDATE EXCLUSIVE",
                           .object = changed_object::comment,
                           .name = std::string(name)});
    };
    settle(declared.comment, live == nullptr ? std::string_view{} : live->comment, record.comment, comment_sql(declared), declared.name);
    for (auto const& column : declared.columns) {
        auto const* const found = live == nullptr ? nullptr : live->find(column.name);
        auto const* const known = find_named(record.columns, column.name);
        settle(column.comment, found == nullptr ? std::string_view{} : found->comment,
               found == nullptr || known == nullptr ? std::string_view{} : known->comment, comment_sql(declared, column), column.name);
    }
    return changes;
}

}  // namespace isorow::inline v1::detail
