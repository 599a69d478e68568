#pragma once

/// @file
/// Checks, labels and foreign keys as a struct declares them, held against those of a table.

#include <isorow/schema/detail/bare_constraint.hpp>
#include <isorow/schema/detail/compared_table.hpp>
#include <isorow/schema/detail/labels.hpp>
#include <isorow/schema/detail/noted_differences.hpp>
#include <isorow/schema/detail/sql_reader.hpp>
#include <isorow/schema/identifier.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace isorow::inline v1::detail {

/// Whether a name stands in an expression, and not as a part of another.
[[nodiscard]] constexpr bool mentions(std::string_view expression, std::string_view name) noexcept {
    auto const goes_on = [&](std::size_t place) {
        return place < expression.size() && sql_character.word[static_cast<std::uint8_t>(expression[place])];
    };
    for (auto place = expression.find(name); place != std::string_view::npos; place = expression.find(name, place + 1))
        if ((place == 0 || !goes_on(place - 1)) && !goes_on(place + name.size())) return true;
    return false;
}

/// Notes what of a struct's constraints a table does not have. What it has beside them is no difference.
class constraint_comparison {
public:
    constexpr constraint_comparison(table_description const& table, compared_table const& other, noted_differences& differences)
        : table_(&table), other_(&other), differences_(&differences) {}

    constexpr void run() {
        for (std::size_t place = 0; place < table_->columns.size(); ++place) {
            auto const& column = table_->columns[place];
            if (column.is_labelled() && other_->find(column.name) != nullptr) compare_labels(place);
            if (!column.check.empty()) compare_check(text_of(table_->name, "_", column.name, "_check").view(), column.check, &column);
        }
        for (auto const& check : table_->checks) compare_check(check.name, check.condition, nullptr);
        for (auto const& key : table_->foreign_keys) compare_foreign_key(key);
    }

private:
    constexpr void compare_labels(std::size_t place) {
        auto const& column = table_->columns[place];
        compared_constraint const* nearest = nullptr;
        for (auto const& constraint : other_->constraints) {
            auto const definition = constraint.definition.view();
            if (!definition.starts_with("CHECK") || !mentions(definition, column.name)) continue;
            if (allows_labels(definition, column.labels)) return;
            nearest = &constraint;
        }
        auto& noted = differences_->note(place);
        char const* separator = "a CHECK that allows ";
        for (auto const label : column.labels) noted.expected.add(std::exchange(separator, ", "), "'", label, "'");
        noted.found.add(nearest == nullptr ? std::string_view("no such check") : nearest->definition.view());
    }

    /// Two spellings of one condition may look different, so that a check's name will do. `made`: the name is the one that Postgres makes
    /// for this column's check, and that it shortens.
    constexpr void compare_check(std::string_view name, std::string_view condition, column_description const* made) {
        auto const wanted = text_of("CHECK (", condition, ")");
        auto const kept = made != nullptr && name.size() > identifier_limit ? identifier_limit - 11 : name.size();
        compared_constraint const* named = nullptr;
        for (auto const& constraint : other_->constraints) {
            if (is_same(constraint, wanted)) return;
            bool const is_of_name = kept == name.size() ? constraint.name == name : constraint.name.starts_with(name.substr(0, kept));
            if (is_of_name) named = &constraint;
        }
        if (named != nullptr && !named->definition.view().starts_with("FOREIGN KEY")) return;
        auto& noted = differences_->note_table();
        noted.column.add(name);
        noted.expected.add(wanted.view());
        noted.found.add(named == nullptr ? std::string_view("no such constraint") : named->definition.view());
    }

    /// Whatever it is called.
    constexpr void compare_foreign_key(foreign_key_description const& key) {
        auto const wanted = words_of(*table_, key);
        auto const of_key = words_of(*table_, key, false);
        compared_constraint const* nearest = nullptr;
        for (auto const& constraint : other_->constraints) {
            if (is_same(constraint, wanted) || is_same(constraint, of_key)) return;
            auto const columns = wanted.view().substr(0, wanted.view().find(')'));
            if (constraint.definition.view().starts_with(columns)) nearest = &constraint;
        }
        auto& noted = key.fields.size() == 1 ? differences_->note(key.fields[0]) : differences_->note_table();
        noted.expected.add(wanted.view());
        noted.found.add(nearest == nullptr ? std::string_view("no such foreign key") : nearest->definition.view());
    }

    [[nodiscard]] static constexpr bool is_same(compared_constraint const& constraint, text_builder const& wanted) {
        return bare_constraint(constraint.definition.view()) == bare_constraint(wanted.view());
    }

    table_description const* table_;
    compared_table const* other_;
    noted_differences* differences_;
};

}  // namespace isorow::inline v1::detail
