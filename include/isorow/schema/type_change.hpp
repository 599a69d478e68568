#pragma once

/// @file
/// What becomes of a column's values when its type changes.

#include <isorow/types/column_type.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isorow::inline v1 {

/// Reads a type as `format_type` prints it, which has the precision of times in the middle: `timestamp(3) without time zone`. Returns
/// false, with `type` as it was, for types that isorow does not know.
[[nodiscard]] inline bool read_live_type(std::string_view printed, column_type& type) {
    std::string spelled(printed);
    auto const open = spelled.find('(');
    auto const close = spelled.find(") ");
    if (open != std::string::npos && close != std::string::npos && open < close) {
        auto const modifier = spelled.substr(open, close + 1 - open);
        spelled.erase(open, modifier.size());
        spelled.insert(spelled.ends_with("[]") ? spelled.size() - 2 : spelled.size(), modifier);
    }
    return parse_column_type(spelled, type);
}

namespace detail {

/// The type with the modifiers that Postgres adds where none are written: `numeric(10)` is `numeric(10,0)`, `character` `character(1)`.
[[nodiscard]] constexpr column_type with_implied_modifiers(column_type type) noexcept {
    if (type.id == type_id::numeric && type.first_modifier >= 0 && type.second_modifier < 0) type.second_modifier = 0;
    if ((type.id == type_id::bpchar || type.id == type_id::bit) && type.first_modifier < 0) type.first_modifier = 1;
    return type;
}

/// Appends a type as `is_type` reads it: one of the user's without its schema.
template <class Text>
constexpr void append_printed(Text& text, column_type const& type) {
    if (type.user == nullptr) return append_sql(text, type);
    append_quoted(text, type.user->name);
    if (type.array) text += std::string_view("[]");
}

}  // namespace detail

/// Whether a live column's type, as `format_type` prints it, is the declared one. One of the user's is printed without its schema, and its
/// name in quotes only where it needs them.
[[nodiscard]] constexpr bool is_type(column_type const& declared, std::string_view printed) {
    if (declared.user != nullptr) {
        std::string quoted;
        detail::append_printed(quoted, declared);
        if (printed == quoted) return true;
        if (declared.array != printed.ends_with("[]")) return false;
        return printed.substr(0, printed.size() - (declared.array ? 2 : 0)) == declared.user->name;
    }
    column_type live;
    return parse_column_type(printed, live) && detail::with_implied_modifiers(live) == detail::with_implied_modifiers(declared);
}

/// What a change of a column's type does to the values that are there.
enum class type_change : std::uint8_t {
    keeps,     ///< every value stays what it is, and so do its bytes: the table is not rewritten
    rewrites,  ///< every value stays what it is, in other bytes
    converts,  ///< values become others, by a cast that is right for them (an embedding's to half precision) or by the user's expression
    loses,     ///< no value can be carried over: an embedding of another dimension
    unknown,   ///< only the user can say how
};

