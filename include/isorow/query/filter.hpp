#pragma once

/// @file
/// Conditions on the columns of a table, with bound values: `where<&Product::price>() > 10.0 && where("status") == "active"`.

#include <isorow/query/parameters.hpp>
#include <isorow/schema/identifier.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/types/view.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace isorow::inline v1 {

/// A condition: SQL with values that are bound, never pasted. Made by the operators of `where`; joined by `&&`, `||` and `!`. Empty where
/// it was made by default: it holds for all rows then, and joined with another it leaves that one as it is. Copyable; holds copies of its
/// values.
class filter {
public:
    filter() = default;

    [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }

    /// The condition with its values as `$first`, `$first + 1` and so on. Only where it is not empty.
    [[nodiscard]] std::string sql(std::size_t first = 1) const {
        auto all = parts_.front();
        for (std::size_t i = 1; i < parts_.size(); ++i) all += text("${}{}", first + i - 1, parts_[i]);
        return all;
    }

    /// Appends the values. Throws `unrepresentable` for one that its type cannot hold.
    void bind(parameters& bound, connection& connection, limits const& limits) const {
        for (auto const& value : values_) value(bound, connection, limits);
    }

    friend filter operator&&(filter left, filter const& right) { return joined(std::move(left), " AND ", right); }
    friend filter operator||(filter left, filter const& right) {
        // What holds for all rows does so beside any other condition.
        if (left.empty() || right.empty()) return {};
        return joined(std::move(left), " OR ", right);
    }
    friend filter operator!(filter condition) {
        if (condition.empty()) throw usage_error("an empty filter holds for all rows, and has no opposite");
        condition.parts_.front().insert(0, "NOT (");
        condition.parts_.back() += ")";
        return condition;
    }

private:
    template <class Field>
    friend class filter_operand;

    explicit filter(std::string sql) { parts_.push_back(std::move(sql)); }

    /// Appends a value, and the SQL behind it.
    template <class Value>
    filter add(Value value, std::string_view behind = {}) && {
        values_.push_back([value = std::move(value)](parameters& bound, connection& connection, limits const& limits) {
            detail::bind_one(bound, connection, limits, value);
        });
        parts_.emplace_back(behind);
        return std::move(*this);
    }

    [[nodiscard]] static filter joined(filter left, std::string_view operation, filter const& right) {
        if (left.empty()) return right;
        if (right.empty()) return left;
        left.parts_.front().insert(0, "(");
        left.parts_.back().append(operation).append(right.parts_.front());
        left.parts_.insert(left.parts_.end(), right.parts_.begin() + 1, right.parts_.end());
        left.parts_.back() += ")";
        left.values_.insert(left.values_.end(), right.values_.begin(), right.values_.end());
        return left;
    }

    std::vector<std::string> parts_{};  ///< the SQL before, between and behind the values: one more than there are values
    std::vector<std::function<void(parameters&, connection&, limits const&)>> values_{};
};

/// A column in a condition, made by `where`. `Field`: the type of its field, to which values are converted; `void` where the column is only
/// named, and values are bound as what they are. NULL compares as it does in SQL: a row whose column is NULL satisfies no comparison.
template <class Field>
class filter_operand {
public:
    /// Throws `usage_error` for what cannot be a name.
    explicit filter_operand(std::string_view column) : column_(quote_identifier(column)) {}

    template <class Value>
    [[nodiscard]] filter operator==(Value const& value) const {
        return compared(" = ", value);
    }
    template <class Value>
    [[nodiscard]] filter operator!=(Value const& value) const {
        return compared(" <> ", value);
    }
    template <class Value>
    [[nodiscard]] filter operator<(Value const& value) const {
        return compared(" < ", value);
    }
    template <class Value>
    [[nodiscard]] filter operator<=(Value const& value) const {
        return compared(" <= ", value);
    }
    template <class Value>
    [[nodiscard]] filter operator>(Value const& value) const {
        return compared(" > ", value);
    }
    template <class Value>
    [[nodiscard]] filter operator>=(Value const& value) const {
        return compared(" >= ", value);
    }

    /// From `low` to `high`, both included.
    template <class Low, class High>
    [[nodiscard]] filter between(Low const& low, High const& high) const {
        return filter(column_ + " BETWEEN ").add(kept(low), " AND ").add(kept(high));
    }
    /// One of the values of a range.
    template <std::ranges::input_range Values>
    [[nodiscard]] filter in(Values const& values) const {
        std::vector<decltype(kept(*std::ranges::begin(values)))> all;
        for (auto const& value : values) all.push_back(kept(value));
        return filter(column_ + " = ANY (").add(std::move(all), ")");
    }
    template <class Value>
    [[nodiscard]] filter in(std::initializer_list<Value> values) const {
        return in(std::vector<Value>(values));
    }

    /// By SQL's pattern: `%` for any text, `_` for one character.
    [[nodiscard]] filter like(std::string_view pattern) const { return filter(column_ + " LIKE ").add(std::string(pattern)); }
    [[nodiscard]] filter is_null() const { return filter(column_ + " IS NULL"); }
    [[nodiscard]] filter is_not_null() const { return filter(column_ + " IS NOT NULL"); }

private:
    template <class Value>
    [[nodiscard]] static auto kept(Value const& value) {
        if constexpr (!std::is_void_v<Field>) {
            using wanted = typename field_traits<Field>::value;
            static_assert(std::is_convertible_v<Value const&, wanted>, "isorow: the value cannot be converted to the type of the field");
            return detail::owned(static_cast<wanted>(value));
        } else if constexpr (std::convertible_to<Value const&, std::string_view>) {
            return std::string(std::string_view(value));
        } else {
            return value;
        }
    }

    template <class Value>
    [[nodiscard]] filter compared(std::string_view operation, Value const& value) const {
        return filter(column_ + std::string(operation)).add(kept(value));
    }

    std::string column_;
};

/// A column by its name.
[[nodiscard]] inline filter_operand<void> where(std::string_view column) { return filter_operand<void>(column); }

/// The column of a field: `where<&Product::price>() > 10.0`.
template <auto Member>
[[nodiscard]] auto where() {
    using row = reflect::struct_of<Member>;
    constexpr auto place = reflect::index_of<Member>;
    return filter_operand<reflect::field_type<row, place>>(columns_of<row>[place].name);
}

}  // namespace isorow::inline v1
