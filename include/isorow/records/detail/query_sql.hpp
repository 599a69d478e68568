#pragma once

/// @file
/// Queries for records as Postgres' SQL, in the order that `ordering.hpp` says.

#include <isorow/records/detail/filter_sql.hpp>
#include <isorow/records/detail/ordering.hpp>
#include <isorow/records/detail/stored_rows.hpp>
#include <isorow/records/detail/time_sql.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::records::detail {

/// One expression that records are ordered by, NULLs last, and its value of the record behind which a page begins; "NULL" for none.
struct order_term {
    std::string expression;
    enum direction direction = ascending;
    std::string behind = "NULL";
};

/// Writes the order of a query into a statement.
class order_writer {
public:
    order_writer(statement_builder& statement, query const& query, std::string_view table) : statement_(statement), table_(table) {
        for (auto const& key : query.order()) add(key, query.after());
        terms_.push_back({"r.id", ascending, query.after() ? statement_.bind(query.after()->id) : "NULL"});
    }

    [[nodiscard]] std::string order() const {
        std::string list;
        for (auto const& term : terms_)
            list.append(list.empty() ? " ORDER BY " : ", ")
                .append(term.expression)
                .append(term.direction == ascending ? " ASC NULLS LAST" : " DESC NULLS LAST");
        return list;
    }

    /// What holds for the records behind the one that the query says.
    [[nodiscard]] std::string is_behind() const {
        std::string any;
        std::string same;
        for (auto const& term : terms_) {
            auto const sign = term.direction == ascending ? " > " : " < ";
            // NULL is behind all else, and nothing is behind it.
            auto const later = term.behind == "NULL"
                                   ? std::string("FALSE")
                                   : text("(({}{}{}) OR ({}) IS NULL)", term.expression, sign, term.behind, term.expression);
            any.append(any.empty() ? "(" : " OR ").append("(").append(same).append(later).append(")");
            same += text("({}) IS NOT DISTINCT FROM {} AND ", term.expression, term.behind);
        }
        return any + ")";
    }

private:
    void add(sort_key const& key, std::optional<record> const& after) {
        auto const& place = key.place;
        auto const last = after ? rank_at(*after, place) : std::nullopt;
        auto const bind_text = [&](bool is_there) {
            return is_there ? statement_.bind(last->text) + " COLLATE \"C\"" : std::string("NULL");
        };
        switch (place.part()) {
            case part::id:
                terms_.push_back({"r.id", key.direction, after ? statement_.bind(after->id) : "NULL"});
                return;
            case part::created_at:
                terms_.push_back({std::string(created_at_sql), key.direction, after ? statement_.bind(after->created_at) : "NULL"});
                return;
            case part::updated_at:
                terms_.push_back({std::string(updated_at_sql), key.direction, after ? statement_.bind(after->updated_at) : "NULL"});
                return;
            default:
                break;
        }
        if (place.steps().empty()) return;
        auto const value = value_sql(place);
        auto const text_of_value = "(" + value + " #>> '{}') COLLATE \"C\"";
        if (place.is_text()) {
            terms_.push_back({text_of_value, key.direction, bind_text(last.has_value())});
            return;
        }
        bool const is_number = last && last->number;
        terms_.push_back({rank_sql(value), key.direction, last ? std::to_string(last->rank) : "NULL"});
        terms_.push_back({text("CASE WHEN jsonb_typeof({}) = 'number' THEN {} END", value, value), key.direction,
                          is_number ? behind_number(value, *value_at(*after, place), after->id) : "NULL"});
        terms_.push_back({text("CASE WHEN jsonb_typeof({}) <> 'number' THEN {} END", value, text_of_value), key.direction,
                          bind_text(last && !is_number && last->rank != 0)});
    }

    /// A number may have more digits in the table than the record that was read: it is the one there, if it still is what was read.
    [[nodiscard]] std::string behind_number(std::string const& value, json_value const& read, uuid const& id) {
        auto const number = statement_.bind(read);
        return text(
            "coalesce((SELECT {} FROM {} AS r WHERE r.id = {} AND CASE WHEN jsonb_typeof({}) = 'number' THEN ({})::float8 = ({})::float8 "
            "END),"
            " {})",
            value, table_, statement_.bind(id), value, value, number, number);
    }

    [[nodiscard]] static std::string rank_sql(std::string const& value) {
        return text("array_position(ARRAY['null', 'string', 'number', 'boolean', 'array', 'object'], jsonb_typeof({})) - 1", value);
    }

    statement_builder& statement_;
    std::string_view table_;
    std::vector<order_term> terms_{};
};

/// Of a document only the members that a projection names, as far as the server can say it in few words; `projected` does the rest.
[[nodiscard]] inline std::string document_sql(statement_builder& statement, query const& query, enum part part) {
    std::string column = part == part::metadata ? "r.metadata" : "r.fields";
    if (query.only().empty()) return column;
    std::vector<std::string> names;
    for (auto const& place : query.only()) {
        if (place.part() != part) continue;
        if (place.steps().empty()) return column;
        names.push_back(place.steps().front());
    }
    if (names.empty()) return "'{}'::jsonb";
    return text("coalesce((SELECT jsonb_object_agg(m.key, m.value) FROM jsonb_each({}) AS m WHERE m.key = ANY({})), {}::jsonb)", column,
                statement.bind(std::move(names)), "'{}'");
}

/// How many rows, no more than a bigint says.
[[nodiscard]] inline std::string count_sql(std::size_t count) {
    return std::to_string(std::min<std::size_t>(count, std::numeric_limits<std::int64_t>::max()));
}

/// Everything that a query says, behind SELECT.
inline void write_query(statement_builder& statement, query const& query, std::string_view table) {
    statement << "SELECT r.id, " << document_sql(statement, query, part::fields) << " AS fields, "
              << document_sql(statement, query, part::metadata) << " AS metadata, " << stored_times << " FROM " << table << " AS r WHERE "
              << filter_writer(statement)(query.condition());
    order_writer const order(statement, query, table);
    if (query.after()) statement << " AND " << order.is_behind();
    statement << order.order();
    if (query.limit()) statement << " LIMIT " << count_sql(*query.limit());
    if (query.offset() != 0) statement << " OFFSET " << count_sql(query.offset());
}

}  // namespace isorow::inline v1::records::detail
