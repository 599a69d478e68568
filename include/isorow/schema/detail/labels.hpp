#pragma once

/// @file
/// The labels that a live CHECK allows, found in its text.

#include <isorow/reflect/constant_list.hpp>
#include <isorow/schema/table.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

/// The literals of an expression as `pg_get_constraintdef` prints them: `'it''s'`, and `E'a\\b'` where there are backslashes.
[[nodiscard]] inline std::vector<std::string> literals_of(std::string_view expression) {
    std::vector<std::string> literals;
    for (std::size_t place = 0; place < expression.size(); ++place) {
        if (expression[place] != '\'') continue;
        bool const has_escapes = place > 0 && expression[place - 1] == 'E';
        std::string literal;
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

/// Whether a CHECK of isorow's allows exactly these labels, in whatever order.
[[nodiscard]] inline bool allows_labels(std::string_view definition, constant_list<std::string_view> labels) {
    auto const literals = literals_of(definition);
    return literals.size() == labels.size() && std::is_permutation(literals.begin(), literals.end(), labels.begin());
}

}  // namespace isorow::inline v1::detail
