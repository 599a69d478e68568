#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/types/sparsevec.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// pgvector's `sparsevec` on the wire: int32 dimensions, int32 number of elements that are not zero, int32 0, then the elements' int32
/// indices, from 0 and ascending, then their values as floats. Source: pgvector 0.8, sparsevec.c, sparsevec_send, sparsevec_recv.
struct sparsevec_format {
    static constexpr std::size_t header_size = 3 * sizeof(std::int32_t);
    static constexpr std::size_t element_size = sizeof(std::int32_t) + sizeof(float);

    [[nodiscard]] static std::size_t size_of(std::vector<sparse_element> const& elements) noexcept {
        return header_size + elements.size() * element_size;
    }

    static void store(std::size_t dimensions, std::vector<sparse_element> const& elements, std::byte* place) noexcept {
        store_word(static_cast<std::uint32_t>(dimensions), place);
        store_word(static_cast<std::uint32_t>(elements.size()), place + 4);
        store_word(std::uint32_t{0}, place + 8);
        place += header_size;
        for (auto const& element : elements) {
            store_word(static_cast<std::uint32_t>(element.index), place);
            place += sizeof(std::int32_t);
        }
        for (auto const& element : elements) {
            store_word(std::bit_cast<std::uint32_t>(element.value), place);
            place += sizeof(float);
        }
    }

    [[nodiscard]] static sparse_values decode(byte_reader in) {
        auto const dimensions = in.take_int32();
        auto const count = take_count(in, dimensions);
        std::vector<sparse_element> elements(count);
        std::int32_t least = 0;
        for (auto& element : elements) {
            element.index = in.take_int32();
            if (element.index < least || element.index >= dimensions)
                throw malformed("a sparsevec with element {} where one of {} to {} stands", element.index, least, dimensions - 1);
            least = element.index + 1;
        }
        for (auto& element : elements) {
            element.value = in.take_float();
            if (element.value == 0 || !std::isfinite(element.value))
                throw malformed("sparsevec element {} is {}", element.index, element.value);
        }
        return {dimensions, std::move(elements)};
    }

private:
    /// The number of elements, which is as many as there are bytes for.
    [[nodiscard]] static std::size_t take_count(byte_reader& in, std::int32_t dimensions) {
        if (dimensions < 1 || static_cast<std::size_t>(dimensions) > sparsevec_dimension_limit)
            throw malformed("a sparsevec of {} dimensions", dimensions);
        auto const count = in.take_int32();
        if (auto const unused = in.take_int32(); unused != 0) throw malformed("a sparsevec with {} where 0 stands", unused);
        if (count < 0 || count > dimensions || static_cast<std::size_t>(count) > sparsevec_element_limit)
            throw malformed("a sparsevec of {} elements in {} dimensions", count, dimensions);
        auto const wanted = static_cast<std::size_t>(count) * element_size;
        if (in.remaining() != wanted) throw malformed("a sparsevec of {} elements has {} bytes, not {}", count, wanted, in.remaining());
        return static_cast<std::size_t>(count);
    }
};

}  // namespace detail

template <std::size_t N, column_type As>
    requires(As == mapping<sparsevec<N>>::type)
struct codec<sparsevec<N>, As> {
    using format = detail::sparsevec_format;
    static constexpr bool bytewise_stable = true;
    static constexpr bool bytewise_equal = true;  // zeros, of which there are two, are not stored

    static std::size_t size_of(sparsevec<N> const& value) noexcept { return format::size_of(value.elements()); }
    static void store(sparsevec<N> const& value, std::byte* place) noexcept { format::store(N, value.elements(), place); }
    static sparsevec<N> decode(byte_reader in) {
        auto values = format::decode(in);
        if (static_cast<std::size_t>(values.size) != N) throw malformed("sparsevec has {} dimensions, the field has {}", values.size, N);
        return sparsevec<N>(std::move(values.elements));
    }
};

}  // namespace isorow::inline v1
