#pragma once

/// @file
/// What stands before and behind the tuples of a binary COPY. Source: the manual, "COPY", "Binary Format".

#include <isorow/codec/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace isorow::inline v1::copy_format {

using namespace std::string_view_literals;

/// The signature, with a NUL byte and line ends that show a transfer in text mode.
inline constexpr std::string_view signature = "PGCOPY\n\377\r\n\0"sv;

/// The size of the header that Postgres writes: signature, flags, length of the extension.
inline constexpr std::size_t header_size = signature.size() + 2 * sizeof(std::int32_t);

/// The field count that stands in place of a tuple's where the data end.
inline constexpr std::int16_t trailer = -1;

/// Appends the header: no flags, no extension.
inline void put_header(byte_writer& out) {
    out.put_bytes(signature);
    out.put_int32(0);
    out.put_int32(0);
}

/// Appends the trailer.
inline void put_trailer(byte_writer& out) { out.put_int16(trailer); }

/// Takes the header. Throws `malformed` where it is not one, or has a critical flag that isorow does not know.
inline void take_header(byte_reader& in) {
    auto const bytes = in.take_bytes(signature.size());
    if (std::memcmp(bytes.data(), signature.data(), signature.size()) != 0)
        throw malformed("the data do not begin with binary COPY's signature");
    auto const flags = in.take_uint32();
    if ((flags >> 16) != 0) throw malformed("binary COPY with the unknown critical flags {}", flags >> 16);
    auto const extension = in.take_int32();
    if (extension < 0) throw malformed("binary COPY with a header extension of {} bytes", extension);
    static_cast<void>(in.take_bytes(static_cast<std::size_t>(extension)));
}

/// Whether `in` stands before the trailer, which is taken then.
[[nodiscard]] inline bool take_trailer(byte_reader& in) {
    if (in.remaining() != sizeof trailer) return false;
    auto ahead = in;
    if (ahead.take_int16() != trailer) return false;
    in = ahead;
    return true;
}

/// How many bytes the tuple at the front of `in`, or the trailer, takes; nothing where it is not whole. Throws `malformed` for lengths that
/// no tuple has.
[[nodiscard]] inline std::optional<std::size_t> size_of_tuple(byte_reader in) {
    auto const all = in.remaining();
    if (all < sizeof trailer) return std::nullopt;
    auto const columns = in.take_int16();
    if (columns < trailer) throw malformed("a tuple of {} columns", columns);
    for (std::int16_t column = 0; column < columns; ++column) {
        if (in.remaining() < sizeof(std::int32_t)) return std::nullopt;
        auto const length = in.take_int32();
        if (length < -1) throw malformed("a length of {}", length);
        if (length == -1) continue;
        if (in.remaining() < static_cast<std::size_t>(length)) return std::nullopt;
        static_cast<void>(in.take_bytes(static_cast<std::size_t>(length)));
    }
    return all - in.remaining();
}

}  // namespace isorow::inline v1::copy_format
