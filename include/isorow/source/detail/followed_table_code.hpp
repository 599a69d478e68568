#pragma once

#include <isorow/source/detail/followed_table.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::detail {

ISOROW_DECL void followed_sql::bind_filter(parameters& bound, connection& connection, limits const& limits) const {
    table_.filter.bind(bound, connection, limits);
}

ISOROW_DECL std::string followed_sql::list_by_key() const {
    std::string list;
    for (std::size_t i = 0; i < columns(); ++i) {
        auto const name = quote_identifier(table_.columns[i]);
        auto const place = key_place(table_.columns[i]);
        auto const value = place == keys() ? text("isorow_t.{}", name)
                                           : text("coalesce(isorow_t.{}, isorow_k.{})", name, notification_objects::key_name(place));
        list += text("{}{} AS {}, ", value, is_text(i) ? "::text" : "", name);
    }
    return list + "isorow_t.isorow_is_there IS NOT NULL AS isorow_is_present, isorow_k.isorow_key_1 IS NOT NULL AS isorow_has_key";
}

ISOROW_DECL std::string followed_sql::by_key(std::vector<std::size_t> const& inexact) const {
    std::string read;
    for (auto const& column : table_.columns) read += text(", {}.{}", quote_identifier(table_.name), quote_identifier(column));
    std::string found;
    for (std::size_t i = 0; i < keys(); ++i)
        found += text("{}{} = isorow_k.{}", i == 0 ? "" : " AND ", own(table_.key[i]), notification_objects::key_name(i));
    for (auto const i : inexact)
        found += text(" AND {} = isorow_k.{}", notification_objects::form_of(own(table_.key[i])), notification_objects::form_name(i));
    return text(" LEFT JOIN LATERAL (SELECT true AS isorow_is_there{} FROM {} WHERE {}{} LIMIT 1) isorow_t ON true", read, table_.quoted(),
                found, conditions(" AND "));
}

ISOROW_DECL std::string followed_sql::chunk(bool behind, std::size_t rows, std::size_t filter_values) const {
    auto where = conditions(" WHERE ");
    if (behind) where += text("{}({}) > ({})", where.empty() ? " WHERE " : " AND ", key_columns(), places(filter_values + 1, keys()));
    return text("SELECT {}true AS isorow_is_present, {} FROM {}{} ORDER BY {} LIMIT {}", own_columns(), named_key(), table_.quoted(), where,
                key_columns(), rows);
}

ISOROW_DECL std::string followed_sql::chunk_by_ordinal(bool behind, std::size_t rows, std::size_t filter_values) const {
    auto const holds = conditions("");
    auto const order = text("{}, {}", own(table_.ordinal), key_columns());
    auto const where = behind ? text("({}) > ({})", order, places(filter_values + 1, keys() + 1))
                              : text("{} > ${}", own(table_.ordinal), filter_values + 1);
    return text("SELECT {}{} AS isorow_is_present, true AS isorow_has_key, {}, {} AS isorow_ordinal FROM {} WHERE {} ORDER BY {} LIMIT {}",
                own_columns(), holds.empty() ? "true" : text("coalesce({}, false)", holds), named_key(), own(table_.ordinal),
                table_.quoted(), where, order, rows);
}

ISOROW_DECL std::string followed_sql::own(std::string_view column) const {
    return text("{}.{}", quote_identifier(table_.name), quote_identifier(column));
}

ISOROW_DECL std::string followed_sql::places(std::size_t first, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text("{}${}", i == 0 ? "" : ", ", first + i);
    return all;
}

ISOROW_DECL std::string followed_sql::own_columns() const {
    std::string list;
    for (std::size_t i = 0; i < columns(); ++i)
        list += text("{}{} AS {}, ", own(table_.columns[i]), is_text(i) ? "::text" : "", quote_identifier(table_.columns[i]));
    return list;
}

ISOROW_DECL std::string followed_sql::key_columns() const {
    std::string list;
    for (auto const& name : table_.key) list += text("{}{}", list.empty() ? "" : ", ", own(name));
    return list;
}

ISOROW_DECL std::string followed_sql::named_key() const {
    std::string list;
    for (std::size_t i = 0; i < keys(); ++i)
        list += text("{}{} AS {}", i == 0 ? "" : ", ", own(table_.key[i]), notification_objects::key_name(i));
    return list;
}

ISOROW_DECL std::size_t followed_sql::key_place(std::string_view column) const noexcept {
    std::size_t place = 0;
    while (place < keys() && table_.key[place] != column) ++place;
    return place;
}

}  // namespace isorow::inline v1::detail
