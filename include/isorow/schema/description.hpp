#pragma once

/// @file
/// A table as flat constant data: an array of column descriptors, the places of the key, the indexes, the constraints.

#include <isorow/reflect/constant_list.hpp>
#include <isorow/schema/constraint.hpp>
#include <isorow/schema/index.hpp>
#include <isorow/types/mapping.hpp>

#include <cstddef>
#include <string_view>

namespace isorow::inline v1 {

/// One column of a table and the field that it comes from.
struct column_description {
    std::string_view field;  ///< the field's name in the struct
    std::string_view name;   ///< the column's name in the table
    column_type type;
    bool nullable = false;
    bool unique = false;
    std::string_view default_value{};     ///< an SQL expression; empty where there is none
    bool has_type = true;                 ///< false where neither the field's type nor the user says one
    std::string_view renamed_from{};      ///< the column's former name; empty where it had none
    std::string_view using_expression{};  ///< SQL that makes the new value when the type changes; empty where none is said
    std::string_view generated{};         ///< SQL by which the server computes the value; empty where it does not
    isorow::identity identity = isorow::identity::none;
    std::string_view check{};      ///< a condition on the values; empty where there is none
    std::string_view collation{};  ///< as the catalogue names it; empty: the type's default
    std::string_view comment{};
    /// The only texts that the column, or each element of it, may have; empty where any will do. Says nothing of columns of other types.
    constant_list<std::string_view> labels{};

    /// Whether rows that are written have a value for it.
    [[nodiscard]] constexpr bool is_written() const noexcept { return generated.empty(); }
    /// Whether the table has a CHECK for the labels.
    [[nodiscard]] constexpr bool is_labelled() const noexcept { return !labels.empty() && detail::is_character_type(type.id); }
};

/// A table's description. Refers to constant data, or to what its maker keeps; copying it is cheap.
struct table_description {
    std::string_view struct_name;
    std::string_view schema;
    std::string_view name;
    constant_list<column_description> columns;
    field_list key;
    constant_list<index_description> indexes;
    constant_list<check_description> checks{};  ///< beside those of single columns
    constant_list<foreign_key_description> foreign_keys{};
    std::string_view comment{};

    [[nodiscard]] constexpr bool is_key(std::size_t place) const noexcept { return key.contains(place); }
};

}  // namespace isorow::inline v1
