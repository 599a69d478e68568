#pragma once

#include <catch2/matchers/catch_matchers.hpp>

#include <exception>
#include <string>
#include <utility>

namespace test {

/// Matches an exception whose text holds `part`.
class says final : public Catch::Matchers::MatcherBase<std::exception> {
public:
    explicit says(std::string part) : part_(std::move(part)) {}

    [[nodiscard]] bool match(std::exception const& thrown) const override {
        return std::string(thrown.what()).find(part_) != std::string::npos;
    }
    [[nodiscard]] std::string describe() const override { return "says \"" + part_ + "\""; }

private:
    std::string part_;
};

}  // namespace test
