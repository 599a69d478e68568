#pragma once

/// @file
/// The list of all C++ types that are columns of their own. A line here gives a type its tests: the properties of its codec on a server,
/// its row in docs/types.md, its fuzz target with the corpus for it.

#include <isorow/codec/scalars.hpp>
#include <isorow/json.hpp>
#include <isorow/types/annotated.hpp>
#include <isorow/types/mapping.hpp>
#include <support/random_networks_and_ranges.hpp>
#include <support/random_values.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace test {

/// A C++ type in a column of its default type.
template <class T>
struct value_type {
    using type = T;

    std::string_view name;     ///< as docs/types.md writes it
    std::string_view example;  ///< as docs/types.md writes it
    T value;                   ///< of that example
    rc::Gen<T> values;         ///< random ones
};

template <class T>
[[nodiscard]] value_type<T> type(std::string_view name, std::string_view example, std::type_identity_t<T> value, rc::Gen<T> values) {
    return {name, example, std::move(value), std::move(values)};
}

/// An example as it is written, and its value.
#define ISOROW_SHOWN(...) #__VA_ARGS__, __VA_ARGS__

/// A struct that is stored as a document.
struct address {
    std::string city;
    std::optional<std::int32_t> number;

    friend bool operator==(address const&, address const&) = default;
};

/// Random documents.
inline rc::Gen<address> addresses() {
    return rc::gen::map(rc::gen::tuple(random::texts(), random::booleans(), random::integers<std::int32_t>()),
                        [](std::tuple<std::string, bool, std::int32_t> const& parts) {
                            auto const& [city, has_number, number] = parts;
                            return address{city, has_number ? std::optional(number) : std::nullopt};
                        });
}

