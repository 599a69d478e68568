#pragma once

/// @file
/// References to the fields of a struct, by Boost.PFR. Its functions that take the number of fields are used, rather than those that count
/// them first.

#include <boost/pfr/core.hpp>

#include <cstddef>

namespace isorow::inline v1::reflect::detail {

/// References to all `Count` fields of a value, in order.
template <std::size_t Count, class T>
constexpr auto tie(T& value) noexcept {
    using count = boost::pfr::detail::size_t_<Count>;
    if constexpr (requires { boost::pfr::detail::tie_as_tuple(value, count{}); }) return boost::pfr::detail::tie_as_tuple(value, count{});
    else return boost::pfr::detail::tie_as_tuple(value);
}

/// One of them.
template <std::size_t Index, class References>
constexpr auto& get(References const& references) noexcept {
    return boost::pfr::detail::sequence_tuple::get<Index>(references);
}

}  // namespace isorow::inline v1::reflect::detail
