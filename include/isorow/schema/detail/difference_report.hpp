#pragma once

/// @file
/// Differences as template arguments, so that the compiler prints each of them: text that is computed cannot stand in a `static_assert`
/// before C++26.

#include <isorow/reflect/fixed_string.hpp>
#include <isorow/schema/detail/table_comparison.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// What a struct was held against.
enum class held_against : std::uint8_t { ddl, unreadable_ddl, other_struct };

/// Prints one difference: the compiler shows the template's arguments beside the message.
template <fixed_string Field, fixed_string Column, fixed_string Expected, fixed_string Found, held_against Against>
constexpr void report_difference() {
    static_assert(Against != held_against::ddl,
                  "isorow: the struct and the DDL differ; the template's arguments say where: Field and Column, what the struct has "
                  "Expected, and what was Found in the DDL");
    static_assert(Against != held_against::unreadable_ddl, "isorow: the DDL cannot be read; Found says in which line and why");
    static_assert(Against != held_against::other_struct,
                  "isorow: the struct cannot be read from the other struct's table; the template's arguments say where: Field and Column, "
                  "what the field has Expected, and what was Found in the table");
}

/// The texts of differences, one behind the other, and where each ends: as constant data, which vectors and strings cannot be.
template <std::size_t Count, std::size_t Size>
struct flat_differences {
    std::array<char, Size> text{};
    std::array<std::array<std::size_t, 5>, Count> places{};  ///< where the four texts of each begin, and where the last ends

    [[nodiscard]] constexpr std::string_view part(std::size_t i, std::size_t part) const noexcept {
        return std::string_view(text.data(), Size).substr(places[i][part], places[i][part + 1] - places[i][part]);
    }
};

struct flat_sizes {
    std::size_t count = 0;
    std::size_t text = 0;
};

[[nodiscard]] constexpr flat_sizes sizes_of(std::vector<noted_difference> const& differences) noexcept {
    flat_sizes sizes{.count = differences.size()};
    for (auto const& one : differences)
        for (auto const* const part : {&one.field, &one.column, &one.expected, &one.found}) sizes.text += part->view().size();
    return sizes;
}

template <std::size_t Count, std::size_t Size>
[[nodiscard]] constexpr flat_differences<Count, Size> flat(std::vector<noted_difference> const& differences) {
    flat_differences<Count, Size> result;
    std::size_t size = 0;
    for (std::size_t i = 0; i < Count; ++i) {
        std::size_t place = 0;
        auto const& one = differences[i];
        for (auto const* const part : {&one.field, &one.column, &one.expected, &one.found}) {
            result.places[i][place++] = size;
            for (char const character : part->view()) result.text[size++] = character;
        }
        result.places[i][place] = size;
    }
    return result;
}

template <auto const& Differences, std::size_t Place, std::size_t Part>
inline constexpr auto part_as_argument = [] {
    constexpr auto part = Differences.part(Place, Part);
    return to_fixed_string<part.size()>(part);
}();

/// Prints what `Find::differences()` has found, if anything; `Find::against` is what it looked at.
template <class Find>
struct differences_report {
    static constexpr flat_sizes sizes = sizes_of(Find::differences());

    template <class Ignored = void>
    struct found {
        static constexpr auto list = flat<sizes.count, sizes.text>(Find::differences());

        template <std::size_t... Place>
        static constexpr void print(std::index_sequence<Place...>) {
            (report_difference<part_as_argument<list, Place, 0>, part_as_argument<list, Place, 1>, part_as_argument<list, Place, 2>,
                               part_as_argument<list, Place, 3>, Find::against()>(),
             ...);
        }
    };

    static constexpr void print() {
        if constexpr (sizes.count > 0) found<>::print(std::make_index_sequence<sizes.count>{});
    }
};

}  // namespace isorow::inline v1::detail
