#pragma once

/// @file
/// "Did you mean …?" for words that are in no list.

#include <isorow/error/text.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// How many characters one must insert, delete, replace or exchange with their neighbours. Source: the restricted edit distance of
/// Damerau and Levenshtein.
[[nodiscard]] inline std::size_t edit_distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> before(right.size() + 1);
    std::vector<std::size_t> last(right.size() + 1);
    std::vector<std::size_t> now(right.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= left.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (left[i - 1] == right[j - 1] ? 0U : 1U)});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, now);
    }
    return last[right.size()];
}

/// `; did you mean "host"?` where a candidate is near enough, else nothing.
template <std::ranges::input_range Candidates>
[[nodiscard]] std::string did_you_mean(std::string_view word, Candidates const& candidates) {
    std::string_view nearest;
    auto least = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (std::string_view const candidate : candidates) {
        auto const distance = edit_distance(word, candidate);
        if (distance >= least) continue;
        least = distance;
        nearest = candidate;
    }
    return nearest.empty() ? std::string{} : text("; did you mean \"{}\"?", nearest);
}

}  // namespace isorow::inline v1::detail
