#pragma once

/// @file
/// The names of an enumeration's values: those of its enumerators, as C++26's reflection or else magic_enum finds them, or those that the
/// user gives.

#include <isorow/reflect/enumerators.hpp>
#include <isorow/types/column_type.hpp>
#include <isorow/types/utf8.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

#if ISOROW_HAS_REFLECTION
#elif __has_include(<magic_enum/magic_enum.hpp>)
#include <magic_enum/magic_enum.hpp>
#else
#include <magic_enum.hpp>
#endif

namespace isorow::inline v1 {

/// An enumerator and the text that stands for it in the database.
template <class Enum>
struct enum_name {
    Enum value{};
    std::string_view name{};
};

/// Names for `enum_names`: each value once, each name once. One that is not so does not compile.
template <class Enum, std::size_t Count>
[[nodiscard]] consteval std::array<enum_name<Enum>, Count> names(enum_name<Enum> const (&list)[Count]) {
    std::array<enum_name<Enum>, Count> result{};
    for (std::size_t i = 0; i < Count; ++i) result[i] = list[i];
    return result;
}

namespace detail {

#if ISOROW_HAS_REFLECTION

template <class Enum>
consteval auto reflected_names() {
    // Of enumerators of one value the first names it.
    constexpr auto is_first = [](std::size_t place) {
        auto const& all = reflect::enumerators_of<Enum>;
        for (std::size_t i = 0; i < place; ++i)
            if (all[i].value == all[place].value) return false;
        return true;
    };
    constexpr auto count = [is_first] {
        std::size_t firsts = 0;
        for (std::size_t i = 0; i < reflect::enumerators_of<Enum>.size(); ++i) firsts += is_first(i) ? 1 : 0;
        return firsts;
    }();
    std::array<enum_name<Enum>, count> result{};
    std::size_t place = 0;
    for (std::size_t i = 0; i < reflect::enumerators_of<Enum>.size(); ++i)
        if (is_first(i)) result[place++] = {reflect::enumerators_of<Enum>[i].value, reflect::enumerators_of<Enum>[i].name};
    return result;
}

#else

template <class Enum>
consteval auto reflected_names() {
    std::array<enum_name<Enum>, magic_enum::enum_count<Enum>()> result{};
    // Of an enumeration without enumerators magic_enum says it with an error.
    if constexpr (!result.empty()) {
        std::size_t place = 0;
        for (auto const& [value, name] : magic_enum::enum_entries<Enum>()) result[place++] = {value, name};
    }
    return result;
}

#endif

}  // namespace detail

/// The names of an enumeration's values in their order, of enumerators of one value the first. C++26's reflection finds all of them;
/// magic_enum finds those from -128 to 127, and a specialisation of `magic_enum::customize::enum_range` widens that. Others are said by a
/// specialisation, which stands before the struct that has such a field:
/// @code
/// template <>
/// inline constexpr auto isorow::enum_names<Mood> = isorow::names<Mood>({{Mood::sad, "sad"}, {Mood::ok, "fine"}});
/// @endcode
template <class Enum>
inline constexpr auto enum_names = detail::reflected_names<Enum>();

/// The name of a native enum type of Postgres, and the schema that it is in.
struct enum_type {
    std::string_view name;
    std::string_view schema;

    constexpr explicit enum_type(std::string_view type, std::string_view in = "public") : name(type), schema(in) {}
};

/// The native enum type that an enumeration is in the database, where it is one. It is said by a specialisation, which stands before the
/// struct that has such a field:
/// @code
/// template <>
/// inline constexpr auto isorow::native_enum<Mood> = isorow::enum_type("mood");
/// @endcode
template <class Enum>
inline constexpr auto native_enum = nullptr;

namespace detail {

/// Whether every value and every name stands once, and Postgres can store the names.
template <class Enum>
inline constexpr bool has_sound_names = [] {
    auto const& list = enum_names<Enum>;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i].name.empty() || list[i].name.find('\0') != std::string_view::npos || !is_valid_utf8(list[i].name)) return false;
        for (std::size_t j = 0; j < i; ++j)
            if (list[i].value == list[j].value || list[i].name == list[j].name) return false;
    }
    return true;
}();

/// An enumeration, `std::byte` aside, of which at least one value has a name.
template <class Enum>
concept named_enum = std::is_enum_v<Enum> && !std::same_as<Enum, std::byte> && enum_names<Enum>.size() != 0;

/// The names alone.
template <named_enum Enum>
inline constexpr auto labels_of_enum = [] {
    static_assert(has_sound_names<Enum>,
                  "isorow: enum_names of this enumeration has a value or a name twice, or a name that is empty or not valid UTF-8");
    std::array<std::string_view, enum_names<Enum>.size()> labels{};
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = enum_names<Enum>[i].name;
    return labels;
}();

template <class Enum>
concept native = !std::same_as<std::remove_cv_t<decltype(native_enum<Enum>)>, std::nullptr_t>;

/// The type that a native enumeration is of.
template <native Enum>
inline constexpr user_type native_type_of{.kind = user_type_kind::enumeration,
                                          .schema = native_enum<Enum>.schema,
                                          .name = native_enum<Enum>.name,
                                          .labels = labels_of_enum<Enum>};

}  // namespace detail

}  // namespace isorow::inline v1