/// The list. To add a type, add a line: `type<T>(its name, ISOROW_SHOWN(an example), a generator of random values)`.
[[nodiscard]] inline auto const& value_types() {
    using namespace std::chrono_literals;
    using namespace random;
    using isorow::bit, isorow::cidr, isorow::date, isorow::halfvec, isorow::hstore, isorow::inet, isorow::interval, isorow::jsonb,
        isorow::macaddr, isorow::macaddr8, isorow::multirange, isorow::numeric, isorow::range, isorow::sparsevec, isorow::time,
        isorow::timestamp, isorow::timestamptz, isorow::timetz, isorow::uuid, isorow::varbit, isorow::vector;
    using std::chrono::local_days, std::chrono::microseconds, std::chrono::sys_days, std::chrono::year_month_day;
    using local_time = std::chrono::local_time<microseconds>;
    using sys_time = std::chrono::sys_time<microseconds>;
    using bytes = std::vector<std::byte>;
    using texts_of_array = std::vector<std::string>;
    // clang-format off
    static std::tuple const types{
        type<bool>("bool", ISOROW_SHOWN(true), booleans()),
        type<std::int16_t>("std::int16_t", ISOROW_SHOWN(7), integers<std::int16_t>()),
        type<std::int32_t>("std::int32_t", ISOROW_SHOWN(7), integers<std::int32_t>()),
        type<std::int64_t>("std::int64_t", ISOROW_SHOWN(7), integers<std::int64_t>()),
        type<std::uint16_t>("std::uint16_t", ISOROW_SHOWN(65'535), integers<std::uint16_t>()),
        type<std::uint32_t>("std::uint32_t", ISOROW_SHOWN(4'000'000'000), integers<std::uint32_t>()),
        type<float>("float", ISOROW_SHOWN(1.5f), floats<float>()),
        type<double>("double", ISOROW_SHOWN(1.5), floats<double>()),
        type<numeric>("isorow::numeric", ISOROW_SHOWN(*numeric::parse("12.50")), numerics()),
        type<std::string>("std::string", ISOROW_SHOWN("lamp"), texts()),
        type<bytes>("std::vector<std::byte>", ISOROW_SHOWN({std::byte{0}, std::byte{255}}), byte_strings()),
        type<uuid>("isorow::uuid", ISOROW_SHOWN(*uuid::parse("550e8400-e29b-41d4-a716-446655440000")), uuids()),
        type<year_month_day>("std::chrono::year_month_day", ISOROW_SHOWN(2026y / 11 / 20),
                             rc::gen::map(calendar_days(), [](sys_days day) { return year_month_day(day); })),
        type<sys_days>("std::chrono::sys_days", ISOROW_SHOWN(sys_days(2026y / 11 / 20)), calendar_days()),
        type<date>("isorow::date", ISOROW_SHOWN(date::infinity()), dates()),
        type<time>("isorow::time", ISOROW_SHOWN(time(24h)), times()),
        type<timetz>("isorow::timetz", ISOROW_SHOWN(timetz(time(13h), 2h)), times_with_offset()),
        type<local_time>("std::chrono::local_time<microseconds>", ISOROW_SHOWN(local_days(2026y / 11 / 20) + 22h), time_points<local_time>()),
        type<timestamp>("isorow::timestamp", ISOROW_SHOWN(timestamp::infinity()), timestamps<timestamp>()),
        type<sys_time>("std::chrono::sys_time<microseconds>", ISOROW_SHOWN(sys_days(2026y / 11 / 20) + 22h), time_points<sys_time>()),
        type<timestamptz>("isorow::timestamptz", ISOROW_SHOWN(timestamptz::minus_infinity()), timestamps<timestamptz>()),
        type<microseconds>("std::chrono::microseconds", ISOROW_SHOWN(90min), durations()),
        type<interval>("isorow::interval", ISOROW_SHOWN(interval(14, 3, 0)), intervals()),
        type<inet>("isorow::inet", ISOROW_SHOWN(*inet::parse("10.0.0.1/8")), addresses_of_hosts()),
        type<cidr>("isorow::cidr", ISOROW_SHOWN(*cidr::parse("10.0.0.0/8")), networks()),
        type<macaddr>("isorow::macaddr", ISOROW_SHOWN(*macaddr::parse("08:00:2b:01:02:03")), hardware_addresses<macaddr, 6>()),
        type<macaddr8>("isorow::macaddr8", ISOROW_SHOWN(*macaddr8::parse("08:00:2b:ff:fe:01:02:03")), hardware_addresses<macaddr8, 8>()),
        type<bit<4>>("isorow::bit<N>", ISOROW_SHOWN(*bit<4>::parse("0101")), bits_of_size<4>()),
        type<varbit>("isorow::varbit", ISOROW_SHOWN(*varbit::parse("010")), bit_strings()),
        type<range<std::int32_t>>("isorow::range<std::int32_t>", ISOROW_SHOWN(range<std::int32_t>{1, 10}), ranges<std::int32_t>()),
        type<multirange<std::int32_t>>("isorow::multirange<std::int32_t>", ISOROW_SHOWN(multirange<std::int32_t>{{1, 3}, {5, 7}}),
                                       multiranges<std::int32_t>()),
        type<texts_of_array>("std::vector<std::string>", ISOROW_SHOWN({"a", "b"}), lists<texts_of_array>(texts())),
        type<vector<2>>("isorow::vector<N>", ISOROW_SHOWN(vector<2>{1, 2}), vectors<vector<2>>(elements<false>())),
        type<halfvec<2>>("isorow::halfvec<N>", ISOROW_SHOWN(halfvec<2>{1, 2}), vectors<halfvec<2>>(elements<true>())),
        type<sparsevec<5>>("isorow::sparsevec<N>", ISOROW_SHOWN(sparsevec<5>{{0, 1.5f}, {3, -2}}), sparse_vectors<5>()),
        type<hstore>("isorow::hstore", ISOROW_SHOWN(hstore{{"a", "1"}, {"b", std::nullopt}}), maps_of_texts()),
        type<jsonb<texts_of_array>>("isorow::jsonb<T>", ISOROW_SHOWN(jsonb<std::vector<std::string>>({"a", "b"})),
                                    rc::gen::map(lists<texts_of_array>(texts()), [](texts_of_array const& list) { return jsonb(list); })),
        type<address>("struct", ISOROW_SHOWN(address{"Berlin", 5}), addresses()),
    };
    // clang-format on
    return types;
}

/// The types of the list.
using value_types_tuple = std::remove_cvref_t<decltype(value_types())>;

/// Calls `visit` with each `value_type` of the list.
template <class Visit>
void for_each_value_type(Visit&& visit) {
    std::apply([&](auto const&... types) { (visit(types), ...); }, value_types());
}

namespace detail {

template <class T, class Tuple>
inline constexpr bool is_listed = false;
template <class T, class... Listed>
inline constexpr bool is_listed<T, std::tuple<Listed...>> = (std::same_as<T, typename Listed::type> || ...);

}  // namespace detail

/// Random values of a field: of a listed type, of `std::optional` of one, of an annotated one, or of a vector of these.
template <class Field>
struct random_field {
    static_assert(detail::is_listed<Field, value_types_tuple>, "this type needs a line in value_types()");
    static rc::Gen<Field> any() { return std::get<value_type<Field>>(value_types()).values; }
};
template <class T>
struct random_field<std::optional<T>> {
    static rc::Gen<std::optional<T>> any() {
        return rc::gen::map(rc::gen::pair(rc::gen::inRange(0, 4), random_field<T>::any()), [](std::pair<int, T> const& drawn) {
            return drawn.first == 0 ? std::nullopt : std::optional<T>(drawn.second);
        });
    }
};
template <class T, class... Tags>
struct random_field<isorow::annotated<T, Tags...>> {
    static rc::Gen<isorow::annotated<T, Tags...>> any() {
        return rc::gen::map(random_field<T>::any(), [](T const& value) { return isorow::annotated<T, Tags...>(value); });
    }
};
template <class Element>
    requires(!detail::is_listed<std::vector<Element>, value_types_tuple>)
struct random_field<std::vector<Element>> {
    static rc::Gen<std::vector<Element>> any() { return random::lists<std::vector<Element>>(random_field<Element>::any()); }
};

}  // namespace test
