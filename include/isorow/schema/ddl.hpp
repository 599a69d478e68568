#pragma once

/// @file
/// The DDL of a struct's table. `isorow/schema/ddl_statements.hpp` has it statement by statement, of tables described at run time as well.

#include <isorow/schema/check.hpp>
#include <isorow/schema/detail/ddl_writer.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/schema/user_types.hpp>

#include <string>

namespace isorow::inline v1 {

/// The DDL of T's table as one script, text only: the user's types, table, key, indexes, comments, foreign keys, in this order.
template <class T>
[[nodiscard]] std::string ddl() {
    check<T>();
    std::string script;
    if constexpr (has_user_types(description_of<T>))
        for (auto const* const type : needed_types(description_of<T>)) detail::append_type_script(script, *type);
    detail::append_table_script(script, description_of<T>);
    return script;
}

}  // namespace isorow::inline v1
