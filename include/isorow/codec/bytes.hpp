#pragma once

/// @file
/// Postgres' wire is big-endian. These two classes are the only ones that read and write it: the writer appends to a buffer that
/// grows, the reader never takes a byte more than it was given.

#include <isorow/error/value_error.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

/// For the few functions of a row's hot path that compilers leave out of line because of their error paths.
#if defined(__GNUC__) || defined(__clang__)
#define ISOROW_ALWAYS_INLINE [[gnu::always_inline]] inline
#else
#define ISOROW_ALWAYS_INLINE inline
#endif

namespace isorow::inline v1 {

namespace detail {

template <std::unsigned_integral Word>
[[nodiscard]] constexpr Word swap_bytes(Word word) noexcept {
#if defined(__GNUC__) || defined(__clang__)
    if constexpr (sizeof(Word) == 1) return word;
    else if constexpr (sizeof(Word) == 2) return __builtin_bswap16(word);
    else if constexpr (sizeof(Word) == 4) return __builtin_bswap32(word);
    else return __builtin_bswap64(word);
#else
    Word swapped{};
    for (std::size_t i = 0; i < sizeof(Word); ++i) swapped = static_cast<Word>((swapped << 8) | ((word >> (8 * i)) & 0xff));
    return swapped;
#endif
}

/// The word as it stands on the wire, and back: the swap is its own inverse.
template <std::unsigned_integral Word>
[[nodiscard]] constexpr Word big_endian(Word word) noexcept {
    if constexpr (std::endian::native == std::endian::big) return word;
    else return swap_bytes(word);
}

}  // namespace detail

/// The longest value that the protocol can carry: lengths on the wire are int32.
inline constexpr std::size_t longest_value = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());

class type_oids;

/// Appends big-endian values to a buffer of its own. Not thread-safe.
class byte_writer {
public:
    byte_writer() = default;
    byte_writer(byte_writer const& other) : types_(other.types_) { put_bytes(other.bytes()); }
    byte_writer(byte_writer&& other) noexcept
        : buffer_(std::move(other.buffer_)),
          next_(std::exchange(other.next_, nullptr)),
          end_(std::exchange(other.end_, nullptr)),
          types_(other.types_) {}
    byte_writer& operator=(byte_writer other) noexcept {
        types_ = other.types_;
        std::swap(buffer_, other.buffer_);
        std::swap(next_, other.next_);
        std::swap(end_, other.end_);
        return *this;
    }
    ~byte_writer() = default;

    /// What was written; valid until the next write.
    [[nodiscard]] std::span<std::byte const> bytes() const noexcept { return {buffer_.get(), size()}; }
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(next_ - buffer_.get()); }
    [[nodiscard]] bool empty() const noexcept { return next_ == buffer_.get(); }

    /// Says for which database is written: some values hold OIDs that each database gives itself. `types` must outlive the writing.
    void set_types(type_oids const* types) noexcept { types_ = types; }
    [[nodiscard]] type_oids const* types() const noexcept { return types_; }

    /// Forgets what was written and keeps the memory.
    void clear() noexcept { next_ = buffer_.get(); }

    /// Forgets what was written after `size`, which must not be more than the present size.
    void truncate(std::size_t size) noexcept { next_ = buffer_.get() + size; }

    /// Makes room for `count` more bytes, so that `claim` may be called for them.
    void reserve(std::size_t count) {
        if (static_cast<std::size_t>(end_ - next_) < count) [[unlikely]]
            grow(count);
    }

    /// Where the next byte goes. The caller may write there as many bytes as were reserved, and then says how far it came.
    [[nodiscard]] std::byte* next() noexcept { return next_; }
    void advance_to(std::byte* end) noexcept { next_ = end; }

    /// The next `count` bytes, to be filled by the caller; room for them must have been reserved.
    [[nodiscard]] std::byte* claim(std::size_t count) noexcept { return std::exchange(next_, next_ + count); }

    void put_int8(std::int8_t value) { put(static_cast<std::uint8_t>(value)); }
    void put_int16(std::int16_t value) { put(static_cast<std::uint16_t>(value)); }
    void put_int32(std::int32_t value) { put(static_cast<std::uint32_t>(value)); }
    void put_int64(std::int64_t value) { put(static_cast<std::uint64_t>(value)); }
    void put_uint32(std::uint32_t value) { put(value); }
    void put_float(float value) { put(std::bit_cast<std::uint32_t>(value)); }
    void put_double(double value) { put(std::bit_cast<std::uint64_t>(value)); }

    void put_bytes(std::span<std::byte const> bytes) {
        reserve(bytes.size());
        auto* const place = claim(bytes.size());
        if (!bytes.empty()) std::memcpy(place, bytes.data(), bytes.size());
    }
    void put_bytes(std::string_view bytes) { put_bytes(std::as_bytes(std::span(bytes))); }

    /// Appends floats one after another, as pgvector stores them.
    void put_floats(std::span<float const> values) {
        reserve(values.size() * sizeof(float));
        auto* place = claim(values.size() * sizeof(float));
        for (float const value : values) {
            auto const word = detail::big_endian(std::bit_cast<std::uint32_t>(value));
            std::memcpy(place, &word, sizeof word);
            place += sizeof word;
        }
    }

    /// Writes an int32 over four bytes that were written before, at `place` from the start.
    void overwrite_int32(std::size_t place, std::int32_t value) noexcept {
        auto const word = detail::big_endian(static_cast<std::uint32_t>(value));
        std::memcpy(buffer_.get() + place, &word, sizeof word);
    }

