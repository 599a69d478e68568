#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/codec/text.hpp>
#include <isorow/types/hstore.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

/// hstore: int32 number of pairs, then of each int32 length and bytes of the key, and int32 length and bytes of the value, the length -1
/// for NULL. Source: contrib/hstore/hstore_io.c, hstore_send, hstore_recv. Keys and values are checked as texts are.
template <column_type As>
    requires(As == column_type{type_id::hstore})
struct codec<hstore, As> {
    using characters = codec<std::string, column_type{type_id::text}>;
    static constexpr bool bytewise_stable = true;  // the pairs are in the server's order
    static constexpr bool bytewise_equal = true;
    /// The most bytes of a key or a value. Source: hstore.h, HSTORE_MAX_KEY_LEN.
    static constexpr std::size_t longest_text = 0x3FFFFFFF;

    static std::size_t size_of(hstore const& values) {
        std::size_t size = sizeof(std::int32_t);
        for (auto const& [key, value] : values) {
            size += 2 * sizeof(std::int32_t) + size_of_text(key, "a key");
            if (value) size += size_of_value(key, *value);
        }
        return size;
    }

    static void store(hstore const& values, std::byte* place) noexcept {
        detail::store_word(static_cast<std::uint32_t>(values.size()), place);
        place += sizeof(std::int32_t);
        for (auto const& [key, value] : values) {
            place = store_text(key, place);
            if (value) {
                place = store_text(*value, place);
            } else {
                detail::store_word(std::uint32_t{0xffffffff}, place);
                place += sizeof(std::uint32_t);
            }
        }
    }

    static hstore decode(byte_reader in) {
        auto const count = in.take_int32();
        if (count < 0 || static_cast<std::size_t>(count) > in.remaining() / (2 * sizeof(std::int32_t)))
            throw malformed("an hstore of {} pairs in {} bytes", count, in.remaining());
        hstore values;
        for (std::int32_t i = 0; i < count; ++i) {
            auto key = take_text(in);
            auto const length = in.take_int32();
            auto value = length == -1 ? std::nullopt : std::optional(take_text(in, length));
            if (!values.emplace(std::move(key), std::move(value)).second) throw malformed("an hstore with a key twice");
        }
        in.expect_end();
        return values;
    }

private:
    static std::size_t size_of_text(std::string_view text, std::string_view what) {
        auto const size = characters::size_of(text);
        if (size > longest_text) throw unrepresentable("{} of the hstore has {} bytes, hstore takes {}", what, size, longest_text);
        return size;
    }
    static std::size_t size_of_value(std::string const& key, std::string const& value) {
        std::size_t size = 0;
        try {
            size = size_of_text(value, "a value");
        } catch (value_error const& failure) {
            failure.rethrow_at(text("key \"{}\"", key));
        }
        return size;
    }

    static std::byte* store_text(std::string_view text, std::byte* place) noexcept {
        detail::store_word(static_cast<std::uint32_t>(text.size()), place);
        place += sizeof(std::uint32_t);
        characters::store(text, place);
        return place + text.size();
    }

    [[nodiscard]] static std::string take_text(byte_reader& in) { return take_text(in, in.take_int32()); }
    [[nodiscard]] static std::string take_text(byte_reader& in, std::int32_t length) {
        if (length < 0) throw malformed("a length of {}", length);
        return std::string(byte_reader(in.take_bytes(static_cast<std::size_t>(length))).take_rest_as_text());
    }
};

}  // namespace isorow::inline v1
