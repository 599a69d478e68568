#pragma once

/// @file
/// What a field's type says of its column, and what is asked of the column then: made once for all structs that have a field of the type.

#include <isorow/reflect/constant_list.hpp>
#include <isorow/reflect/fields.hpp>
#include <isorow/schema/description.hpp>
#include <isorow/schema/detail/problem.hpp>
#include <isorow/types/field.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace isorow::inline v1::detail {

/// The texts that are values of a type, where it says them; empty where any will do.
template <class Value>
constexpr constant_list<std::string_view> labels_of() {
    if constexpr (requires { mapping<Value>::labels; }) return mapping<Value>::labels;
    else return {};
}

/// What is wrong where no column type is said.
template <class Value>
constexpr problem missing_type() {
    if constexpr (array_without_type<Value> || (std::is_array_v<Value> && std::is_same_v<std::remove_extent_t<Value>, float>))
        return problem::no_type_float_vector;
    else if constexpr (std::is_integral_v<Value> && sizeof(Value) == 1 && !std::is_same_v<Value, bool>) return problem::no_type_byte;
    else if constexpr (std::is_unsigned_v<Value> && !std::is_same_v<Value, bool>) return problem::no_type_unsigned;
    else if constexpr (std::is_enum_v<Value>) return problem::no_type_enum;
    else if constexpr (std::is_class_v<Value>) return problem::no_type_json;
    else return problem::no_type;
}

struct type_facts {
    column_description column;  ///< nameless
    bool (*accepts)(column_type);
    problem fault;  ///< what is wrong where no other column type is said
    bool is_view;
};

template <class Field, class Value = typename field_traits<Field>::value>
inline constexpr type_facts facts_of_type{
    .column =
        {
            .field = {},
            .name = {},
            .type = field_traits<Field>::type,
            .nullable = field_traits<Field>::nullable,
            .has_type = field_traits<Field>::has_type,
            .labels = labels_of<Value>(),
        },
    .accepts = &accepts<Value>,
    .fault = !field_traits<Field>::has_type               ? missing_type<Value>()
             : !accepts<Value>(field_traits<Field>::type) ? problem::unconvertible_type
                                                          : problem::none,
    .is_view = is_view<Value>,
};

/// What the type of each field of T says.
template <class T>
inline constexpr auto types_of_fields = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::array<type_facts const*, sizeof...(Index)>{&facts_of_type<reflect::field_type<T, Index>>...};
}(std::make_index_sequence<reflect::field_count<T>>{});

}  // namespace isorow::inline v1::detail
