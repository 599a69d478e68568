#pragma once

#include <isorow/config.hpp>

#include <cstddef>
#include <string_view>

#if ISOROW_HAS_REFLECTION
#include <meta>
#endif

namespace isorow::inline v1 {

namespace detail {

template <class T>
consteval std::string_view compiler_signature() {
    return {__PRETTY_FUNCTION__, sizeof(__PRETTY_FUNCTION__) - 1};
}

/// The last part of a qualified name, template arguments kept: `shop::Product` is `Product`.
consteval std::string_view unqualified(std::string_view name) {
    int depth = 0;
    for (std::size_t i = name.size(); i > 1; --i) {
        char const character = name[i - 1];
        if (character == '>' || character == ')') ++depth;
        if (character == '<' || character == '(') --depth;
        if (depth == 0 && character == ':' && name[i - 2] == ':') return name.substr(i);
    }
    return name;
}

/// What stands before the type's name in a signature, and behind it.
inline constexpr std::size_t signature_front = compiler_signature<double>().find("double");
inline constexpr std::size_t signature_rest = compiler_signature<double>().size() - signature_front - 6;

template <class T>
consteval std::string_view find_type_name() {
#if ISOROW_HAS_REFLECTION
    if constexpr (std::meta::has_identifier(^^T)) return std::meta::identifier_of(^^T);
#endif
    constexpr std::string_view signature = compiler_signature<T>();
    return unqualified(signature.substr(signature_front, signature.size() - signature_front - signature_rest));
}

/// Found once for each type.
template <class T>
inline constexpr std::string_view found_type_name = find_type_name<T>();

}  // namespace detail

/// The name of a type without its namespaces, as error texts use it.
template <class T>
consteval std::string_view type_name() {
    return detail::found_type_name<T>;
}

}  // namespace isorow::inline v1
