#pragma once

#include <chrono>
#include <random>

namespace isorow::inline v1::detail {

/// A generator of this thread's own, for shuffles and pauses: not for secrets.
[[nodiscard]] inline std::minstd_rand& chance() {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return generator;
}

/// A duration times a factor between two, by chance.
template <class Result, class Duration>
[[nodiscard]] Result by_chance(Duration whole, double least, double most) {
    return std::chrono::duration_cast<Result>(whole * std::uniform_real_distribution<>(least, most)(chance()));
}

}  // namespace isorow::inline v1::detail
