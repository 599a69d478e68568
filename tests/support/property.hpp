#pragma once

/// @file
/// Properties of random values, by rapidcheck, in Catch2's tests.

#include <catch2/catch_test_macros.hpp>

#include <isorow/types/hexadecimal.hpp>

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <span>
#include <sstream>
#include <string>

#include <rapidcheck.h>

namespace test {

/// Bytes as Postgres prints them: `\x00ff`.
[[nodiscard]] inline std::string bytea_text(std::span<std::byte const> bytes) { return "\\x" + isorow::detail::hexadecimal(bytes); }

/// How many random values of a type are tried: all of them by `script/test --long`.
[[nodiscard]] inline int random_values() { return std::getenv("ISOROW_LONG") != nullptr ? 10'000 : 200; }

/// Tries a property so many times. Where it fails, rapidcheck looks for a smaller case, and the message says why that fails and the seed,
/// with which `RC_PARAMS="seed=…"` in the environment gives the same values again. The property says by RC_FAIL which value it is.
inline void check_property(std::string const& what, int times, std::function<void()> const& property) {
    auto parameters = rc::detail::configuration().testParams;
    parameters.maxSuccess = times;
    auto const result = rc::detail::checkTestable(property, rc::detail::TestMetadata{what, what}, parameters);
    std::ostringstream told;
    if (result.is<rc::detail::FailureResult>()) told << result.get<rc::detail::FailureResult>().description;
    else rc::detail::printResultMessage(result, told);
    INFO(what << ": " << told.str() << "\nagain with RC_PARAMS=\"seed=" << parameters.seed << "\"");
    CHECK(result.is<rc::detail::SuccessResult>());
}

}  // namespace test
