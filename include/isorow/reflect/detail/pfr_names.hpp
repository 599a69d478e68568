#pragma once

/// @file
/// The names of a struct's fields without reflection: the compiler prints the addresses of all of them in one signature. Boost.PFR asks
/// for a signature for each, which is most of what a struct costs a compiler.

#include <isorow/reflect/detail/pfr_tie.hpp>
#include <isorow/reflect/detail/signature.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace isorow::inline v1::reflect::detail {

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif

template <class T>
struct specimen {
    T value;
};

/// Never defined: its parts' addresses are printed, and nothing else is done with it.
template <class T>
extern specimen<T> nowhere;

/// `… = {(& nowhere<T>.specimen<T>::value.T::id), (& …)}]` or `… = <&nowhere.value.id, …>]`.
template <class T, auto... Fields>
consteval printed print_fields() {
    return {__PRETTY_FUNCTION__, sizeof(__PRETTY_FUNCTION__) - 1};
}

template <class T, std::size_t... Index>
consteval std::string_view signature_of_fields(std::index_sequence<Index...>) {
    return print_fields<T, &detail::get<Index>(detail::tie<sizeof...(Index)>(nowhere<T>.value))...>().view();
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

/// Where the last address in a signature begins. g++ writes types into it, which may have references.
consteval std::size_t last_address(std::string_view signature) {
#if defined(__clang__)
    constexpr std::string_view front = "&";
#else
    constexpr std::string_view front = "(& ";
#endif
    auto place = signature.size() - front.size();
    while (signature[place] != front[0] || signature.substr(place, front.size()) != front) --place;
    return place;
}

/// Reads from behind, as fields' names are the last of their parts, while struct and namespaces may be called whatever they like. What
/// stands before the name is as long in each part.
template <std::size_t Count>
consteval std::array<std::string_view, Count> read_fields(std::string_view signature) {
    std::array<std::string_view, Count> names{};
    std::size_t front = 0;
    for (auto place = Count; place-- > 0;) {
        names[place] = last_name(signature);
        auto const name = static_cast<std::size_t>(names[place].data() - signature.data());
        if (front == 0) front = name - last_address(signature.substr(0, name));
        signature = signature.substr(0, name - front);
    }
    return names;
}

/// All names in a row, so that a program that prints one holds no signature.
template <class T, std::size_t Count>
inline constexpr auto joined_names = [] {
    constexpr auto names = read_fields<Count>(signature_of_fields<T>(std::make_index_sequence<Count>{}));
    constexpr auto size = [&] {
        std::size_t sum = 0;
        for (auto const name : names) sum += name.size();
        return sum;
    }();
    struct {
        std::array<char, size> characters{};
        std::array<std::size_t, Count> sizes{};
    } joined;
    auto* place = joined.characters.data();
    auto* name_size = joined.sizes.data();
    for (auto const name : names) {
        for (auto const character : name) *place++ = character;
        *name_size++ = name.size();
    }
    return joined;
}();

/// The names of the fields of T, of which there are so many.
template <class T, std::size_t Count>
consteval std::array<std::string_view, Count> names_of() {
    std::array<std::string_view, Count> names{};
    auto const* place = joined_names<T, Count>.characters.data();
    auto* name = names.data();
    for (auto const size : joined_names<T, Count>.sizes) {
        *name++ = std::string_view(place, size);
        place += size;
    }
    return names;
}

}  // namespace isorow::inline v1::reflect::detail
