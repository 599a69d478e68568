#pragma once

/// @file
/// Dynamic rows of a result, whose columns are known when it comes.

#include <isorow/codec/dynamic_row.hpp>
#include <isorow/error/declaration_error.hpp>
#include <isorow/query/detail/row_plan.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace isorow::inline v1::detail {

/// The type of a result's column.
struct result_type {
    std::optional<column_type> known{};  ///< nothing for one that isorow does not know
    std::string name{};                  ///< of that one
};

/// Types of extensions are known by the registry, or asked for where the connection is free to answer.
[[nodiscard]] inline result_type type_of_column(connection& connection, oid type) {
    if (auto const known = find_column_type(type)) return {known};
    for (auto const& entry : type_catalog) {
        if (entry.oid != 0 || !has_dynamic_form({entry.id})) continue;
        if (connection.types().oid_of(entry.catalog_name) == type) return {column_type{entry.id}};
        if (connection.types().array_oid_of(entry.catalog_name) == type) return {column_type{entry.id, true}};
    }
    result_type found{.name = name_of_type(connection, type)};
    // The schema stands before it where search_path does not have it.
    column_type named;
    auto const bare = std::string_view(found.name).substr(found.name.rfind('.') + 1);
    if (!parse_dynamic_type(bare, named) || entry_of(named.id).oid != 0) return found;
    auto const& catalog_name = entry_of(named.id).catalog_name;
    static_cast<void>(connection.types().learn(connection, catalog_name, connection.default_limits()));
    auto const own = named.array ? connection.types().array_oid_of(catalog_name) : connection.types().oid_of(catalog_name);
    if (own == type) found.known = named.base();
    return found;
}

/// Throws `usage_error` where two columns have one name, which a dynamic row has once.
inline void require_distinct_names(result const& result) {
    for (int i = 0; i < result.columns(); ++i)
        for (int before = 0; before < i; ++before)
            if (result.column_name(before) == result.column_name(i))
                throw usage_error(
                    text("two columns of the result are named \"{}\"; a dynamic row has each name once", result.column_name(i)));
}

/// A dynamic row has all columns of the result, in their order.
template <>
class row_plan<dynamic_row> {
public:
    static void prepare(connection&, limits const&) {}

    /// `types`: for columns that the query has made text of, as isorow does not know their types: the names of these, by the columns'
    /// places; empty for all others. `count`: how many columns are the row's, if not all. Throws `mismatch` with the columns whose types
    /// are not known, and `usage_error` where two columns have one name.
    row_plan(connection& connection, result const& result, std::vector<std::string> const& types = {}, std::optional<int> count = {})
        : incoming_(connection) {
        require_distinct_names(result);
        std::vector<difference> differences;
        for (int i = 0; i < count.value_or(result.columns()); ++i) {
            auto const place = static_cast<std::size_t>(i);
            column one{std::string(result.column_name(i)), place < types.size() ? types[place] : std::string{}};
            auto type = type_of_column(connection, result.column_type(i));
            if (type.known) one.type = *type.known;
            else
                differences.push_back({text("value {}", i + 1), one.name, text("a type that isorow knows; select it as {}::text", one.name),
                                       std::move(type.name)});
            columns_.push_back(std::move(one));
        }
        if (!differences.empty()) throw mismatch("dynamic_row", "the query's result", std::move(differences));
    }

    /// Throws `malformed` with the column's name.
    void decode(result const& result, int row, dynamic_row& into) const {
        std::vector<named_value> values;
        values.reserve(columns_.size());
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            auto const received = result.value(row, static_cast<int>(i));
            try {
                values.push_back({columns_[i].name, value_of(columns_[i], received)});
            } catch (value_error const& failure) {
                failure.rethrow_at(text("column \"{}\"", columns_[i].name));
            }
        }
        into = dynamic_row::of_distinct(std::move(values));
    }

private:
    struct column {
        std::string name;
        std::string other;  ///< the name of a type that isorow does not know, whose values come as text
        column_type type{};
    };

    [[nodiscard]] dynamic_value value_of(column const& one, std::span<std::byte const> received) const {
        if (received.data() == nullptr) return null;
        if (!one.other.empty()) return other_text{one.other, std::string(byte_reader(received).take_rest_as_text())};
        return incoming_.take(one.type, received, [&](std::span<std::byte const> taken) { return decode_value(one.type, taken); });
    }

    incoming incoming_;
    std::vector<column> columns_{};
};

}  // namespace isorow::inline v1::detail
