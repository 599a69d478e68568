#pragma once

/// @file
/// What becomes of text that Postgres cannot store: NUL bytes and bytes that are not UTF-8.

#include <isorow/codec/row.hpp>
#include <isorow/types/hstore.hpp>
#include <isorow/types/utf8.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// What to do with NUL bytes and invalid UTF-8 in the texts of columns. A key's text is always refused: changed keys may become one.
enum class text_policy : std::uint8_t {
    refuse,   ///< an error that names field, row and place
    strip,    ///< left out
    replace,  ///< replaced by U+FFFD, the replacement character
};

/// `dirty` with what Postgres cannot store stripped or replaced.
[[nodiscard]] inline std::string cleaned_text(std::string_view dirty, text_policy policy) {
    std::string clean;
    clean.reserve(dirty.size());
    while (!dirty.empty()) {
        auto const length = dirty.front() == '\0' ? 0 : detail::utf8_sequence_length(dirty);
        if (length == 0 && policy == text_policy::refuse) throw unrepresentable("the text has a byte that Postgres cannot store");
        if (length == 0 && policy == text_policy::replace) clean += "\xEF\xBF\xBD";
        clean.append(dirty.substr(0, length));
        dirty.remove_prefix(length == 0 ? 1 : length);
    }
    return clean;
}

namespace detail {

[[nodiscard]] inline bool is_clean(std::string_view text) noexcept {
    return text.find('\0') == std::string_view::npos && is_valid_utf8(text);
}

template <class Field>
void clean_field(Field& field, text_policy policy) {
    using plain = std::remove_cvref_t<Field>;
    if constexpr (std::derived_from<plain, std::string>) {
        if (!is_clean(field)) static_cast<std::string&>(field) = cleaned_text(field, policy);
    } else if constexpr (std::same_as<plain, hstore>) {
        for (auto& [key, value] : field) clean_field(value, policy);  // not the keys, of which two may become one
    } else if constexpr (requires {
                             field.has_value();
                             *field;
                         }) {
        if (field.has_value()) clean_field(*field, policy);
    } else if constexpr (requires {
                             typename plain::value_type;
                             field.begin();
                         }) {
        if constexpr (std::is_class_v<typename plain::value_type> && !std::same_as<plain, typename plain::value_type>)
            for (auto& element : field) clean_field(element, policy);
    }
}

}  // namespace detail

/// The row with the texts of its columns, those in arrays and optionals included, cleaned by `policy`; the key's are left as they are.
template <reflect::reflectable T>
[[nodiscard]] T cleaned_row(T row, text_policy policy) {
    reflect::for_each_index<T>([&](auto place) {
        if constexpr (!description_of<T>.is_key(place) && !std::is_const_v<std::remove_reference_t<decltype(reflect::get<place>(row))>>)
            detail::clean_field(reflect::get<place>(row), policy);
    });
    return row;
}

}  // namespace isorow::inline v1
