#pragma once

/// @file
/// The classes whose constants are isorow's annotations. They hold what is said by value, texts in arrays, as annotations must.

#include <isorow/schema/index.hpp>
#include <isorow/schema/overlay.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace isorow::inline v1::detail {

/// What stands on a field, and what stands on the struct.
struct column_annotation {};
struct table_annotation {};

/// A text for one of the `column_options`.
template <std::string_view column_options::* Option, std::size_t Size>
struct text_annotation : column_annotation {
    char text[Size]{};

    consteval explicit text_annotation(char const (&literal)[Size]) { std::ranges::copy(literal, text); }
    constexpr void say(column_options& options) const { options.*Option = {text, Size - 1}; }
};

/// A value for one of the `column_options` that is no text.
template <auto Option>
struct value_annotation;
template <class Value, Value column_options::* Option>
struct value_annotation<Option> : column_annotation {
    Value value{};

    consteval explicit value_annotation(Value said) : value(said) {}
    constexpr void say(column_options& options) const { options.*Option = value; }
};

/// What the struct is called as a table.
struct table_names {
    std::string_view table{};
    std::string_view schema{};
};

template <std::string_view table_names::* Name, std::size_t Size>
struct name_annotation : table_annotation {
    char text[Size]{};

    consteval explicit name_annotation(char const (&literal)[Size]) { std::ranges::copy(literal, text); }
    constexpr void say(table_names& names) const { names.*Name = {text, Size - 1}; }
};

/// The field is of the primary key; its position there from 1, or 0 where the order of the fields is the key's.
struct key_annotation : column_annotation {
    std::size_t position = 0;
};

/// A text whose length may change, of at most Size - 1 bytes.
template <std::size_t Size>
struct kept_text {
    char text[Size]{};
    std::uint8_t size = 0;
    static_assert(Size <= 256);

    consteval kept_text() = default;
    /// Does not compile for a text that is too long.
    consteval explicit kept_text(std::string_view said) : size(static_cast<std::uint8_t>(said.size())) {
        if (said.size() >= Size) throw "isorow: the name of an index, or of its operator class, is too long";
        std::ranges::copy(said, text);
    }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, size}; }
};

/// An index over the field alone.
struct index_annotation : column_annotation {
    index_method method = index_method::btree;
    bool unique = false;
    isorow::metric metric = isorow::metric::cosine;
    std::int32_t m = 0;
    std::int32_t ef_construction = 0;
    std::int32_t lists = 0;
    kept_text<128> name{};
    kept_text<192> operator_class{};

    consteval index_annotation() = default;
    consteval explicit index_annotation(index_description const& said)
        : method(said.method),
          unique(said.unique),
          metric(said.metric),
          m(said.m),
          ef_construction(said.ef_construction),
          lists(said.lists),
          name(said.name),
          operator_class(said.operator_class) {}

    [[nodiscard]] constexpr index_description description() const {
        return {.fields = {},
                .method = method,
                .unique = unique,
                .metric = metric,
                .m = m,
                .ef_construction = ef_construction,
                .lists = lists,
                .name = name.view(),
                .operator_class = operator_class.view()};
    }
};

}  // namespace isorow::inline v1::detail
