#pragma once

#include <isorow/schema/made_names.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

namespace detail {

ISOROW_DECL std::string shortened(std::string name) {
    if (name.size() <= identifier_limit) return name;
    auto const digits = hash_digits(name, 10);
    std::string_view front(name.data(), identifier_limit - 1 - digits.size());
    while (!is_valid_utf8(front)) front.remove_suffix(1);
    std::string short_name;
    short_name.append(front.data(), front.size());
    short_name += '_';
    return short_name.append(digits.data(), digits.size());
}

/// Table and columns, joined by underscores, and what the name is for.
ISOROW_DECL std::string joined_name(table_description const& table, field_list const& fields, std::string_view suffix) {
    std::string name;
    name.append(table.name.data(), table.name.size());
    for (auto const place : fields) {
        auto const column = table.columns[place].name;
        name += '_';
        name.append(column.data(), column.size());
    }
    name.append(suffix.data(), suffix.size());
    return name;
}

ISOROW_DECL std::string check_name(table_description const& table, std::size_t place) {
    return shortened(joined_name(table, {{static_cast<std::uint16_t>(place)}, 1}, "_check"));
}

ISOROW_DECL std::string labels_name(std::string_view column) {
    std::string name;
    name.append(column.data(), column.size());
    return shortened(name.append("_labels", 7));
}

ISOROW_DECL std::string foreign_key_name(table_description const& table, foreign_key_description const& key) {
    return key.options.name.empty() ? shortened(joined_name(table, key.fields, "_fkey")) : std::string(key.options.name);
}

ISOROW_DECL std::string made_index_name(table_description const& table, index_description const& index) {
    return joined_name(table, index.fields, index.unique ? "_key" : "_idx");
}

}  // namespace detail

ISOROW_DECL std::string index_name(table_description const& table, index_description const& index) {
    if (!index.name.empty()) return std::string(index.name);
    auto name = detail::made_index_name(table, index);
    std::int32_t before = 0;
    for (auto const& other : table.indexes) {
        if (other == index) break;
        if (other.name.empty() && detail::made_index_name(table, other) == name) ++before;
    }
    if (before > 0) detail::append_number(name, before);
    return detail::shortened(name);
}

}  // namespace isorow::inline v1
