#pragma once

/// @file
/// What the types of a struct cannot say about its table: names, keys, indexes, other column types. Only deviations are listed, keyed
/// by member pointer.

#include <isorow/reflect/member.hpp>
#include <isorow/reflect/type_name.hpp>
#include <isorow/schema/index.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace isorow::inline v1 {

/// What may be said of one column; what is left empty stays as the field's type says.
struct column_options {
    std::string_view name{};           ///< the column's name where it is not the field's
    std::string_view type{};           ///< the column's type as SQL writes it: "varchar(32)"
    std::string_view default_value{};  ///< an SQL expression: "now()"
    bool unique = false;               ///< no two rows have the same value
    std::string_view renamed_from{};   ///< the column's former name: a table that has that one, and not this, gets it renamed
    /// SQL that makes the new value out of the table's columns, under their new names, when the column's type changes:
    /// "price::numeric(10,2)". May stay afterwards.
    std::string_view using_expression{};
};

namespace detail {

template <class T>
inline constexpr char type_identity{};

/// A field as a member pointer names it: which struct, and where in it.
struct member {
    void const* owner = nullptr;
    std::string_view owner_name{};
    std::string_view name{};
    std::size_t place = 0;
};

/// Says nothing of structs that reflection cannot take apart: `check<T>()` has the words for them.
template <auto Pointer>
constexpr member member_of() {
    using owner = reflect::struct_of<Pointer>;
    if constexpr (reflect::reflectable<owner>) {
        constexpr auto place = reflect::index_of<Pointer>;
        return {&type_identity<owner>, type_name<owner>(), reflect::field_names<owner>[place], place};
    } else {
        return {&type_identity<owner>, type_name<owner>()};
    }
}

struct column_overlay {
    detail::member member;
    column_options options;
};

/// Members and what is built over them: an index or a uniqueness.
struct index_overlay {
    std::array<member, index_column_limit> members{};
    std::size_t count = 0;
    index_description description;
};

template <class Element, std::size_t Size>
constexpr std::array<Element, Size + 1> appended(std::array<Element, Size> const& elements, Element const& added) {
    std::array<Element, Size + 1> result{};
    for (std::size_t i = 0; i < Size; ++i) result[i] = elements[i];
    result[Size] = added;
    return result;
}

}  // namespace detail

/// A table's overlay, made by `table("name")` and refined by its members, each of which returns the refined overlay.
template <std::size_t Keys = 0, std::size_t Columns = 0, std::size_t Indexes = 0>
struct table_overlay {
    std::string_view table_name{};
    std::string_view schema_name{};
    std::array<detail::member, Keys> key_members{};
    std::array<detail::column_overlay, Columns> column_overlays{};
    std::array<detail::index_overlay, Indexes> index_overlays{};

    /// The Postgres schema of the table, `public` where it is not said.
    [[nodiscard]] constexpr table_overlay schema(std::string_view name) const {
        auto result = *this;
        result.schema_name = name;
        return result;
    }

    /// The primary key's columns in their order.
    template <auto... Pointers>
    [[nodiscard]] constexpr table_overlay<sizeof...(Pointers), Columns, Indexes> primary_key() const {
        static_assert(sizeof...(Pointers) > 0 && sizeof...(Pointers) <= index_column_limit, "isorow: a primary key has 1 to 32 columns");
        return {table_name, schema_name, {detail::member_of<Pointers>()...}, column_overlays, index_overlays};
    }

    /// What is different about one column.
    template <auto Pointer>
    [[nodiscard]] constexpr table_overlay<Keys, Columns + 1, Indexes> column(column_options options) const {
        return {table_name, schema_name, key_members,
                detail::appended(column_overlays, detail::column_overlay{detail::member_of<Pointer>(), options}), index_overlays};
    }

    /// No two rows have the same values in these columns together.
    template <auto... Pointers>
    [[nodiscard]] constexpr table_overlay<Keys, Columns, Indexes + 1> unique(std::string_view name = {}) const {
        return index<Pointers...>(btree{.name = name, .unique = true});
    }

    /// An index over these columns; btree where no method is said.
    template <auto... Pointers, class Method = btree>
    [[nodiscard]] constexpr table_overlay<Keys, Columns, Indexes + 1> index(Method method = {}) const {
        static_assert(sizeof...(Pointers) > 0 && sizeof...(Pointers) <= index_column_limit, "isorow: an index has 1 to 32 columns");
        detail::index_overlay added{{detail::member_of<Pointers>()...}, sizeof...(Pointers), detail::describe(field_list{}, method)};
        return {table_name, schema_name, key_members, column_overlays, detail::appended(index_overlays, added)};
    }
};

/// Begins the overlay of a table of this name.
[[nodiscard]] constexpr table_overlay<> table(std::string_view name) { return {.table_name = name}; }

}  // namespace isorow::inline v1
