#pragma once

/// @file
/// Conditions on records: `where("age") > 18 && !where("address.city").in({"Rome", "Paris"})`.

#include <isorow/json/date_time.hpp>
#include <isorow/json/value.hpp>
#include <isorow/records/operation.hpp>
#include <isorow/records/path.hpp>
#include <isorow/reflect/member.hpp>
#include <isorow/schema/table.hpp>
#include <isorow/types/uuid.hpp>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace isorow::inline v1::records {

/// A moment, as records' times are.
using moment = std::chrono::sys_time<std::chrono::microseconds>;

/// What a place in a record is compared with. A moment is compared with texts that are times in ISO 8601, whatever their offset; a JSON
/// value with values of its own kind.
using comparand = std::variant<boost::json::value, moment>;

/// A condition on a record. Empty where it was made by default: it holds for all records then. It is data, the same for each backend, and
/// holds copies of its values.
///
/// A condition holds or it does not; there is no third answer. Where the place is not there, or has a value of another kind, a comparison
/// does not hold, and its negation does: `where("age") != 5` is `!(where("age") == 5)`, and holds for records without an age. Numbers are
/// compared as numbers, texts by their bytes, moments as moments, and `false` is less than `true`.
class filter {
public:
    /// What joins the conditions below.
    enum class joint : std::uint8_t { comparison, all, any, none };

    filter() = default;

    /// A condition whose operation is known at run time: `filter("age", operation::ge, 18)`, `filter("age", operation::in, {18, 21})`,
    /// `filter("age", operation::exists)`. The values of `in` and `between` are the elements of a list. Throws as `of`.
    filter(path place, enum operation operation, boost::json::value const& value = nullptr);

    /// The same with values that may be moments. Throws `usage_error` where the operation takes other values: a regular expression that is
    /// a number, a pattern that ends within an escape, two values where it takes one; `unrepresentable` for what no document has.
    [[nodiscard]] static filter of(path place, enum operation operation, std::vector<comparand> values);

    [[nodiscard]] bool empty() const noexcept { return joint_ == joint::all && parts_.empty(); }

    [[nodiscard]] enum joint joint() const noexcept { return joint_; }
    /// Of a comparison: its place, operation (never one that negates) and values.
    [[nodiscard]] path const& place() const noexcept { return *place_; }
    [[nodiscard]] enum operation operation() const noexcept { return operation_; }
    [[nodiscard]] std::vector<comparand> const& values() const noexcept { return values_; }
    /// What is joined; of `none`, which negates, the one condition.
    [[nodiscard]] std::vector<filter> const& parts() const noexcept { return parts_; }

    friend filter operator&&(filter left, filter right) {
        if (left.empty()) return right;
        if (right.empty()) return left;
        return joined(joint::all, std::move(left), std::move(right));
    }
    friend filter operator||(filter left, filter right) {
        // What holds for all records does so beside any other condition.
        if (left.empty() || right.empty()) return {};
        return joined(joint::any, std::move(left), std::move(right));
    }
    /// Throws `usage_error` for an empty one.
    friend filter operator!(filter condition) {
        if (condition.empty()) throw usage_error("an empty filter holds for all records, and has no opposite");
        if (condition.joint_ == joint::none) return std::move(condition.parts_.front());
        filter negated;
        negated.joint_ = joint::none;
        negated.depth_ = deeper(condition.depth_);
        negated.parts_.push_back(std::move(condition));
        return negated;
    }

private:
    /// The deepest nesting: each level takes stack where it is looked at.
    static constexpr std::size_t depth_limit = 256;

    [[nodiscard]] static std::size_t deeper(std::size_t depth) {
        if (depth + 1 > depth_limit) throw usage_error(text("a filter is nested deeper than {} levels", depth_limit));
        return depth + 1;
    }

    /// Chains of the same joint stay flat.
    [[nodiscard]] static filter joined(enum joint joint, filter left, filter right) {
        filter whole;
        whole.joint_ = joint;
        if (left.joint_ == joint) whole = std::move(left);
        else whole.parts_.push_back(std::move(left));
        if (right.joint_ == joint) std::ranges::move(right.parts_, std::back_inserter(whole.parts_));
        else whole.parts_.push_back(std::move(right));
        std::size_t deepest = 0;
        for (auto const& part : whole.parts_) deepest = std::max(deepest, part.depth_);
        whole.depth_ = deeper(deepest);
        return whole;
    }

