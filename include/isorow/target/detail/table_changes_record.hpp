#pragma once

/// @file
/// What isorow made of a table, in `isorow.columns`, `isorow.objects` and `isorow.targets.key_columns`.

#include <isorow/query/query.hpp>
#include <isorow/schema/table_record.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// A line of any of the tables; what its parts mean is the kind's to say.
struct record_line {
    std::string kind;
    std::string name;
    std::string definition;
    std::string addition;
    bool flag;
};

/// Reads all that is recorded of a target. A column without a type is one whose drop is allowed and is still to be made.
[[nodiscard]] inline table_record read_record(database_ref const& where, std::int32_t target) {
    table_record record;
    auto lines = query<record_line>(
        where,
        "SELECT kind, name, definition, addition, flag FROM ("
        "SELECT 'target' AS kind, '' AS name, '' AS definition,"
        " CASE WHEN catalog = 'isorow.targets'::regclass THEN relation::text ELSE '0' END AS addition, created AS flag, 0 AS place"
        " FROM isorow.targets WHERE id = $1"
        " UNION ALL SELECT 'key', k.name, '', '', false, k.place FROM isorow.targets t"
        " CROSS JOIN LATERAL pg_catalog.unnest(t.key_columns) WITH ORDINALITY k(name, place) WHERE t.id = $1"
        " UNION ALL SELECT 'column', name, type, default_value, not_null, 0 FROM isorow.columns WHERE target = $1"
        " UNION ALL SELECT kind, name, definition, undo, pending, 0 FROM isorow.objects WHERE target = $1) lines ORDER BY place, name",
        target);
    for (auto& line : lines) {
        if (line.kind == "target") {
            record.created = line.flag;
            std::from_chars(line.addition.data(), line.addition.data() + line.addition.size(), record.relation);
        } else if (line.kind == "key") {
            record.key.push_back(std::move(line.name));
        } else if (line.kind == "column") {
            record.columns.push_back({std::move(line.name), line.definition, line.flag, std::move(line.addition), line.definition.empty()});
        } else {
            (line.kind == "index" ? record.indexes : record.attachments)
                .push_back({std::move(line.name), std::move(line.definition), std::move(line.addition), line.flag});
        }
    }
    return record;
}

/// Elements of `now` that are not in `before` as they are.
template <class Element>
[[nodiscard]] std::vector<Element> changed_elements(std::vector<Element> const& before, std::vector<Element> const& now) {
    std::vector<Element> changed;
    for (auto const& element : now) {
        auto const* const former = find_named(before, element.name);
        if (former == nullptr || !(*former == element)) changed.push_back(element);
    }
    return changed;
}

/// The names of elements of `before` that are not in `now`.
template <class Element>
[[nodiscard]] std::vector<std::string> removed_names(std::vector<Element> const& before, std::vector<Element> const& now) {
    std::vector<std::string> names;
    for (auto const& element : before)
        if (find_named(now, element.name) == nullptr) names.push_back(element.name);
    return names;
}

/// The elements' parts as arrays, for `unnest`.
struct record_arrays {
    std::vector<std::string> names{};
    std::vector<std::string> definitions{};
    std::vector<std::string> additions{};
    std::vector<std::string> flags{};

    void add(std::string const& name, std::string const& definition, std::string const& addition, bool flag) {
        names.push_back(name);
        definitions.push_back(definition);
        additions.push_back(addition);
        flags.emplace_back(flag ? "true" : "false");
    }
};

inline void write_columns(database_ref const& where, std::int32_t target, std::vector<recorded_column> const& before,
                          std::vector<recorded_column> const& now) {
    if (auto const names = removed_names(before, now); !names.empty())
        execute(where, "DELETE FROM isorow.columns WHERE target = $1 AND name = ANY($2::text[])", target, names);
    record_arrays changed;
    for (auto const& column : changed_elements(before, now))
        changed.add(column.name, column.to_be_dropped ? "" : column.type, column.default_value, column.not_null);
    if (changed.names.empty()) return;
    execute(where,
            "INSERT INTO isorow.columns (target, name, type, default_value, not_null)"
            " SELECT $1, c.name, c.type, c.default_value, c.not_null::boolean"
            " FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]),"
            " pg_catalog.unnest($5::text[])) c(name, type, default_value, not_null)"
            " ON CONFLICT (target, name) DO UPDATE SET type = excluded.type, default_value = excluded.default_value,"
            " not_null = excluded.not_null",
            target, changed.names, changed.definitions, changed.additions, changed.flags);
}

inline void write_objects(database_ref const& where, std::int32_t target, std::string_view kind, std::vector<recorded_object> const& before,
                          std::vector<recorded_object> const& now) {
    if (auto const names = removed_names(before, now); !names.empty())
        execute(where, "DELETE FROM isorow.objects WHERE target = $1 AND kind = $2 AND name = ANY($3::text[])", target, kind, names);
    record_arrays changed;
    for (auto const& object : changed_elements(before, now)) changed.add(object.name, object.definition, object.undo, object.pending);
    if (changed.names.empty()) return;
    execute(where,
            "INSERT INTO isorow.objects (target, kind, name, definition, undo, pending)"
            " SELECT $1, $2, o.name, o.definition, o.undo, o.pending::boolean"
            " FROM ROWS FROM (pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]), pg_catalog.unnest($5::text[]),"
            " pg_catalog.unnest($6::text[])) o(name, definition, undo, pending)"
            " ON CONFLICT (target, kind, name) DO UPDATE SET definition = excluded.definition, undo = excluded.undo,"
            " pending = excluded.pending",
            target, kind, changed.names, changed.definitions, changed.additions, changed.flags);
}

/// Makes the record what it is now; writes only what differs from `before`, which is what was read. Whether isorow created the table is
/// written with the target itself.
inline void write_record(database_ref const& where, std::int32_t target, table_record const& before, table_record const& now) {
    write_columns(where, target, before.columns, now.columns);
    write_objects(where, target, "index", before.indexes, now.indexes);
    write_objects(where, target, "attachment", before.attachments, now.attachments);
    if (now.key != before.key)
        execute(where, "UPDATE isorow.targets SET key_columns = $2::text[] WHERE id = $1 AND key_columns IS DISTINCT FROM $2::text[]",
                target, now.key);
}

}  // namespace isorow::inline v1::detail
