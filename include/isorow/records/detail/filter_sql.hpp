#pragma once

/// @file
/// Conditions as Postgres' SQL. They mean what `matching.hpp` says, whatever the records hold: nothing that is cast can fail. Where a place
/// is named by names alone, equality and what is had or included are asked by `@>` of the whole document, which its GIN index answers.

#include <isorow/records/detail/document.hpp>
#include <isorow/records/detail/matching.hpp>
#include <isorow/records/detail/statement_builder.hpp>
#include <isorow/records/filter.hpp>
#include <isorow/schema/literal.hpp>

#include <algorithm>
#include <cstddef>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1::records::detail {

/// The value at a place: `(r.fields -> 'address' #> '{0}')`. `table`: the alias of the table with its dot.
[[nodiscard]] inline std::string value_sql(path const& place, std::string_view table = "r.") {
    std::string sql(table);
    sql += place.part() == part::metadata ? "metadata" : "fields";
    for (auto const& step : place.steps()) {
        if (number_of(step) == no_number) sql.append(" -> ").append(isorow::detail::quote_literal(step)).append("::text");
        else sql.append(" #> '{").append(step).append("}'");
    }
    return "(" + sql + ")";
}

/// `{"address": {"city": …}}`
[[nodiscard]] inline json_value nested(std::vector<std::string> const& steps, json_value value) {
    for (auto const& step : std::views::reverse(steps)) value = boost::json::object{{step, std::move(value)}};
    return value;
}

/// A text that holds a time, as `iso_reader` reads it; what passes it and is no day of the calendar, `pg_input_is_valid` finds.
inline constexpr std::string_view time_shape =
    "'^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-5])(:[0-5][0-9])?)$'";

/// Writes conditions into a statement.
class filter_writer {
public:
    explicit filter_writer(statement_builder& statement) : statement_(statement) {}

    [[nodiscard]] std::string operator()(filter const& condition) {
        switch (condition.joint()) {
            case filter::joint::all:
                return joined(condition.parts(), " AND ", "TRUE");
            case filter::joint::any:
                return joined(condition.parts(), " OR ", "FALSE");
            case filter::joint::none:
                return "(" + (*this)(condition.parts().front()) + " IS NOT TRUE)";
            case filter::joint::comparison:
                break;
        }
        switch (condition.place().part()) {
            case part::id:
                return of_id(condition);
            case part::created_at:
                return of_moment(condition, "r.created_at");
            case part::updated_at:
                return of_moment(condition, "r.updated_at");
            default:
                return of_value(condition);
        }
    }

private:
    /// So many values of `in` are asked for one by one, which an index can answer.
    static constexpr std::size_t most_alternatives = 64;

    template <class Parts, class Write>
    [[nodiscard]] std::string joined(Parts const& parts, std::string_view operation, std::string_view none, Write const& write) {
        if (parts.empty()) return std::string(none);
        std::string all = "(";
        for (auto const& part : parts) all.append(all.size() == 1 ? std::string_view{} : operation).append(write(part));
        return all + ")";
    }
    [[nodiscard]] std::string joined(std::vector<filter> const& parts, std::string_view operation, std::string_view none) {
        return joined(parts, operation, none, [&](filter const& part) { return (*this)(part); });
    }

    [[nodiscard]] static std::string_view sign_of(operation operation) noexcept {
        switch (operation) {
            case operation::lt:
                return " < ";
            case operation::le:
                return " <= ";
            case operation::gt:
                return " > ";
            case operation::ge:
                return " >= ";
            default:
                return " = ";
        }
    }

    /// A comparison by order or equality: `compare(sign, value)` writes it for one value.
    template <class Compare>
    [[nodiscard]] std::string compared(filter const& condition, Compare const& compare) {
        auto const& values = condition.values();
        switch (condition.operation()) {
            case operation::in:
                return joined(values, " OR ", "FALSE", [&](comparand const& value) { return compare(operation::eq, value); });
            case operation::between:
                return "(" + compare(operation::ge, values.front()) + " AND " + compare(operation::le, values.back()) + ")";
            default:
                return compare(condition.operation(), values.front());
        }
    }

