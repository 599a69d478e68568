#pragma once

#include <isorow/config.hpp>
#include <isorow/types/mapping.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace isorow::inline v1 {

namespace detail {

/// The order of an hstore's keys: the shorter first, then by their bytes. Source: hstore_io.c, comparePairs.
struct hstore_order {
    using is_transparent = void;
    [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const noexcept {
        return a.size() != b.size() ? a.size() < b.size() : a < b;
    }
};

}  // namespace detail

/// The extension hstore's type: a map from texts to texts or NULL, in the order in which the server has them.
class hstore : public std::map<std::string, std::optional<std::string>, detail::hstore_order> {
public:
    using std::map<std::string, std::optional<std::string>, detail::hstore_order>::map;

    /// Reads `"a"=>"1", "b"=>NULL`; quotes may be left out around what has no comma, quote, backslash, `=`, `>` or space in it. Nothing
    /// where the text is not such, or has a key twice.
    [[nodiscard]] static std::optional<hstore> parse(std::string_view text);
};

namespace detail {

/// Takes an hstore's text apart.
class hstore_parser {
public:
    explicit hstore_parser(std::string_view text) : rest_(text) {}

    [[nodiscard]] std::optional<hstore> parse();

private:
    static constexpr std::string_view spaces = " \t\n\r\v\f";
    static constexpr std::string_view ends = " \t\n\r\v\f,=>\"\\";

    [[nodiscard]] static bool is_null_word(std::string_view word) noexcept;
    void skip_spaces() noexcept;
    [[nodiscard]] bool take(std::string_view sign) noexcept;
    [[nodiscard]] bool take_word(std::string& word, bool& is_quoted);
    [[nodiscard]] bool take_quoted(std::string& word);

    std::string_view rest_;
};

[[nodiscard]] std::string quoted_hstore_text(std::string_view text);

}  // namespace detail

inline std::optional<hstore> hstore::parse(std::string_view text) { return detail::hstore_parser(text).parse(); }

/// `"a"=>"1", "b"=>NULL`.
[[nodiscard]] std::string to_string(hstore const& values);
inline std::ostream& operator<<(std::ostream& out, hstore const& values) { return out << to_string(values); }

template <>
struct mapping<hstore> : detail::maps_to<type_id::hstore> {};

#if ISOROW_HAS_CODE

namespace detail {

ISOROW_DECL std::optional<hstore> hstore_parser::parse() {
    hstore values;
    for (skip_spaces(); !rest_.empty(); skip_spaces()) {
        if (!values.empty() && !take(",")) return std::nullopt;
        std::string key;
        std::string value;
        bool is_quoted = false;
        if (!take_word(key, is_quoted) || !take("=>") || !take_word(value, is_quoted)) return std::nullopt;
        bool const is_null = !is_quoted && is_null_word(value);
        auto held = is_null ? std::nullopt : std::optional(std::move(value));
        if (!values.emplace(std::move(key), std::move(held)).second) return std::nullopt;
    }
    return values;
}

ISOROW_DECL bool hstore_parser::is_null_word(std::string_view word) noexcept {
    constexpr std::string_view null = "null";
    if (word.size() != null.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i)
        if (word[i] != null[i] && word[i] != null[i] - 'a' + 'A') return false;
    return true;
}

ISOROW_DECL void hstore_parser::skip_spaces() noexcept {
    auto const end = rest_.find_first_not_of(spaces);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
}

ISOROW_DECL bool hstore_parser::take(std::string_view sign) noexcept {
    skip_spaces();
    if (!rest_.starts_with(sign)) return false;
    rest_.remove_prefix(sign.size());
    return true;
}

ISOROW_DECL bool hstore_parser::take_word(std::string& word, bool& is_quoted) {
    skip_spaces();
    is_quoted = rest_.starts_with('"');
    if (is_quoted) return take_quoted(word);
    auto const end = rest_.find_first_of(ends);
    word = rest_.substr(0, end);
    rest_.remove_prefix(word.size());
    return !word.empty();
}

ISOROW_DECL bool hstore_parser::take_quoted(std::string& word) {
    for (std::size_t i = 1; i < rest_.size(); ++i) {
        if (rest_[i] == '"') {
            rest_.remove_prefix(i + 1);
            return true;
        }
        if (rest_[i] == '\\') ++i;
        if (i == rest_.size()) return false;
        word += rest_[i];
    }
    return false;
}

ISOROW_DECL std::string quoted_hstore_text(std::string_view text) {
    std::string quoted = "\"";
    for (char const character : text) {
        if (character == '"' || character == '\\') quoted += '\\';
        quoted += character;
    }
    return quoted += '"';
}

}  // namespace detail

ISOROW_DECL std::string to_string(hstore const& values) {
    std::string text;
    for (auto const& [key, value] : values) {
        text.append(text.empty() ? "" : ", ").append(detail::quoted_hstore_text(key)).append("=>");
        text.append(value ? detail::quoted_hstore_text(*value) : "NULL");
    }
    return text;
}

#endif

}  // namespace isorow::inline v1
