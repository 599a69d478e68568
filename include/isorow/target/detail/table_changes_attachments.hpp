#pragma once

/// @file
/// The SQL that users attach to tables, and its undoing.

#include <isorow/pq/transaction.hpp>
#include <isorow/schema/schema_change.hpp>
#include <isorow/target/detail/table_changes_indexes.hpp>
#include <isorow/target/detail/table_changes_record.hpp>
#include <isorow/target/options.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// What an undo meets where the table went, and what was attached to it went along: no such table, object, function, schema.
[[nodiscard]] inline bool is_undefined(std::string_view state) noexcept {
    constexpr std::array<std::string_view, 4> states{"42P01", "42704", "42883", "3F000"};
    return std::find(states.begin(), states.end(), state) != states.end();
}

/// The server's words and, of DETAIL, which objects depend on it: these are names, not data.
[[nodiscard]] inline std::string dependence(server_error const& failure) {
    auto reason = failure.message() + (failure.detail().empty() ? "" : ": " + failure.detail());
    std::replace(reason.begin(), reason.end(), '\n', ';');
    return reason;
}

/// Undoes attachments, in whatever order the dependencies among them ask for. `is_gone`: the table is not there any longer, and what was
/// attached to it may have gone along.
inline void undo_all(connection& connection, std::optional<limits> const& given, std::vector<std::string> undos, bool is_gone,
                     std::vector<std::string>& ddl) {
    while (!undos.empty()) {
        std::vector<std::string> left;
        for (auto const& sql : undos) {
            try {
                transaction inner(connection);
                execute_script(connection, sql, given ? *given : connection.default_limits());
                inner.commit();
                ddl.push_back(sql);
            } catch (server_error const& failure) {
                if (is_gone && is_undefined(failure.sqlstate())) continue;
                bool const may_depend = failure.sqlstate() == sqlstate::dependent_objects_still_exist;
                bool const is_hopeless = left.size() + 1 == undos.size();
                if (!may_depend || is_hopeless) throw;
                left.push_back(sql);
            }
        }
        undos = std::move(left);
    }
}

/// Undoes all that is attached to a target, which is declared no longer.
inline void undo_attachments(connection& connection, std::optional<limits> const& given, std::int32_t target, bool is_gone,
                             std::vector<std::string>& ddl) {
    undo_all(connection, given,
             query<std::string>(reference_to(connection, given),
                                "SELECT undo FROM isorow.objects WHERE target = $1 AND kind = 'attachment' AND undo <> ''"
                                " ORDER BY name DESC",
                                target),
             is_gone, ddl);
}

/// Drops a table that is declared no longer, after undoing what is attached to it. Where objects of others depend on it nothing is done,
/// and the reason is told: it is to be tried again. The target's entry in `isorow.targets` is the caller's to delete. In a transaction.
[[nodiscard]] inline schema_work drop_table(connection& connection, std::optional<limits> const& given, std::string_view schema,
                                            std::string_view name, std::int32_t target) {
    schema_work work;
    auto const drop = drop_of_table(schema, name);
    bool const is_there =
        query_one<bool>(reference_to(connection, given),
                        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                        " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p'))",
                        schema, name);
    try {
        transaction inner(connection);
        undo_attachments(connection, given, target, !is_there, work.ddl);
        if (is_there) {
            execute_script(connection, drop.sql, given ? *given : connection.default_limits());
            work.ddl.push_back(drop.sql);
        }
        inner.commit();
    } catch (server_error const& failure) {
        if (failure.sqlstate() != sqlstate::dependent_objects_still_exist) throw;
        return {{}, {text("{}: {}", drop.description, dependence(failure))}};
    }
    return work;
}

/// The steps for what is attached. What has changed is undone before columns are altered, as it may stand in their way; where none are,
/// only after the rows, so that a trigger sees them.
struct attachment_changes {
    std::vector<schema_change> undone{};
    std::vector<schema_change> made{};
    std::vector<recorded_object> standing{};  ///< those that stay and can be undone
    std::vector<recorded_object> record{};
    bool undone_early = false;
};

[[nodiscard]] inline schema_change attachment_change(std::string_view verb, std::string_view name, std::string const& sql,
                                                     bool after_rows) {
    return {.description = text("{} \"{}\"", verb, name),
            .sql = sql,
            .after_rows = after_rows,
            .object = changed_object::attachment,
            .name = std::string(name)};
}

/// Finds them. `is_gone`: the table that they were attached to is not there any longer.
[[nodiscard]] inline attachment_changes find_attachment_changes(std::vector<attachment> const& declared,
                                                                std::vector<recorded_object> const& recorded, bool is_gone,
                                                                bool alters_columns) {
    attachment_changes changes{.undone_early = is_gone || alters_columns};
    auto const undo = [&](recorded_object const& one) {
        if (!one.undo.empty()) changes.undone.push_back(attachment_change("undo the attached", one.name, one.undo, !changes.undone_early));
    };
    for (auto const& one : recorded)
        if (find_named(declared, one.name) == nullptr) undo(one);
    for (auto const& one : declared) {
        auto const* const known = find_named(recorded, one.name);
        bool const stands = known != nullptr && known->definition == one.sql && !is_gone;
        if (known != nullptr && !stands) undo(*known);
        if (!stands) changes.made.push_back(attachment_change("attach", one.name, one.sql, true));
        else if (!known->undo.empty()) changes.standing.push_back(*known);
        changes.record.push_back({one.name, one.sql, one.undo, false});
    }
    std::reverse(changes.undone.begin(), changes.undone.end());
    return changes;
}

}  // namespace isorow::inline v1::detail
