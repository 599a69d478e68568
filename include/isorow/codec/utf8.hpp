#pragma once

#include <isorow/types/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace isorow::inline v1::detail {

/// The place of the first byte from `place` on that is NUL or not valid UTF-8, or the text's size. For text that is not all ASCII.
#if defined(__GNUC__) || defined(__clang__)
[[gnu::noinline]]
#endif
[[nodiscard]] inline std::size_t find_unstorable_slowly(std::string_view text, std::size_t place) noexcept {
    while (place < text.size()) {
        auto const length = text[place] == '\0' ? 0 : utf8_sequence_length(text.substr(place));
        if (length == 0) return place;
        place += length;
    }
    return text.size();
}

/// Whether eight bytes are all ASCII and none of them NUL.
[[nodiscard]] inline bool is_plain(std::uint64_t word) noexcept {
    constexpr std::uint64_t high = 0x8080808080808080u;
    constexpr std::uint64_t ones = 0x0101010101010101u;
    return ((word | (word - ones)) & high) == 0;
}

[[nodiscard]] inline std::uint64_t load_eight(char const* place) noexcept {
    std::uint64_t word;
    std::memcpy(&word, place, sizeof word);
    return word;
}

/// The place of the first byte that Postgres cannot store in a text: NUL, or not valid UTF-8; the text's size where there is none.
/// Plain ASCII is passed sixteen bytes at a time, the last block overlapping the one before.
[[nodiscard]] inline std::size_t find_unstorable(std::string_view text) noexcept {
    auto const size = text.size();
    auto const* const bytes = text.data();
    if (size >= 16) {
#if defined(__SSE2__)
        auto const plain = [bytes](std::size_t place) {
            auto const block = _mm_loadu_si128(reinterpret_cast<__m128i const*>(bytes + place));
            // A signed comparison with zero finds NUL bytes and bytes above 127 at once.
            return _mm_movemask_epi8(_mm_cmpgt_epi8(block, _mm_setzero_si128())) == 0xffff;
        };
#else
        auto const plain = [bytes](std::size_t place) { return is_plain(load_eight(bytes + place)) && is_plain(load_eight(bytes + place + 8)); };
#endif
        for (std::size_t place = 0; place + 16 <= size; place += 16)
            if (!plain(place)) return find_unstorable_slowly(text, place);
        return plain(size - 16) ? size : find_unstorable_slowly(text, size & ~std::size_t{15});
    }
    if (size >= 8) return is_plain(load_eight(bytes)) && is_plain(load_eight(bytes + size - 8)) ? size : find_unstorable_slowly(text, 0);
    for (std::size_t place = 0; place < size; ++place)
        if (static_cast<signed char>(bytes[place]) <= 0) return find_unstorable_slowly(text, place);
    return size;
}

}  // namespace isorow::inline v1::detail
