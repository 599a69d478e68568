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
    std::string generated;
    bool is_numbered;
    std::string collation;
    std::string comment;
};

/// The objects of a kind in a record.
[[nodiscard]] inline std::vector<recorded_object>& objects_of(table_record& record, std::string_view kind) noexcept {
    if (kind == "index") return record.indexes;
    return kind == "constraint" ? record.constraints : record.attachments;
}

/// Reads all that is recorded of a target. A column without a type is one whose drop is allowed and is still to be made.
[[nodiscard]] inline table_record read_record(database_ref const& where, std::int32_t target) {
    table_record record;
    auto lines = query<record_line>(
        where,
        "SELECT kind, name, definition, addition, flag, generated, is_numbered, collation_name AS collation, comment FROM ("
        "SELECT 'target' AS kind, '' AS name, '' AS definition,"
        " CASE WHEN catalog = 'isorow.targets'::regclass THEN relation::text ELSE '0' END AS addition, created AS flag, 0 AS place,"
        " '' AS generated, false AS is_numbered, '' AS collation_name, comment"
        " FROM isorow.targets WHERE id = $1"
        " UNION ALL SELECT 'key', k.name, '', '', false, k.place, '', false, '', '' FROM isorow.targets t"
        " CROSS JOIN LATERAL pg_catalog.unnest(t.key_columns) WITH ORDINALITY k(name, place) WHERE t.id = $1"
        " UNION ALL SELECT 'column', name, type, default_value, not_null, 0, generated, is_numbered, collation_name, comment FROM "
        "isorow.columns WHERE target = $1"
        " UNION ALL SELECT kind, name, definition, undo, pending, 0, '', false, '', '' FROM isorow.objects WHERE target = $1) lines ORDER "
        "BY place, name",
        target);
    for (auto& line : lines) {
        if (line.kind == "target") {
            record.created = line.flag;
            record.comment = std::move(line.comment);
            std::from_chars(line.addition.data(), line.addition.data() + line.addition.size(), record.relation);
        } else if (line.kind == "key") {
            record.key.push_back(std::move(line.name));
        } else if (line.kind == "column") {
            record.columns.push_back({.name = std::move(line.name),
                                      .type = line.definition,
                                      .not_null = line.flag,
                                      .default_value = std::move(line.addition),
                                      .to_be_dropped = line.definition.empty(),
                                      .generated = std::move(line.generated),
                                      .identity = line.is_numbered,
                                      .collation = std::move(line.collation),
                                      .comment = std::move(line.comment)});
        } else {
            objects_of(record, line.kind)
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
    std::vector<std::string> generated{};
    std::vector<std::string> numbered{};
    std::vector<std::string> collations{};
    std::vector<std::string> comments{};

    void add(std::string const& name, std::string const& definition, std::string const& addition, bool flag) {
        names.push_back(name);
        definitions.push_back(definition);
        additions.push_back(addition);
        flags.emplace_back(flag ? "true" : "false");
    }

    void add(recorded_column const& column) {
        add(column.name, column.to_be_dropped ? "" : column.type, column.default_value, column.not_null);
        generated.push_back(column.generated);
        numbered.emplace_back(column.identity ? "true" : "false");
        collations.push_back(column.collation);
        comments.push_back(column.comment);
    }
};

inline void write_columns(database_ref const& where, std::int32_t target, std::vector<recorded_column> const& before,
                          std::vector<recorded_column> const& now) {
    if (auto const names = removed_names(before, now); !names.empty())
        execute(where, "DELETE FROM isorow.columns WHERE target = $1 AND name = ANY($2::text[])", target, names);
    record_arrays changed;
    for (auto const& column : changed_elements(before, now)) changed.add(column);
    if (changed.names.empty()) return;
    execute(
        where,
        "INSERT INTO isorow.columns (target, name, type, default_value, not_null, generated, is_numbered, collation_name, comment)"
        " SELECT $1, c.name, c.type, c.default_value, c.not_null::boolean, c.generated, c.is_numbered::boolean, c.collation_name, c.comment"
        " FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]),"
        " pg_catalog.unnest($5::text[]), pg_catalog.unnest($6::text[]), pg_catalog.unnest($7::text[]), pg_catalog.unnest($8::text[]),"
        " pg_catalog.unnest($9::text[])) c(name, type, default_value, not_null, generated, is_numbered, collation_name, comment)"
        " ON CONFLICT (target, name) DO UPDATE SET type = excluded.type, default_value = excluded.default_value,"
        " not_null = excluded.not_null, generated = excluded.generated, is_numbered = excluded.is_numbered,"
        " collation_name = excluded.collation_name, comment = excluded.comment",
        target, changed.names, changed.definitions, changed.additions, changed.flags, changed.generated, changed.numbered,
        changed.collations, changed.comments);
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
    write_objects(where, target, "constraint", before.constraints, now.constraints);
    if (now.comment != before.comment) execute(where, "UPDATE isorow.targets SET comment = $2 WHERE id = $1", target, now.comment);
    if (now.key != before.key)
        execute(where, "UPDATE isorow.targets SET key_columns = $2::text[] WHERE id = $1 AND key_columns IS DISTINCT FROM $2::text[]",
                target, now.key);
}

}  // namespace isorow::inline v1::detail