    enum joint joint_ = joint::all;
    std::optional<path> place_{};
    enum operation operation_ = operation::exists;
    std::vector<comparand> values_{};
    std::vector<filter> parts_{};
    std::size_t depth_ = 0;
};

namespace detail {

/// A pattern whose last backslash has a character behind it.
[[nodiscard]] inline bool is_whole_pattern(std::string_view pattern) noexcept {
    bool is_escape = false;
    for (char const character : pattern) is_escape = character == '\\' && !is_escape;
    return !is_escape;
}

inline void check_values(operation operation, std::vector<comparand> const& values) {
    using enum records::operation;
    bool const takes_none = operation == exists || operation == is_null;
    std::size_t const count = takes_none ? 0 : operation == between ? 2 : 1;
    if (operation != in && values.size() != count)
        throw usage_error(text("this operation of a filter takes {} values, not {}", count, values.size()));
    for (auto const& value : values) {
        auto const* const json = std::get_if<boost::json::value>(&value);
        if (json == nullptr ? takes_text(operation) : takes_text(operation) && !json->is_string())
            throw usage_error("this operation of a filter takes a text");
        if (json == nullptr && (operation == has || operation == includes))
            throw usage_error("this operation of a filter takes a JSON value, not a moment; a time in a document is a text");
        // What no record can have is refused in the words of JSON's writer: NUL, NaN, invalid UTF-8, too many levels.
        if (json != nullptr) static_cast<void>(to_json_text(*json));
        bool const is_pattern = operation == like || operation == ilike;
        if (is_pattern && !is_whole_pattern(std::string_view(json->get_string())))
            throw usage_error("the pattern ends with a backslash; for the character itself write it twice");
    }
}

}  // namespace detail

inline filter filter::of(path place, enum operation operation, std::vector<comparand> values) {
    auto const [is_negative, positive] = detail::opposite_of(operation);
    detail::check_values(positive, values);
    if (place.is_in_document() && place.steps().empty())
        throw usage_error("a filter asks of a place in a document, such as metadata.source, and not of all of the document");
    filter made;
    made.joint_ = joint::comparison;
    made.place_ = std::move(place);
    made.operation_ = positive;
    made.values_ = std::move(values);
    return is_negative ? !std::move(made) : made;
}

inline filter::filter(path place, enum operation operation, boost::json::value const& value) {
    using enum records::operation;
    auto const positive = detail::opposite_of(operation).positive;
    std::vector<comparand> values;
    if (positive == in || positive == between) {
        if (!value.is_array()) throw usage_error("the values of this operation of a filter are given as a list");
        values.assign(value.get_array().begin(), value.get_array().end());
    } else if (positive != exists && positive != is_null) {
        values.emplace_back(value);
    }
    *this = of(std::move(place), operation, std::move(values));
}

namespace detail {

template <class Value>
inline constexpr bool is_system_time = false;
template <class Duration>
inline constexpr bool is_system_time<std::chrono::sys_time<Duration>> = !std::same_as<Duration, std::chrono::days>;

/// The value as it stands in a record; of a time the microsecond that it is in.
template <class Value>
[[nodiscard]] comparand comparand_of(Value const& value) {
    if constexpr (std::same_as<Value, boost::json::value>) return value;
    else if constexpr (std::same_as<Value, std::nullptr_t>) return boost::json::value(nullptr);
    else if constexpr (std::same_as<Value, boost::json::array> || std::same_as<Value, boost::json::object>)
        return boost::json::value(value);
    else if constexpr (std::convertible_to<Value const&, std::string_view>) return boost::json::value(std::string_view(value));
    else if constexpr (is_system_time<Value>) return std::chrono::floor<moment::duration>(value);
    else return to_json(value);
}

}  // namespace detail

/// A place in a condition, made by `where`. `Field`: the type of its field, to which values are converted, and in whose form they are
/// compared; `void` where the place is only named.
template <class Field>
class operand {
public:
    explicit operand(path place) : place_(std::move(place)) {}

    template <class Value>
    [[nodiscard]] filter operator==(Value const& value) const {
        return compared(operation::eq, value);
    }
    template <class Value>
    [[nodiscard]] filter operator!=(Value const& value) const {
        return compared(operation::ne, value);
    }
    template <class Value>
    [[nodiscard]] filter operator<(Value const& value) const {
        return compared(operation::lt, value);
    }
    template <class Value>
    [[nodiscard]] filter operator<=(Value const& value) const {
        return compared(operation::le, value);
    }
    template <class Value>
    [[nodiscard]] filter operator>(Value const& value) const {
        return compared(operation::gt, value);
    }
    template <class Value>
    [[nodiscard]] filter operator>=(Value const& value) const {
        return compared(operation::ge, value);
    }

