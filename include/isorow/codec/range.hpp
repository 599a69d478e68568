#pragma once

/// @file
/// Ranges and multiranges. Source: src/backend/utils/adt/rangetypes.c, range_send and range_recv; multirangetypes.c, multirange_send and
/// multirange_recv; src/include/utils/rangetypes.h.

#include <isorow/codec/codec.hpp>
#include <isorow/types/multirange.hpp>
#include <isorow/types/range.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

namespace detail {

/// The bits of a range's first byte.
namespace range_flag {
inline constexpr std::uint8_t empty = 0x01;
inline constexpr std::uint8_t lower_inclusive = 0x02;
inline constexpr std::uint8_t upper_inclusive = 0x04;
inline constexpr std::uint8_t lower_unbounded = 0x08;
inline constexpr std::uint8_t upper_unbounded = 0x10;
}  // namespace range_flag

template <class T>
[[nodiscard]] constexpr std::uint8_t flags_of(range<T> const& value) noexcept {
    if (value.is_empty()) return range_flag::empty;
    unsigned const lower = !value.lower() ? range_flag::lower_unbounded : value.lower_is_inclusive() ? range_flag::lower_inclusive : 0U;
    unsigned const upper = !value.upper() ? range_flag::upper_unbounded : value.upper_is_inclusive() ? range_flag::upper_inclusive : 0U;
    return static_cast<std::uint8_t>(lower | upper);
}

/// Takes the first byte. Throws `malformed` where its bits are none that the server sends together.
[[nodiscard]] inline std::uint8_t take_range_flags(byte_reader& in) {
    using namespace range_flag;
    auto const flags = static_cast<std::uint8_t>(in.take_int8());
    auto const has_all = [flags](unsigned bits) { return (flags & bits) == bits; };
    constexpr unsigned known = empty | lower_inclusive | upper_inclusive | lower_unbounded | upper_unbounded;
    if ((flags & ~known) != 0 || (has_all(empty) && flags != empty) || has_all(lower_inclusive | lower_unbounded) ||
        has_all(upper_inclusive | upper_unbounded))
        throw malformed("a range with the flags {}", int{flags});
    return flags;
}

}  // namespace detail

/// Ranges: a byte of flags, then each bound that there is behind its length. What is written is canonical, as `range` is, so that the
/// server gives back the same bytes wherever it does so with the bounds.
template <class T, column_type As>
    requires(!As.array && detail::is_range_type(As.id))
struct codec<range<T>, As> {
    using bound_codec = codec<T, detail::bound_type(As.id)>;
    static constexpr bool bytewise_stable = bound_codec::bytewise_stable;
    static constexpr bool bytewise_equal = bound_codec::bytewise_equal;
    static constexpr bool reads(type_id other)
        requires(requires { bound_codec::reads(type_id::int4); })
    {
        return detail::is_range_type(other) && bound_codec::reads(detail::bound_type(other).id);
    }

    static std::size_t size_of(range<T> const& value)
        requires(sized_codec<bound_codec, T>)
    {
        return 1 + size_of_bound(value.lower(), lower_place) + size_of_bound(value.upper(), upper_place);
    }
    static void store(range<T> const& value, std::byte* place) noexcept
        requires(sized_codec<bound_codec, T>)
    {
        *place++ = std::byte{detail::flags_of(value)};
        for (auto const* const bound : {&value.lower(), &value.upper()}) {
            if (!*bound) continue;
            auto const size = encoded_size_of<bound_codec>(**bound);
            detail::store_word(static_cast<std::uint32_t>(size), place);
            bound_codec::store(**bound, place + sizeof(std::uint32_t));
            place += sizeof(std::uint32_t) + size;
        }
    }

    static void encode(range<T> const& value, byte_writer& out)
        requires(!sized_codec<bound_codec, T>)
    {
        out.put_int8(static_cast<std::int8_t>(detail::flags_of(value)));
        if (value.lower()) at(lower_place, [&] { encode_with_length<bound_codec>(*value.lower(), out); });
        if (value.upper()) at(upper_place, [&] { encode_with_length<bound_codec>(*value.upper(), out); });
    }

