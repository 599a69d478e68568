#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace isorow::inline v1::detail {

/// A text that grows, in constant expressions too. There g++ 12 loses a std::string that is moved with the object that holds it, as short
/// texts point into the string itself.
class text_builder {
public:
    constexpr text_builder() = default;
    constexpr explicit text_builder(std::string_view text) : characters_(text.begin(), text.end()) {}

    constexpr text_builder& operator+=(char character) {
        characters_.push_back(character);
        return *this;
    }
    constexpr text_builder& operator+=(std::string_view text) {
        characters_.insert(characters_.end(), text.begin(), text.end());
        return *this;
    }

    /// Appends texts and numbers that are not negative.
    template <class... Parts>
    constexpr void add(Parts const&... parts) {
        (add_one(parts), ...);
    }

    [[nodiscard]] constexpr bool empty() const noexcept { return characters_.empty(); }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {characters_.data(), characters_.size()}; }
    [[nodiscard]] std::string str() const { return std::string(view()); }

    friend constexpr bool operator==(text_builder const& left, text_builder const& right) noexcept { return left.view() == right.view(); }

private:
    template <class Part>
    constexpr void add_one(Part const& part) {
        if constexpr (std::integral<Part>) {
            if (part >= 10) add_one(part / 10);
            *this += static_cast<char>('0' + part % 10);
        } else {
            *this += std::string_view(part);
        }
    }

    std::vector<char> characters_;
};

/// The parts, one behind the other.
template <class... Parts>
[[nodiscard]] constexpr text_builder text_of(Parts const&... parts) {
    text_builder text;
    text.add(parts...);
    return text;
}

}  // namespace isorow::inline v1::detail
