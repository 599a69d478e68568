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
[[nodiscard]] inline std::size_t
find_unstorable_slowly(std::string_view text, std::size_t place) noexcept {
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

#if defined(__SSE2__)
/// The same of sixteen bytes.
[[nodiscard]] inline bool is_plain(__m128i block) noexcept {
    // A signed comparison with zero finds NUL bytes and bytes above 127 at once.
    return _mm_movemask_epi8(_mm_cmpgt_epi8(block, _mm_setzero_si128())) == 0xffff;
}
[[nodiscard]] inline bool sixteen_are_plain(char const* place) noexcept {
    return is_plain(_mm_loadu_si128(reinterpret_cast<__m128i const*>(place)));
}
[[nodiscard]] inline bool eights_are_plain(char const* first, char const* second) noexcept {
    return is_plain(_mm_unpacklo_epi64(_mm_loadl_epi64(reinterpret_cast<__m128i const*>(first)),
                                       _mm_loadl_epi64(reinterpret_cast<__m128i const*>(second))));
}
#else
[[nodiscard]] inline bool eights_are_plain(char const* first, char const* second) noexcept {
    return is_plain(load_eight(first)) && is_plain(load_eight(second));
}
[[nodiscard]] inline bool sixteen_are_plain(char const* place) noexcept { return eights_are_plain(place, place + 8); }
#endif

/// The place of the first byte that Postgres cannot store in a text: NUL, or not valid UTF-8; the text's size where there is none.
/// Plain ASCII is passed sixteen bytes at a time, the last block overlapping the one before.
[[nodiscard]] inline std::size_t find_unstorable(std::string_view text) noexcept {
    auto const size = text.size();
    auto const* const bytes = text.data();
    if (size - 8 <= 8) return eights_are_plain(bytes, bytes + size - 8) ? size : find_unstorable_slowly(text, 0);
    if (size > 16) {
        for (std::size_t place = 0; place + 16 <= size; place += 16)
            if (!sixteen_are_plain(bytes + place)) return find_unstorable_slowly(text, place);
        return sixteen_are_plain(bytes + size - 16) ? size : find_unstorable_slowly(text, size & ~std::size_t{15});
    }
    for (std::size_t place = 0; place < size; ++place)
        if (static_cast<signed char>(bytes[place]) <= 0) return find_unstorable_slowly(text, place);
    return size;
}

/// Copies a text; short ones without a call, by two overlapping words.
inline void copy_text(std::string_view text, std::byte* place) noexcept {
    auto const size = text.size();
    if (size - 8 <= 8) {
        auto const first = load_eight(text.data());
        auto const last = load_eight(text.data() + size - 8);
        std::memcpy(place, &first, sizeof first);
        std::memcpy(place + size - 8, &last, sizeof last);
    } else if (size != 0) {
        std::memcpy(place, text.data(), size);
    }
}

}  // namespace isorow::inline v1::detail