    [[nodiscard]] static bool is_of_documents(operation operation) noexcept {
        return operation == operation::has || operation == operation::includes;
    }

    [[nodiscard]] std::string of_id(filter const& condition) {
        auto const operation = condition.operation();
        if (operation == operation::exists) return "TRUE";
        if (operation == operation::is_null || is_of_documents(operation)) return "FALSE";
        if (takes_text(operation)) return of_text(condition, "r.id::text");
        if (operation == operation::in) {
            std::vector<uuid> ids;
            for (auto const& value : condition.values())
                if (auto const id = id_of(value)) ids.push_back(*id);
            return "(r.id = ANY(" + statement_.bind(std::move(ids)) + "))";
        }
        return compared(condition, [&](enum operation one, comparand const& value) {
            auto const id = id_of(value);
            return id ? text("(r.id{}{})", sign_of(one), statement_.bind(*id)) : std::string("FALSE");
        });
    }

    [[nodiscard]] std::string of_moment(filter const& condition, std::string_view column) {
        auto const operation = condition.operation();
        if (operation == operation::exists) return "TRUE";
        if (operation == operation::is_null || is_of_documents(operation) || takes_text(operation)) return "FALSE";
        auto const holds = compared(condition, [&](enum operation one, comparand const& value) {
            auto const when = moment_of(value);
            return when ? text("({}::timestamptz{}{})", column, sign_of(one), statement_.bind(*when)) : std::string("FALSE");
        });
        // A NULL is the epoch, as the times of a new record are; it is asked for by itself, so that an index over the column answers the
        // comparison.
        return matcher(condition)(record{}) ? text("({} OR {} IS NULL)", holds, column) : holds;
    }

    [[nodiscard]] std::string of_value(filter const& condition) {
        auto const& place = condition.place();
        auto const operation = condition.operation();
        auto const value = value_sql(place);
        if (operation == operation::exists) return "(" + value + " IS NOT NULL)";
        if (operation == operation::is_null) return "(coalesce(" + value + ", 'null'::jsonb) = 'null'::jsonb)";
        if (operation == operation::has) return of_element(place, std::get<json_value>(condition.values().front()));
        if (operation == operation::includes) return of_included(place, std::get<json_value>(condition.values().front()));
        if (takes_text(operation)) return of_text(condition, text_sql(place));
        auto const& values = condition.values();
        bool const is_plain =
            !place.is_text() && std::ranges::all_of(values, [](comparand const& one) { return std::holds_alternative<json_value>(one); });
        bool const are_texts = place.is_text() && std::ranges::all_of(values, [](comparand const& one) {
                                   auto const* const json = std::get_if<json_value>(&one);
                                   return json != nullptr && json->is_string();
                               });
        if (operation == operation::in && values.size() > most_alternatives && are_texts) {
            std::vector<std::string> all;
            all.reserve(values.size());
            for (auto const& one : values) all.emplace_back(std::get<json_value>(one).get_string());
            return text("({} COLLATE \"C\" = ANY({}))", text_sql(place), statement_.bind(std::move(all)));
        }
        if (operation == operation::in && values.size() > most_alternatives && is_plain) {
            boost::json::array all;
            for (auto const& one : values) all.push_back(std::get<json_value>(one));
            return text("({} = ANY(ARRAY(SELECT jsonb_array_elements({}))))", value, statement_.bind(json_value(std::move(all))));
        }
        return compared(condition, [&](enum operation one, comparand const& other) { return of_comparison(place, one, other); });
    }

    /// The text at a place, NULL where there is none.
    [[nodiscard]] static std::string text_sql(path const& place) {
        auto const value = value_sql(place);
        if (place.is_text()) return "(" + value + " #>> '{}')";
        return "(CASE WHEN jsonb_typeof(" + value + ") = 'string' THEN " + value + " #>> '{}' END)";
    }

