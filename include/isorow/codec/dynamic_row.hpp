#pragma once

/// @file
/// A row whose columns are known at run time only: values by name.

#include <isorow/codec/dynamic_codec.hpp>
#include <isorow/codec/dynamic_value.hpp>
#include <isorow/codec/text_policy.hpp>
#include <isorow/config.hpp>
#include <isorow/error/error.hpp>
#include <isorow/error/suggest.hpp>
#include <isorow/schema/table_schema.hpp>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <ostream>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// A value with the name of its column.
struct named_value {
    std::string name;
    dynamic_value value;

    [[nodiscard]] bool is_null() const noexcept { return value.is_null(); }

    /// The value as a T, as `dynamic_value::as`; errors name the column.
    template <class T>
    [[nodiscard]] T as() const {
        try {
            return value.as<T>();
        } catch (value_error const& failure) {
            failure.rethrow_at(text("column \"{}\"", name));
            throw;  // not reached: rethrow_at throws
        }
    }

    friend bool operator==(named_value const&, named_value const&) = default;
};

/// The values of a row by the names of their columns, in the order in which they were given:
/// @code
/// isorow::dynamic_row lamp{{"category", "lamps"}, {"name", "torch"}, {"price", 39.5}, {"note", isorow::null}};
/// double const price = lamp["price"].as<double>();
/// @endcode
/// Equal where names, values and order are.
class dynamic_row {
public:
    dynamic_row() = default;
    /// Throws `usage_error` for a name that is given twice.
    dynamic_row(std::initializer_list<named_value> values) : dynamic_row(std::vector<named_value>(values)) {}
    explicit dynamic_row(std::vector<named_value> values) : values_(std::move(values)) { refuse_repeated_names(); }

    /// A row of values whose names are known to differ: they are not looked at.
    [[nodiscard]] static dynamic_row of_distinct(std::vector<named_value> values) {
        dynamic_row row;
        row.values_ = std::move(values);
        return row;
    }

    /// The value of a column. Throws `usage_error` where the row has none of that name.
    [[nodiscard]] named_value const& operator[](std::string_view name) const;

    /// The value of a column, or null where the row has none of that name.
    [[nodiscard]] named_value const* find(std::string_view name) const noexcept {
        auto const found = std::ranges::find(values_, name, &named_value::name);
        return found == values_.end() ? nullptr : &*found;
    }

    /// Gives a column its value: one that the row has already, or a new one behind the others.
    void set(std::string_view name, dynamic_value value) {
        auto const found = std::ranges::find(values_, name, &named_value::name);
        if (found != values_.end()) found->value = std::move(value);
        else values_.push_back({std::string(name), std::move(value)});
    }

    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
    [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
    [[nodiscard]] auto begin() const noexcept { return values_.begin(); }
    [[nodiscard]] auto end() const noexcept { return values_.end(); }
    /// The value at a place, in the order of the row.
    [[nodiscard]] named_value const& at(std::size_t place) const { return values_.at(place); }

    friend bool operator==(dynamic_row const&, dynamic_row const&) = default;

    /// `{category: lamps, price: 39.5, note: NULL}`.
    friend std::ostream& operator<<(std::ostream& out, dynamic_row const& row) {
        char const* separator = "{";
        for (auto const& [name, value] : row) out << std::exchange(separator, ", ") << name << ": " << to_string(value);
        return out << (row.empty() ? "{}" : "}");
    }

private:
    void refuse_repeated_names() const;

    std::vector<named_value> values_;
};

namespace detail {

/// Cleans the texts of a value, those in arrays included.
void clean_value(dynamic_value& value, text_policy policy);

}  // namespace detail

/// The row with the texts of its columns cleaned by `policy`; those of the table's key are left as they are, and are refused when the row
/// is encoded. So is everything where the policy is to refuse, as the error then says the place.
[[nodiscard]] dynamic_row cleaned(dynamic_row const& row, table_schema const& schema, text_policy policy);

/// The same of a struct's row, the key being the table's, whatever the struct's own is.
template <reflect::reflectable T>
[[nodiscard]] T cleaned(T row, table_schema const& schema, text_policy policy) {
    if (policy == text_policy::refuse) return row;
    reflect::for_each_index<T>([&](auto index) {
        if constexpr (!std::is_const_v<std::remove_reference_t<decltype(reflect::get<index>(row))>>) {
            auto const place = schema.find(columns_of<T>[index].name);
            if (!place || !schema.key().contains(*place)) detail::clean_field(reflect::get<index>(row), policy);
        }
    });
    return row;
}

#if ISOROW_HAS_CODE

ISOROW_DECL named_value const& dynamic_row::operator[](std::string_view name) const {
    auto const* const found = find(name);
    if (found == nullptr)
        throw usage_error(
            text("the row has no column \"{}\"{}", name, detail::did_you_mean(name, values_ | std::views::transform(&named_value::name))));
    return *found;
}

ISOROW_DECL void dynamic_row::refuse_repeated_names() const {
    std::vector<std::string_view> names;
    names.reserve(values_.size());
    for (auto const& one : values_) names.push_back(one.name);
    std::ranges::sort(names);
    if (auto const repeated = std::ranges::adjacent_find(names); repeated != names.end())
        throw usage_error(text("the row has two values for the column \"{}\"", *repeated));
}

namespace detail {

ISOROW_DECL void clean_value(dynamic_value& value, text_policy policy) {
    if (auto* const characters = value.get_if<std::string>()) return clean_field(*characters, policy);
    if (auto* const document = value.get_if<json_text>()) return clean_field(document->text, policy);
    if (auto* const elements = value.get_if<dynamic_value::array>())
        for (auto& element : *elements) clean_value(element, policy);
}

}  // namespace detail

ISOROW_DECL dynamic_row cleaned(dynamic_row const& row, table_schema const& schema, text_policy policy) {
    if (policy == text_policy::refuse) return row;
    std::vector<named_value> values(row.begin(), row.end());
    for (auto& [name, value] : values) {
        auto const place = schema.find(name);
        if (!place || !schema.key().contains(*place)) detail::clean_value(value, policy);
    }
    return dynamic_row(std::move(values));
}

#endif

}  // namespace isorow::inline v1
