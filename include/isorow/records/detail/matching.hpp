#pragma once

/// @file
/// Conditions and orders looked at in memory: what they mean, for each backend.

#include <isorow/records/detail/document.hpp>
#include <isorow/records/detail/text_patterns.hpp>
#include <isorow/records/query.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::records::detail {

[[nodiscard]] inline std::optional<moment> moment_of(comparand const& value) {
    if (auto const* const said = std::get_if<moment>(&value)) return *said;
    auto const& json = std::get<json_value>(value);
    return json.is_string() ? isorow::detail::parse_iso_timestamp(std::string_view(json.get_string()), true) : std::nullopt;
}

/// The id that a comparison is with, where its value is one.
[[nodiscard]] inline std::optional<uuid> id_of(comparand const& value) {
    auto const* const json = std::get_if<json_value>(&value);
    return json != nullptr && json->is_string() ? uuid::parse(std::string_view(json->get_string())) : std::nullopt;
}

/// A record's document that a path begins in.
[[nodiscard]] inline boost::json::object const& document_of(record const& record, path const& place) {
    return place.part() == part::metadata ? record.metadata : record.fields;
}

/// The value at a place in a document; null where there is none.
[[nodiscard]] inline json_value const* value_at(record const& record, path const& place) {
    return find_in(document_of(record, place), place.steps());
}

/// Holds records against one filter. Refers to it.
class matcher {
public:
    /// Throws `usage_error` for a regular expression that is none.
    explicit matcher(filter const& condition) : condition_(condition) { prepare(condition); }

    [[nodiscard]] bool operator()(record const& record) const { return holds(condition_, record); }

private:
    using order = std::optional<std::strong_ordering>;

    void prepare(filter const& condition) {
        for (auto const& part : condition.parts()) prepare(part);
        if (condition.joint() == filter::joint::comparison && condition.operation() == operation::regex)
            expressions_.emplace(&condition, text_of(condition.values().front()));
    }

    [[nodiscard]] static std::string_view text_of(comparand const& value) { return std::get<json_value>(value).get_string(); }

    [[nodiscard]] bool holds(filter const& condition, record const& record) const {
        auto const each = [&](filter const& part) { return holds(part, record); };
        switch (condition.joint()) {
            case filter::joint::all:
                return std::ranges::all_of(condition.parts(), each);
            case filter::joint::any:
                return std::ranges::any_of(condition.parts(), each);
            case filter::joint::none:
                return !holds(condition.parts().front(), record);
            case filter::joint::comparison:
                break;
        }
        switch (condition.place().part()) {
            case part::id:
                return holds_of_id(condition, record.id);
            case part::created_at:
                return holds_of_moment(condition, record.created_at);
            case part::updated_at:
                return holds_of_moment(condition, record.updated_at);
            default:
                return holds_of_value(condition, value_at(record, condition.place()));
        }
    }

    /// Texts that are uuids are compared as such.
    [[nodiscard]] bool holds_of_id(filter const& condition, uuid const& id) const {
        if (takes_text(condition.operation())) return holds_of_text(condition, to_string(id));
        return holds_in_order(condition, [&](comparand const& value) -> order {
            auto const other = id_of(value);
            return other ? std::optional(id <=> *other) : std::nullopt;
        });
    }

    /// A moment is no text, and has no part that is one.
    [[nodiscard]] bool holds_of_moment(filter const& condition, moment when) const {
        if (takes_text(condition.operation())) return false;
        return holds_in_order(condition, [&](comparand const& value) -> order {
            auto const other = moment_of(value);
            return other ? std::optional(when <=> *other) : std::nullopt;
        });
    }

    [[nodiscard]] bool holds_of_value(filter const& condition, json_value const* value) const {
        auto const operation = condition.operation();
        if (operation == operation::exists) return value != nullptr;
        if (operation == operation::is_null) return value == nullptr || value->is_null();
        if (value == nullptr) return false;
        if (operation == operation::has)
            return value->is_array() && std::ranges::any_of(value->get_array(), [&](auto const& element) {
                       return are_equal(element, std::get<json_value>(condition.values().front()));
                   });
        if (operation == operation::includes) return includes(*value, std::get<json_value>(condition.values().front()));
        if (takes_text(operation)) {
            if (condition.place().is_text()) return !value->is_null() && holds_of_text(condition, text_of_value(*value));
            return value->is_string() && holds_of_text(condition, std::string_view(value->get_string()));
        }
        return holds_in_order(condition, [&](comparand const& other) { return compare(*value, other, condition); });
    }

    /// How the value stands to another of its own kind. Null, lists and objects have no order, but may be equal.
    [[nodiscard]] static order compare(json_value const& value, comparand const& comparand, filter const& condition) {
        auto const* const json = std::get_if<json_value>(&comparand);
        if (json == nullptr) {
            auto const own = moment_of(value);
            return own ? order(*own <=> std::get<moment>(comparand)) : std::nullopt;
        }
        if (json->is_string()) {
            std::string_view const wanted = json->get_string();
            if (value.is_string()) return std::string_view(value.get_string()) <=> wanted;
            if (condition.place().is_text() && !value.is_null()) return std::string_view(text_of_value(value)) <=> wanted;
            return std::nullopt;
        }
        if (value.is_number() && json->is_number()) return compare_numbers(value, *json);
        if (value.is_bool() && json->is_bool()) return value.get_bool() <=> json->get_bool();
        bool const is_for_equality = condition.operation() == operation::eq || condition.operation() == operation::in;
        return is_for_equality && are_equal(value, *json) ? order(std::strong_ordering::equal) : std::nullopt;
    }

    [[nodiscard]] bool holds_of_text(filter const& condition, std::string_view text) const {
        auto const wanted = text_of(condition.values().front());
        switch (condition.operation()) {
            case operation::like:
                return is_like(text, wanted);
            case operation::ilike:
                return is_like(ascii_lower(text), ascii_lower(wanted));
            case operation::regex:
                return expressions_.at(&condition).matches(text);
            case operation::starts_with:
                return text.starts_with(wanted);
            default:
                return text.find(wanted) != std::string_view::npos;
        }
    }

    /// `order_to`: how the value stands to one of the condition's; nothing where they do not compare.
    template <class OrderTo>
    [[nodiscard]] bool holds_in_order(filter const& condition, OrderTo const& order_to) const {
        auto const& values = condition.values();
        auto const operation = condition.operation();
        if (operation == operation::exists) return true;
        if (operation == operation::is_null || operation == operation::has || operation == operation::includes) return false;
        auto const is_equal = [&](comparand const& value) {
            auto const found = order_to(value);
            return found && *found == 0;
        };
        if (operation == operation::in) return std::ranges::any_of(values, is_equal);
        auto const found = order_to(values.front());
        if (!found) return false;
        switch (operation) {
            case operation::eq:
                return *found == 0;
            case operation::lt:
                return *found < 0;
            case operation::le:
                return *found <= 0;
            case operation::gt:
                return *found > 0;
            case operation::between: {
                auto const to_high = order_to(values.back());
                return *found >= 0 && to_high && *to_high <= 0;
            }
            case operation::ge:
                return *found >= 0;
            default:
                return false;
        }
    }
    filter const& condition_;
    std::map<filter const*, expression> expressions_{};
};

}  // namespace isorow::inline v1::records::detail
