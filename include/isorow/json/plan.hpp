#pragma once

/// @file
/// Plans as JSON, for programs that decide over them.

#include <isorow/json/containers.hpp>
#include <isorow/json/structure.hpp>
#include <isorow/target/plan.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// A change as the document has it.
struct change_document {
    std::string description;
    std::string sql;
    bool destructive;
    bool rewrites;
    std::string lock;
};

struct table_document {
    std::string table;
    std::int64_t inserted;
    std::int64_t updated;
    std::int64_t deleted;
    std::int64_t unchanged;
    std::vector<change_document> changes;
    std::vector<std::string> inserted_keys;
    std::vector<std::string> updated_keys;
    std::vector<std::string> deleted_keys;
};

struct plan_document {
    std::int64_t inserted;
    std::int64_t updated;
    std::int64_t deleted;
    std::int64_t unchanged;
    std::vector<table_document> tables;
};

[[nodiscard]] inline table_document document_of(table_plan const& plan) {
    table_document table{plan.table, plan.rows.inserted, plan.rows.updated, plan.rows.deleted, plan.rows.unchanged,
                         {},         plan.inserted_keys, plan.updated_keys, plan.deleted_keys};
    for (auto const& change : plan.changes)
        table.changes.push_back({change.description, change.sql, change.destructive, change.rewrites, std::string(change.lock)});
    return table;
}

}  // namespace detail

/// The plan as one JSON object: `inserted`, `updated`, `deleted`, `unchanged`, and `tables`, each of which has these and `changes` (with
/// `description`, `sql`, `destructive`, `rewrites`, `lock`), `inserted_keys`, `updated_keys` and `deleted_keys`, of which there are a few.
[[nodiscard]] inline std::string to_json(plan const& plan) {
    detail::plan_document document{plan.inserted, plan.updated, plan.deleted, plan.unchanged, {}};
    for (auto const& table : plan.tables) document.tables.push_back(detail::document_of(table));
    byte_writer text;
    json_writer writer(text, json_kind_of_column::json);
    json_format<detail::plan_document>::write(document, writer);
    auto const bytes = text.bytes();
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace isorow::inline v1
