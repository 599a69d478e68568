#pragma once

/// @file
/// Differences of a table while they are being found, in constant expressions too.

#include <isorow/error/mismatch.hpp>
#include <isorow/schema/description.hpp>
#include <isorow/schema/detail/text_builder.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

/// A `difference` of constant expressions.
struct noted_difference {
    text_builder field{};
    text_builder column{};
    text_builder expected{};
    text_builder found{};
};

/// The differences of one table, in the words of struct and field.
class noted_differences {
public:
    constexpr explicit noted_differences(table_description const& table) : table_(&table) {}

    /// One of the whole table, to be filled in. It is there until the next is noted.
    constexpr noted_difference& note_table() {
        auto& noted = all_.emplace_back();
        noted.field.add(table_->struct_name);
        return noted;
    }
    /// The same of the field at a place.
    constexpr noted_difference& note(std::size_t place) {
        auto& noted = note_table();
        noted.field.add(".", table_->columns[place].field);
        noted.column.add(table_->columns[place].name);
        return noted;
    }
    constexpr void note(std::size_t place, std::string_view expected, std::string_view found) {
        auto& noted = note(place);
        noted.expected.add(expected);
        noted.found.add(found);
    }

    [[nodiscard]] constexpr std::vector<noted_difference> const& all() const noexcept { return all_; }

private:
    table_description const* table_;
    std::vector<noted_difference> all_{};
};

[[nodiscard]] inline std::vector<difference> as_differences(std::vector<noted_difference> const& noted) {
    std::vector<difference> differences;
    differences.reserve(noted.size());
    for (auto const& one : noted) differences.push_back({one.field.str(), one.column.str(), one.expected.str(), one.found.str()});
    return differences;
}

}  // namespace isorow::inline v1::detail
