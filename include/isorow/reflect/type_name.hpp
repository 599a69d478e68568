#pragma once

#include <cstddef>
#include <string_view>

namespace isorow::inline v1 {

namespace detail {

template <class T>
consteval std::string_view compiler_signature() {
#if defined(_MSC_VER) && !defined(__clang__)
    return __FUNCSIG__;
#else
    return __PRETTY_FUNCTION__;
#endif
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

}  // namespace detail

/// The name of a type without its namespaces, as error texts use it.
template <class T>
consteval std::string_view type_name() {
    constexpr std::string_view sample = detail::compiler_signature<double>();
    constexpr std::size_t before = sample.find("double");
    constexpr std::size_t after = sample.size() - before - 6;
    constexpr std::string_view signature = detail::compiler_signature<T>();
    return detail::unqualified(signature.substr(before, signature.size() - before - after));
}

}  // namespace isorow::inline v1