namespace detail {

[[nodiscard]] constexpr bool is_embedding(type_id id) noexcept { return id == type_id::vector || id == type_id::halfvec; }

/// Between embeddings of which one at least is sparse. To a sparse one from another there is no exact way back: it has one zero only.
[[nodiscard]] constexpr type_change change_of_sparse(column_type const& from, column_type const& to) noexcept {
    if (to.first_modifier >= 0 && from.first_modifier < 0) return type_change::unknown;
    if (to.first_modifier >= 0 && from.first_modifier != to.first_modifier) return type_change::loses;
    if (from.id == to.id) return type_change::keeps;
    return to.id == type_id::vector && from.first_modifier >= 0 && from.first_modifier <= 16000 ? type_change::rewrites
                                                                                                : type_change::unknown;
}

/// Between strings of bits; a `bit(n)` is a `varbit` of n bits, and the same bytes.
[[nodiscard]] constexpr type_change change_of_bits(column_type const& from, column_type const& to) noexcept {
    bool const has_place = to.first_modifier < 0 || (from.first_modifier >= 0 && to.first_modifier >= from.first_modifier);
    if (to.id == type_id::bit || !has_place) return type_change::unknown;
    return from.id == to.id || to.first_modifier < 0 ? type_change::keeps : type_change::rewrites;
}

[[nodiscard]] constexpr bool is_bits(type_id id) noexcept { return id == type_id::bit || id == type_id::varbit; }

/// How many decimal digits the values of an integer type have at most; 0 for other types.
[[nodiscard]] constexpr std::int32_t integer_digits(type_id id) noexcept {
    return id == type_id::int2 ? 5 : id == type_id::int4 ? 10 : id == type_id::int8 ? 19 : 0;
}

/// Whether a length or precision has room for another one; none is written where there is no limit.
[[nodiscard]] constexpr bool has_room(std::int32_t modifier, std::int32_t former) noexcept {
    return modifier < 0 || (former >= 0 && modifier >= former);
}

/// Whether `numeric` with these modifiers has room for so many digits before the point and behind it.
[[nodiscard]] constexpr bool has_digits(column_type const& to, std::int32_t whole, std::int32_t fraction) noexcept {
    return to.first_modifier < 0 || (to.second_modifier >= fraction && to.first_modifier - to.second_modifier >= whole);
}

[[nodiscard]] constexpr type_change change_of_numeric(column_type const& from, column_type const& to) noexcept {
    if (to.first_modifier < 0) return type_change::keeps;
    if (from.first_modifier < 0 || !has_digits(to, from.first_modifier - from.second_modifier, from.second_modifier))
        return type_change::unknown;
    return from.second_modifier == to.second_modifier ? type_change::keeps : type_change::rewrites;
}

[[nodiscard]] constexpr type_change change_of_text(column_type const& from, column_type const& to) noexcept {
    bool const fits = to.id == type_id::text || has_room(to.first_modifier, from.first_modifier);
    if (!fits || to.id == type_id::citext) return type_change::unknown;
    if (from.id == type_id::bpchar) return type_change::rewrites;
    return to.id == type_id::bpchar ? type_change::unknown : type_change::keeps;
}

[[nodiscard]] constexpr type_change change_of_embedding(column_type const& from, column_type const& to) noexcept {
    if (to.first_modifier >= 0 && from.first_modifier < 0) return type_change::unknown;
    if (to.first_modifier >= 0 && from.first_modifier != to.first_modifier) return type_change::loses;
    if (from.id == to.id) return type_change::keeps;
    return to.id == type_id::vector ? type_change::rewrites : type_change::converts;
}

[[nodiscard]] constexpr bool is_text(type_id id) noexcept {
    return id == type_id::text || id == type_id::varchar || id == type_id::bpchar || id == type_id::citext;
}

[[nodiscard]] constexpr bool has_precision(type_id id) noexcept {
    return id == type_id::time || id == type_id::timetz || id == type_id::timestamp || id == type_id::timestamptz ||
           id == type_id::interval;
}

/// Six digits are what times have where no precision is written.
[[nodiscard]] constexpr std::int32_t precision_of(column_type const& type) noexcept {
    return type.first_modifier < 0 ? 6 : type.first_modifier;
}

[[nodiscard]] constexpr type_change change_of_number(column_type const& from, column_type const& to) noexcept {
    auto const digits = integer_digits(from.id);
    if (digits > 0 && integer_digits(to.id) > digits) return type_change::rewrites;
    if (digits > 0 && to.id == type_id::numeric && has_digits(to, digits, 0)) return type_change::rewrites;
    // A double has 53 bits for digits, a real 24.
    if (to.id == type_id::float8 && (from.id == type_id::float4 || (digits > 0 && digits <= 10))) return type_change::rewrites;
    if (to.id == type_id::float4 && from.id == type_id::int2) return type_change::rewrites;
    return type_change::unknown;
}

[[nodiscard]] constexpr type_change change_of_scalar(column_type const& from, column_type const& to) noexcept {
    if (from == to) return type_change::keeps;
    if (is_embedding(from.id) && is_embedding(to.id)) return change_of_embedding(from, to);
    if (from.id == type_id::sparsevec && (is_embedding(to.id) || to.id == type_id::sparsevec)) return change_of_sparse(from, to);
    if (is_bits(from.id) && is_bits(to.id)) return change_of_bits(from, to);
    if (from.id == type_id::cidr && to.id == type_id::inet) return type_change::rewrites;  // the same address, which says that it is none
    if (from.id == type_id::numeric && to.id == type_id::numeric) return change_of_numeric(from, to);
    if (is_text(from.id) && is_text(to.id)) return change_of_text(from, to);
    if (from.id == to.id && has_precision(to.id)) return precision_of(to) >= precision_of(from) ? type_change::keeps : type_change::unknown;
    if (from.id == type_id::date && to.id == type_id::timestamp) return type_change::rewrites;
    return change_of_number(from, to);
}

}  // namespace detail

/// What a change from one type to another does. Only what is certain is said to keep the values: json to jsonb loses their spelling,
/// timestamp to timestamptz depends on the session's time zone. Source: the manual, "ALTER TABLE", and the casts' support functions
/// (`varchar_support`, `numeric_support`, `timestamp_support` …), by which Postgres finds that it need not rewrite.
[[nodiscard]] constexpr type_change change_of_type(column_type const& from, column_type const& to) noexcept {
    if (from.array != to.array) return type_change::unknown;
    auto const change = detail::change_of_scalar(detail::with_implied_modifiers(from), detail::with_implied_modifiers(to));
    if (!from.array || change == type_change::unknown) return change;
    // An array is rewritten as a whole, and pgvector has no casts from array to array.
    return detail::is_embedding(from.id) || from.id == type_id::sparsevec ? type_change::unknown : type_change::rewrites;
}

}  // namespace isorow::inline v1
