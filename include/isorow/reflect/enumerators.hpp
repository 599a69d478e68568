#pragma once

/// @file
/// The values of an enumeration and their names, by C++26's reflection: all of them, whatever their range, and none that is not declared.
/// Without reflection (`ISOROW_HAS_REFLECTION` is 0) this header is empty.

#include <isorow/config.hpp>

#if ISOROW_HAS_REFLECTION

#include <array>
#include <cstddef>
#include <meta>
#include <string_view>
#include <type_traits>

namespace isorow::inline v1::reflect {

/// A value of an enumeration with its name.
template <class Enum>
struct enumerator {
    Enum value{};
    std::string_view name{};
};

/// The enumerators of a complete enumeration in the order of their declaration; two of one value are two.
template <class Enum>
    requires std::is_enum_v<Enum>
inline constexpr auto enumerators_of = [] {
    static constexpr auto all = std::define_static_array(std::meta::enumerators_of(^^Enum));
    std::array<enumerator<Enum>, all.size()> result{};
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = {std::meta::extract<Enum>(std::meta::constant_of(all[i])), std::meta::identifier_of(all[i])};
    return result;
}();

/// The name of a value, the first where it has several; empty where none is declared for it.
template <class Enum>
    requires std::is_enum_v<Enum>
[[nodiscard]] constexpr std::string_view enumerator_name(Enum value) noexcept {
    for (auto const& one : enumerators_of<Enum>)
        if (one.value == value) return one.name;
    return {};
}

}  // namespace isorow::inline v1::reflect

#endif