    [[nodiscard]] static bool has_names_alone(path const& place) {
        return std::ranges::all_of(place.steps(), [](std::string const& step) { return number_of(step) == no_number; });
    }

    /// `r.fields @> '{"address": {"city": "Rome"}}'`
    [[nodiscard]] std::string within(path const& place, json_value value) {
        return text("({} @> {})", place.part() == part::metadata ? "r.metadata" : "r.fields",
                    statement_.bind(nested(place.steps(), std::move(value))));
    }

    /// Whether only a text can have this text.
    [[nodiscard]] static bool is_text_alone(std::string_view text) {
        return text != "true" && text != "false" && !text.empty() &&
               std::string_view("-0123456789[{").find(text.front()) == std::string_view::npos;
    }

    [[nodiscard]] std::string of_comparison(path const& place, enum operation operation, comparand const& comparand) {
        auto const sign = sign_of(operation);
        auto const value = value_sql(place);
        auto const* const json = std::get_if<json_value>(&comparand);
        if (json == nullptr) {
            auto const text_of_value = "(" + value + " #>> '{}')";
            return text(
                "(CASE WHEN jsonb_typeof({}) = 'string' AND {} ~ {} AND pg_input_is_valid({}, 'timestamptz') THEN {}::timestamptz{}{} END)",
                value, text_of_value, time_shape, text_of_value, text_of_value, sign, statement_.bind(std::get<moment>(comparand)));
        }
        bool const is_exact = operation == operation::eq;
        if (json->is_string()) {
            std::string_view const wanted = json->get_string();
            bool const can_be_within = is_exact && has_names_alone(place) && (!place.is_text() || is_text_alone(wanted));
            if (can_be_within) return within(place, *json);
            return text("({} COLLATE \"C\"{}{})", text_sql(place), sign, statement_.bind(std::string(wanted)));
        }
        if (is_exact) {
            bool const is_document = json->is_array() || json->is_object();
            if (!has_names_alone(place)) return text("({} = {})", value, statement_.bind(*json));
            if (!is_document) return within(place, *json);
            return text("({} AND {} = {})", within(place, *json), value, statement_.bind(*json));
        }
        if (!json->is_number() && !json->is_bool()) return "FALSE";
        return text("(jsonb_typeof({}) = '{}' AND {}{}{})", value, json->is_number() ? "number" : "boolean", value, sign,
                    statement_.bind(*json));
    }

    [[nodiscard]] std::string of_element(path const& place, json_value const& element) {
        auto const value = value_sql(place);
        if (element.is_array() || element.is_object())
            return text(
                "EXISTS (SELECT FROM jsonb_array_elements(CASE WHEN jsonb_typeof({}) = 'array' THEN {} END) AS e(v) WHERE e.v = {})", value,
                value, statement_.bind(element));
        if (has_names_alone(place)) return within(place, boost::json::array{element});
        return text("(jsonb_typeof({}) = 'array' AND {} @> {})", value, value, statement_.bind(json_value(boost::json::array{element})));
    }

    [[nodiscard]] std::string of_included(path const& place, json_value const& part) {
        if (has_names_alone(place)) return within(place, part);
        bool const is_document = part.is_array() || part.is_object();
        return text("({} {} {})", value_sql(place), is_document ? "@>" : "=", statement_.bind(part));
    }

    [[nodiscard]] std::string of_text(filter const& condition, std::string const& searched) {
        auto const wanted = statement_.bind(std::string(std::get<json_value>(condition.values().front()).get_string()));
        switch (condition.operation()) {
            case operation::like:
                return text("({} COLLATE \"C\" LIKE {})", searched, wanted);
            case operation::ilike:
                return text("({} COLLATE \"C\" ILIKE {})", searched, wanted);
            case operation::regex:
                return text("({} COLLATE \"C\" ~ {})", searched, wanted);
            case operation::starts_with:
                return text("starts_with({}, {})", searched, wanted);
            default:
                return text("(strpos({} COLLATE \"C\", {}) > 0)", searched, wanted);
        }
    }

    statement_builder& statement_;
};

}  // namespace isorow::inline v1::records::detail
