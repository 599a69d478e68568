#pragma once

#include <cstdint>
#include <string_view>

namespace isorow::inline v1::records {

/// What a condition asks of a place.
enum class operation : std::uint8_t {
    eq,
    ne,
    lt,
    le,
    gt,
    ge,
    in,
    not_in,
    between,
    not_between,
    like,
    not_like,
    ilike,
    not_ilike,
    regex,
    not_regex,
    starts_with,
    contains,  ///< a text has a text in it
    has,       ///< a list has an element
    includes,  ///< a document has all of another: Postgres' `@>`
    exists,
    not_exists,
    is_null,  ///< null, or not there
    is_not_null,
};

namespace detail {

/// Whether the operation is the opposite of another, and of which.
struct opposite {
    bool is_negative = false;
    operation positive = operation::eq;
};

[[nodiscard]] constexpr opposite opposite_of(operation operation) noexcept {
    using enum records::operation;
    switch (operation) {
        case ne:
            return {true, eq};
        case not_in:
            return {true, in};
        case not_between:
            return {true, between};
        case not_like:
            return {true, like};
        case not_ilike:
            return {true, ilike};
        case not_regex:
            return {true, regex};
        case not_exists:
            return {true, exists};
        case is_not_null:
            return {true, is_null};
        default:
            return {false, operation};
    }
}

[[nodiscard]] constexpr bool takes_text(operation operation) noexcept {
    using enum records::operation;
    return operation == like || operation == ilike || operation == regex || operation == starts_with || operation == contains;
}

}  // namespace detail

}  // namespace isorow::inline v1::records
