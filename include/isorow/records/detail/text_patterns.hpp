#pragma once

/// @file
/// LIKE and regular expressions over characters of UTF-8, as Postgres has them under the collation "C".

#include <isorow/error/error.hpp>
#include <isorow/error/text.hpp>

#include <boost/regex.hpp>

#include <cstddef>
#include <cstdint>
#include <locale>
#include <stdexcept>
#include <string>
#include <string_view>

namespace isorow::inline v1::records::detail {

/// How many bytes the character that begins here has. The text is valid UTF-8.
[[nodiscard]] inline std::size_t character_length(char first) noexcept {
    auto const byte = static_cast<std::uint8_t>(first);
    return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

[[nodiscard]] inline std::string ascii_lower(std::string_view text) {
    std::string lower(text);
    for (char& character : lower)
        if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
    return lower;
}

/// Whether the whole text is of the pattern. In time of the product of their lengths at the most: only the last `%` is ever tried again.
[[nodiscard]] inline bool is_like(std::string_view text, std::string_view pattern) noexcept {
    constexpr auto none = std::string_view::npos;
    std::size_t in_text = 0;
    std::size_t in_pattern = 0;
    std::size_t tried_from = none;  ///< where in the text what follows the last `%` was tried
    std::size_t behind_any = 0;
    while (in_text < text.size()) {
        bool const has_more = in_pattern < pattern.size();
        if (has_more && pattern[in_pattern] == '%') {
            behind_any = ++in_pattern;
            tried_from = in_text;
            continue;
        }
        if (has_more && pattern[in_pattern] == '_') {
            in_text += character_length(text[in_text]);
            ++in_pattern;
            continue;
        }
        auto const letter = has_more && pattern[in_pattern] == '\\' ? in_pattern + 1 : in_pattern;
        if (has_more && letter < pattern.size() && pattern[letter] == text[in_text]) {
            ++in_text;
            in_pattern = letter + 1;
            continue;
        }
        if (tried_from == none) return false;
        tried_from += character_length(text[tried_from]);
        in_text = tried_from;
        in_pattern = behind_any;
    }
    while (in_pattern < pattern.size() && pattern[in_pattern] == '%') ++in_pattern;
    return in_pattern == pattern.size();
}

/// The characters of a valid text.
[[nodiscard]] inline std::wstring characters_of(std::string_view text) {
    static_assert(sizeof(wchar_t) == 4, "a wide character holds any character");
    std::wstring characters;
    for (std::size_t i = 0; i < text.size();) {
        auto const length = character_length(text[i]);
        auto code = static_cast<std::uint32_t>(static_cast<std::uint8_t>(text[i])) & (length == 1 ? 0x7fU : 0xffU >> (length + 1));
        for (std::size_t k = 1; k < length && i + k < text.size(); ++k)
            code = code << 6U | (static_cast<std::uint8_t>(text[i + k]) & 0x3fU);
        characters += static_cast<wchar_t>(code);
        i += length;
    }
    return characters;
}

/// A regular expression that was read once. Which characters are letters does not hang on the program's locale.
class expression {
public:
    /// Throws `usage_error` for what is none.
    explicit expression(std::string_view written) {
        try {
            expression_.imbue(std::locale::classic());
            expression_.assign(characters_of(written), boost::regex::perl | boost::regex::no_mod_m);
        } catch (boost::regex_error const& failure) {
            throw usage_error(text("\"{}\" is no regular expression: {}", written, failure.what()));
        }
    }

    /// Whether a part of the text matches. Throws `usage_error` where finding it out would take too long.
    [[nodiscard]] bool matches(std::string_view searched) const {
        try {
            return boost::regex_search(characters_of(searched), expression_);
        } catch (std::runtime_error const& failure) {
            throw usage_error(text("a regular expression cannot be held against a text: {}", failure.what()));
        }
    }

private:
    boost::wregex expression_{};
};

}  // namespace isorow::inline v1::records::detail
