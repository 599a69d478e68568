#pragma once

#include <isorow/types/column_type.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace isorow::inline v1 {

/// What one element of an embedding is stored as.
enum class vector_element : std::uint8_t {
    float32,  ///< pgvector's `vector`
    float16,  ///< pgvector's `halfvec`
};

/// The shape of an embedding: how many elements of which kind.
struct vector_shape {
    std::size_t size = 0;
    vector_element element = vector_element::float32;

    friend constexpr bool operator==(vector_shape const&, vector_shape const&) = default;
};

/// Something that knows the shape of the embeddings it makes, typically an embedding model: `vector_schema()` returns it.
template <class Provider>
concept vector_schema_provider = requires(Provider const& provider) {
    { provider.vector_schema() } -> std::convertible_to<vector_shape>;
};

/// A shape written out, as in `annotated<std::vector<float>, vector_schema<384>>`. At run time, as an override of a `table_schema`, it is
/// written `vector_schema{384}`.
template <std::size_t Size = 0, vector_element Element = vector_element::float32>
    requires((Size > 0 || Element == vector_element::float32) && Size <= 16000)
struct vector_schema {
    [[nodiscard]] static constexpr vector_shape shape() noexcept { return {Size, Element}; }
};

/// A shape that is known at run time only; whoever takes it checks it.
template <>
struct vector_schema<0> {
    std::size_t size = 0;
    vector_element element = vector_element::float32;

    constexpr operator vector_shape() const noexcept { return {size, element}; }  // NOLINT(google-explicit-constructor): it is one
};
vector_schema(std::size_t, vector_element = vector_element::float32) -> vector_schema<>;

/// The column type for embeddings of a shape.
[[nodiscard]] constexpr column_type column_type_of(vector_shape shape) noexcept {
    return {shape.element == vector_element::float32 ? type_id::vector : type_id::halfvec, false, static_cast<std::int32_t>(shape.size)};
}

}  // namespace isorow::inline v1