    static range<T> decode(byte_reader in) {
        auto const flags = detail::take_range_flags(in);
        if (flags == detail::range_flag::empty) {
            in.expect_end();
            return {};
        }
        auto lower = take_bound(in, (flags & detail::range_flag::lower_unbounded) != 0, lower_place);
        auto upper = take_bound(in, (flags & detail::range_flag::upper_unbounded) != 0, upper_place);
        in.expect_end();
        if (lower && upper && *upper < *lower) throw malformed("a range whose lower bound is above its upper bound");
        auto const kind = [flags](std::uint8_t bit) { return (flags & bit) != 0 ? range_bound::inclusive : range_bound::exclusive; };
        return range<T>::between(std::move(lower), kind(detail::range_flag::lower_inclusive), std::move(upper),
                                 kind(detail::range_flag::upper_inclusive));
    }

private:
    static constexpr char const* lower_place = "the range's lower bound";
    static constexpr char const* upper_place = "the range's upper bound";

    /// What `act` returns; its errors say which bound they are about.
    template <class Act>
    static auto at(char const* where, Act&& act) {
        try {
            return act();
        } catch (value_error const& failure) {
            failure.rethrow_at(where);
            throw;  // not reached: rethrow_at throws
        }
    }

    [[nodiscard]] static std::size_t size_of_bound(std::optional<T> const& bound, char const* where) {
        if (!bound) return 0;
        return at(where, [&] { return sizeof(std::uint32_t) + encoded_size_of<bound_codec>(*bound); });
    }

    [[nodiscard]] static std::optional<T> take_bound(byte_reader& in, bool is_unbounded, char const* where) {
        if (is_unbounded) return std::nullopt;
        return at(where, [&] {
            auto const length = in.take_int32();
            if (length < 0) throw malformed("a length of {}", length);
            return bound_codec::decode(byte_reader(in.take_bytes(static_cast<std::size_t>(length))));
        });
    }
};

/// Multiranges: int32 count, then each range behind its length.
template <class T, column_type As>
    requires(!As.array && detail::is_multirange_type(As.id))
struct codec<multirange<T>, As> {
    using range_codec = codec<range<T>, detail::range_type(As.id)>;
    static constexpr bool bytewise_stable = range_codec::bytewise_stable;
    static constexpr bool bytewise_equal = range_codec::bytewise_equal;
    static constexpr bool reads(type_id other)
        requires(requires { range_codec::reads(type_id::int4range); })
    {
        return detail::is_multirange_type(other) && range_codec::reads(detail::range_type(other).id);
    }

    static void encode(multirange<T> const& value, byte_writer& out) {
        if (value.size() > longest_value / least_size)
            throw unrepresentable("the multirange has {} ranges, which is more than a Postgres value can have", value.size());
        out.put_int32(static_cast<std::int32_t>(value.size()));
        std::size_t place = 0;
        try {
            for (; place < value.size(); ++place) encode_with_length<range_codec>(value[place], out);
        } catch (value_error const& failure) {
            failure.rethrow_at(text("range {}", place));
        }
    }

    static multirange<T> decode(byte_reader in) {
        auto const count = in.take_int32();
        if (count < 0 || static_cast<std::size_t>(count) > in.remaining() / least_size)
            throw malformed("a multirange of {} ranges in {} bytes", count, in.remaining());
        std::vector<range<T>> ranges;
        ranges.reserve(static_cast<std::size_t>(count));
        try {
            while (ranges.size() < static_cast<std::size_t>(count)) {
                auto const length = in.take_int32();
                if (length < 0) throw malformed("a length of {}", length);
                ranges.push_back(range_codec::decode(byte_reader(in.take_bytes(static_cast<std::size_t>(length)))));
            }
        } catch (value_error const& failure) {
            failure.rethrow_at(text("range {}", ranges.size()));
        }
        in.expect_end();
        return multirange<T>(std::move(ranges));
    }

private:
    /// A range's length and its flags.
    static constexpr std::size_t least_size = sizeof(std::int32_t) + 1;
};

}  // namespace isorow::inline v1
