#pragma once

/// @file
/// Constraints by what they say, however it is written. Postgres prints a condition otherwise than it was written, so that two spellings of
/// one may still look different.

#include <isorow/schema/description.hpp>
#include <isorow/schema/detail/text_builder.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

namespace isorow::inline v1::detail {

/// A constraint's definition without what isorow, the server and people write differently: quotes, spaces, parentheses, casts of constants,
/// and when it is looked at.
[[nodiscard]] constexpr text_builder bare_constraint(std::string_view definition) {
    constexpr std::string_view late = " DEFERRABLE";
    if (definition.starts_with("FOREIGN KEY") && definition.ends_with(late)) definition.remove_suffix(late.size());
    text_builder bare;
    for (std::size_t i = 0; i < definition.size(); ++i) {
        if (definition.substr(i).starts_with("::")) {
            auto const end = definition.find_first_of(",)=<>", i);
            if (end == std::string_view::npos) break;
            i = end;
        }
        if (std::string_view("\"() \t\n").find(definition[i]) == std::string_view::npos) bare += definition[i];
    }
    return bare;
}

/// `FOREIGN KEY (customer) REFERENCES public.customers (id) ON DELETE CASCADE`, for people and comparisons: without quotes. Without
/// `columns` the other table's key is meant.
[[nodiscard]] constexpr text_builder words_of(table_description const& table, foreign_key_description const& key, bool columns = true) {
    text_builder words;
    char const* separator = "FOREIGN KEY (";
    for (auto const place : key.fields) words.add(std::exchange(separator, ", "), table.columns[place].name);
    words.add(") REFERENCES ", key.schema, ".", key.table);
    separator = " (";
    for (std::size_t i = 0; columns && i < key.fields.size(); ++i) words.add(std::exchange(separator, ", "), key.columns[i]);
    if (columns) words += ')';
    auto const add_action = [&](std::string_view event, referential_action action) {
        if (action != referential_action::no_action) words.add(event, action_sql(action));
    };
    add_action(" ON UPDATE ", key.options.on_update);
    add_action(" ON DELETE ", key.options.on_delete);
    return words;
}

}  // namespace isorow::inline v1::detail
