#pragma once

#include <isorow/schema/check.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/types/column_type.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <utility>

namespace isorow::inline v1 {

/// A plain struct that is stored as a value of a composite type, whose attributes are its fields as columns. The type's name and schema are
/// those that the struct's table would have. It is made from a T, and gives it by `value`, `*` and `->`.
template <reflect::reflectable T>
class composite {
public:
    using value_type = T;

    constexpr composite() = default;
    constexpr composite(T const& initial) : value(initial) {}        // NOLINT(google-explicit-constructor): it is a T
    constexpr composite(T&& initial) : value(std::move(initial)) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] constexpr T const& operator*() const noexcept { return value; }
    [[nodiscard]] constexpr T& operator*() noexcept { return value; }
    [[nodiscard]] constexpr T const* operator->() const noexcept { return &value; }
    [[nodiscard]] constexpr T* operator->() noexcept { return &value; }

    // Not defaulted: that would ask for a T whose == is constexpr.
    [[nodiscard]] friend constexpr bool operator==(composite const& a, composite const& b)
        requires std::equality_comparable<T>
    {
        return a.value == b.value;
    }

    T value{};
};

namespace detail {

template <class T>
inline constexpr auto attributes_of = [] {
    check<T>();
    std::array<user_attribute, columns_of<T>.size()> attributes{};
    for (std::size_t i = 0; i < attributes.size(); ++i) attributes[i] = {columns_of<T>[i].name, columns_of<T>[i].type};
    return attributes;
}();

template <class T>
inline constexpr user_type composite_type_of{
    .kind = user_type_kind::composite, .schema = description_of<T>.schema, .name = description_of<T>.name, .attributes = attributes_of<T>};

}  // namespace detail

template <class T>
struct mapping<composite<T>> {
    static constexpr column_type type{.id = type_id::user, .user = &detail::composite_type_of<T>};
};

}  // namespace isorow::inline v1
