#pragma once

#include <isorow/types/mapping.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace isorow::inline v1 {

/// The most dimensions of a vector that pgvector stores.
inline constexpr std::size_t vector_dimension_limit = 16000;

namespace detail {

/// What `vector` and `halfvec` share: `Size` floats in place.
template <std::size_t Size>
    requires(Size > 0 && Size <= vector_dimension_limit)
class float_array {
public:
    using value_type = float;

    constexpr float_array() = default;
    /// As many values as there are dimensions.
    template <class... Values>
        requires(sizeof...(Values) == Size && (std::convertible_to<Values, float> && ...))
    constexpr float_array(Values... values) noexcept : values_{static_cast<float>(values)...} {}  // NOLINT(google-explicit-constructor)
    constexpr explicit float_array(std::span<float const, Size> values) noexcept {
        std::copy(values.begin(), values.end(), values_.begin());
    }

    [[nodiscard]] static constexpr std::size_t size() noexcept { return Size; }
    [[nodiscard]] constexpr float* data() noexcept { return values_.data(); }
    [[nodiscard]] constexpr float const* data() const noexcept { return values_.data(); }
    [[nodiscard]] constexpr float* begin() noexcept { return data(); }
    [[nodiscard]] constexpr float const* begin() const noexcept { return data(); }
    [[nodiscard]] constexpr float* end() noexcept { return data() + Size; }
    [[nodiscard]] constexpr float const* end() const noexcept { return data() + Size; }
    [[nodiscard]] constexpr float& operator[](std::size_t i) noexcept { return values_[i]; }
    [[nodiscard]] constexpr float const& operator[](std::size_t i) const noexcept { return values_[i]; }

    friend constexpr bool operator==(float_array const&, float_array const&) = default;

private:
    std::array<float, Size> values_{};
};

}  // namespace detail

/// pgvector's `vector(N)`: an embedding of N floats. All zero at first.
template <std::size_t N>
class vector : public detail::float_array<N> {
public:
    using detail::float_array<N>::float_array;
};

/// The same by a name that does not remind of std::vector.
template <std::size_t N>
using pgvector = vector<N>;

/// pgvector's `halfvec(N)`: N floats that are stored with 16 bits each. They are rounded to nearest when they are sent.
template <std::size_t N>
class halfvec : public detail::float_array<N> {
public:
    using detail::float_array<N>::float_array;
};

template <std::size_t N>
struct mapping<vector<N>> {
    static constexpr column_type type{type_id::vector, false, static_cast<std::int32_t>(N)};
};
template <std::size_t N>
struct mapping<halfvec<N>> {
    static constexpr column_type type{type_id::halfvec, false, static_cast<std::int32_t>(N)};
};

}  // namespace isorow::inline v1
