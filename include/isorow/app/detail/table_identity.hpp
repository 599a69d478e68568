#pragma once

#include <isorow/app/input_hasher.hpp>
#include <isorow/target/detail/declared_state.hpp>

#include <algorithm>
#include <cstdint>

namespace isorow::inline v1::detail {

/// Whether two tables are declared in one way, whatever the structs that they were declared by.
[[nodiscard]] inline bool same_table(table_description const& left, table_description const& right) {
    auto const same_column = [](column_description const& one, column_description const& other) {
        return one.name == other.name && one.type == other.type && one.nullable == other.nullable && one.unique == other.unique &&
               one.default_value == other.default_value && one.renamed_from == other.renamed_from &&
               one.using_expression == other.using_expression && one.generated == other.generated && one.identity == other.identity &&
               one.check == other.check && one.collation == other.collation && one.comment == other.comment &&
               std::ranges::equal(one.labels, other.labels);
    };
    return std::ranges::equal(left.columns, right.columns, same_column) && left.key == right.key &&
           std::ranges::equal(left.indexes, right.indexes) && std::ranges::equal(left.checks, right.checks) &&
           std::ranges::equal(left.foreign_keys, right.foreign_keys) && left.comment == right.comment;
}

/// Whether two declarations say the same of a table; what a commit is told is the run's to say.
[[nodiscard]] inline bool same_options(target_options const& left, target_options const& right) {
    auto const same_attachment = [](attachment const& one, attachment const& other) {
        return one.name == other.name && one.sql == other.sql && one.undo == other.undo;
    };
    return left.managed_by == right.managed_by && left.ownership == right.ownership && left.adopt == right.adopt &&
           left.text == right.text && std::ranges::equal(left.attachments, right.attachments, same_attachment);
}

/// Whether nothing was said of commits.
[[nodiscard]] inline bool are_defaults(commit_options const& options) {
    commit_options const none;
    return options.allow == none.allow && options.drift == none.drift && options.guard == none.guard &&
           options.lock_timeout == none.lock_timeout && options.lock_attempts == none.lock_attempts && options.memory == none.memory &&
           !options.progress;
}

/// What stands for the form of a table's images, which kept outputs are made of.
[[nodiscard]] inline std::uint64_t columns_seed(row_shape const& shape, target_options const& options) {
    input_hasher hasher;
    for (auto const place : shape.places) {
        auto const& column = shape.table.columns[place];
        hasher.add(column.name).add(to_sql(column.type)).add(column.nullable);
    }
    hasher.add(shape.table.key.size()).add(options.text);
    return hasher.result().low;
}

}  // namespace isorow::inline v1::detail