private:
    template <std::unsigned_integral Word>
    void put(Word value) {
        reserve(sizeof(Word));
        auto const word = detail::big_endian(value);
        std::memcpy(claim(sizeof word), &word, sizeof word);
    }

    void grow(std::size_t count) {
        auto const used = size();
        auto const capacity = std::max<std::size_t>({256, 2 * static_cast<std::size_t>(end_ - buffer_.get()), used + count});
        auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
        if (used != 0) std::memcpy(larger.get(), buffer_.get(), used);
        buffer_ = std::move(larger);
        next_ = buffer_.get() + used;
        end_ = buffer_.get() + capacity;
    }

    std::unique_ptr<std::byte[]> buffer_;
    std::byte* next_ = nullptr;
    std::byte* end_ = nullptr;
    type_oids const* types_ = nullptr;
};

/// Takes big-endian values from a span of bytes, front to back. Each `take_…` throws `malformed` where fewer bytes remain than it
/// needs. Does not own the bytes.
class byte_reader {
public:
    byte_reader() = default;
    explicit byte_reader(std::span<std::byte const> bytes) noexcept : bytes_(bytes) {}
    byte_reader(void const* bytes, std::size_t size) noexcept : bytes_(static_cast<std::byte const*>(bytes), size) {}

    [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size(); }
    [[nodiscard]] std::span<std::byte const> rest() const noexcept { return bytes_; }

    [[nodiscard]] std::int8_t take_int8() { return static_cast<std::int8_t>(take<std::uint8_t>()); }
    [[nodiscard]] std::int16_t take_int16() { return static_cast<std::int16_t>(take<std::uint16_t>()); }
    [[nodiscard]] std::int32_t take_int32() { return static_cast<std::int32_t>(take<std::uint32_t>()); }
    [[nodiscard]] std::int64_t take_int64() { return static_cast<std::int64_t>(take<std::uint64_t>()); }
    [[nodiscard]] std::uint32_t take_uint32() { return take<std::uint32_t>(); }
    [[nodiscard]] float take_float() { return std::bit_cast<float>(take<std::uint32_t>()); }
    [[nodiscard]] double take_double() { return std::bit_cast<double>(take<std::uint64_t>()); }

    /// The next `count` bytes, still owned by whoever owns the reader's bytes.
    [[nodiscard]] std::span<std::byte const> take_bytes(std::size_t count) {
        expect(count);
        auto const taken = bytes_.first(count);
        bytes_ = bytes_.subspan(count);
        return taken;
    }

    /// Everything that remains, as characters.
    [[nodiscard]] std::string_view take_rest_as_text() noexcept {
        auto const rest = std::exchange(bytes_, {});
        return {reinterpret_cast<char const*>(rest.data()), rest.size()};
    }

    /// Fills `values` with the next floats.
    void take_floats(std::span<float> values) {
        auto const taken = take_bytes(values.size() * sizeof(float));
        auto const* place = taken.data();
        for (float& value : values) {
            std::uint32_t word;
            std::memcpy(&word, place, sizeof word);
            value = std::bit_cast<float>(detail::big_endian(word));
            place += sizeof word;
        }
    }

    /// Throws `malformed` where fewer than `count` bytes remain: to be asked before memory for them is allocated.
    void expect(std::size_t count) const {
        if (bytes_.size() < count) [[unlikely]]
            throw malformed("{} bytes are missing", count - bytes_.size());
    }

    /// Throws `malformed` where bytes are left over.
    void expect_end() const {
        if (!bytes_.empty()) [[unlikely]]
            throw malformed("{} bytes are left over", bytes_.size());
    }

private:
    template <std::unsigned_integral Word>
    [[nodiscard]] Word take() {
        expect(sizeof(Word));
        Word word;
        std::memcpy(&word, bytes_.data(), sizeof word);
        bytes_ = bytes_.subspan(sizeof word);
        return detail::big_endian(word);
    }

    std::span<std::byte const> bytes_;
};

}  // namespace isorow::inline v1
