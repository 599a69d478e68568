#pragma once

#include <isorow/codec/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

template <class Element>
struct array_element {
    using value = Element;
    static constexpr bool nullable = false;
};
template <class Value>
struct array_element<std::optional<Value>> {
    using value = Value;
    static constexpr bool nullable = true;
};

[[nodiscard]] constexpr column_type element_type(column_type array) noexcept {
    return {array.id, false, array.first_modifier, array.second_modifier};
}

}  // namespace detail

/// One-dimensional arrays: int32 dimensions, int32 whether there are NULLs, the element's OID, then for each dimension int32 length and
/// int32 lower bound, then each element behind its length. An empty array has no dimension. Source: array_send, array_recv.
/// Any lower bound is read, 1 is written. Elements may be `std::optional`; NULL for another one is refused with its place.
template <class Element, column_type As>
    requires(As.array)
struct codec<std::vector<Element>, As> {
    using value = typename detail::array_element<Element>::value;
    using element_codec = codec<value, detail::element_type(As)>;
    static constexpr bool nullable = detail::array_element<Element>::nullable;
    static constexpr type_entry entry = entry_of(As.id);
    static_assert(entry.oid != 0,
                  "isorow: arrays of an extension's type are not supported yet; use a jsonb column or a table of their own");

    static constexpr bool bytewise_stable = element_codec::bytewise_stable;
    static constexpr bool bytewise_equal = false;  // lower bounds do not show in what is written, but count for `=`

    static void encode(std::vector<Element> const& values, byte_writer& out) {
        out.put_int32(values.empty() ? 0 : 1);
        out.put_int32(has_null(values) ? 1 : 0);
        out.put_uint32(entry.oid);
        if (values.empty()) return;
        if (values.size() > longest_value / sizeof(std::int32_t))
            throw unrepresentable("the array has {} elements, which is more than a Postgres value can have", values.size());
        out.put_int32(static_cast<std::int32_t>(values.size()));
        out.put_int32(1);
        std::size_t place = 0;
        try {
            for (; place < values.size(); ++place) put(values[place], out);
        } catch (value_error const& failure) {
            failure.rethrow_at(text("element {}", place));
        }
    }

    static std::vector<Element> decode(byte_reader in) {
        auto const count = take_header(in);
        std::vector<Element> values;
        values.reserve(count);
        for (std::size_t place = 0; place < count; ++place) {
            try {
                values.push_back(take(in));
            } catch (value_error const& failure) {
                failure.rethrow_at(text("element {}", place));
            }
        }
        in.expect_end();
        return values;
    }

private:
    [[nodiscard]] static bool has_null(std::vector<Element> const& values) {
        if constexpr (nullable)
            for (auto const& element : values)
                if (!element) return true;
        return false;
    }

    // std::vector<bool> gives no references, so elements are taken by value where they are small.
    static void put(std::conditional_t<std::is_same_v<Element, bool>, bool, Element const&> element, byte_writer& out) {
        if constexpr (nullable) {
            if (!element) return encode_null(out);
            encode_with_length<element_codec>(*element, out);
        } else {
            encode_with_length<element_codec>(element, out);
        }
    }

    /// The number of elements, which is not more than the bytes that remain can hold.
    [[nodiscard]] static std::size_t take_header(byte_reader& in) {
        auto const dimensions = in.take_int32();
        static_cast<void>(in.take_int32());
        require_element_type(in.take_uint32());
        if (dimensions == 0) return 0;
        if (dimensions != 1) throw unrepresentable("the array has {} dimensions, the field has one", dimensions);
        auto const count = in.take_int32();
        static_cast<void>(in.take_int32());
        if (count < 0 || static_cast<std::size_t>(count) > in.remaining() / sizeof(std::int32_t))
            throw malformed("an array of {} elements in {} bytes", count, in.remaining());
        return static_cast<std::size_t>(count);
    }

    static void require_element_type(oid found) {
        if (found == entry.oid) return;
        if constexpr (requires { element_codec::reads(type_id::text); })
            for (auto const& other : type_catalog)
                if (other.oid == found && found != 0 && element_codec::reads(other.id)) return;
        throw malformed("an array of elements of type {}, the field's are of type {}", found, entry.oid);
    }

    [[nodiscard]] static Element take(byte_reader& in) {
        auto const length = in.take_int32();
        if (length == -1) {
            if constexpr (nullable) return std::nullopt;
            else throw unrepresentable("the element is NULL, and the field's elements are not std::optional");
        }
        if (length < 0) throw malformed("a length of {}", length);
        return element_codec::decode(byte_reader(in.take_bytes(static_cast<std::size_t>(length))));
    }
};

}  // namespace isorow::inline v1
