#pragma once

/// @file
/// The labels that a live CHECK allows, found in its text.

#include <isorow/reflect/constant_list.hpp>
#include <isorow/schema/detail/text_builder.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// The literals of an expression as `pg_get_constraintdef` prints them: `'it''s'`, and `E'a\\b'` where there are backslashes.
[[nodiscard]] constexpr std::vector<text_builder> literals_of(std::string_view expression) {
    std::vector<text_builder> literals;
    for (std::size_t place = 0; place < expression.size(); ++place) {
        if (expression[place] != '\'') continue;
        bool const has_escapes = place > 0 && expression[place - 1] == 'E';
        text_builder literal;
        for (++place; place < expression.size(); ++place) {
            char const character = expression[place];
            bool const is_doubled = place + 1 < expression.size() && expression[place + 1] == character;
            if (character == '\'' && !is_doubled) break;
            if (is_doubled && (character == '\'' || (character == '\\' && has_escapes))) ++place;
            literal += character;
        }
        literals.push_back(std::move(literal));
    }
    return literals;
}

/// Whether a CHECK of isorow's allows exactly these labels, no two of which are the same, in whatever order.
[[nodiscard]] constexpr bool allows_labels(std::string_view definition, constant_list<std::string_view> labels) {
    auto const literals = literals_of(definition);
    return literals.size() == labels.size() && std::all_of(labels.begin(), labels.end(), [&](std::string_view label) {
               return std::any_of(literals.begin(), literals.end(), [&](auto const& literal) { return literal.view() == label; });
           });
}

}  // namespace isorow::inline v1::detail
