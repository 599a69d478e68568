#pragma once

/// @file
/// How many values initialise a struct. Boost.PFR counts them, too, at several times the cost to the compiler: here the search begins at a
/// guess, and a try is one expression.

#include <boost/pfr/tuple_size.hpp>

#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace isorow::inline v1::reflect::detail {

/// Stands for the initialiser of any field that can be copied. It is a reference in two ways, as a field whose type is made of everything
/// else would take it for a value to be made of. It is never asked for one, but has to be defined where the field's type has no linkage.
struct copied_value {
    template <class Field>
    operator Field&() const&& noexcept {  // NOLINT(google-explicit-constructor)
        std::terminate();
    }
    template <class Field>
    operator Field&() const& noexcept {  // NOLINT(google-explicit-constructor)
        std::terminate();
    }
};

/// Stands for the initialiser of any field that can be moved.
struct moved_value {
    template <class Field>
    operator Field() const&& noexcept {  // NOLINT(google-explicit-constructor)
        std::terminate();
    }
};

template <class T, std::size_t>
using value_at = std::conditional_t<std::is_copy_constructible_v<T>, copied_value, moved_value>;

template <class T, std::size_t... Index>
consteval bool takes_values(std::index_sequence<Index...>) {
    return requires { T{value_at<T, Index>{}...}; };
}

/// Whether so many values initialise a T.
template <class T, std::size_t Count>
inline constexpr bool takes = takes_values<T>(std::make_index_sequence<Count>{});

/// The most values that a T takes, which are `Low` at least, and less than `High`.
template <class T, std::size_t Low, std::size_t High>
consteval std::size_t most_values_between() {
    if constexpr (High - Low == 1) {
        return Low;
    } else {
        constexpr auto middle = Low + (High - Low) / 2;
        if constexpr (takes<T, middle>) return most_values_between<T, middle, High>();
        else return most_values_between<T, Low, middle>();
    }
}

/// The most values that a T takes, which are `Low` at least: `Step` more are tried, then twice as many.
template <class T, std::size_t Low, std::size_t Step>
consteval std::size_t most_values_from() {
    if constexpr (takes<T, Low + Step>) return most_values_from<T, Low + Step, 2 * Step>();
    else return most_values_between<T, Low, Low + Step>();
}

/// What a column's field takes in memory, more or less.
inline constexpr std::size_t usual_field_size = 16;

/// The number of values that initialise a T, which is an aggregate without a base class. Where all its fields have values of their own, it
/// takes any number up to the most; else this is Boost.PFR's to find.
template <class T>
consteval std::size_t count_values() {
    constexpr auto guess = sizeof(T) / usual_field_size;
    if constexpr (!takes<T, 0>) return boost::pfr::tuple_size_v<T>;
    else if constexpr (takes<T, guess>) return most_values_from<T, guess, 1>();
    else return most_values_between<T, 0, guess>();
}

}  // namespace isorow::inline v1::reflect::detail
