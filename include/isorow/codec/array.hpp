#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/codec/type_oids.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

[[nodiscard]] constexpr column_type element_type(column_type array) noexcept {
    array.array = false;
    return array;
}

/// The number of elements that a field's type fixes; 0 where it may have any.
template <class T>
inline constexpr std::size_t fixed_array_size = 0;
template <class Element, std::size_t Size>
inline constexpr std::size_t fixed_array_size<std::array<Element, Size>> = Size;

/// What the front of an array says.
struct array_header {
    std::size_t dimensions = 0;  ///< 0 for an empty array
    std::array<std::size_t, array_dimension_limit> sizes{};
    oid element = 0;
};

/// Takes an array's header from `in`. No size is used before the product of all is compared with the bytes that remain, of which each
/// element needs four. Throws `malformed`.
[[nodiscard]] inline array_header take_array_header(byte_reader& in) {
    array_header header;
    auto const dimensions = in.take_int32();
    static_cast<void>(in.take_int32());
    header.element = in.take_uint32();
    if (dimensions < 0 || static_cast<std::size_t>(dimensions) > array_dimension_limit)
        throw malformed("an array of {} dimensions", dimensions);
    header.dimensions = static_cast<std::size_t>(dimensions);
    std::size_t count = 1;
    for (std::size_t i = 0; i < header.dimensions; ++i) {
        auto const size = in.take_int32();
        static_cast<void>(in.take_int32());
        if (size < 0 || (size == 0 && dimensions > 1)) throw malformed("an array with a dimension of {} elements", size);
        header.sizes[i] = static_cast<std::size_t>(size);
        count *= header.sizes[i];
        if (count > in.remaining() / sizeof(std::int32_t)) throw malformed("an array of {} elements in {} bytes", count, in.remaining());
    }
    return header;
}

}  // namespace detail

/// Arrays of one to six dimensions: int32 dimensions, int32 whether there are NULLs, the element's OID, then for each dimension int32
/// length and int32 lower bound, then each element behind its length, the last dimension's first. An empty array has no dimension. Source:
/// array_send, array_recv. Any lower bound is read, 1 is written. Elements may be `std::optional`; NULL for another one is refused with its
/// place. So are inner arrays that are not all of one size, or empty: Postgres has no such arrays.
template <class Array, column_type As>
    requires(As.array && detail::is_array_field<Array>)
struct codec<Array, As> {
    using element = typename detail::array_shape<Array>::element;
    using value = typename detail::array_element<element>::value;
    using element_codec = codec<value, detail::element_type(As)>;
    static constexpr std::size_t dimensions = detail::array_shape<Array>::dimensions;
    static constexpr bool nullable = detail::array_element<element>::nullable;
    static constexpr oid element_oid = detail::element_type(As).oid();  ///< 0 where each database has its own

    static constexpr bool bytewise_stable = element_codec::bytewise_stable && element_oid != 0;  // see oids_within.hpp
    static constexpr bool bytewise_equal = false;  // lower bounds do not show in what is written, but count for `=`

    static void encode(Array const& values, byte_writer& out) {
        sizes found{};
        measure<0>(values, found);
        out.put_int32(found[0] == 0 ? 0 : static_cast<std::int32_t>(dimensions));
        auto const has_null = out.size();
        out.put_int32(0);
        out.put_uint32(detail::oid_within(out, detail::element_type(As).base()));
        if (found[0] == 0) return;
        for (auto const size : found) {
            out.put_int32(static_cast<std::int32_t>(size));
            out.put_int32(1);
        }
        if (put_all<0>(values, found, out)) out.overwrite_int32(has_null, 1);
    }

    static Array decode(byte_reader in) {
        auto const header = detail::take_array_header(in);
        require_element_type(header.element);
        if (header.dimensions != 0 && header.dimensions != dimensions)
            throw unrepresentable(
                dimensions == 1 ? "the array has {} dimensions, the field has one" : "the array has {} dimensions, the field has {}",
                header.dimensions, dimensions);
        Array values{};
        take_all<0>(in, header, values);
        in.expect_end();
        return values;
    }

private:
    using sizes = std::array<std::size_t, dimensions>;

    /// The sizes of the dimensions are those of the first elements; `put_all` finds the others that differ.
    template <std::size_t Dimension, class Level>
    static void measure(Level const& level, sizes& found) {
        found[Dimension] = level.size();
        if (level.size() > longest_value / sizeof(std::int32_t))
            throw unrepresentable("the array has {} elements, which is more than a Postgres value can have", level.size());
        if constexpr (Dimension > 0)
            if (level.empty()) throw unrepresentable("the array has an empty array for an element");
        if constexpr (Dimension + 1 < dimensions)
            if (!level.empty()) measure<Dimension + 1>(level.front(), found);
    }

    /// Returns whether there was a NULL.
    template <std::size_t Dimension, class Level>
    static bool put_all(Level const& level, sizes const& found, byte_writer& out) {
        std::size_t place = 0;
        bool has_null = false;
        try {
            for (auto const& one : level) {
                if constexpr (Dimension + 1 < dimensions) {
                    if (one.size() != found[Dimension + 1])
                        throw unrepresentable("it has {} elements, and those before it {}; the arrays of one dimension have one size",
                                              one.size(), found[Dimension + 1]);
                    if (put_all<Dimension + 1>(one, found, out)) has_null = true;
                } else if constexpr (nullable) {
                    if (one) encode_with_length<element_codec>(*one, out);
                    else encode_null(out);
                    if (!one) has_null = true;
                } else {
                    encode_with_length<element_codec>(static_cast<value const&>(one), out);
                }
                ++place;
            }
        } catch (value_error const& failure) {
            failure.rethrow_at(text("element {}", place));
        }
        return has_null;
    }

    static void require_element_type(oid found) {
        if (element_oid == 0 || found == element_oid) return;
        if constexpr (requires { element_codec::reads(type_id::text); })
            for (auto const& other : type_catalog)
                if (other.oid == found && found != 0 && element_codec::reads(other.id)) return;
        throw malformed("an array of elements of type {}, the field's are of type {}", found, element_oid);
    }

    template <std::size_t Dimension, class Level>
    static void take_all(byte_reader& in, detail::array_header const& header, Level& level) {
        auto const size = header.sizes[Dimension];
        constexpr auto fixed = detail::fixed_array_size<Level>;
        if constexpr (fixed == 0) level.reserve(size);
        else if (size != fixed) throw unrepresentable("the array has {} elements, the field has {}", size, fixed);
        std::size_t place = 0;
        try {
            for (; place < size; ++place) {
                if constexpr (fixed != 0) level[place] = take<Dimension, typename Level::value_type>(in, header);
                else level.push_back(take<Dimension, typename Level::value_type>(in, header));
            }
        } catch (value_error const& failure) {
            failure.rethrow_at(text("element {}", place));
        }
    }

    template <std::size_t Dimension, class One>
    [[nodiscard]] static One take(byte_reader& in, detail::array_header const& header) {
        if constexpr (Dimension + 1 < dimensions) {
            One inner{};
            take_all<Dimension + 1>(in, header, inner);
            return inner;
        } else {
            auto const length = in.take_int32();
            if (length == -1) {
                if constexpr (nullable) return std::nullopt;
                else throw unrepresentable("the element is NULL, and the field's elements are not std::optional");
            }
            if (length < 0) throw malformed("a length of {}", length);
            return element_codec::decode(byte_reader(in.take_bytes(static_cast<std::size_t>(length))));
        }
    }
};

}  // namespace isorow::inline v1