    /// From `low` to `high`, both included.
    template <class Low, class High>
    [[nodiscard]] filter between(Low const& low, High const& high) const {
        return filter::of(place_, operation::between, {kept(low), kept(high)});
    }

    /// One of the values of a range; of none where it is empty.
    template <std::ranges::input_range Values>
    [[nodiscard]] filter in(Values const& values) const {
        std::vector<comparand> all;
        for (auto const& value : values) all.push_back(kept(value));
        return filter::of(place_, operation::in, std::move(all));
    }
    template <class Value>
    [[nodiscard]] filter in(std::initializer_list<Value> values) const {
        return in(std::ranges::subrange(values.begin(), values.end()));
    }

    /// By SQL's pattern: `%` for any text, `_` for one character, `\` before either for itself.
    [[nodiscard]] filter like(std::string_view pattern) const { return of_text(operation::like, pattern); }
    /// The same where capitals and small letters of ASCII are one, on each backend; other letters are themselves.
    [[nodiscard]] filter ilike(std::string_view pattern) const { return of_text(operation::ilike, pattern); }
    /// A regular expression that matches a part of the text. What is in Postgres' and in Perl's alike is read alike by each backend:
    /// `. * + ? {2,3} | ( ) [a-z] ^ $ \d \s \w`.
    [[nodiscard]] filter matches(std::string_view expression) const { return of_text(operation::regex, expression); }
    [[nodiscard]] filter starts_with(std::string_view text) const { return of_text(operation::starts_with, text); }
    /// The text has this text in it.
    [[nodiscard]] filter contains(std::string_view text) const { return of_text(operation::contains, text); }

    /// The list has an element that is this value.
    template <class Value>
    [[nodiscard]] filter has(Value const& value) const {
        return filter::of(place_, operation::has, {detail::comparand_of(value)});
    }
    /// The value includes this one, as Postgres' `@>` has it: an object these members, a list these elements in any order.
    [[nodiscard]] filter includes(boost::json::value value) const { return filter::of(place_, operation::includes, {std::move(value)}); }

    /// The place is there, with null or any other value.
    [[nodiscard]] filter exists() const { return filter::of(place_, operation::exists, {}); }
    /// The value is null, or not there.
    [[nodiscard]] filter is_null() const { return filter::of(place_, operation::is_null, {}); }
    [[nodiscard]] filter is_not_null() const { return !is_null(); }

private:
    template <class Value>
    [[nodiscard]] static comparand kept(Value const& value) {
        if constexpr (std::is_void_v<Field>) {
            return detail::comparand_of(value);
        } else {
            using wanted = typename field_traits<Field>::value;
            if constexpr (std::same_as<wanted, std::string>) {
                static_assert(std::convertible_to<Value const&, std::string_view>, "isorow: the field is a text; compare it with one");
                return boost::json::value(std::string_view(value));
            } else if constexpr (std::same_as<wanted, moment> && detail::is_system_time<Value>) {
                return detail::comparand_of(value);
            } else {
                static_assert(std::convertible_to<Value const&, wanted>, "isorow: the value cannot be converted to the type of the field");
                return detail::comparand_of<wanted>(static_cast<wanted>(value));
            }
        }
    }
    template <class Value>
    [[nodiscard]] filter compared(operation operation, Value const& value) const {
        return filter::of(place_, operation, {kept(value)});
    }
    [[nodiscard]] filter of_text(operation operation, std::string_view text) const {
        return filter::of(place_, operation, {boost::json::value(text)});
    }

    path place_;
};

/// A place by its path: `where("address.city")`, `where("metadata.version")`, `where("fields->>'name'")`, `where("id")`.
[[nodiscard]] inline operand<void> where(path place) { return operand<void>(std::move(place)); }

/// The place of a struct's field, by its column's name: `where<&Person::age>() > 18`.
template <auto Member>
[[nodiscard]] auto where() {
    using owner = reflect::struct_of<Member>;
    constexpr auto place = reflect::index_of<Member>;
    return operand<reflect::field_type<owner, place>>(path::of_field(std::string(columns_of<owner>[place].name)));
}

/// When the record was made, and last written: `created_at() > yesterday`.
[[nodiscard]] inline operand<moment> created_at() { return operand<moment>(path::of(part::created_at)); }
[[nodiscard]] inline operand<moment> updated_at() { return operand<moment>(path::of(part::updated_at)); }

}  // namespace isorow::inline v1::records
