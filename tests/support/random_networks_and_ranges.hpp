#pragma once

/// @file
/// Random values of addresses, bits, sparse vectors, hstore and ranges, for rapidcheck.

#include <isorow/types/bits.hpp>
#include <isorow/types/hstore.hpp>
#include <isorow/types/multirange.hpp>
#include <isorow/types/network.hpp>
#include <isorow/types/range.hpp>
#include <isorow/types/sparsevec.hpp>
#include <support/random_values.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace test::random {

template <std::size_t Size>
rc::Gen<std::array<std::uint8_t, Size>> byte_arrays() {
    return rc::gen::oneOf(rc::gen::container<std::array<std::uint8_t, Size>>(bits<std::uint8_t>()),
                          rc::gen::container<std::array<std::uint8_t, Size>>(rc::gen::element<std::uint8_t>(0, 0, 0, 255)));
}

/// IPv4 and IPv6, hosts and networks, those that IPv6 writes in another way.
inline rc::Gen<isorow::inet> addresses_of_hosts() {
    using isorow::inet;
    auto const v4 =
        rc::gen::map(rc::gen::pair(byte_arrays<4>(), rc::gen::inRange<std::size_t>(0, 33)),
                     [](std::pair<std::array<std::uint8_t, 4>, std::size_t> const& parts) { return inet::v4(parts.first, parts.second); });
    auto const v6 =
        rc::gen::map(rc::gen::pair(byte_arrays<16>(), rc::gen::inRange<std::size_t>(0, 129)),
                     [](std::pair<std::array<std::uint8_t, 16>, std::size_t> const& parts) { return inet::v6(parts.first, parts.second); });
    return with_edges<inet>({inet(), *inet::parse("255.255.255.255"), *inet::parse("0.0.0.0/0"), *inet::parse("::"), *inet::parse("::1"),
                             *inet::parse("::ffff:10.0.0.1"), *inet::parse("::10.0.0.1/96")},
                            rc::gen::oneOf(v4, v6));
}

inline rc::Gen<isorow::cidr> networks() {
    return rc::gen::map(addresses_of_hosts(), [](isorow::inet const& address) { return isorow::network_of(address); });
}

template <class Address, std::size_t Size>
rc::Gen<Address> hardware_addresses() {
    return rc::gen::map(byte_arrays<Size>(), [](std::array<std::uint8_t, Size> const& bytes) { return Address(bytes); });
}

inline rc::Gen<isorow::varbit> bit_strings(std::size_t most = 70) {
    return rc::gen::map(lists<std::vector<std::uint8_t>>(rc::gen::element<std::uint8_t>(0, 1), most),
                        [](std::vector<std::uint8_t> const& each) {
                            isorow::varbit bits;
                            for (auto const one : each) bits.push_back(one != 0);
                            return bits;
                        });
}

template <std::size_t N>
rc::Gen<isorow::bit<N>> bits_of_size() {
    return rc::gen::map(bits<std::uint64_t>(), [](std::uint64_t word) {
        isorow::bit<N> bits;
        for (std::size_t i = 0; i < N; ++i) bits.set(i, ((word >> (i % 64)) & 1) != 0);
        return bits;
    });
}

template <std::size_t N>
rc::Gen<isorow::sparsevec<N>> sparse_vectors() {
    return rc::gen::map(rc::gen::container<std::array<float, N>>(rc::gen::oneOf(rc::gen::just(0.0f), elements<false>())),
                        [](std::array<float, N> const& values) { return isorow::sparsevec<N>::from_dense(values); });
}

inline rc::Gen<isorow::hstore> maps_of_texts() {
    using parts = std::vector<std::tuple<std::string, bool, std::string>>;
    return rc::gen::map(lists<parts>(rc::gen::tuple(texts(), booleans(), texts()), 5), [](parts const& each) {
        isorow::hstore map;
        for (auto const& [key, has_value, value] : each) map[key] = has_value ? std::optional(value) : std::nullopt;
        return map;
    });
}

/// Empty ranges, and ranges with bounds of each kind and without; two equal bounds are both kept.
template <std::integral T>
rc::Gen<isorow::range<T>> ranges() {
    using isorow::range;
    constexpr auto last = std::numeric_limits<T>::max() - 1;
    auto const bound = with_edges<T>({std::numeric_limits<T>::min(), 0, 1, last}, rc::gen::inRange<T>(-1000, 1000));
    return rc::gen::map(rc::gen::tuple(bound, bound, rc::gen::inRange(0, 10)), [](std::tuple<T, T, int> const& drawn) {
        auto const [one, other, kind] = drawn;
        auto const [lower, upper] = std::minmax(one, other);
        switch (kind) {
            case 0:
                return range<T>::empty();
            case 1:
                return range<T>::all();
            case 2:
                return range<T>::at_least(lower);
            case 3:
                return range<T>::less_than(upper);
            case 4:
                return range<T>::greater_than(lower);
            case 5:
                return range<T>::at_most(upper);
            case 6:
                return range<T>::open_closed(lower, upper);
            case 7:
                return range<T>::closed(lower, upper);
            default:
                return range<T>::closed_open(lower, upper);
        }
    });
}

template <class T>
rc::Gen<isorow::multirange<T>> multiranges() {
    return rc::gen::map(lists<std::vector<isorow::range<T>>>(ranges<T>(), 5),
                        [](std::vector<isorow::range<T>> const& each) { return isorow::multirange<T>(each); });
}

}  // namespace test::random
