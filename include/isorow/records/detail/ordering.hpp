#pragma once

/// @file
/// The order of records, and what is left of a record where only some places are asked for.

#include <isorow/records/detail/matching.hpp>

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace isorow::inline v1::records::detail {

/// What orders a value among others: its kind, then its number or its text. Lists and objects are ordered by their texts.
struct rank_and_value {
    int rank = 0;
    std::optional<numeric> number{};
    std::string text{};

    friend std::strong_ordering operator<=>(rank_and_value const& left, rank_and_value const& right) {
        if (left.rank != right.rank) return left.rank <=> right.rank;
        if (left.number && right.number) return *left.number <=> *right.number;
        return left.text <=> right.text;
    }
    friend bool operator==(rank_and_value const& left, rank_and_value const& right) { return (left <=> right) == 0; }
};

/// Nothing where the record has no value at the place.
[[nodiscard]] inline std::optional<rank_and_value> rank_at(record const& record, path const& place) {
    switch (place.part()) {
        case part::id:
            return rank_and_value{.text = to_string(record.id)};
        case part::created_at:
            return rank_and_value{.number = numeric(record.created_at.time_since_epoch().count())};
        case part::updated_at:
            return rank_and_value{.number = numeric(record.updated_at.time_since_epoch().count())};
        default:
            break;
    }
    auto const* const value = value_at(record, place);
    if (value == nullptr || (place.is_text() && value->is_null())) return std::nullopt;
    if (place.is_text()) return rank_and_value{.text = text_of_value(*value)};
    if (value->is_number()) return rank_and_value{.rank = rank_of(*value), .number = decimal_of(*value)};
    return rank_and_value{.rank = rank_of(*value), .text = value->is_null() ? std::string{} : text_of_value(*value)};
}

/// A record's place in the order of a query.
struct place_in_order {
    std::vector<std::optional<rank_and_value>> keys{};
    uuid id{};

    place_in_order(record const& record, query const& query) : id(record.id) {
        keys.reserve(query.order().size());
        for (auto const& key : query.order()) keys.push_back(rank_at(record, key.place));
    }

    /// Whether this one comes before another of the same query.
    [[nodiscard]] bool is_before(place_in_order const& other, query const& query) const {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            auto const& own = keys[i];
            auto const& its = other.keys[i];
            if (own.has_value() != its.has_value()) return own.has_value();
            if (!own || *own == *its) continue;
            return (*own < *its) == (query.order()[i].direction == ascending);
        }
        return id < other.id;
    }
};

/// Copies what is below these steps, up to the first that is an element's number, which brings its whole list.
inline void copy_below(boost::json::object const& from, std::vector<std::string> const& steps, std::size_t first, boost::json::object& to) {
    auto const* const value = from.if_contains(steps[first]);
    if (value == nullptr) return;
    auto const* const object = value->if_object();
    if (first + 1 == steps.size() || object == nullptr) {
        to.insert_or_assign(steps[first], *value);
        return;
    }
    auto& place = to[steps[first]];
    if (!place.is_object()) place.emplace_object();
    copy_below(*object, steps, first + 1, place.get_object());
}

/// What is asked for of a record; all of it where nothing is said.
[[nodiscard]] inline record projected(record whole, query const& query) {
    if (query.only().empty()) return whole;
    record left{.id = whole.id, .fields = {}, .metadata = {}, .created_at = whole.created_at, .updated_at = whole.updated_at};
    for (auto const& place : query.only()) {
        auto& to = place.part() == part::metadata ? left.metadata : left.fields;
        if (place.is_in_document() && place.steps().empty()) to = document_of(whole, place);
        else if (place.is_in_document()) copy_below(document_of(whole, place), place.steps(), 0, to);
    }
    return left;
}

}  // namespace isorow::inline v1::records::detail
