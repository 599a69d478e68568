#pragma once

#include <concepts>
#include <utility>

namespace isorow::inline v1 {

/// A T that is stored as one jsonb value, where T by itself would be something else or nothing: `jsonb<std::vector<std::string>>` is a
/// JSON list, not text[]. It is made from a T, and gives it by `value`, `*` and `->`. Its column needs `isorow/json.hpp`.
template <class T>
class jsonb {
public:
    using value_type = T;

    constexpr jsonb() = default;
    constexpr jsonb(T const& initial) : value(initial) {}        // NOLINT(google-explicit-constructor): it is a T
    constexpr jsonb(T&& initial) : value(std::move(initial)) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] constexpr T const& operator*() const noexcept { return value; }
    [[nodiscard]] constexpr T& operator*() noexcept { return value; }
    [[nodiscard]] constexpr T const* operator->() const noexcept { return &value; }
    [[nodiscard]] constexpr T* operator->() noexcept { return &value; }

    // Not defaulted: that would ask for a T whose == is constexpr.
    [[nodiscard]] friend constexpr bool operator==(jsonb const& a, jsonb const& b)
        requires std::equality_comparable<T>
    {
        return a.value == b.value;
    }

    T value{};
};

}  // namespace isorow::inline v1
