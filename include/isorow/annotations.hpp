#pragma once

/// @file
/// What the overlay says of columns, written on the fields themselves, with C++26's reflection:
/// @code
/// struct [[=isorow::table_name("products")]] Product {
///     [[=isorow::primary_key]] std::string name;
///     [[=isorow::pg_type("integer"), =isorow::default_value("0")]] std::int64_t stock;
///     [[=isorow::vector_schema(384), =isorow::index(isorow::hnsw{.metric = isorow::cosine})]] std::vector<float> embedding;
/// };
/// @endcode
/// Annotations and overlay make the same table. A struct may have both: what only one of them says holds, and `check<T>()` refuses what
/// they say differently, with the field's name. Keys and indexes over several columns in another order than the fields' are the overlay's.
///
/// On a field stand, beside those below, `[[=isorow::pg_type("integer")]]`, `[[=isorow::vector_schema(384)]]`, the constant of any type
/// that has a `vector_schema()`, such as an embedding model's, and `[[=isorow::identity::by_default]]`.

#include <isorow/config.hpp>

#if !ISOROW_HAS_REFLECTION
#error isorow/annotations.hpp needs C++26 reflection (g++ 16: -std=c++26 -freflection), without which compilers ignore annotations: a primary key would vanish. Write the overlay, isorow_table(), instead.
#else

#include <isorow/schema/detail/annotation.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>

namespace isorow::inline v1 {

class primary_key;

namespace detail {

struct primary_key_word : key_annotation {
    /// The field's position in the key, from 1, where the order of the fields is not the key's.
    [[nodiscard]] consteval key_annotation operator()(std::size_t place) const { return {{}, place}; }

    /// The list of a key's columns that `table_schema` takes, by the name that it has where there are no annotations.
    template <class List = class primary_key, std::convertible_to<std::string_view>... Names>
        requires(sizeof...(Names) > 0)
    [[nodiscard]] List operator()(Names const&... names) const {
        return {names...};
    }
};

struct index_word : index_annotation {
    /// An index of this method: `index(hnsw{.metric = cosine})`.
    template <class Method>
    [[nodiscard]] consteval index_annotation operator()(Method const& options) const {
        return index_annotation(describe(field_list{}, options));
    }
};

}  // namespace detail

/// The field is of the primary key, whose columns stand in the order of the fields, or by position: `[[=isorow::primary_key(2)]]`.
inline constexpr detail::primary_key_word primary_key{};

/// The words of annotations, which are isorow's own names as well.
namespace annotations {

/// An index over the field: btree, or `[[=isorow::index(isorow::gin{})]]`.
inline constexpr detail::index_word index{};

/// No two rows have the same value in the field.
inline constexpr detail::value_annotation<&column_options::unique> unique{true};

/// The column's name where it is not the field's.
template <std::size_t Size>
[[nodiscard]] consteval auto column_name(char const (&name)[Size]) {
    return detail::text_annotation<&column_options::name, Size>(name);
}

/// The column's default: an SQL expression, `[[=isorow::default_value("now()")]]`.
template <std::size_t Size>
[[nodiscard]] consteval auto default_value(char const (&sql)[Size]) {
    return detail::text_annotation<&column_options::default_value, Size>(sql);
}

/// The column's former name: a table that has that one, and not this, gets it renamed.
template <std::size_t Size>
[[nodiscard]] consteval auto renamed_from(char const (&name)[Size]) {
    return detail::text_annotation<&column_options::renamed_from, Size>(name);
}

/// SQL that makes the new value out of the table's columns when the column's type changes.
template <std::size_t Size>
[[nodiscard]] consteval auto using_expression(char const (&sql)[Size]) {
    return detail::text_annotation<&column_options::using_expression, Size>(sql);
}

/// SQL that computes the value out of the row's other columns; the server stores it.
template <std::size_t Size>
[[nodiscard]] consteval auto generated(char const (&sql)[Size]) {
    return detail::text_annotation<&column_options::generated, Size>(sql);
}

/// A condition on the column's values: `[[=isorow::satisfies("price > 0")]]`.
template <std::size_t Size>
[[nodiscard]] consteval auto satisfies(char const (&sql)[Size]) {
    return detail::text_annotation<&column_options::check, Size>(sql);
}

/// The collation by which the column is compared, as the catalogue names it.
template <std::size_t Size>
[[nodiscard]] consteval auto collation(char const (&sql)[Size]) {
    return detail::text_annotation<&column_options::collation, Size>(sql);
}

/// What the catalogue says of the column.
template <std::size_t Size>
[[nodiscard]] consteval auto comment(char const (&sql)[Size]) {
    return detail::text_annotation<&column_options::comment, Size>(sql);
}

/// The table's name, on the struct. Without it, and without an overlay, the table is named after the struct.
template <std::size_t Size>
[[nodiscard]] consteval auto table_name(char const (&name)[Size]) {
    return detail::name_annotation<&detail::table_names::table, Size>(name);
}

/// The table's Postgres schema, on the struct; `public` where it is not said.
template <std::size_t Size>
[[nodiscard]] consteval auto schema_name(char const (&name)[Size]) {
    return detail::name_annotation<&detail::table_names::schema, Size>(name);
}

}  // namespace annotations

// By a directive, as names declared in isorow itself would be shadowed, and warned about, by each `index` of a function of isorow's.
using namespace annotations;

}  // namespace isorow::inline v1

#endif
