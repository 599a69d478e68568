#pragma once

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>

#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// The engine, or what stands before it, lacks a feature. Names the feature, the engine and what to do instead.
class unsupported final : public usage_error {
public:
    unsupported(std::string_view feature, std::string_view engine, std::string_view alternative)
        : usage_error(text("{} does not offer {}{}{}", engine, feature, alternative.empty() ? "" : ": ", alternative)), feature_(feature) {}

    [[nodiscard]] std::string const& feature() const noexcept { return feature_; }

private:
    std::string feature_;
};

}  // namespace isorow::inline v1
