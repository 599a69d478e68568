#pragma once

#include <isorow/codec/codec.hpp>
#include <isorow/codec/scalars.hpp>
#include <isorow/pq/connection.hpp>
#include <isorow/pq/parameters.hpp>
#include <isorow/types/field.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

namespace isorow::inline v1 {

namespace detail {

/// What an argument is bound as: literals and views of text as text, all else as its own type.
template <class Argument>
using bound_type =
    std::conditional_t<std::convertible_to<Argument const&, std::string_view>, std::string_view, std::remove_cvref_t<Argument>>;

template <class Argument>
void bind_one(parameters& bound, connection& connection, limits const& limits, Argument const& argument) {
    if constexpr (std::convertible_to<Argument const&, std::string_view>) {
        using text_codec = codec<std::string_view, column_type{type_id::text}>;
        encode<text_codec>(std::string_view(argument), bound.add(entry_of(type_id::text).oid));
        bound.end();
    } else {
        using traits = field_traits<Argument>;
        static_assert(traits::has_type,
                      "isorow: this argument's type has no Postgres type of its own; docs/types.md lists those that have one");
        constexpr auto type = traits::type;
        auto oid = type.oid();
        if constexpr (type.oid() == 0) oid = connection.types().learn(connection, entry_of(type.id).catalog_name, limits);
        if (!traits::has_value(argument)) return bound.add_null(oid);
        encode<codec<typename traits::value, type>>(traits::get(argument), bound.add(oid));
        bound.end();
    }
}

}  // namespace detail

/// The arguments of a statement in binary, each with its type's OID, for `$1`, `$2` and so on. Throws `unrepresentable`, with the
/// parameter's number, for a value that its type cannot hold.
template <class... Arguments>
[[nodiscard]] parameters bind_parameters(connection& connection, limits const& limits, Arguments const&... arguments) {
    parameters bound;
    [[maybe_unused]] int number = 0;
    [[maybe_unused]] auto const bind_next = [&](auto const& argument) {
        ++number;
        try {
            detail::bind_one(bound, connection, limits, argument);
        } catch (value_error const& failure) {
            failure.rethrow_at(text("parameter ${}", number));
        }
    };
    (bind_next(arguments), ...);
    return bound;
}

}  // namespace isorow::inline v1
