#pragma once

/// @file
/// JSON values as Postgres' jsonb has them: what is equal, what includes what, and their texts.

#include <isorow/json/value.hpp>
#include <isorow/records/detail/path_reader.hpp>
#include <isorow/types/numeric.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace isorow::inline v1::records::detail {

using json_value = boost::json::value;

/// The value below these steps, null where there is none.
[[nodiscard]] inline json_value const* find_below(json_value const* value, std::vector<std::string> const& steps, std::size_t first) {
    for (auto i = first; i < steps.size() && value != nullptr; ++i) {
        if (auto const* const object = value->if_object()) {
            value = object->if_contains(steps[i]);
        } else if (auto const* const list = value->if_array()) {
            auto const place = number_of(steps[i]);
            value = place < list->size() ? &(*list)[place] : nullptr;
        } else {
            value = nullptr;
        }
    }
    return value;
}

[[nodiscard]] inline json_value const* find_in(boost::json::object const& document, std::vector<std::string> const& steps) {
    return steps.empty() ? nullptr : find_below(document.if_contains(steps.front()), steps, 1);
}

/// A number as Postgres keeps it: the decimal number that its shortest text says.
[[nodiscard]] inline numeric decimal_of(json_value const& number) { return numeric::parse(to_json_text(number)).value(); }

[[nodiscard]] inline std::strong_ordering compare_numbers(json_value const& left, json_value const& right) {
    if (left.is_int64() && right.is_int64()) return left.get_int64() <=> right.get_int64();
    if (left.is_uint64() && right.is_uint64()) return left.get_uint64() <=> right.get_uint64();
    if (left.is_double() && right.is_double()) {
        auto const order = left.get_double() <=> right.get_double();
        return order < 0 ? std::strong_ordering::less : order > 0 ? std::strong_ordering::greater : std::strong_ordering::equal;
    }
    return decimal_of(left) <=> decimal_of(right);
}

[[nodiscard]] inline bool are_equal(json_value const& left, json_value const& right) {
    if (left.is_number()) return right.is_number() && compare_numbers(left, right) == 0;
    if (left.kind() != right.kind()) return false;
    if (auto const* const list = left.if_array())
        return std::ranges::equal(*list, right.get_array(), [](auto const& one, auto const& other) { return are_equal(one, other); });
    auto const* const object = left.if_object();
    if (object == nullptr) return left == right;
    return object->size() == right.get_object().size() && std::ranges::all_of(*object, [&](auto const& member) {
               auto const* const other = right.get_object().if_contains(member.key());
               return other != nullptr && are_equal(member.value(), *other);
           });
}

/// Whether a value includes another: an object its members, a list its elements in any order, anything else what is equal. Source: the
/// manual, "jsonb Containment and Existence", but a list does not include a value that stands alone.
[[nodiscard]] inline bool includes(json_value const& whole, json_value const& part) {
    if (auto const* const wanted = part.if_object()) {
        auto const* const object = whole.if_object();
        return object != nullptr && std::ranges::all_of(*wanted, [&](auto const& member) {
                   auto const* const found = object->if_contains(member.key());
                   return found != nullptr && includes(*found, member.value());
               });
    }
    if (auto const* const wanted = part.if_array()) {
        auto const* const list = whole.if_array();
        return list != nullptr && std::ranges::all_of(*wanted, [&](auto const& one) {
                   return std::ranges::any_of(*list, [&](auto const& element) { return includes(element, one); });
               });
    }
    return are_equal(whole, part);
}

/// What Postgres' `#>>` makes of a value that is not null: of a text itself, of others jsonb's text.
[[nodiscard]] inline std::string text_of_value(json_value const& value) {
    return value.is_string() ? std::string(value.get_string()) : to_json_text(value);
}

/// In which order values of different kinds stand.
[[nodiscard]] inline int rank_of(json_value const& value) {
    switch (value.kind()) {
        case boost::json::kind::null:
            return 0;
        case boost::json::kind::string:
            return 1;
        case boost::json::kind::int64:
        case boost::json::kind::uint64:
        case boost::json::kind::double_:
            return 2;
        case boost::json::kind::bool_:
            return 3;
        case boost::json::kind::array:
            return 4;
        case boost::json::kind::object:
            return 5;
    }
    return 0;
}

}  // namespace isorow::inline v1::records::detail
